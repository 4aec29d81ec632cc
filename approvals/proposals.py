"""Submissions come in here, and every later change of a proposal goes through `transition`.

Who submits is not asked: an agent, a person and an outside system come through the same door. Only the gate
turns a submission into a proposal.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from approvals import abouts, outbox, state
from approvals.actions.base import Action
from approvals.models import Case, Proposal, Submission
from audit import canonical, log
from audit.events import Event
from portal import telemetry
from portal.retold import kept
from portal.rows import insert_once

GATE = "approvals.tasks.gate"
APPLY = "approvals.tasks.apply"
SETTLE = "approvals.tasks.settle"
PAUSE = "approvals.tasks.pause"
RESUME = "approvals.tasks.resume"
# Words of a move that may name somebody or quote a record: never among the hashed bytes.
SPOKEN = ("because", "drifted")
TWIN = kept("The same has been proposed meanwhile.")


class ProposalError(Exception):
    """Base of what `transition` refuses."""


class Moved(ProposalError):
    """The proposal is no longer at the version the caller saw."""


class Twin(ProposalError):
    """The same is open already."""


class AlreadySubmitted(ProposalError):
    """Something else was handed in under this key."""


class NotStorable(ProposalError):
    """A text in the payload holds a NUL or a lone surrogate; the message names where."""


def open_case(*, workspace: int, subject: str, title: str, customer: str) -> Case:
    """The case of a subject (`ticket:T-1`), made where it is not there."""
    case = Case(workspace_id=workspace, subject=subject, title=title[:200], customer=customer)
    return case if insert_once(case) else Case.objects.get(workspace_id=workspace, subject=subject)


def submit(
    *,
    workspace: int,
    case: int,
    kind: str,
    proposer: str,
    key: str,
    payload: Mapping[str, Any],
    run: str = "",
    depends_on: Sequence[str] = (),
    undoes: int | None = None,
    revises: int | None = None,
    seen_content: str = "",
    trace_id: str = "",
    proposer_version: str = "",
    language: str = "",
    read_to: int | None = None,
) -> Submission:
    """Hand something in at the door. The same (proposer, run, key) again is the same submission.

    `payload` is a Draft, Handoff or Question (see `agents.types`) as JSON; `depends_on` names keys of
    submissions of the same run; `language` is the customer's (ISO 639-1), where it is known; `read_to` the number of
    the last message of its ticket that was read.
    A trigger makes it due; the gate is nudged after commit.

    Raises:
        NotStorable, AlreadySubmitted: nothing is written.
    """
    _refuse_unstorable(payload, "payload")
    submission, made = Submission.objects.get_or_create(
        workspace_id=workspace, proposer=proposer, run=run, key=key,
        defaults={
            "case_id": case, "kind": kind, "payload": dict(payload), "depends_on": list(depends_on),
            "undoes_id": undoes, "revises_id": revises, "seen_content": seen_content, "trace_id": trace_id,
            "proposer_version": proposer_version, "language": language, "read_to": read_to,
        },
    )  # fmt: skip
    if not made and submission.payload != json.loads(json.dumps(dict(payload))):
        raise AlreadySubmitted(_("Something else was handed in from this form already; open it anew to send this."))
    if made:
        outbox.nudge_together(GATE, "apply", workspace)
    return submission


def submit_all(workspace: int, submissions: Sequence[Submission]) -> list[Submission]:
    """Hand in many at once, each for the first time; the gate is nudged once, after commit.

    Raises:
        NotStorable: nothing is written.
        django.db.IntegrityError: one of them was handed in before.
    """
    for submission in submissions:
        _refuse_unstorable(submission.payload, "payload")
    made = Submission.objects.bulk_create(submissions)
    if made:
        outbox.nudge_together(GATE, "apply", workspace)
    return made


def _refuse_unstorable(value: Any, where: str) -> None:
    """PostgreSQL's JSON takes neither NUL nor lone surrogates."""
    if isinstance(value, str) and ("\x00" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        raise NotStorable(f"{where}: {_('holds a NUL or a lone surrogate; take it out')}")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_unstorable(str(key), where)
            _refuse_unstorable(inner, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            _refuse_unstorable(inner, f"{where}.{number}")


def lock_target(workspace: int, target: str) -> None:
    """One transaction at a time looks at a target and then writes, or decides that nothing like it is open."""
    lock_targets(workspace, [target])


def lock_targets(workspace: int, targets: Sequence[str]) -> None:
    """The same for many, in one order whoever asks."""
    names = [f"{workspace}:{target}" for target in sorted(targets)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(n, 2)) FROM unnest(%s::text[]) AS n", [names])


def content_key(action: Action, args: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what makes two open proposals on one target the same."""
    return canonical.sha256_hex([action.name, dict(action.open_key(args))])


def refuse_twin(workspace: int, target: str, key: str, *, but: int) -> None:
    """Hold the target and make sure that nothing like it is open beside proposal `but`.

    Raises:
        Twin: it is.
    """
    lock_target(workspace, target)
    twins = Proposal.objects.filter(workspace_id=workspace, target=target, content_key=key, state__in=state.OPEN)
    if twins.exclude(pk=but).exists():
        raise Twin(TWIN)


def locked(*, workspace: int, proposal: int) -> Proposal:
    """The row, locked until the transaction ends.

    Raises:
        Proposal.DoesNotExist: not in this workspace.
    """
    rows = Proposal.objects.select_for_update(of=("self",)).select_related("submission")
    return rows.get(workspace_id=workspace, pk=proposal)


def transition(
    proposal: Proposal,
    event: Event,
    *,
    actor: str,
    now: datetime,
    body: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Proposal:
    """Make one legal move of a row the caller holds locked: the entry first, the row second, then the outbox.

    `fields` are further columns that change with the move. Expects to run inside `transaction.atomic`.

    Raises:
        state.IllegalMove: the table has no such move from where the proposal stands.
        Moved: the row is not at the version the caller holds.
    """
    move = state.move(state.State(proposal.state), event)
    seen = proposal.version
    changes = {
        **fields,
        "state": str(move.after),
        "version": seen + 1,
        "revision": proposal.revision + move.new_revision,
        "round": proposal.round + move.new_round,
    }
    log.record_all([draft_move(proposal, event, changes, actor=actor, now=now, body=body, personal=personal)])
    changed = Proposal.objects.filter(
        workspace_id=proposal.workspace_id, pk=proposal.pk, version=seen
    ).update(**changes)  # fmt: skip
    if changed != 1:
        raise Moved(f"proposal {proposal.pk} is no longer at version {seen}")
    for name, value in changes.items():
        setattr(proposal, name, value)
    span = telemetry.since(
        str(event), f"{event}:{proposal.pk}:{proposal.version}", now, parent=f"gate:proposal:{proposal.pk}",
        countersign__action=proposal.action, countersign__state=proposal.state, countersign__tier=proposal.tier,
    )  # fmt: skip
    telemetry.after_commit(proposal.submission.trace_id, [span])
    follow_up(proposal, now=now)
    return proposal


def draft_move(
    proposal: Proposal,
    event: Event,
    changes: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    body: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> log.Draft:
    """The entry of a move, to be written before its row; the trigger looks for exactly this one."""
    said = {name: value for name, value in (body or {}).items() if name in SPOKEN}
    return log.draft(
        workspace=proposal.workspace_id, subject=f"proposal:{proposal.pk}", version=changes["version"],
        state=changes["state"], event=event, actor=actor, now=now, case=f"case:{proposal.case_id}",
        trace_id=proposal.submission.trace_id,
        body={
            "action": proposal.action, "target": proposal.target, "revision": changes["revision"],
            "digest": changes.get("digest", proposal.digest), "people": changes.get("people", proposal.people),
            **{name: value for name, value in (body or {}).items() if name not in SPOKEN},
        },
        personal={**(personal or {}), **said}, about=abouts.of(proposal),
    )  # fmt: skip


def asks(proposal: Proposal) -> bool:
    """Whether it is a reply that waits for the customer's answer once it is sent."""
    return proposal.action == "ticket.reply" and proposal.submission.payload.get("asks") is True


def follow_up(proposal: Proposal, *, now: datetime) -> None:
    """The outbox row a state asks for: dispatch after the hold, wait for the customer's answer, settle what ended."""
    if proposal.state == state.State.APPROVED:
        _due(proposal, APPLY, proposal.hold_until or now, now=now)
        return
    outbox.done(workspace=proposal.workspace_id, task=APPLY, object_id=proposal.pk)
    if proposal.state in state.WITHOUT_EFFECT:
        _due(proposal, SETTLE, now, now=now)
    if proposal.state == state.State.APPLIED and asks(proposal):
        _due(proposal, PAUSE, now, now=now)


def _due(proposal: Proposal, task: str, not_before: datetime, *, now: datetime) -> None:
    outbox.put(
        workspace=proposal.workspace_id, task=task, queue="apply", object_id=proposal.pk, not_before=not_before, now=now
    )
