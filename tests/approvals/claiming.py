"""Short ways for tests of claims: what waits, who is served, and what lapsed."""

import secrets
from datetime import timedelta

from approvals import claims, proposals
from approvals.models import Case, Claim, Handoff, Proposal
from portal import workspace
from portal.models import Role
from tests.approvals import steps
from tests.cast import Cast
from tests.conftest import signed_in

REVIEWER = [Role.REVIEWER]


def proposed(cast: Cast, *, priority: str = "P1") -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": priority})


def next_for(cast: Cast, name: str, *, roles: list[Role] = REVIEWER, most: int = claims.MOST) -> str:
    with workspace.within(cast.ws, cast.id(name)) as now:
        taken = claims.claim_next(workspace=cast.ws, person=cast.id(name), now=now, roles=roles, most=most)
    return taken.item if taken else ""


def let_lapse(cast: Cast) -> None:
    """As if ten minutes had gone by for every lease."""
    with workspace.within(cast.ws) as now:
        Claim.objects.filter(workspace=cast.ws, person__isnull=False).update(until=now - timedelta(seconds=1))


def open_places(cast: Cast, count: int, *, team: str = "", language: str = "") -> list[str]:
    """Hand-offs in the queue, without the way that leads to them."""
    target = steps.ticket(cast)
    with workspace.within(cast.ws):
        case = Case.objects.get(subject=target)
    with signed_in("apply"), workspace.within(cast.ws):
        made = Handoff.objects.bulk_create(
            Handoff(
                workspace_id=cast.ws, case_id=case.pk, kind="handoff", reason="unclear", summary="Do it",
                proposer="agent:triage", urgency=n, team=team, language=language,
            )
            for n in range(count)
        )  # fmt: skip
    return [f"handoff:{row.pk}" for row in made]


def by_person(
    cast: Cast, target: str, name: str, *, action: str = "ticket.update", to: str = "", args: object = None
) -> Proposal:
    with workspace.within(cast.ws, cast.id(name)):
        case = proposals.open_case(workspace=cast.ws, subject=target, title="", customer="")
        made = proposals.submit(
            workspace=cast.ws, case=case.pk, kind="action", proposer=f"person:{cast.id(name)}",
            key=secrets.token_hex(4),
            payload={
                "action": action, "target": to or target, "args": args or {"priority": "P1"}, "confidence": 1,
                "justification": "By hand.", "evidence": [], "flags": [],
            },
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=made)
