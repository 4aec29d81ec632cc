"""Which decisions on a proposal ask for a fresh proof of presence, and for what exactly. Decides nothing else."""

from datetime import datetime
from typing import Literal

from approvals.models import Proposal, Revision
from portal import stepup
from portal.models import StepUp
from portal.retold import kept

Purpose = Literal["approve", "resolve", "overwrite"]
WORDS: dict[Purpose, str] = {
    "approve": kept("Approve: %(what)s"),
    "resolve": kept("Say what became of: %(what)s"),
    "overwrite": kept("Overwrite what changed since: %(what)s"),
}


def ask(row: Proposal, purpose: Purpose, *, words: str = "") -> stepup.Ask:
    """What is repeated to the person, bound to the current digest and amount; `words` says it better, with its gap."""
    return stepup.Ask(
        purpose=purpose, subject=f"proposal:{row.pk}", digest=row.digest,
        words=(words or WORDS[purpose]) % {"what": row.summary},
        target=row.target, amount_minor=row.amount_minor, currency=row.currency if row.amount_minor is not None else "",
        high=row.tier == "high",
    )  # fmt: skip


def for_approval(
    row: Proposal, revision: Revision, *, person: int, step_up: stepup.Proof | None, now: datetime
) -> StepUp | None:
    """The proof an approval needs, taken; None where its tier and verdict ask for none.

    Raises:
        stepup.StepUpError.
    """
    if row.tier != "high" and not revision.verdict.get("step_up"):
        return None
    return of(row, "approve", person=person, step_up=step_up, now=now)


def of(
    row: Proposal, purpose: Purpose, *, person: int, step_up: stepup.Proof | None, now: datetime, words: str = ""
) -> StepUp:
    """The proof for one purpose, taken.

    Raises:
        stepup.Needed (there is none), and all that `stepup.use` raises.
    """
    return stepup.use(
        workspace=row.workspace_id, person=person, proof=step_up, ask=ask(row, purpose, words=words), now=now
    )  # fmt: skip
