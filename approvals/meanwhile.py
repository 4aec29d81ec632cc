"""What happened to a proposal while it waits, in words for its page: sent back, votes gone, records moved.

Reads only; `decisions`, `revising` and `returning` hold the rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.utils.translation import pgettext

from approvals import instructions, revising, staleness, votes, wording
from approvals.models import Decision, Instruction, Proposal
from approvals.state import Kind, State

WAITING = (State.PENDING, State.STALE)
NEWEST = 3
HOW = {
    Kind.EDIT: noop("edited by %(who)s"),
    Kind.REDO: noop("worked out anew by %(who)s"),
    Kind.STOP: noop("stopped by %(who)s"),
    Kind.UNVOTE: noop("taken back by %(who)s"),
    Kind.REOPEN: noop("reopened by %(who)s"),
    Kind.SEND_BACK: noop("worked out again, sent back by %(who)s"),
}


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """`sent_back` are the newest instructions, oldest first; `why_wait` says why nobody approves while one is open.

    `dismissed` are approvals that no longer count, `moved` what changed elsewhere; `overwrites` names the fields that
    working it out anew would write over; `found` is what a manager says became of it, not booked yet.
    """

    sent_back: tuple[Instruction, ...] = ()
    why_wait: str = ""
    dismissed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    overwrites: str = ""
    found: Decision | None = None

    @property
    def asked(self) -> Instruction | None:
        """The instruction that is open."""
        return next((one for one in self.sent_back if one.answered_at is None), None)


def of(proposal: Proposal, look: staleness.Look | None, *, person: int, now: datetime) -> Meanwhile:
    """All of it; `look` is the three-way look at one that waits."""
    sent = Instruction.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal)
    told = tuple(reversed(sent.select_related("person").order_by("-pk")[:NEWEST]))
    over = revising.would_overwrite(proposal) if proposal.state in (State.STALE, State.FAILED) else ()
    overwrites = wording.fields(over)
    if look is None:
        return Meanwhile(told, overwrites=overwrites, found=found(proposal))
    asked = next((one for one in told if one.answered_at is None), None)
    return Meanwhile(
        told, instructions.why_wait(asked, now=now), _dismissed(proposal, person), _moved(proposal, look), overwrites
    )


def found(proposal: Proposal) -> Decision | None:
    """What a manager said became of an unknown one, until it is booked."""
    last = proposal.attempts.order_by("-pk").first() if proposal.state == State.UNKNOWN else None
    return votes.found(proposal, since=last.ended_at or last.sent_at) if last else None


def _moved(proposal: Proposal, look: staleness.Look) -> tuple[str, ...]:
    """What changed elsewhere, where the change itself still fits."""
    if proposal.state == State.STALE or look.conflict or not look.moved(proposal.basis):
        return ()
    said = []
    if look.drift:
        said.append(_("What it rests on moved: %(what)s.") % {"what": ", ".join(map(wording.source, look.drifted))})
    if proposal.tier == "high" or look.unsettled(proposal.tier):
        said.append(_("Approving it will find it stale, so that it is worked out anew first."))
    else:
        said.append(_("The record changed elsewhere; this change is the same."))
    return tuple(said)


def _dismissed(proposal: Proposal, person: int) -> tuple[str, ...]:
    """Whose approval went with the newest revision or round, and by whom."""
    given = Decision.objects.filter(
        workspace_id=proposal.workspace_id, proposal=proposal, kind=Kind.APPROVE
    ).select_related("person")  # fmt: skip
    if proposal.revision == 1 and proposal.round == 1:
        return ()
    newest: dict[int, Decision] = {vote.person_id: vote for vote in given.order_by("pk")}
    gone = [v for v in newest.values() if (v.revision, v.round) != (proposal.revision, proposal.round)]
    if not gone:
        return ()
    ended = {
        (one.revision, one.round): one
        for one in Decision.objects.filter(proposal=proposal, kind__in=list(HOW))
        .select_related("person")
        .order_by("pk")
    }
    return tuple(_words(vote, ended, person) for vote in gone)


def _words(vote: Decision, ended: Mapping[tuple[int, int], Decision], person: int) -> str:
    told = {"name": vote.person.name, "revision": vote.revision}
    if vote.person_id == person:
        words = _("Your approval of revision %(revision)s no longer counts") % told
    else:
        words = _("The approval of %(name)s of revision %(revision)s no longer counts") % told
    by = ended.get((vote.revision, vote.round))
    if by is None:
        return f"{words}."
    who = pgettext("by", "you") if by.person_id == person else by.person.name
    return f"{words}: {_(HOW[Kind(by.kind)]) % {'who': who}}."
