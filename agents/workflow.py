"""Works a run to its end: lease, steps in memory, and one transaction for all that comes of it.

A lease and a fence make it safe to run twice, in parallel, or after a kill -9 anywhere: nothing is handed in
twice, and after three attempts a person gets the case. Writes submissions and its own run, nothing else.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from pydantic_core import to_jsonable_python

from agents import asking, roster
from agents.models import Run, Step
from agents.steps import answering
from agents.steps.base import Trace
from agents.tools import Tools
from agents.types import Handoff, Outcome, Question
from approvals import instructions, proposals, switches
from approvals.models import Submission
from audit import log
from audit.events import Event
from portal import failpoints
from portal.systems.books import BooksReader
from portal.workspace import within

LEASE = timedelta(seconds=60)
ATTEMPTS = 3
FAILED = "agent_failed"
logger = logging.getLogger(__name__)


class Fenced(Exception):
    """Another worker holds the run by now; what this one did is rolled back."""


def advance(*, workspace: int, run: int) -> bool:
    """Work a run to its end; False if somebody else does, it has ended, or this attempt failed."""
    with within(workspace) as now:
        leased = _lease(workspace, run, now)
    if leased is None:
        return False
    failpoints.hit("run.after_lease")
    if leased.attempts > ATTEMPTS:
        return _give_up(leased)
    try:
        return _work(leased)
    except Fenced:
        return False
    except Exception:  # whatever a step raises: the run is tried again, then given to a person
        logger.exception("run %s failed in attempt %s", leased.pk, leased.attempts)
        return _put_back(leased)


def ask_again(*, workspace: int, instruction: int) -> bool:
    """Work the run on an instruction, begun where it was not; False as in `advance`, and where nobody waits."""
    with within(workspace):
        run = asking.begin(workspace=workspace, instruction=instruction)
    return run is not None and advance(workspace=workspace, run=run)


def _lease(workspace: int, run: int, now: datetime) -> Run | None:
    """Take the run for a minute, if nobody holds it; one conditional update decides."""
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    open_run = Run.objects.filter(workspace=workspace, pk=run, state__in=[Run.State.QUEUED, Run.State.RUNNING])
    taken = open_run.filter(free).update(
        state=Run.State.RUNNING, attempts=F("attempts") + 1, fence=F("fence") + 1, lease_until=now + LEASE
    )
    return open_run.select_related("case", "instruction").get() if taken else None


def _work(leased: Run) -> bool:
    agent = roster.find(leased.agent)
    trace = Trace()
    with within(leased.workspace_id) as now:
        if why := switches.why_not_now(workspace=leased.workspace_id, action="", proposer=f"agent:{leased.agent}"):
            outcome = Outcome(handoff=Handoff("switched_off", why, {"run": f"run:{leased.pk}"}))
            _end(leased, outcome, Run.State.DONE, now=now, trace=trace)
            return True
        told = asking.told(leased)
        tools = Tools(
            workspace=leased.workspace_id, reader=BooksReader(leased.workspace_id), allowed=agent.tools,
            but_case=leased.case_id if told else None,
        )  # fmt: skip
        outcome = agent.work(leased.case.subject, tools, trace, told)
        if told is not None:
            outcome = trace.step("answer", answering.choose, outcome, told)
        failpoints.hit("run.before_submit")
        _end(leased, outcome, Run.State.DONE, now=now, trace=trace, tools=tools)
    failpoints.hit("run.after_submit")
    return True


def _give_up(leased: Run) -> bool:
    """Nothing is lost: a person gets the case."""
    summary = f"The agent {leased.agent} failed on this {ATTEMPTS} times; please do it by hand."
    with within(leased.workspace_id) as now:
        outcome = Outcome(handoff=Handoff(FAILED, summary, {"run": f"run:{leased.pk}"}))
        _end(leased, outcome, Run.State.FAILED, now=now, trace=Trace())
    return True


def _put_back(leased: Run) -> bool:
    """End the lease early, so that the relay's next message finds the run; after the last attempt give up."""
    if leased.attempts >= ATTEMPTS:
        return _give_up(leased)
    with within(leased.workspace_id) as now:
        _mine(leased).update(lease_until=now)
    return False


