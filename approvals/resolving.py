"""A manager says what became of an unknown one, with evidence and proof of presence; the apply process records it."""

from datetime import datetime

from django.utils.translation import gettext as _

from approvals import decisions, outbox, presence, sending, votes
from approvals.models import Proposal
from approvals.state import Kind, State
from portal import stepup
from portal.retold import kept

WORDS = {
    "yes": kept("Say that it happened: %(what)s"),
    "no": kept("Say that it never happened: %(what)s"),
}


def resolve(
    *, workspace: int, proposal: int, seen: decisions.Seen, person: int, happened: str, evidence: str, now: datetime,
    step_up: stepup.Proof | None = None,
) -> Proposal:  # fmt: skip
    """Say whether the effect is there. `happened` is "yes" or "no"; `evidence` is what the manager found: the
    provider's id of it, or where they looked.

    Raises:
        decisions.Gone, decisions.NotAllowed, decisions.BadInput, stepup.StepUpError, Proposal.DoesNotExist.
    """
    row, held = decisions.opened(workspace, proposal, person, seen, (State.UNKNOWN,), now=now)
    if "manager" not in held:
        raise decisions.NotAllowed(_("Only a manager says what became of it."))
    if happened not in WORDS:
        raise decisions.BadInput(f"happened: {_('say whether it is there')}")
    evidence = evidence.strip()[:1000]
    if not evidence:
        raise decisions.BadInput(f"evidence: {_('say what you found and where')}")
    present = presence.of(row, "resolve", person=person, step_up=step_up, now=now, words=WORDS[happened])
    votes.cast(
        row, person=person, role="manager", kind=Kind.FOUND if happened == "yes" else Kind.NOT_FOUND, now=now,
        note=evidence, step_up=present, told=seen.told,
    )  # fmt: skip
    outbox.put(
        workspace=workspace, task=sending.RECONCILE, queue="apply", object_id=row.pk, not_before=now, now=now
    )  # fmt: skip
    return row
