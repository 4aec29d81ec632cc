"""What people switched off, here or everywhere, and what that forbids now. Any one manager or admin throws a switch.

Asked at the gate, at every decision and before every dispatch, and for the banner on every page: one statement.
A restored switch sets nothing in motion by itself; what waited simply goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals.actions import ACTIONS
from approvals.models import Switch, SwitchEverywhere
from audit import log
from audit.events import Event
from portal import roles
from portal import workspace as inside
from portal.models import Role
from portal.retold import kept

THROWERS = frozenset({Role.MANAGER, Role.ADMIN})
NAMING = (Switch.Is.FREEZE, Switch.Is.HALT)

# Why something is stopped, as it is kept: thrown here, and everywhere.
STOPPED = {
    Switch.Is.AUTONOMY_OFF: (
        kept("Switched off: Agents are switched off, because: %(reason)s"),
        kept("Switched off: Agents are switched off everywhere, because: %(reason)s"),
    ),
    Switch.Is.FORCE_APPROVAL: (
        kept("Switched off: Nothing passes by itself, because: %(reason)s"),
        kept("Switched off: Nothing passes by itself everywhere, because: %(reason)s"),
    ),
    Switch.Is.FREEZE: (
        kept("Switched off: %(name)s is frozen, because: %(reason)s"),
        kept("Switched off: %(name)s is frozen everywhere, because: %(reason)s"),
    ),
    Switch.Is.HALT: (
        kept("Switched off: The %(name)s agent is halted, because: %(reason)s"),
        kept("Switched off: The %(name)s agent is halted everywhere, because: %(reason)s"),
    ),
}
SUBJECT_MOST, REASON_MOST = 40, 300

# The newest row of each kind and subject, here and everywhere, where it says thrown. Takes the workspace.
IN_FORCE = (
    "SELECT * FROM (SELECT DISTINCT ON (everywhere, kind, subject) * FROM ("
    "SELECT false AS everywhere, id, kind, subject, thrown, reason, made_by, created_at"
    " FROM approvals_switch WHERE workspace_id = %s UNION ALL "
    "SELECT true, id, kind, subject, thrown, reason, made_by, created_at FROM approvals_switcheverywhere"
    ") every_row ORDER BY everywhere, kind, subject, id DESC) newest WHERE thrown"
)


class SwitchError(Exception):
    """Base of why a switch cannot be thrown or restored; the message is for the person."""


class NotAllowed(SwitchError):
    """Neither a manager nor an admin."""


class BadInput(SwitchError):
    """A kind, subject or reason that is off; names the field."""


class AlreadySo(SwitchError):
    """It is thrown already, or was not thrown: somebody was first."""


@dataclass(frozen=True, slots=True)
class Thrown:
    """One switch that is thrown. `who` is an actor (`person:12`), `since` UTC; `subject` an action, an agent or ""."""

    kind: str
    subject: str
    reason: str
    who: str
    since: datetime
    everywhere: bool

    def stops(self, action: str, proposer: str) -> bool:
        """Whether nothing of this action by this proposer may go on."""
        if self.kind == Switch.Is.FREEZE:
            return self.subject == action
        if self.kind == Switch.Is.HALT:
            return proposer == f"agent:{self.subject}"
        return self.kind == Switch.Is.AUTONOMY_OFF and not proposer.startswith("person:")

    @property
    def words(self) -> str:
        """What it means, in half a sentence: 'The refunds agent is halted'."""
        said = meaning(self.kind, self.subject)
        return _("%(meaning)s everywhere") % {"meaning": said} if self.everywhere else said


def meaning(kind: str, subject: str) -> str:
    """What a thrown switch of this kind says, without a full stop."""
    match kind:
        case Switch.Is.AUTONOMY_OFF:
            return _("Agents are switched off")
        case Switch.Is.FORCE_APPROVAL:
            return _("Nothing passes by itself")
        case Switch.Is.FREEZE:
            title = _(ACTIONS[subject].title) if subject in ACTIONS else subject
            return _("%(action)s is frozen") % {"action": title}
    return _("The %(name)s agent is halted") % {"name": subject}


def in_force(*, workspace: int) -> tuple[Thrown, ...]:
    """Every switch that is thrown here or everywhere, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, subject, reason, made_by, created_at, everywhere FROM ({IN_FORCE}) thrown"  # nosec B608
            " ORDER BY created_at, id",
            [workspace],
        )
        return tuple(Thrown(*row) for row in cursor.fetchall())


