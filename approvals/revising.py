"""A new revision of what stands: a person edits it, or has it looked at again. All votes are gone with it.

Schema, policy and tier run again on every new revision. Refuses what policy denies; a lower tier, and writing over
what somebody else changed meanwhile, are a manager's.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from approvals import (
    deadlines,
    dependencies,
    diff,
    instructions,
    presence,
    proposals,
    risk,
    staleness,
    taint,
    tainting,
    votes,
    wording,
)
from approvals import verdicts as verdict_of
from approvals.actions import Action, ActionError, named
from approvals.actions.base import Preview
from approvals.decisions import BadInput, Gone, NotAllowed, Seen, opened, refuse_twin
from approvals.models import Proposal, Revision
from approvals.state import Kind, State
from approvals.taint import Taint
from audit.events import Event
from portal import hours as working
from portal import retold, roles, stepup
from portal.retold import kept
from portal.systems.books import BooksReader

EDITED, REDONE = kept("Edited meanwhile."), kept("Worked out anew meanwhile.")
UNREAD = kept("The customer wrote while this was open: read it in the conversation, then send this again.")
OVERWRITES = kept("Somebody changed %(fields)s meanwhile; only a manager writes over that.")
OVERWRITES_TWO = kept("Somebody changed %(one)s and %(other)s meanwhile; only a manager writes over that.")


@dataclass(frozen=True, slots=True)
class New:
    """A revision that is to be: what it would do, and what policy and thresholds said of exactly that."""

    args: Mapping[str, Any]
    preview: Preview
    content: bytes
    verdict: risk.Verdict
    alone: bool = False
    flags: tuple[str, ...] = ()
    taints: tuple[Taint, ...] = ()


class Wrote(Gone):
    """The customer wrote while the form was open."""


def edit(
    *, workspace: int, proposal: int, seen: Seen, person: int, args: Mapping[str, Any], now: datetime,
    wrote: int | None = None,
) -> Proposal:  # fmt: skip
    """New arguments are a new revision: schema, policy and tier run again, all votes are gone.

    `wrote` is the number of the customer's last message that the form showed beside it, where it says so.

    Raises:
        Wrote, Gone, NotAllowed, BadInput (naming the field), Proposal.DoesNotExist.
    """
    row, held = opened(workspace, proposal, person, seen, (State.PENDING,), now=now)
    new = _judged(row, held, args, now=now)
    grew = _grew(votes.current(row), args, row, new.preview.amount_minor)
    alone = new.verdict.people == 1 and new.verdict.tier == row.tier and not grew
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.EDIT, now=now, told=seen.told)
    row = _revise(row, Event.PROPOSAL_EDITED, replace(new, alone=alone), person, now=now)
    # Asked last: what came before the new revision took it for read is found, what comes after it makes it stale.
    if wrote is not None and wrote_last(workspace, row.case.subject) > wrote:
        raise Wrote(retold.say(UNREAD))
    return row


def wrote_last(workspace: int, subject: str) -> int:
    """The number of the customer's last message on the case of `subject`; 0 where there is none."""
    kind, _colon, key = subject.partition(":")
    return staleness.newest(BooksReader(workspace).ticket(key)) if kind == "ticket" else 0


def redo(
    *,
    workspace: int,
    proposal: int,
    seen: Seen,
    person: int,
    now: datetime,
    overwrite_reason: str = "",
    step_up: stepup.Proof | None = None,
) -> Proposal:
    """Look again at what is stale or failed: the same arguments against the books as they are now.

    Where that writes over what somebody changed meanwhile, a manager does it, for a reason, with `step_up`.

    Raises:
        Gone, NotAllowed, BadInput (naming the field), stepup.StepUpError, Proposal.DoesNotExist.
    """
    row, held = opened(workspace, proposal, person, seen, (State.STALE, State.FAILED), now=now)
    before = votes.current(row)
    new = _judged(row, held, before.args, now=now)
    over = overwritten(row, before, new.preview.diff.changes)
    present = None
    if over:
        _check_overwriting(over, held, overwrite_reason.strip())
        present = presence.of(row, "overwrite", person=person, step_up=step_up, now=now)
    votes.cast(
        row, person=person, role=roles.deciding(held), kind=Kind.REDO, now=now,
        note=overwrite_reason.strip()[:1000] if over else "", step_up=present, told=seen.told,
    )  # fmt: skip
    alone = not over or new.verdict.people == 1
    return _revise(row, Event.PROPOSAL_REDONE, replace(new, alone=alone), person, now=now, over=over)


def overwritten(row: Proposal, before: Revision, changes: Sequence[diff.Change]) -> tuple[str, ...]:
    """Fields that somebody changed meanwhile and that `changes` would set to what was proposed before."""
    fits = staleness.look(row, before).fits
    was = {change.field: change for change in diff.read_content(before.content)[0]}
    return tuple(
        change.field
        for change in changes
        if change.field in was and diff.writes_over(change, was[change.field], fits[change.field])
    )


