"""Disagreements of second looks as cases to evaluate agents on: what was proposed, and what two people said."""

import json
from datetime import datetime
from typing import Any

from django.db.models import F

from approvals import background, detail
from approvals.models import Revision, SecondLook
from audit import log
from audit.events import Event

MOST = 1_000


def export(*, workspace: int, actor: str, now: datetime) -> list[dict[str, Any]]:
    """The newest thousand, oldest first, and an entry that says who took them. Of what was erased nothing is left."""
    rows = SecondLook.objects.filter(workspace_id=workspace).exclude(verdict="").exclude(verdict=F("decided"))
    newest = rows.select_related("proposal__case", "proposal__submission").order_by("-pk")[:MOST]
    cases = [case for row in reversed(newest) if (case := _case(row))]
    log.record(
        workspace=workspace, subject="second-looks:export", event=Event.SECOND_LOOKS_EXPORTED, actor=actor, now=now,
        body={"cases": len(cases)},
    )  # fmt: skip
    return cases


def _case(row: SecondLook) -> dict[str, Any] | None:
    """`id` and `text` as `take_in` and the suites call them; None where it was erased."""
    proposal = row.proposal
    revision = Revision.objects.get(proposal_id=proposal.pk, number=row.revision)
    if not revision.nonce:
        return None
    facts = background.facts(row.workspace_id, proposal.case)
    messages = facts.ticket.messages if facts.ticket else ()
    written = [message.body for message in messages if message.sender == "customer"]
    return {
        "id": f"second-look-{row.pk}", "agent": row.agent.removeprefix("agent:"), "version": row.version,
        "subject": proposal.case.subject, "text": "\n\n".join(written), "action": proposal.action,
        "target": proposal.target, "args": revision.args, "content": json.loads(revision.content),
        "evidence": detail.draft(proposal).payload.get("evidence", []), "decided": row.decided, "second": row.verdict,
        "reason": row.reason, "note": row.note,
    }  # fmt: skip
