"""Why something approved must not happen now, or must wait: everything is asked again at dispatch.

Read inside the transaction that would write; the answer is in words, "" means nothing stands in the way.
"""

from datetime import datetime, timedelta

from approvals import actions, caps, dependencies, diff, staleness, switches, unserved, votes
from approvals import verdicts as verdict_of
from approvals.models import Proposal, Revision
from portal.retold import kept
from portal.systems.books import BooksReader

WAITS = kept("what it depends on is not applied yet")
NO_QUORUM = kept("its approvals no longer make a quorum")
NEEDS_PERSON = kept("nothing passes without a person now")
OTHER_BYTES = kept("its bytes are not those that were approved")
TOO_LONG = kept("it waited too long after its approval")
CUSTOMER_WROTE = kept("the customer wrote since")
STRICTER = kept("policy is stricter now: %(reasons)s")


def why_wait(row: Proposal) -> str:
    """What it waits for without anything being wrong: another proposal, or a switch that is thrown."""
    if dependencies.pending(row) and not dependencies.broken(row):
        return WAITS
    return switches.why_not_now(workspace=row.workspace_id, action=row.action, proposer=row.proposer)


def why_stale(row: Proposal, revision: Revision, *, now: datetime) -> str:
    """Why what was approved must go back to people. The target must be locked; the caps are taken anew."""
    return (
        dependencies.broken(row)
        or approval(row, revision, now=now)
        or _basis(row, revision, now=now)
        or caps.confirm(row, now=now)
    )


def approval(row: Proposal, revision: Revision, *, now: datetime) -> str:
    """Why the approval does not stand: no quorum with today's roles, other bytes, too old; "" where it does."""
    if revision.people and not votes.quorum(row, revision):
        return NO_QUORUM
    if not revision.people and switches.forces_approval(workspace=row.workspace_id):
        return NEEDS_PERSON
    if diff.digest(revision.content.encode(), bytes(revision.nonce)) != row.digest:
        return OTHER_BYTES
    held = row.hold_until - (row.decided_at or row.created_at) if row.hold_until else timedelta()
    return TOO_LONG if row.fresh_until + held < now else ""


def _basis(row: Proposal, revision: Revision, *, now: datetime) -> str:
    look = staleness.look(row, revision)
    if look.conflict:
        return look.because
    if row.tier == "high" and look.moved_elsewhere(row.basis):
        return staleness.CHANGED
    if look.talked and look.unsettled(row.tier) and _customer_wrote(row, look):
        return CUSTOMER_WROTE
    return "" if look.already_so else _stricter(row, revision, now=now)


def _customer_wrote(row: Proposal, look: staleness.Look) -> bool:
    """Whether it was the customer who went on with the conversation, and not one of our own replies."""
    reads, reader = row.basis["reads"], BooksReader(row.workspace_id)
    for source in look.drifted:
        kind, _, key = source.partition(":")
        ticket = reader.ticket(key) if kind == staleness.TALK else None
        since = ticket.messages[reads[source] :] if ticket else ()
        if kind == staleness.WROTE or any(message.sender == "customer" for message in since):
            return True
    return False


def _stricter(row: Proposal, revision: Revision, *, now: datetime) -> str:
    """Policy and thresholds once more: tightened since, it goes back to people."""
    action = actions.named(row.action)
    try:
        args = action.parse(revision.args)
        preview = action.preview(row.target, args, row.case.customer, BooksReader(row.workspace_id))
    except actions.ActionError as error:
        return str(error)
    if lacks := unserved.lacking(row.workspace_id, action, args):
        return lacks
    verdict = verdict_of.judge(
        verdict_of.Rulebook(row.workspace_id), action=action, preview=preview, proposer=row.proposer,
        confidence_pct=row.confidence_pct, flags=tuple(row.flags), now=now,
    )  # fmt: skip
    asks_more = verdict.people > revision.people or verdict.second_role not in ("", revision.second_role)
    if not verdict.allowed or asks_more:
        return STRICTER % {"reasons": " ".join(verdict.reasons)}
    return ""
