"""A person's notices as lines of a page: what happened, to what by its name, and who did it. Three statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import naming, sentences, wording
from portal import tidings
from portal.models import Notice

# Why something came back, after the first words.
_DECIDED = {"reject": noop("rejected"), "send_back": noop("sent back with a question")}


@dataclass(frozen=True, slots=True)
class Line:
    """`path` is below the workspace's address; `note` says more, "" where there is nothing more; times are UTC."""

    key: int
    what: str
    note: str
    about: str
    called: str
    path: str
    who: str
    at: datetime
    unread: bool


def lines(workspace: int, rows: Sequence[Notice]) -> list[Line]:
    """In their order."""
    names = naming.known(workspace, _subjects(rows))
    return [_line(row, names) for row in rows]


def _subjects(rows: Sequence[Notice]) -> Iterable[str]:
    for row in rows:
        yield row.subject
        yield str(row.facts.get("by", ""))


def _line(row: Notice, names: Mapping[str, str]) -> Line:
    by = str(row.facts.get("by", ""))
    who = wording.actor(by, naming.people(names)) if by else ""
    called = tidings.called(row.subject)
    about = sentences.thing(row.subject, names) if row.subject in names else called
    return Line(
        row.pk, tidings.to_one(row.kind), _note(row.facts), about, called if row.subject in names else "",
        tidings.place(row.subject), who, row.created_at, row.read_at is None,
    )  # fmt: skip


def _note(facts: Mapping[str, Any]) -> str:
    if "state" in facts:
        return _("the money came back") if facts["state"] == "bounced" else wording.state(facts["state"]).lower()
    if "agreed" in facts:
        return _("agreed to") if facts["agreed"] else _("refused")
    said = _DECIDED.get(str(facts.get("decision", "")))
    return _(said) if said else ""
