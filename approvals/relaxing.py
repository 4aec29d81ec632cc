"""A looser threshold or cap: one admin proposes it, with its backtest and a reason, and another agrees, present.

Refuses the proposer's own agreement, and whatever is no longer what was proposed. What is stricter needs none of this.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import bands, loosening, thresholds
from approvals.models import DailyCap, Loosening, Threshold
from audit import canonical, log
from audit.events import Event
from portal import roles, stepup
from portal.models import Role
from portal.retold import kept

MODELS: Mapping[str, thresholds.Model] = {"threshold": Threshold, "cap": DailyCap}
WORDS_MOST = 500
LOOSEN = {
    "threshold": kept("Loosen the threshold %(series)s: %(what)s"),
    "cap": kept("Loosen the cap %(series)s: %(what)s"),
}
LOOSEN_NEW = {
    "threshold": kept("Loosen the threshold of a new row: %(what)s"),
    "cap": kept("Loosen the cap of a new row: %(what)s"),
}
ALREADY = {
    "agreed": noop("This was agreed already."),
    "refused": noop("This was refused already."),
    "taken_back": noop("This was taken back already."),
}


class RelaxingError(Exception):
    """Base of what is refused here; the message is for the person."""


class NotAllowed(RelaxingError):
    """Not an admin, or the same who proposed it."""


class BadInput(RelaxingError):
    """A field is off; the message begins with its name."""


class Over(RelaxingError):
    """It was decided already, waits already, or is about something that changed meanwhile."""


def propose(
    *, workspace: int, kind: str, series: str, values: Mapping[str, Any], why: str, person: int, now: datetime,
    backtest: Mapping[str, Any] | None = None,
) -> Loosening:  # fmt: skip
    """What one admin wants, for another to look at; `backtest` is kept with it as it was seen.

    Raises:
        NotAllowed, BadInput, Over.
    """
    _require_admin(workspace, person)
    why, words = why.strip(), _loosened(kind, workspace, series, values)
    if not why or len(why) > WORDS_MOST:
        raise BadInput(f"why: {_('say why, in at most %(most)s characters') % {'most': WORDS_MOST}}")
    if not words:
        raise Over(_("Nothing is loosened by this any more; save it as it is."))
    with transaction.atomic():
        thresholds.lock(workspace)
        if series and Loosening.objects.filter(workspace=workspace, kind=kind, series=series, state="open").exists():
            raise Over(_("A loosening of this row waits for a second admin already; decide on that one first."))
        log.attribute("loosening:new")
        row = Loosening.objects.create(
            workspace_id=workspace, kind=kind, series=series, values=dict(values), loosens=list(words), why=why,
            based_on=thresholds.version_of(MODELS[kind], workspace, series), backtest=backtest,
            proposed_by_id=person, created_at=now,
        )  # fmt: skip
        _record(row, 1, Event.LOOSENING_PROPOSED, person, now, loosens=row.loosens, why=row.why)
    return row


def agree(
    *, workspace: int, loosening: int, person: int, now: datetime, step_up: stepup.Proof | None = None
) -> Threshold | DailyCap:
    """A second admin wants it too: it is in force from now on. Both entries and both rows in one.

    Raises:
        NotAllowed, Over, stepup.StepUpError, Loosening.DoesNotExist.
    """
    with transaction.atomic():
        thresholds.lock(workspace)
        row = _open(workspace, loosening, person)
        if row.proposed_by_id == person:
            raise NotAllowed(_("You proposed it, so another admin agrees or not."))
        if not current(row):
            raise Over(
                _("The row was changed since this was proposed: refuse it, and propose it anew if it is still wanted.")
            )
        if row.kind == Loosening.Is.THRESHOLD and (wrong := _crossing(row)):
            raise Over(wrong)
        used = stepup.use(workspace=workspace, person=person, proof=step_up, ask=ask(row), now=now)
        agreed = {"loosening": row.pk, "proposed_by": row.proposed_by_id, "step_up": used.pk}
        set_ = thresholds.set_threshold if row.kind == Loosening.Is.THRESHOLD else thresholds.set_cap
        made = set_(
            workspace=workspace, series=row.series, actor=f"person:{person}", now=now, why=row.why, agreed=agreed,
            **row.values,
        )  # fmt: skip
        _end(row, Loosening.State.AGREED, person, now, version=made.version)
        _record(row, 2, Event.LOOSENING_AGREED, person, now, series=made.series, version=made.version, step_up=used.pk)
    return made


def refuse(*, workspace: int, loosening: int, person: int, now: datetime, note: str = "") -> Loosening:
    """Another admin does not want it, with a word why; or who proposed it takes it back.

    Raises:
        NotAllowed, BadInput, Over, Loosening.DoesNotExist.
    """
    with transaction.atomic():
        row = _open(workspace, loosening, person)
        own, note = row.proposed_by_id == person, note.strip()
        if len(note) > WORDS_MOST or not (note or own):
            raise BadInput(f"note: {_('say why not, in at most %(most)s characters') % {'most': WORDS_MOST}}")
        _end(row, Loosening.State.TAKEN_BACK if own else Loosening.State.REFUSED, person, now, note=note)
        _record(row, 2, Event.LOOSENING_REFUSED, person, now, state=str(row.state), note=note)
    return row


def current(row: Loosening) -> bool:
    """Whether it is still about the row it was proposed for."""
    return thresholds.version_of(MODELS[row.kind], row.workspace_id, row.series) == row.based_on


def ask(row: Loosening) -> stepup.Ask:
    """What is repeated to who agrees; the digest is that of all its values."""
    high = row.kind == Loosening.Is.THRESHOLD and loosening.touches_high(before(row), row.values)
    digest = hashlib.sha256(canonical.encode({"values": row.values, "series": row.series})).hexdigest()
    return stepup.Ask(
        purpose="loosen", subject=f"loosening:{row.pk}", digest=digest, target=f"{row.kind} {row.series}".strip(),
        words=_asked(row), high=high,
    )  # fmt: skip


def _asked(row: Loosening) -> str:
    words = LOOSEN[row.kind] if row.series else LOOSEN_NEW[row.kind]
    return words % {"series": row.series, "what": ", ".join(row.loosens)}


def before(row: Loosening) -> dict[str, Any] | None:
    """The values in force that it would change."""
    return thresholds.values_of(MODELS[row.kind], row.workspace_id, row.series)


def _crossing(row: Loosening) -> str:
    """Why its band cannot stand beside what others have set since; "" where it can."""
    wrong = bands.crossing(row.values, thresholds.in_force(row.workspace_id), row.series, was=before(row))
    return wrong[1] if wrong else ""


def _loosened(kind: str, workspace: int, series: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    return thresholds.loosened(MODELS[kind], workspace, series, values)


def _open(workspace: int, key: int, person: int) -> Loosening:
    _require_admin(workspace, person)
    row = Loosening.objects.select_for_update().get(workspace=workspace, pk=key)
    if row.state != Loosening.State.OPEN:
        raise Over(_(ALREADY[row.state]))
    return row


def _end(row: Loosening, state: str, person: int, now: datetime, *, note: str = "", version: int | None = None) -> None:
    log.attribute(f"loosening:{row.pk}")
    row.state, row.decided_by_id, row.decided_at, row.note, row.version = state, person, now, note, version
    row.save(update_fields=["state", "decided_by", "decided_at", "note", "version"])


def _record(row: Loosening, number: int, event: Event, person: int, now: datetime, **body: Any) -> None:
    log.record(
        workspace=row.workspace_id, subject=f"loosening:{row.pk}", version=number, event=event,
        actor=f"person:{person}", now=now, body={"kind": row.kind, "series": row.series, **body},
    )  # fmt: skip


def _require_admin(workspace: int, person: int) -> None:
    if Role.ADMIN not in roles.of(person, workspace):
        raise NotAllowed(_("Only admins loosen thresholds and caps."))
