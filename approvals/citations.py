"""Whether what an agent cites bears it out: a clause exists, may be read, is in force as it was read, and says so.

Asked by the gate, from the pages as they are then, without the code that cited. A quote must stand there to the
letter, but for the white space between its words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals import payloads
from approvals.models import Submission
from portal import pages
from portal.retold import kept
from portal.systems.base import Reader

FAILED, UNJUSTIFIED = "verification_failed", "unjustified"
CLAUSE, TICKET = "clause", "ticket"
NO_CLAUSE = kept("there is no clause %(clause)s in force")
NOT_FOR_AGENT = kept("the clause %(clause)s is not for this agent to read")
NOT_FOR_ALL = kept("the clause %(clause)s is not for everybody to read who decides on this")
OTHER_VERSION = kept("the clause %(clause)s was read in version %(was)s and stands in version %(now)s now")
NO_VERSION = kept("the clause %(clause)s was read without saying in which version and stands in version %(now)s now")
CLAUSE_SAYS_NOT = kept("the clause %(clause)s does not say %(quote)s")
NO_TICKET = kept("there is no ticket %(ticket)s")
TICKET_SAYS_NOT = kept("the ticket %(ticket)s does not say %(quote)s")
SENTENCE = kept("What it cites does not bear it out: %(faults)s.")


@dataclass(frozen=True, slots=True)
class Standing:
    """A clause in force: its version, its words, and who reads its page."""

    version: int
    text: str
    readers: frozenset[str]


def cited(payload: Mapping[str, Any]) -> list[payloads.Citation]:
    """The evidence of a submission; none where it is of a wrong form, which is refused elsewhere."""
    try:
        return payloads.read(payloads.Paper, payload).evidence
    except payloads.PayloadError:
        return []


def standing(workspace: int, submissions: Iterable[Submission]) -> dict[str, Standing]:
    """The clauses in force that submissions cite, by id: one statement, and none where nothing is cited."""
    sources = {one.source for submission in submissions for one in cited(submission.payload)}
    ids = [key for kind, _, key in (source.partition(":") for source in sources) if kind == CLAUSE]
    rows = pages.in_force(workspace).filter(clause_id__in=ids) if ids else ()
    return {row.clause_id: Standing(row.version, row.text, frozenset(row.page.readers)) for row in rows}


def faults(submission: Submission, shelf: Mapping[str, Standing], reader: Reader) -> list[str]:
    """What is wrong with the evidence of a submission, each in words; nothing is asked of a person's own."""
    kind, _, agent = submission.proposer.partition(":")
    if kind == "person":
        return []
    found = []
    for one in cited(submission.payload):
        about, _, key = one.source.partition(":")
        if about == CLAUSE:
            found.append(_of_clause(one, key, shelf.get(key), agent))
        elif about == TICKET and one.quote:
            found.append(_of_ticket(one, key, reader))
    return [fault for fault in found if fault]


def _of_clause(one: payloads.Citation, key: str, there: Standing | None, agent: str) -> str:
    if there is None:
        return NO_CLAUSE % {"clause": key[:40]}
    if not there.readers & {pages.AGENTS, f"agent:{agent}"}:
        return NOT_FOR_AGENT % {"clause": key}
    if pages.STAFF not in there.readers:
        return NOT_FOR_ALL % {"clause": key}
    if one.version != there.version:
        told = {"clause": key, "was": one.version, "now": there.version}
        return (OTHER_VERSION if one.version else NO_VERSION) % told
    if not one.quote.strip() or not says(there.text, one.quote):
        return CLAUSE_SAYS_NOT % {"clause": key, "quote": repr(one.quote[:60])}
    return ""


def _of_ticket(one: payloads.Citation, key: str, reader: Reader) -> str:
    ticket = reader.ticket(key)
    if ticket is None:
        return NO_TICKET % {"ticket": key[:40]}
    text = "\n".join((ticket.subject, *(message.body for message in ticket.messages)))
    return "" if says(text, one.quote) else TICKET_SAYS_NOT % {"ticket": key, "quote": repr(one.quote[:60])}


def says(text: str, quote: str) -> bool:
    """Whether the quote stands in the text to the letter, however its white space is."""
    return " ".join(quote.split()) in " ".join(text.split())


def justified(payload: Mapping[str, Any]) -> bool:
    """Whether the justification names a piece of its evidence, by the id of the record or page it rests on."""
    words = str(payload.get("justification", ""))
    return any((key := one.source.partition(":")[2]) and key in words for one in cited(payload))


def sentence(found: Sequence[str]) -> str:
    """Faults as one sentence for a person."""
    return SENTENCE % {"faults": "; ".join(found)}
