"""What a search of the log asks for, out of an address; and its entries as lines that people read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import counting, naming, sentences, wording
from approvals.models import Case, Proposal
from audit import report
from audit.events import Event
from audit.explorer import Wanted
from audit.models import Entry
from audit.report import Fact
from portal.models import Membership

FIELDS = ("who", "record", "case", "run", "event", "since", "until")
MOST_PROPOSALS = 500
KNOWN_SYSTEMS = ("system:apply", "system:operator", "system:import", "system:take_in", "system:set-up")


class BadSearch(ValueError):
    """A filter that cannot be read; the message names the field and the way out."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in words. `who` and `told` make a sentence; `case` and `run` are 0 where it has none."""

    fact: Fact
    who: str
    told: str
    about: str
    case: int
    case_title: str
    run: int


@dataclass(frozen=True, slots=True)
class Search:
    """What the address says, as it was written there."""

    who: str = ""
    record: str = ""
    case: str = ""
    run: str = ""
    event: str = ""
    since: str = ""
    until: str = ""

    @property
    def query(self) -> str:
        """The same as an address, without what is empty."""
        return urlencode({name: value for name in FIELDS if (value := getattr(self, name))})

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Names and values, for a form that hands them on."""
        return [(name, getattr(self, name)) for name in FIELDS]

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.query)


def read(data: Mapping[str, str]) -> Search:
    """The filters of an address; what is too long to be one is cut off."""
    return Search(**{name: str(data.get(name, "")).replace("\x00", "").strip()[:120] for name in FIELDS})


def wanted(search: Search, *, workspace: int, zone: tzinfo) -> Wanted:
    """What to look for in the log; times are read in the reader's own time zone.

    Raises:
        BadSearch.
    """
    if search.event and search.event not in set(Event):
        raise BadSearch(
            f"event: {_('the log knows no %(event)s; choose one from the list') % {'event': repr(search.event)}}"
        )
    since, until = _time("since", search.since, zone), _time("until", search.until, zone)
    if since and until and until <= since:
        raise BadSearch(f"until: {_('lies before the beginning of the time asked for')}")
    subjects, cases = _record(workspace, search.record) if search.record else ((), ())
    case, trace = _number("case", search.case), ""
    if search.run:
        found, trace = _run(workspace, _number("run", search.run) or 0)
        case = case if case and f"case:{case}" == found else _number("run", found.removeprefix("case:"))
    return Wanted(
        actor=search.who, event=search.event, subjects=subjects, cases=cases, since=since, until=until, trace=trace,
        case=f"case:{case}" if case else "",
    )  # fmt: skip


def _time(name: str, text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadSearch(f"{name}: {_('write a time as 2026-05-31 or 2026-05-31T14:00')}") from error
    return read if read.tzinfo else read.replace(tzinfo=zone)


def _number(name: str, text: str) -> int | None:
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise BadSearch(f"{name}: {_('is a number, like 12')}")
    return int(text) if text else None


def _record(workspace: int, record: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A record is a subject itself, the subject of a case, and what proposals were made on."""
    if ":" not in record:
        words = _("write it with its kind, like ticket:T-1, order:W-12, contact:C-1 or proposal:12")
        raise BadSearch(f"record: {words}")
    made = Proposal.objects.filter(workspace_id=workspace, target=record).order_by("-pk")
    subjects = (record, *(f"proposal:{pk}" for pk in made.values_list("pk", flat=True)[:MOST_PROPOSALS]))
    cases = Case.objects.filter(workspace_id=workspace, subject=record).values_list("pk", flat=True)
    return subjects, tuple(f"case:{pk}" for pk in cases)


def _run(workspace: int, run: int) -> tuple[str, str]:
    """Case and trace of an agent's run, from the entry of its end.

    Raises:
        BadSearch: the log does not know it.
    """
    ended = Entry.objects.filter(workspace_id=workspace, subject=f"run:{run}").order_by("version")
    found = ended.values_list("case", "trace_id").first()
    if found is None:
        words = _("the log knows no end of run %(run)s; it may be under way") % {"run": run}
        raise BadSearch(f"run: {words}")
    return found


def lines(workspace: int, entries: Iterable[Entry]) -> tuple[Line, ...]:
    """Entries in words, in a number of statements that does not depend on how many there are."""
    facts = report.facts(entries)
    names = naming.of(workspace, facts)
    people = naming.people(names)
    return tuple(_line(fact, names, people) for fact in facts)


def _line(fact: Fact, names: Mapping[str, str], people: Mapping[int, str]) -> Line:
    kind, _colon, key = fact.subject.partition(":")
    case = fact.case.removeprefix("case:")
    return Line(
        fact=fact, who=wording.actor(fact.actor, people),
        told=sentences.told(fact.event, fact.subject, fact.body, names),
        about=sentences.object_of(fact.event, fact.subject, fact.body), case=int(case) if case.isdecimal() else 0,
        case_title=names.get(fact.case, ""), run=int(key) if kind == "run" and key.isdecimal() else 0,
    )  # fmt: skip


def actors(workspace: int, chosen: str) -> list[tuple[str, str]]:
    """Who can be asked for: everybody appointed here, the agents, the program, and whoever the address names."""
    people = Membership.objects.filter(workspace_id=workspace).order_by("person__name", "person_id")
    rows = people.values_list("person_id", "person__name").distinct()
    found = {f"person:{pk}": name for pk, name in rows}
    found |= {f"agent:{name}": wording.actor(f"agent:{name}", {}) for name in counting.agents(workspace)}
    found |= {name: f"Countersign ({name.partition(':')[2]})" for name in KNOWN_SYSTEMS}
    return list(({chosen: chosen} | found if chosen and chosen not in found else found).items())


def events() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every event by its noun, with how it is called."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for event in Event:
        groups.setdefault(sentences.noun(str(event).partition(".")[0]), []).append(
            (str(event), sentences.short(str(event)))
        )  # fmt: skip
    return sorted(groups.items())


def address_of(subject: str) -> str:
    """Where one looks at a subject, "" where it has no page of its own."""
    kind, _colon, key = subject.partition(":")
    pages = {"proposal": "report", "handoff": "handoff", "case": "case", "run": "run", "submission": "submission"}
    return reverse(pages[kind], args=[int(key)]) if kind in pages and key.isdecimal() and len(key) < 19 else ""


def page_of(found: Sequence[Line]) -> Sequence[tuple[Line, str]]:
    """Lines with where their thing is looked at."""
    return [(line, address_of(line.about)) for line in found]