def would_overwrite(row: Proposal) -> tuple[str, ...]:
    """What working it out anew would write over as things stand; nothing where it cannot be worked out."""
    action, before = named(row.action), votes.current(row)
    try:
        preview = action.preview(
            row.target, action.parse(before.args), row.case.customer, BooksReader(row.workspace_id)
        )
    except ActionError:
        return ()
    return overwritten(row, before, preview.diff.changes)


def add(
    row: Proposal, event: Event, new: New, *, actor: str, now: datetime, read_to: int | None = None, **more: Any
) -> Proposal:
    """The revision, its entry with whose votes are gone, and the row. `more` are further columns that change.

    `read_to` is how far its maker had read the conversation, see `staleness.basis`.
    """
    gone, nonce, preview = votes.givers(row), secrets.token_bytes(32), new.preview
    hours = working.of(row.workspace_id)
    if row.state == State.FAILED:  # it was decided once: who decides again has the whole time again
        more["urgency"] = deadlines.again(
            hours, now, deadlines.DUE[new.verdict.tier], row.created_at, row.case.waiting_since
        )
    made = Revision.objects.create(
        workspace_id=row.workspace_id, proposal=row, number=row.revision + 1, args=dict(new.args),
        content=new.content.decode(), nonce=nonce, digest=diff.digest(new.content, nonce),
        verdict=new.verdict.as_json(), people=new.verdict.people, second_role=new.verdict.second_role,
        made_by=actor, alone=new.alone, created_at=now, taint=[one.as_json() for one in new.taints],
        read_to=read_to,
    )  # fmt: skip
    dependencies.renew(row)
    return proposals.transition(
        row, event, actor=actor, now=now, digest=made.digest, basis_version=1,
        basis=staleness.basis(preview.diff, row.case.subject, BooksReader(row.workspace_id), read_to),
        content_key=proposals.content_key(named(row.action), new.args), people=made.people, tier=new.verdict.tier,
        summary=preview.summary, amount_minor=preview.amount_minor, currency=preview.currency, flags=list(new.flags),
        fresh_until=hours.after(now, timedelta(minutes=new.verdict.fresh_minutes)),
        body={
            "tier": new.verdict.tier, "rules": list(new.verdict.rules), "policy": new.verdict.policy,
            "dismissed": gone, **more.pop("body", {}),
        },
        personal={"summary": preview.summary}, **more,
    )  # fmt: skip


def flagged(flags: Sequence[str], taints: Sequence[Taint]) -> tuple[str, ...]:
    """The flags with that of a tainted destination as it is in this revision."""
    return tuple(sorted({*flags} - {taint.FLAG} | {*taint.flags(taints)}))


def judge(
    row: Proposal, action: Action, preview: Preview, *, confidence_pct: int, flags: Sequence[str], now: datetime
) -> risk.Verdict:
    """What policy and thresholds say of a revision; at least one person looks at it."""
    verdict = verdict_of.judge(
        verdict_of.Rulebook(row.workspace_id), action=action, preview=preview, proposer=row.proposer,
        confidence_pct=confidence_pct, flags=tuple(flags), now=now,
    )  # fmt: skip
    return replace(verdict, people=max(1, verdict.people))


def _judged(row: Proposal, held: frozenset[str], args: Mapping[str, Any], *, now: datetime) -> New:
    action, reader = named(row.action), BooksReader(row.workspace_id)
    try:
        preview = action.preview(row.target, action.parse(args), row.case.customer, reader)
        content = preview.diff.content()
    except (ActionError, diff.DiffError) as error:
        raise BadInput(str(error)) from error
    taints = tainting.of(row.case.subject, preview, reader)
    flags = flagged(row.flags, taints)
    verdict = judge(row, action, preview, confidence_pct=row.confidence_pct, flags=flags, now=now)
    refuse_twin(row, proposals.content_key(action, args))
    if not verdict.allowed:
        raise BadInput(" ".join(map(retold.say, verdict.reasons)))
    if risk.lower(verdict.tier, row.tier) and "manager" not in held:
        told = {"was": wording.tier(row.tier), "now": wording.tier(verdict.tier)}
        raise NotAllowed(_("This would lower the tier from %(was)s to %(now)s; a manager does that.") % told)
    return New(args, preview, content, verdict, flags=flags, taints=taints)


def _revise(
    row: Proposal, event: Event, new: New, person: int, *, now: datetime, over: tuple[str, ...] = ()
) -> Proposal:
    actor = f"person:{person}"
    words = EDITED if event == Event.PROPOSAL_EDITED else REDONE
    instructions.close(row, words, actor=actor, now=now)
    return add(row, event, new, actor=actor, now=now, body={"overwrites": list(over)} if over else {})


def _check_overwriting(over: tuple[str, ...], held: frozenset[str], reason: str) -> None:
    told = {"fields": wording.fields(over)}
    if "manager" not in held:
        raise NotAllowed(_(OVERWRITES) % told)
    if not reason:
        raise BadInput(f"overwrite_reason: {_('say why what stands in %(fields)s now may be written over') % told}")


def _grew(before: Revision, args: Mapping[str, Any], row: Proposal, amount_minor: int | None) -> bool:
    """Whether more money would move, or to somebody else."""
    more = (amount_minor or 0) > (row.amount_minor or 0)
    return more or args.get("refund_to") != before.args.get("refund_to")