def why_not_now(*, workspace: int, action: str, proposer: str) -> str:
    """Why nothing of this may be proposed, decided or sent now, in words for a person, or "".

    `proposer` is an actor (`agent:refunds`, `person:3`). People's own work goes on while agents are switched off.
    """
    return why(in_force(workspace=workspace), action=action, proposer=proposer)


def why(thrown: Iterable[Thrown], *, action: str, proposer: str) -> str:
    """The same for switches that were read already."""
    stopping = (switch for switch in thrown if switch.stops(action, proposer))
    return next((_kept(one) for one in stopping), "")


def _kept(thrown: Thrown) -> str:
    """Why, as it is kept whoever reads it."""
    action = ACTIONS[thrown.subject].title if thrown.subject in ACTIONS else thrown.subject
    named = action if thrown.kind == Switch.Is.FREEZE else thrown.subject
    return STOPPED[Switch.Is(thrown.kind)][thrown.everywhere] % {"name": named, "reason": thrown.reason}


def forces_approval(*, workspace: int) -> bool:
    """Whether nothing passes by policy alone; what did and was not sent yet goes back to people."""
    return forcing(in_force(workspace=workspace))


def forcing(thrown: Iterable[Thrown]) -> bool:
    """The same for switches that were read already."""
    return any(one.kind in (Switch.Is.FORCE_APPROVAL, Switch.Is.AUTONOMY_OFF) for one in thrown)


def throw(*, workspace: int, kind: str, subject: str, reason: str, actor: str, now: datetime) -> Switch:
    """Switch something off here, with its entry. One person is enough; so is the installation (`system:...`).

    Raises:
        NotAllowed, BadInput, AlreadySo.
    """
    return _set(True, workspace=workspace, kind=kind, subject=subject, reason=reason, actor=actor, now=now)


def restore(*, workspace: int, kind: str, subject: str, reason: str, actor: str, now: datetime) -> Switch:
    """Take it back, for a reason. What waited goes on.

    Raises:
        NotAllowed, BadInput, AlreadySo.
    """
    return _set(False, workspace=workspace, kind=kind, subject=subject, reason=reason, actor=actor, now=now)


def throw_everywhere(*, kind: str, subject: str, reason: str, actor: str) -> SwitchEverywhere:
    """Switch something off in the whole installation; an entry stands in every workspace.

    Raises:
        BadInput, AlreadySo.
    """
    return _set_everywhere(True, kind=kind, subject=subject, reason=reason, actor=actor)


def restore_everywhere(*, kind: str, subject: str, reason: str, actor: str) -> SwitchEverywhere:
    """Take back what was thrown everywhere; what a workspace threw itself stays thrown there.

    Raises:
        BadInput, AlreadySo.
    """
    return _set_everywhere(False, kind=kind, subject=subject, reason=reason, actor=actor)


