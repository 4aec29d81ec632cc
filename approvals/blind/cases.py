"""Where people disagreed, with an agent or with each other, as cases to evaluate agents on: what was proposed, what was
said, and how it was put right.
"""

import json
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef

from approvals import background, detail
from approvals.models import Decision, Proposal, Revision, SecondLook
from approvals.state import Kind, State
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
    return {
        "id": f"second-look-{row.pk}", "agent": row.agent.removeprefix("agent:"), "version": row.version,
        **_proposed(proposal, revision), "decided": row.decided, "second": row.verdict, "reason": row.reason,
        "note": row.note,
    }  # fmt: skip


def _proposed(proposal: Proposal, revision: Revision) -> dict[str, Any]:
    """What the customer wrote, and what was proposed."""
    facts = background.facts(proposal.workspace_id, proposal.case)
    messages = facts.ticket.messages if facts.ticket else ()
    written = [message.body for message in messages if message.sender == "customer"]
    return {
        "subject": proposal.case.subject, "text": "\n\n".join(written), "action": proposal.action,
        "target": proposal.target, "args": revision.args, "content": json.loads(revision.content),
        "evidence": detail.draft(proposal).payload.get("evidence", []),
    }  # fmt: skip


def export_overruled(*, workspace: int, actor: str, now: datetime) -> list[dict[str, Any]]:
    """What people rejected or edited of agents' proposals, as `export`."""
    said = Decision.objects.filter(proposal=OuterRef("pk"), kind__in=[Kind.REJECT, Kind.EDIT])
    rows = Proposal.objects.filter(Exists(said), workspace_id=workspace, proposer__startswith="agent:")
    newest = rows.select_related("case", "submission").order_by("-pk")[:MOST]
    cases = [case for row in reversed(newest) if (case := _overruled(row))]
    log.record(
        workspace=workspace, subject="decisions:export", event=Event.DECISIONS_EXPORTED, actor=actor, now=now,
        body={"cases": len(cases)},
    )  # fmt: skip
    return cases


def _overruled(row: Proposal) -> dict[str, Any] | None:
    """What the agent drafted last, and what became of it; None where nobody's word stands, or it was erased.

    `corrected` are the arguments as a person left them, `golden` the same as a row of the suite, where it has one.
    """
    revisions = list(Revision.objects.filter(proposal=row).order_by("number"))
    drafted = [one for one in revisions if one.made_by.startswith("agent:")] or revisions[:1]
    last, edited = revisions[-1], revisions[-1].made_by.startswith("person:")
    no = row.decisions.filter(kind=Kind.REJECT).order_by("pk").last() if row.state == State.REJECTED else None
    if not last.nonce or not drafted[-1].nonce or not (no or edited):
        return None
    case = {
        "id": f"proposal-{row.pk}", "agent": row.proposer.removeprefix("agent:"), "version": row.proposer_version,
        **_proposed(row, drafted[-1]), "decided": str(Kind.REJECT if no else Kind.EDIT), "state": row.state,
        "reason": no.reason if no else "", "note": no.note if no else "", "corrected": last.args if edited else None,
    }  # fmt: skip
    return {**case, "golden": _golden(case)}


def _golden(case: dict[str, Any]) -> dict[str, Any] | None:
    """A row of the triage suite, where the person's arguments were carried out: they are the labels."""
    if case["action"] != "ticket.update" or case["state"] != State.APPLIED or not case["corrected"]:
        return None
    labels = {name: case["corrected"].get(name, case["args"].get(name)) for name in ("queue", "priority")}
    return {"id": case["id"], "text": case["text"], **labels, "source": "own"} if all(labels.values()) else None
