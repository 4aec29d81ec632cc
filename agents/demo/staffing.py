"""The sample staff at work: decides through the same services as the pages do."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.db import transaction

from agents.demo import staging
from agents.demo.cast import CAST, SHOP
from agents.models import Run, Sweep
from approvals import decisions, handoffs, proposals, reversal, revising, votes
from approvals.models import Decision, Handoff, Proposal, Submission
from approvals.state import Kind, State
from portal import factors, roles, stepup, workspace
from portal.models import Person

REJECTED_EVERY, EDITED_EVERY, WITHDRAWN_EVERY, UNDONE_EVERY = 7, 9, 11, 3
SEEN_THROUGH = "contact.merge"  # a short day brings one: it is approved, and undone
_SESSION = stepup.session_of("demo")
_shown: dict[int, int] = {}  # by person, the time step whose code was used last


def people() -> dict[str, int]:
    """Ids of the shop's sample staff by key."""
    wanted = {staging.address(member): member.key for member in CAST if member.workspace == SHOP}
    found = Person.objects.filter(email__in=wanted).values_list("email", "pk")
    return {wanted[email]: int(key) for email, key in found}


def change_meanwhile(shop: int) -> bool:
    """Mara moves a ticket by hand, past an agent's open proposal, which then has changed since; False if none is open.

    Leaves a submission for the gate; `decide_by_hand` approves what comes of it.
    """
    mara = people()["mara"]
    with workspace.within(shop, mara):
        waiting = Proposal.objects.filter(
            workspace=shop, action="ticket.update", state=State.PENDING, proposer="agent:triage"
        ).order_by("pk").last()  # fmt: skip
        if waiting is None:
            return False
        proposals.submit(
            workspace=shop, case=waiting.case_id, kind=Submission.Is.ACTION, proposer=f"person:{mara}",
            key=f"by-hand-{waiting.pk}",
            payload={
                "action": "ticket.update", "target": waiting.target, "confidence": 1, "evidence": [], "flags": [],
                "args": {"queue": "complaints_escalation", "priority": "P1"},
                "justification": "The customer rang; this cannot wait.",
            },
        )  # fmt: skip
    return True


def decide_by_hand(shop: int) -> int:
    """Rosa approves what Mara proposed; returns how many."""
    staff = people()
    with workspace.within(shop, staff["rosa"]) as now:
        mine = Proposal.objects.filter(workspace=shop, state=State.PENDING, proposer=f"person:{staff['mara']}")
        for row in mine:
            decisions.approve(
                workspace=shop, proposal=row.pk, seen=decisions.Seen(row.revision, row.digest), person=staff["rosa"],
                now=now,
            )  # fmt: skip
        return len(mine)


def decide_all(shop: int) -> int:
    """Work through all that waits: mostly approve, now and then something else; returns how many decisions fell."""
    staff = people()
    with workspace.within(shop):
        pending = Proposal.objects.filter(workspace=shop, state=State.PENDING)
        waiting = list(pending.values_list("pk", flat=True))
        off_the_table = [row.pk for row in pending.exclude(action=SEEN_THROUGH) if row.pk % WITHDRAWN_EVERY == 0]
        done_with = [
            row.pk
            for row in Proposal.objects.filter(
                workspace=shop, state=State.APPLIED, undoes=None, undo_submissions=None,
                action__in=("ticket.update", "contact.update", SEEN_THROUGH), proposer__startswith="agent:",
            )
            if row.pk % UNDONE_EVERY == 0 or row.action == SEEN_THROUGH
        ]  # fmt: skip
        stale = list(Proposal.objects.filter(workspace=shop, state=State.STALE).values_list("pk", flat=True))
        open_handoffs = list(Handoff.objects.filter(workspace=shop, state="open").values_list("pk", flat=True))
    done = sum(_withdraw(shop, key, staff) for key in [*off_the_table, *stale])
    done += sum(_decide(shop, key, staff) for key in waiting)
    done += sum(_undo(shop, key, staff) for key in done_with)
    return done + sum(_resolve(shop, key, staff) for key in open_handoffs)


def _decide(shop: int, key: int, staff: dict[str, int]) -> bool:
    for name in ("rosa", "ravi", "mara"):
        with workspace.within(shop, staff[name]) as now:
            row = proposals.locked(workspace=shop, proposal=key)
            if row.state != State.PENDING or votes.why_not(
                row, staff[name], roles.of(staff[name], shop), votes.current(row)
            ):  # fmt: skip
                continue
            seen = decisions.Seen(row.revision, row.digest)
            if key % REJECTED_EVERY == 0 and row.action != SEEN_THROUGH:
                decisions.reject(
                    workspace=shop,
                    proposal=key,
                    seen=seen,
                    person=staff[name],
                    reason="ask_customer",
                    note="",
                    now=now,
                )
            elif (key % EDITED_EVERY == 0 or not _edited(shop)) and _edit(row, seen, staff[name], now):
                return True  # somebody looks at it anew
            elif not _approve(shop, key, name, staff[name], seen, now):
                continue
            return True
    return False


