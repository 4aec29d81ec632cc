"""An outside system that serves a workspace's payments in tests, and the apply process that may open its credential."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from approvals import execution, reconciliation
from approvals.models import Attempt, Proposal
from portal import env, workspace
from portal.systems import connections
from tests.approvals import steps
from tests.audit.seals import seal
from tests.cast import Cast
from tests.conftest import KEYS, signed_in
from tests.provider.process import Provider


def serve(cast: Cast, provider: Provider, part: str = "payments", **config: Any) -> None:
    """Let the provider serve a part, as an admin would choose it."""
    with workspace.within(cast.ws) as now:
        who = f"person:{cast.id('ada')}"
        connections.choose(
            workspace=cast.ws, part=part, system="http", actor=who, now=now,
            config={"base_url": provider.url, "allow_private": True, "settling_seconds": 1, **config},
        )  # fmt: skip
        connections.set_credential(workspace=cast.ws, part=part, secret=provider.secret, actor=who, now=now)


@contextmanager
def apply_process() -> Iterator[None]:
    """Signed in as apply, with the private key that only it has."""
    os.environ["CREDENTIALS_PRIVATE_KEY"] = Path(KEYS / "private").read_text()
    env.read.cache_clear()
    try:
        with signed_in("apply"):
            yield
    finally:
        del os.environ["CREDENTIALS_PRIVATE_KEY"]
        env.read.cache_clear()


def refund(cast: Cast, provider: Provider, *, paid: int = 4_510, **how: Any) -> Proposal:
    """A refund that Rosa approved and whose hold is over; the provider knows its payment."""
    order = steps.order(cast)
    provider.pay(order, paid)
    case = steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, case, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds", **how)
    return steps.approve(cast, row, "rosa")


def apply(cast: Cast, row: Proposal) -> Proposal:
    """A message for it reaches a worker, once the log is sealed."""
    seal()
    with apply_process():
        execution.apply(workspace=cast.ws, proposal=row.pk)
    return steps.fresh(cast, row)


def reconcile(cast: Cast, row: Proposal) -> Proposal:
    """The reconciler is due."""
    with apply_process():
        reconciliation.reconcile(workspace=cast.ws, proposal=row.pk)
    return steps.fresh(cast, row)


def attempts(cast: Cast, row: Proposal) -> list[str]:
    """How its attempts ended, oldest first."""
    with workspace.within(cast.ws):
        return list(Attempt.objects.filter(proposal=row).order_by("pk").values_list("state", flat=True))


def effects(cast: Cast, provider: Provider, row: Proposal) -> int:
    """How often the provider did it."""
    with workspace.within(cast.ws):
        keys = {str(key) for key in Attempt.objects.filter(proposal=row).values_list("key", flat=True)}
    return sum(effect["reference"] in keys for effect in provider.effects())
