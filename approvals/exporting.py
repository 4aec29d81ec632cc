"""What a search of the log found, as CSV or JSON lines, read in pieces and never held as a whole.

A cell that a spreadsheet would take for a formula is marked as text. Erased values say so. What is recognised by its
form as personal or secret (addresses, numbers of cards and telephones, keys) is left out: a file travels.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from approvals import exploring, tabular
from approvals.exploring import Line
from audit import explorer, log, proofs, redaction
from audit.events import Event
from audit.explorer import Wanted
from audit.models import Entry
from audit.report import Fact, Kept
from portal import workspace as inside

COLUMNS = (
    "entry", "at", "actor", "who", "event", "what", "subject", "version", "state", "case", "trace_id", "body",
    "values", "digest",
)  # fmt: skip
PIECE = 500


def note(*, workspace: int, person: int, form: str, query: str, now: datetime) -> Entry:
    """Put on the log who takes what along; the entry is the last one that the export holds."""
    return log.record(
        workspace=workspace, subject="log:export", event=Event.LOG_EXPORTED, actor=f"person:{person}", now=now,
        body={"format": form, "filters": query},
    )  # fmt: skip


def stream(*, workspace: int, person: int, wanted: Wanted, form: str, up_to: int) -> Iterator[bytes]:
    """The lines, inside a transaction of their own: the request's is over when they are sent."""
    with inside.within(workspace, person):
        entries = explorer.every(workspace=workspace, wanted=wanted, up_to=up_to)
        write = _csv if form == "csv" else _jsonl
        if form == "csv":
            yield tabular.row(COLUMNS)
        while piece := list(islice(entries, PIECE)):
            yield b"".join(write(piece, exploring.lines(workspace, piece)))


def _csv(piece: Iterable[Entry], found: Iterable[Line]) -> Iterator[bytes]:
    for entry, line in zip(piece, found, strict=True):
        fact = line.fact
        yield tabular.row((
            entry.pk, fact.at.isoformat(), fact.actor, line.who, fact.event, redaction.scrub(line.told), fact.subject,
            fact.version, fact.state, fact.case, fact.trace_id, tabular.compact(fact.body),
            tabular.compact(_values(fact)), proofs.digest(entry),
        ))  # fmt: skip


def _jsonl(piece: Iterable[Entry], found: Iterable[Line]) -> Iterator[bytes]:
    """RFC 8785 of `leaf` is what was hashed."""
    for entry, line in zip(piece, found, strict=True):
        words = {
            "what": f"{line.who} {redaction.scrub(line.told)}",
            "values": _values(line.fact),
            "digest": proofs.digest(entry),
        }
        yield f'{{"entry":{entry.pk},"leaf":{entry.canonical},{tabular.compact(words)[1:]}\n'.encode()


def _values(fact: Fact) -> dict[str, object]:
    return {
        one.name: _scrubbed(one.value) if one.kept is Kept.SHOWN else {"state": str(one.kept)} for one in fact.values
    }


def _scrubbed(value: object) -> object:
    if isinstance(value, str):
        return redaction.scrub(value)
    if isinstance(value, dict):
        return {_scrubbed(name): _scrubbed(inner) for name, inner in value.items()}
    return [_scrubbed(inner) for inner in value] if isinstance(value, list) else value
