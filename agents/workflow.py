"""Works runs to their end: lease, steps in memory, and one transaction for all that comes of them.

A lease and a fence make it safe to run twice, in parallel, or after a kill -9 anywhere: nothing is handed in
twice, and after three attempts a person gets the case. Writes submissions and its own runs, nothing else.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import F, Q

from agents import asking, cited, ending, marking, roster, spans
from agents.ending import Done
from agents.models import Run
from agents.steps import answering
from agents.steps.base import Trace
from agents.tools import ToolError, Tools
from agents.triage_models import InForce
from agents.types import Handoff, Outcome, Told
from approvals import switches
from audit.recognisers import Known
from portal import failpoints, logs, outage, telemetry
from portal.systems.books import BooksReader, Snapshot
from portal.workspace import within

LEASE = timedelta(seconds=60)
ATTEMPTS = 3
# Runs that are worked in one transaction where many wait; none of their steps waits for anybody outside.
TOGETHER = 25
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
    return _try(leased)


def advance_due(begun: Callable[[], None] = lambda: None, *, workspace: int) -> int:
    """Work runs that nobody began, together; returns how many. What breaks that is then worked one by one.

    `begun` is called once some are found.
    """
    with within(workspace) as now:
        leased = _lease_due(workspace, now)
    if not leased:
        return 0
    begun()
    failpoints.hit("run.after_lease")
    try:
        with within(workspace) as now:
            _work(workspace, leased, now=now)
        failpoints.hit("run.after_submit")
    except Exception as error:  # whatever broke the batch: each run by itself has its own attempts
        if outage.is_outage(error):
            raise
        with logs.about(_people(workspace, leased)):
            logger.exception("%s runs cannot be worked together; each is, by itself", len(leased))
        for run in leased:
            _try(run)
    return len(leased)


def _try(leased: Run) -> bool:
    try:
        with within(leased.workspace_id) as now:
            if not _work(leased.workspace_id, [leased], now=now):
                raise Fenced(f"run {leased.pk}")
        failpoints.hit("run.after_submit")
        return True
    except Fenced:
        return False
    except Exception:  # whatever a step raises: the run is tried again, then given to a person
        with logs.about(_people(leased.workspace_id, [leased])):
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


def _lease_due(workspace: int, now: datetime) -> list[Run]:
    """The oldest runs that were never begun; those of an instruction come by a message of their own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE agents_run SET state = 'running', attempts = 1, fence = fence + 1, lease_until = %s"
            " WHERE id = ANY (ARRAY(SELECT id FROM agents_run WHERE workspace_id = %s AND state = 'queued'"
            " AND attempts = 0 AND instruction_id IS NULL AND lease_until IS NULL"
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING id",
            [now + LEASE, workspace, TOGETHER],
        )
        keys = [row[0] for row in cursor.fetchall()]
    runs = Run.objects.filter(workspace=workspace, pk__in=keys).select_related("case", "instruction")
    return list(runs.order_by("pk")) if keys else []


def _work(workspace: int, leased: Sequence[Run], *, now: datetime) -> list[int]:
    """Work the runs and end them; which were ended."""
    thrown = switches.in_force(workspace=workspace)
    reader = Snapshot(workspace, tickets=_tickets(run.case.subject for run in leased))
    models = InForce(workspace)
    worked = [_outcome(run, thrown, reader, models) for run in leased]
    failpoints.hit("run.before_submit")
    ended = ending.end_all(workspace, worked, now=now)
    for done in worked:
        if done.run.pk in ended:
            telemetry.after_commit(done.run.trace_id, spans.of(done))
    return ended


def _outcome(run: Run, thrown: Iterable[switches.Thrown], reader: BooksReader, models: InForce) -> Done:
    if why := switches.why(thrown, action="", proposer=f"agent:{run.agent}"):
        return Done(run, Outcome(handoff=Handoff("switched_off", why, {"run": f"run:{run.pk}"})), Trace())
    return work_on(run, asking.told(run), reader, models, but_case=run.case_id if run.instruction else None)


def work_on(run: Run, told: Told | None, reader: BooksReader, models: InForce, *, but_case: int | None) -> Done:
    """What the run's agent makes of its case, nothing handed in; what it proposed in `but_case` is not there for it."""
    agent, trace = roster.find(run.agent), Trace()
    tools = Tools(
        agent=agent.name, workspace=run.workspace_id, reader=reader, allowed=agent.tools, models=models,
        digest=trace.digest, but_case=but_case,
    )  # fmt: skip
    try:
        outcome = agent.work(run.case.subject, tools, trace, told)
    except ToolError as error:  # asked again it would be refused again: a person gets it, and the trace says why
        logger.warning("run %s: %s", run.pk, error)
        outcome = Outcome(handoff=Handoff("tool_refused", f"The agent stopped: {error}.", {"run": f"run:{run.pk}"}))
    else:
        if told is not None:
            outcome = trace.step("answer", answering.choose, outcome, told)
        outcome = cited.check(outcome, tools.read, tools.retrieved)
    return Done(run, outcome, trace, tools.model_version, tools.language, calls=tools.calls, retrieved=tools.retrieved)


def _people(workspace: int, runs: Sequence[Run]) -> list[Known]:
    """Whose names must not stand in a log line about these runs; an error may quote what they wrote."""
    contacts = [run.case.subject.partition(":")[2] for run in runs if run.case.subject.startswith("contact:")]
    try:
        with within(workspace):
            reader = BooksReader(workspace)
            found = [marking.known_of(reader.customer(name)) for name in {run.case.customer for run in runs} - {""}]
            found += [marking.known_of(contact=reader.contact(name)) for name in contacts]
    except DatabaseError:  # the line is worth more: without it nobody hears of what broke
        return []
    return [one for known in found for one in known]


def _tickets(subjects: Iterable[str]) -> set[str]:
    return {subject.partition(":")[2] for subject in subjects if subject.startswith("ticket:")}


def _give_up(leased: Run) -> bool:
    """Nothing is lost: a person gets the case."""
    summary = f"The agent {leased.agent} failed on this {ATTEMPTS} times; please do it by hand."
    outcome = Outcome(handoff=Handoff(FAILED, summary, {"run": f"run:{leased.pk}"}))
    with within(leased.workspace_id) as now:
        return bool(
            ending.end_all(leased.workspace_id, [Done(leased, outcome, Trace(), state=Run.State.FAILED)], now=now)
        )


def _put_back(leased: Run) -> bool:
    """End the lease early, so that the relay's next message finds the run; after the last attempt give up."""
    if leased.attempts >= ATTEMPTS:
        return _give_up(leased)
    with within(leased.workspace_id) as now:
        _mine(leased).update(lease_until=now)
    return False


def _mine(leased: Run) -> Any:
    return Run.objects.filter(workspace=leased.workspace_id, pk=leased.pk, fence=leased.fence, state=Run.State.RUNNING)
