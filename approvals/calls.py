"""What the page of a proposal says about calls to an outside system, in words."""

from dataclasses import dataclass
from datetime import datetime

from approvals.models import Attempt, Proposal
from approvals.state import State

WORDS = {
    "sent": "Sent, no answer yet",
    "done": "Done",
    "refused": "Refused",
    "not_sent": "Not sent",
    "lost": "Sent, and the answer was lost",
}
MONEY = {"pending": "on its way", "settled": "arrived", "bounced": "came back"}
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
    return tuple(_line(attempt) for attempt in proposal.attempts.order_by("-pk")[:SHOWN])


def _line(attempt: Attempt) -> Line:
    money = f": the money {MONEY[attempt.follow]}" if attempt.follow else ""
    return Line(
        attempt.number, WORDS[attempt.state] + money, f"{attempt.part} system ({attempt.system})",
        attempt.sent_at, attempt.outside_id, str(attempt.key), str(attempt.answer.get("because", "")),
    )  # fmt: skip