def agents(workspace: int) -> list[str]:
    """Names of agents that ever handed anything in, by skipping along an index; at most fifty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found AS ((SELECT proposer AS name FROM approvals_submission WHERE workspace_id = %s"
            " AND proposer > 'agent:' ORDER BY proposer LIMIT 1) UNION ALL SELECT (SELECT proposer"
            " FROM approvals_submission WHERE workspace_id = %s AND proposer > found.name ORDER BY proposer LIMIT 1)"
            " FROM found WHERE found.name LIKE 'agent:%%')"
            " SELECT name FROM found WHERE name LIKE 'agent:%%' LIMIT 50",
            [workspace, workspace],
        )
        return [name.removeprefix("agent:") for (name,) in cursor.fetchall()]


def may_throw(held: frozenset[str]) -> bool:
    """Whether these roles throw and restore."""
    return bool(THROWERS & held)


def _set(thrown: bool, *, workspace: int, kind: str, subject: str, reason: str, actor: str, now: datetime) -> Switch:
    _require(actor, workspace)
    kind, subject, reason = _checked(kind, subject, reason)
    with transaction.atomic():
        _lock(f"{workspace}:{kind}:{subject}")
        _refuse_same(thrown, Switch.objects.filter(workspace_id=workspace), kind, subject)
        log.attribute(f"switch:{kind}")
        row = Switch.objects.create(
            workspace_id=workspace, kind=kind, subject=subject, thrown=thrown, reason=reason, made_by=actor,
            created_at=now,
        )  # fmt: skip
        _record(row, workspace=workspace, now=now, everywhere=False)
    return row


def _set_everywhere(thrown: bool, *, kind: str, subject: str, reason: str, actor: str) -> SwitchEverywhere:
    kind, subject, reason = _checked(kind, subject, reason)
    with inside.within(None) as now:
        _lock(f"everywhere:{kind}:{subject}")
        _refuse_same(thrown, SwitchEverywhere.objects.all(), kind, subject)
        row = SwitchEverywhere.objects.create(
            kind=kind, subject=subject, thrown=thrown, reason=reason, made_by=actor, created_at=now
        )
        for workspace in inside.known().values():
            inside.enter(workspace)
            _record(row, workspace=workspace, now=now, everywhere=True)
    return row


def _require(actor: str, workspace: int) -> None:
    kind, _colon, key = actor.partition(":")
    if kind == "system":
        return
    if kind != "person" or not may_throw(roles.of(int(key), workspace)):
        raise NotAllowed(_("Only managers and admins throw and restore switches."))


def _checked(kind: str, subject: str, reason: str) -> tuple[str, str, str]:
    """The values as they are stored; a name that could never match is refused: a kill switch must not be a typo."""
    subject, reason = subject.strip().removeprefix("agent:"), reason.strip()
    if kind not in Switch.Is.values:
        raise BadInput(f"kind: {_('choose one of %(values)s') % {'values': ', '.join(Switch.Is.values)}}")
    if kind not in NAMING and subject:
        raise BadInput(f"subject: {_('%(kind)s is about everything and names nothing') % {'kind': kind}}")
    if kind == Switch.Is.FREEZE and subject not in ACTIONS:
        raise BadInput(f"subject: {_('name the action to freeze: %(actions)s') % {'actions': ', '.join(ACTIONS)}}")
    if kind == Switch.Is.HALT and not (subject and len(subject) <= SUBJECT_MOST):
        raise BadInput(f"subject: {_('name the agent to halt, such as refunds')}")
    if not reason or len(reason) > REASON_MOST:
        raise BadInput(f"reason: {_('say why, in at most %(most)s characters') % {'most': REASON_MOST}}")
    return kind, subject, reason


def _refuse_same(thrown: bool, rows: QuerySet[Switch] | QuerySet[SwitchEverywhere], kind: str, subject: str) -> None:
    newest = rows.filter(kind=kind, subject=subject).order_by("-pk").first()
    if thrown and newest is not None and newest.thrown:
        since = f"{newest.created_at:%d %b %Y, %H:%M} UTC"
        raise AlreadySo(
            _("%(meaning)s already, since %(since)s.") % {"meaning": meaning(kind, subject), "since": since}
        )
    if not thrown and (newest is None or not newest.thrown):
        raise AlreadySo(_("This is not thrown; somebody may have restored it already."))


def _record(row: Switch | SwitchEverywhere, *, workspace: int, now: datetime, everywhere: bool) -> None:
    log.record(
        workspace=workspace, subject=f"switch:{row.kind}:{row.subject}".rstrip(":"), actor=row.made_by, now=now,
        event=Event.SWITCH_THROWN if row.thrown else Event.SWITCH_RESTORED,
        body={"kind": row.kind, "subject": row.subject, "everywhere": everywhere}, personal={"reason": row.reason},
    )  # fmt: skip


def _lock(name: str) -> None:
    """Two people at once throw one switch, not two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [f"switch:{name}"])