def _mine(leased: Run) -> Any:
    return Run.objects.filter(workspace=leased.workspace_id, pk=leased.pk, fence=leased.fence, state=Run.State.RUNNING)


def _end(
    leased: Run, outcome: Outcome, state: Run.State, *, now: datetime, trace: Trace, tools: Tools | None = None
) -> None:
    """Hand in all that came of the run and close it, in the caller's transaction.

    Raises:
        Fenced: the lease went to another worker.
    """
    if not _mine(leased).select_for_update().exists():
        raise Fenced(f"run {leased.pk}")
    model_version, language = (tools.model_version, tools.language) if tools else ("", "")
    handed_in = list(_hand_in(leased, outcome, language))
    Step.objects.bulk_create(_rows(leased, trace))
    log.record(
        workspace=leased.workspace_id, subject=f"run:{leased.pk}", actor=f"agent:{leased.agent}",
        event=Event.RUN_FINISHED if state == Run.State.DONE else Event.RUN_FAILED, now=now,
        case=f"case:{leased.case_id}", trace_id=leased.trace_id,
        body={
            "agent": leased.agent, "agent_version": leased.agent_version, "model_version": model_version,
            "attempt": leased.attempts, "submissions": [f"submission:{s.pk}" for s in handed_in],
            "flags": list(outcome.flags), "steps": len(trace.taken),
        },
    )  # fmt: skip
    _mine(leased).update(
        state=state, outcome=name(outcome), model_version=model_version, finished_at=now, lease_until=None
    )


def name(outcome: Outcome) -> str:
    """One word for what a run came to."""
    if outcome.drafts:
        return "proposal"
    if outcome.handoff:
        return "handoff"
    return "question" if outcome.question else "nothing"


@dataclass(frozen=True, slots=True)
class _Paper:
    """One thing to hand in."""

    kind: Submission.Is
    key: str
    value: object
    depends_on: Sequence[str] = ()


def _papers(outcome: Outcome) -> Iterator[_Paper]:
    for draft in outcome.drafts:
        yield _Paper(Submission.Is.ACTION, draft.key, draft, draft.depends_on)
    if outcome.handoff:
        yield _Paper(Submission.Is.HANDOFF, "handoff", _flagged(outcome.handoff, outcome))
    if outcome.question:
        yield _Paper(Submission.Is.QUESTION, "question", _flagged(outcome.question, outcome))


def _flagged(paper: Handoff | Question, outcome: Outcome) -> dict[str, Any]:
    """Papers for people carry the run's flags, as drafts carry their own."""
    return {**to_jsonable_python(paper), "flags": list(outcome.flags)}


def _hand_in(leased: Run, outcome: Outcome, language: str) -> Iterator[Submission]:
    if leased.instruction is not None and not asking.waits(leased):
        return  # somebody decided meanwhile
    for paper in _papers(outcome):
        yield proposals.submit(
            workspace=leased.workspace_id, case=leased.case_id, kind=paper.kind,
            key=instructions.key_of(leased.instruction.pk) if leased.instruction else paper.key,
            revises=leased.instruction.proposal_id if leased.instruction else None,
            proposer=f"agent:{leased.agent}", run=f"run:{leased.pk}", payload=to_jsonable_python(paper.value),
            depends_on=paper.depends_on, trace_id=leased.trace_id, proposer_version=leased.agent_version,
            language=language,
        )  # fmt: skip


def _rows(leased: Run, trace: Trace) -> Iterator[Step]:
    for seq, step in enumerate(trace.taken, 1):
        yield Step(
            workspace_id=leased.workspace_id, run=leased, seq=seq, name=step.name, micros=step.micros,
            input_digest=step.input_digest, output_digest=step.output_digest,
        )  # fmt: skip
