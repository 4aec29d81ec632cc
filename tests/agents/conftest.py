"""A workspace of its own for each test of the agents, with a few people's orders in its books."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

QUEUES = {
    name: name.replace("_", " ").capitalize()
    for name in (
        "general_inquiry", "payments_disputes", "orders_delivery", "account_access", "fees_billing",
        "out_of_scope", "verification_compliance", "fraud_security", "refunds_returns", "technical_issue",
        "complaints_escalation",
    )
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """A workspace and how lines come in to it."""

    workspace: int
    take_in: Callable[..., object]


@pytest.fixture
def desk(live) -> Iterator[Desk]:
    from django.db import transaction

    from agents import intake
    from portal import staff
    from portal.workspace import within

    with transaction.atomic():
        made = staff.open_workspace(slug=f"t-{secrets.token_hex(6)}", name="Tests", currency="USD", queues=QUEUES)

    def take_in(agent: str, **line: object) -> intake.Taken:
        with within(made.pk) as now:
            return intake.take_in(workspace=made.pk, agent=agent, line=line, actor="system:tests", now=now)

    yield Desk(made.pk, take_in)
