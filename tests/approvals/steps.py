"""Short ways through the door for tests: a ticket, an order, a submission by an agent, the gate, a vote."""

import secrets
from datetime import timedelta
from typing import Any

from agents.models import Run
from approvals import decisions, execution, gate, presence, proposals
from approvals.models import Case, Proposal, Submission
from audit import log
from portal import models, pages, workspace
from tests.cast import Cast
from tests.conftest import signed_in
from tests.presence import passed


def ticket(cast: Cast, *, text: str = "Where is my kettle?", customer: str = "") -> str:
    """A ticket with one message, as web takes it in; returns its target."""
    with workspace.within(cast.ws):
        log.attribute("test")
        owner = models.Customer.objects.filter(workspace=cast.ws, customer_id=customer).first()
        row = models.Ticket.objects.create(
            workspace=cast.workspace, ticket_id=f"T-{secrets.token_hex(3)}", external_id=secrets.token_hex(6),
            customer=owner, subject="A matter",
        )  # fmt: skip
        models.Message.objects.create(workspace=cast.workspace, ticket=row, seq=1, sender="customer", body=text)
        proposals.open_case(workspace=cast.ws, subject=f"ticket:{row.ticket_id}", title="A matter", customer=customer)
    return f"ticket:{row.ticket_id}"


def order(
    cast: Cast, *, customer: str = "cu-1", amount: int = 4_510, status: str = "delivered", besides: int = 0,
    outside_id: str = "",
) -> str:  # fmt: skip
    """A paid order of one item; returns its id. The customer pays with `card-<customer>`."""
    with workspace.within(cast.ws):
        log.attribute("test")
        owner, _ = models.Customer.objects.get_or_create(
            workspace=cast.workspace, customer_id=customer,
            defaults={"first_name": "Cleo", "last_name": "Customer", "email": f"{customer}@example.com"},
        )  # fmt: skip
        method, _ = models.PaymentMethod.objects.get_or_create(
            workspace=cast.workspace, payment_method_id=f"card-{customer}", customer=owner, kind="credit_card"
        )
        row = models.Order.objects.create(
            workspace=cast.workspace, order_id=f"#W{secrets.randbelow(10**7):07}", customer=owner, status=status,
            currency="EUR", paid_total_minor=amount + besides,
        )  # fmt: skip
        models.OrderItem.objects.create(
            workspace=cast.workspace, order=row, line=1, item_id="i-1", product="Kettle", quantity=1,
            unit_price_minor=amount,
        )  # fmt: skip
        if besides:
            models.OrderItem.objects.create(
                workspace=cast.workspace, order=row, line=2, item_id="i-2", product="Filter", quantity=1,
                unit_price_minor=besides,
            )  # fmt: skip
        models.Payment.objects.create(
            workspace=cast.workspace, order=row, seq=1, type="payment", amount_minor=amount + besides, currency="EUR",
            method=method, outside_id=outside_id,
        )  # fmt: skip
    return row.order_id


def page(
    cast: Cast, text: str, *, clause: str = "RET-1", slug: str = "returns", readers: Any = pages.EVERYBODY
) -> None:
    """The next version of a policy page of one clause."""
    with workspace.within(cast.ws) as now:
        pages.publish(
            workspace=cast.ws, slug=slug, title="Returns", readers=readers, actor="system:test", now=now,
            sentences=[pages.Sentence(clause, "Returns", text)],
        )  # fmt: skip


def refund_args(order_id: str, *, customer: str = "cu-1", amount: int = 4_510) -> dict[str, Any]:
    """Arguments of a full return."""
    return {
        "kind": "return", "order_id": order_id, "item_ids": ["i-1"], "refund_to": f"card-{customer}",
        "amount_minor": amount, "currency": "EUR", "reason": "",
    }  # fmt: skip


def contact(cast: Cast, fields: dict[str, str], locked: tuple[str, ...] = ()) -> str:
    """A contact; returns its target."""
    with workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.create(
            workspace=cast.workspace, contact_id=f"c-{secrets.token_hex(3)}", fields=fields,
            locked_fields=list(locked),
        )  # fmt: skip
        proposals.open_case(workspace=cast.ws, subject=f"contact:{row.contact_id}", title="", customer="")
    return f"contact:{row.contact_id}"


def submit_as_agent(
    cast: Cast, case: str, action: str, target: str, args: dict[str, Any], *, agent: str = "triage",
    confidence: float = 0.9, flags: tuple[str, ...] = (), key: str = "", run: Run | None = None,
    depends_on: tuple[str, ...] = (), evidence: Any = None, verified: str = "", read_to: int | None = None,
) -> Submission:  # fmt: skip
    """An agent's submission, written under its own database role for a run that is under way."""
    run = run or begin_run(cast, case, agent)
    with signed_in("agents"), workspace.within(cast.ws):
        return proposals.submit(
            workspace=cast.ws, case=run.case_id, kind="action", proposer=f"agent:{agent}", run=f"run:{run.pk}",
            key=key or secrets.token_hex(4), depends_on=depends_on, read_to=read_to,
            payload={
                "action": action, "target": target, "args": args, "confidence": confidence,
                "justification": f"Because of {target.partition(':')[2]}.", "flags": list(flags),
                "evidence": [{"claim": "It is about this", "source": target}] if evidence is None else evidence,
                **({"verified": verified} if verified else {}),
            },
        )  # fmt: skip


def begin_run(cast: Cast, case: str, agent: str = "triage") -> Run:
    """A run under way, opened by web, leased by an agents process from its first moment: real ones may look on."""
    with workspace.within(cast.ws) as now:
        row = Case.objects.get(subject=case)
        run = Run.objects.create(
            workspace=cast.workspace, case=row, agent=agent, agent_version="1", trace_id=secrets.token_hex(16),
            lease_until=now + timedelta(hours=1),
        )  # fmt: skip
    with signed_in("agents"), workspace.within(cast.ws):
        Run.objects.filter(pk=run.pk).update(state="running", fence=1)
    return run


def propose(cast: Cast, case: str, action: str, target: str, args: dict[str, Any], **more: Any) -> Proposal:
    """Submit as an agent and pass the gate; the proposal as it stands."""
    submission = submit_as_agent(cast, case, action, target, args, **more)
    pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=submission)


def pass_gate(cast: Cast, submission: Submission) -> None:
    """Under the gate's own role."""
    with signed_in("apply"):
        gate.pass_through(workspace=cast.ws, submission=submission.pk)


def approve(cast: Cast, proposal: Proposal, name: str) -> Proposal:
    """One person's vote on what stands there now, on high tier with a fresh proof that it is them."""
    row = fresh(cast, proposal)
    with workspace.within(cast.ws, cast.id(name)) as now:
        proof = passed(cast, presence.ask(row, "approve"), name, now) if row.tier == "high" else None
        return decisions.approve(
            workspace=cast.ws, proposal=row.pk, seen=decisions.Seen(row.revision, row.digest), person=cast.id(name),
            now=now, step_up=proof,
        )  # fmt: skip


def apply(cast: Cast, proposal: Proposal) -> Proposal:
    """What the apply worker does with a message for it."""
    with signed_in("apply"):
        execution.apply(workspace=cast.ws, proposal=proposal.pk)
    return fresh(cast, proposal)


def fresh(cast: Cast, proposal: Proposal) -> Proposal:
    """The row as it is now."""
    with workspace.within(cast.ws):
        return Proposal.objects.get(pk=proposal.pk)


def seen(proposal: Proposal) -> decisions.Seen:
    """What a page would post back."""
    return decisions.Seen(proposal.revision, proposal.digest)
