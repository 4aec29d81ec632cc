"""How runs end: what came of them is handed in, with their steps, entries and rows, in the caller's transaction.

Many end as one does. Only who still holds a run's lease ends it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from pydantic_core import to_jsonable_python

from agents import asking
from agents.models import Run, Step, ToolCall
from agents.steps.base import Trace
from agents.tools import Called
from agents.types import Handoff, Outcome, Question
from approvals import instructions, proposals
from approvals.models import Submission
from audit import log
from audit.events import Event
from portal.retold import kept

# What a run came to that nobody worked, since a person had stopped its sweep.
STOPPED = kept("stopped")


@dataclass(frozen=True, slots=True)
class Done:
    """A run that was worked, and what came of it; `model_version` and `language` (ISO 639-1) where they are known.

    `retrieved` are the clauses that were read, by id with their version; `costs` micro-dollars by step, `notes` words.
    `stopped` says that nobody worked it: a person had stopped the sweep that began it. `read_to` is the number of the
    last message of its ticket as the agent read it.
    """

    run: Run
    outcome: Outcome
    trace: Trace
    model_version: str = ""
    language: str = ""
    state: Run.State = Run.State.DONE
    calls: Sequence[Called] = ()
    retrieved: Mapping[str, int] = field(default_factory=dict)
    costs: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False
    read_to: int | None = None


def end_all(workspace: int, worked: Sequence[Done], *, now: datetime) -> list[int]:
    """Hand in what came of the runs and close them; which were ended: the others' leases went to somebody else."""
    held = _held(workspace, [done.run for done in worked])
    worked = [done for done in worked if done.run.pk in held]
    if not worked:
        return []
    papers = [paper for done in worked if not _is_late(done) for paper in papers_of(done)]
    handed_in = proposals.submit_all(workspace, papers)
    keys: dict[str, list[str]] = {}
    for submission in handed_in:
        keys.setdefault(submission.run, []).append(f"submission:{submission.pk}")
    Step.objects.bulk_create([row for done in worked for row in _steps(done)])
    ToolCall.objects.bulk_create([row for done in worked for row in _calls(done)])
    versions = log.next_versions(workspace, [f"run:{done.run.pk}" for done in worked])
    log.record_all([_entry(done, keys.get(f"run:{done.run.pk}", []), versions, now=now) for done in worked])
    _close(worked, now)
    return sorted(held)


def _held(workspace: int, runs: Sequence[Run]) -> set[int]:
    """Those whose lease is still ours, locked."""
    rows = Run.objects.select_for_update().filter(
        workspace=workspace, pk__in=[run.pk for run in runs], state=Run.State.RUNNING
    )
    fences = dict(rows.order_by("pk").values_list("pk", "fence"))
    return {run.pk for run in runs if fences.get(run.pk) == run.fence}


def _is_late(done: Done) -> bool:
    """Whether somebody decided meanwhile what the run was asked about."""
    return done.run.instruction is not None and not asking.waits(done.run)


def papers_of(done: Done) -> Iterator[Submission]:
    """One submission for each thing that came of the run, not written."""
    run = done.run
    for kind, key, value, depends_on in _papers(done.outcome):
        yield Submission(
            workspace_id=run.workspace_id, case_id=run.case_id, kind=kind, proposer=f"agent:{run.agent}",
            run=f"run:{run.pk}", key=instructions.key_of(run.instruction.pk) if run.instruction else key,
            revises_id=run.instruction.proposal_id if run.instruction else None, payload=to_jsonable_python(value),
            depends_on=list(depends_on), trace_id=run.trace_id, proposer_version=run.agent_version,
            language=done.language, read_to=done.read_to,
        )  # fmt: skip


def _papers(outcome: Outcome) -> Iterator[tuple[Submission.Is, str, object, Sequence[str]]]:
    """Kind, key, value and the keys it depends on."""
    for draft in outcome.drafts:
        yield Submission.Is.ACTION, draft.key, draft, draft.depends_on
    if outcome.handoff:
        yield Submission.Is.HANDOFF, "handoff", _flagged(outcome.handoff, outcome), ()
    if outcome.question:
        yield Submission.Is.QUESTION, "question", _flagged(outcome.question, outcome), ()


def _flagged(paper: Handoff | Question, outcome: Outcome) -> dict[str, Any]:
    """Papers for people carry the run's flags, as drafts carry their own."""
    return {**to_jsonable_python(paper), "flags": list(outcome.flags)}


def _steps(done: Done) -> Iterator[Step]:
    for seq, step in enumerate(done.trace.taken, 1):
        yield Step(
            workspace_id=done.run.workspace_id, run=done.run, seq=seq, name=step.name, micros=step.micros,
            input_digest=step.input_digest, output_digest=step.output_digest,
            started_micros=_since(done, step.began_ns), cost_micros=done.costs.get(step.name, 0),
            note=done.notes.get(step.name, "")[:300],
        )  # fmt: skip


def _calls(done: Done) -> Iterator[ToolCall]:
    for seq, call in enumerate(done.calls, 1):
        yield ToolCall(
            workspace_id=done.run.workspace_id, run=done.run, seq=seq, tool=call.tool, micros=call.micros,
            argument_digest=call.argument_digest, result_digest=call.result_digest, ended=call.ended,
            started_micros=_since(done, call.began_ns),
        )  # fmt: skip


def _since(done: Done, began_ns: int) -> int:
    """Microseconds from the beginning of the work on the run."""
    return max(0, began_ns - done.trace.began_ns) // 1000


def _entry(done: Done, handed_in: Sequence[str], versions: dict[str, int], *, now: datetime) -> log.Draft:
    run, subject = done.run, f"run:{done.run.pk}"
    return log.draft(
        workspace=run.workspace_id, subject=subject, version=versions[subject], actor=f"agent:{run.agent}", now=now,
        event=Event.RUN_FINISHED if done.state == Run.State.DONE else Event.RUN_FAILED,
        case=f"case:{run.case_id}", trace_id=run.trace_id,
        body={
            "agent": run.agent, "agent_version": run.agent_version, "model_version": done.model_version,
            "attempt": run.attempts, "submissions": list(handed_in), "flags": list(done.outcome.flags),
            "steps": len(done.trace.taken), **({"cost_micros": sum(done.costs.values())} if done.costs else {}),
            **({"stopped": f"sweep:{run.sweep_id}"} if done.stopped else {}),
        },
    )  # fmt: skip


def _close(worked: Sequence[Done], now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_run r SET state = n.state, outcome = n.outcome, model_version = n.model, finished_at = %s,"
            " retrieved = n.retrieved, cost_micros = n.cost, lease_until = NULL"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bigint[])"
            " AS n (id, state, outcome, model, retrieved, cost) WHERE r.id = n.id",
            [
                now, [done.run.pk for done in worked], [str(done.state) for done in worked],
                [STOPPED if done.stopped else name(done.outcome) for done in worked],
                [done.model_version for done in worked],
                [json.dumps(done.retrieved) for done in worked], [sum(done.costs.values()) for done in worked],
            ],
        )  # fmt: skip


def name(outcome: Outcome) -> str:
    """One word for what a run came to."""
    if outcome.drafts:
        return "proposal"
    if outcome.handoff:
        return "handoff"
    return "question" if outcome.question else "nothing"