def _edited(shop: int) -> bool:
    """Whether anything was edited yet: a short day has one edit at least."""
    return Decision.objects.filter(workspace=shop, kind=Kind.EDIT).exists()


def _edit(row: Proposal, seen: decisions.Seen, person: int, now: datetime) -> bool:
    """Once, and only what says how urgent a ticket is."""
    args = votes.current(row).args
    if row.action != "ticket.update" or row.revision > 1 or not args.get("priority"):
        return False
    other = "P2" if args["priority"] != "P2" else "P3"
    try:
        revising.edit(
            workspace=row.workspace_id, proposal=row.pk, seen=seen, person=person, args={**args, "priority": other},
            now=now,
        )  # fmt: skip
    except (decisions.BadInput, decisions.NotAllowed):
        return False
    return True


def _undo(shop: int, key: int, staff: dict[str, int]) -> bool:
    """Rosa takes it back where it can be taken back; it goes through the gate like everybody's."""
    with workspace.within(shop, staff["rosa"]):
        row = proposals.locked(workspace=shop, proposal=key)
        if reversal.offered(row) != "undo":
            return False
        try:
            seen = reversal.undo_preview(proposal=row).content
            reversal.undo(proposal=row, person=staff["rosa"], seen_content=seen, key=f"demo-{key}")
        except (reversal.UndoError, reversal.Moved, reversal.NotAllowed):
            return False
    return True


def _approve(shop: int, key: int, name: str, person: int, seen: decisions.Seen, now: datetime) -> bool:
    """As on the page: on high tier the challenge comes first; False while there is no fresh code for it."""
    what: dict[str, Any] = {"workspace": shop, "proposal": key, "seen": seen, "person": person, "now": now}
    try:
        decisions.approve(**what)
    except stepup.Needed as needed:
        proof = be_present(shop, name, person, needed.ask, now)
        if proof is None:
            return False
        decisions.approve(**what, step_up=proof)
    return True


def be_present(shop: int, name: str, person: int, ask: stepup.Ask, now: datetime) -> stepup.Proof | None:
    """Answer a challenge with the code that the person's app shows now; each code is shown to one of them."""
    secret, step = staging.secrets_of_codes().get(name), factors.step_of(now)
    if secret is None or _shown.get(person, 0) >= step:
        return None
    _shown[person] = step
    row = stepup.challenge(workspace=shop, person=person, ask=ask, session=_SESSION, now=now)
    try:
        stepup.verify(
            workspace=shop, person=Person.objects.get(pk=person), step_up=row.pk, session=_SESSION,
            answer=stepup.Answer(code=factors.code_of(secret, step)), now=now,
        )  # fmt: skip
    except stepup.Wrong:  # somebody at a browser was first with this code
        return None
    return stepup.Proof(row.pk, _SESSION)


def _withdraw(shop: int, key: int, staff: dict[str, int]) -> bool:
    with workspace.within(shop, staff["mara"]) as now:
        row = proposals.locked(workspace=shop, proposal=key)
        if row.state not in (State.PENDING, State.STALE):
            return False
        seen = decisions.Seen(row.revision, row.digest)
        decisions.withdraw(workspace=shop, proposal=key, seen=seen, person=staff["mara"], now=now)
    return True


def _resolve(shop: int, key: int, staff: dict[str, int]) -> bool:
    with workspace.within(shop, staff["ravi"]) as now, transaction.atomic():
        person = Person.objects.get(pk=staff["ravi"])
        handoffs.resolve(workspace=shop, handoff=key, person=person, outcome="Written to the customer.", now=now)
    return True


def counts(shop: int) -> dict[str, int]:
    """Proposals and hand-offs per state, and runs and sweeps not yet at their end. Small tables: the sample's own."""
    with workspace.within(shop):
        states = Counter(Proposal.objects.filter(workspace=shop).values_list("state", flat=True))
        states.update(f"handoff_{s}" for s in Handoff.objects.filter(workspace=shop).values_list("state", flat=True))
        states["runs_open"] = Run.objects.filter(workspace=shop).exclude(state__in=("done", "failed")).count()
        states["sweeps_open"] = Sweep.objects.filter(workspace=shop, finished_at=None).count()
        states["submissions_open"] = Submission.objects.filter(workspace=shop, status="new").count()
    return dict(states)
