"""What the page of a proposal says about calls to an outside system, in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.utils.translation import pgettext

from approvals import wording
from approvals.models import Attempt, Proposal
from approvals.state import State
from portal import retold

WORDS = {
    "sent": noop("Sent, no answer yet"),
    "done": "Done",  # told by its context
    "refused": noop("Refused"),
    "not_sent": noop("Not sent"),
    "lost": noop("Sent, and the answer was lost"),
}
MONEY = {"pending": noop("on its way"), "settled": noop("arrived"), "bounced": noop("came back")}
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One attempt; `because` is empty where there is nothing to explain. Times are UTC."""

    number: int
    words: str
    system: str
    sent_at: datetime
    outside_id: str
    reference: str
    because: str


def lines(proposal: Proposal) -> tuple[Line, ...]:
    """The newest attempts at a proposal; nothing is asked for one that cannot have any."""
    if proposal.state not in (State.APPLYING, State.UNKNOWN, State.APPLIED, State.FAILED, State.PENDING):
        return ()
    if proposal.state == State.PENDING and proposal.revision == 1:
        return ()
    return tuple(line(attempt) for attempt in proposal.attempts.order_by("-pk")[:SHOWN])


def money(follow: str) -> str:
    """Where the money of a call stands, as it stands within a sentence."""
    return _(MONEY[follow]) if follow in MONEY else follow


def line(attempt: Attempt) -> Line:
    """One of them."""
    words = pgettext("state", "Done") if attempt.state == "done" else _(WORDS[attempt.state])
    if attempt.follow:
        words = _("%(outcome)s: the money %(where)s") % {"outcome": words, "where": money(attempt.follow)}
    system = _("%(part)s system (%(name)s)") % {"part": wording.part(attempt.part), "name": attempt.system}
    return Line(
        attempt.number, words, system, attempt.sent_at, attempt.outside_id, str(attempt.key),
        retold.say(str(attempt.answer.get("because", ""))),
    )  # fmt: skip
