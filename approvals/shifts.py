"""Notes for the next shift: what no clock, queue or proposal says."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from approvals import abouts, calling
from approvals.models import Case, ShiftNote
from audit import log
from audit.events import Event

LONGEST, SHOWN = 500, 25


class NoteError(Exception):
    """What is refused; the message names the field."""


@dataclass(frozen=True, slots=True)
class Notes:
    """The newest first; `most` is how many are shown where there are more, else 0."""

    rows: tuple[ShiftNote, ...]
    most: int


def open_notes(workspace: int, *, case: int | None = None) -> Notes:
    """Those that nobody settled; of one case where it is named."""
    rows = ShiftNote.objects.filter(workspace_id=workspace, closed_at=None)
    rows = rows if case is None else rows.filter(case=case)
    found = tuple(rows.select_related("made_by", "case").order_by("-pk")[: SHOWN + 1])
    return Notes(found[:SHOWN], SHOWN if len(found) > SHOWN else 0)


def leave(*, workspace: int, person: int, text: str, case: int | None, now: datetime) -> ShiftNote:
    """Write one down.

    Raises:
        NoteError: the text is empty or too long, or there is no such case.
    """
    text = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if not text:
        raise NoteError(f"text: {_('write what the next shift must know.')}")
    if len(text) > LONGEST:
        words = _("%(count)s characters; %(most)s at most.") % {"count": len(text), "most": LONGEST}
        raise NoteError(f"text: {words}")
    about = Case.objects.filter(workspace_id=workspace, pk=case).first() if case is not None else None
    if case is not None and about is None:
        words = _("there is no case %(case)s; leave the note on the page of its case.") % {"case": case}
        raise NoteError(f"case: {words}")
    with transaction.atomic():
        log.attribute(f"person:{person}")
        row = ShiftNote.objects.create(
            workspace_id=workspace, case=about, text=text, made_by_id=person, created_at=now
        )  # fmt: skip
        _record(row, Event.SHIFT_NOTED, person, now, {"text": text})
        calling.call(workspace=workspace, text=text, item=f"shift-note:{row.pk}", person=person, now=now)
    return row


def settle(*, workspace: int, person: int, note: int, now: datetime) -> ShiftNote:
    """Say that it is done with; one that somebody settled before is left as it is.

    Raises:
        ShiftNote.DoesNotExist.
    """
    with transaction.atomic():
        row = ShiftNote.objects.select_for_update(of=("self",)).select_related("case").get(
            workspace_id=workspace, pk=note
        )  # fmt: skip
        if row.closed_at is None:
            log.attribute(f"person:{person}")
            row.closed_by_id, row.closed_at = person, now
            row.save(update_fields=["closed_by", "closed_at"])
            _record(row, Event.SHIFT_SETTLED, person, now, {})
    return row


def _record(row: ShiftNote, event: Event, person: int, now: datetime, personal: dict[str, str]) -> None:
    log.record(
        workspace=row.workspace_id, subject=f"shift-note:{row.pk}", event=event, actor=f"person:{person}", now=now,
        case=f"case:{row.case_id}" if row.case else "", body={}, personal=personal,
        about=abouts.of_case(row.case) if row.case else "",
    )  # fmt: skip
