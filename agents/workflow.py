"""Works runs to their end: lease, steps in memory, and one transaction for all that comes of them.

A lease and a fence make it safe to run twice, in parallel, or after a kill -9 anywhere: nothing is handed in
twice, and after three attempts a person gets the case. Writes submissions and its own runs, nothing else.
A run that needs a model leaves the others: it is worked from its start with each answer, as `gateway.calls` tells.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import F, Q

from agents import asking, cited, ending, intake, marking, rejections, roster, spans
from agents.ending import Done
from agents.gateway import budgets, calls, ledger
from agents.gateway.asker import Asker, Needs
from agents.gateway.plans import Catalogue
from agents.models import Run
from agents.steps import answering
from agents.steps.base import Trace
from agents.sweeps import reading as sweeps
from agents.tools import ToolError, Tools
from agents.triage_models import InForce
from agents.types import Handoff, Outcome, Rejected, Told
from approvals import outbox, switches
from audit.recognisers import Known
from portal import failpoints, logs, outage, telemetry
from portal.retold import kept
from portal.systems.books import BooksReader, Snapshot
from portal.workspace import within

LEASE = timedelta(seconds=60)
ATTEMPTS = 3
# Runs that are worked in one transaction where many wait; none of their steps waits for anybody outside.
TOGETHER = 25
FAILED = "agent_failed"
OVER_BUDGET = "over_budget"
STOPPED = kept("The agent stopped: %(why)s.")
GIVEN_UP = kept("The agent %(agent)s failed on this %(times)s times; please do it by hand.")
OUTRUN = kept("others were faster %(times)s times")
# Model calls begin within this time of a task, which may take 45 s (Celery) under a lease of 60; then another goes on.
SITTING_SECONDS = 42.0
# How often a run plans again because others were faster at what a cap left.
ROUNDS = 20
logger = logging.getLogger(__name__)


class Fenced(Exception):
    """Another worker holds the run by now; what this one did is rolled back."""


class OutOfTime(Exception):
    """The next model call belongs to another task."""


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of working runs: which were ended, and which wait for a model."""

    ended: list[int]
    waiting: list[tuple[Run, Needs]]
    catalogue: Catalogue


def advance(*, workspace: int, run: int) -> bool:
    """Work a run to its end; False if somebody else does, it has ended, or this attempt failed."""
    with within(workspace) as now:
        leased = _lease(workspace, run, now)
        if leased is not None and leased.fence > 1:
            ledger.close_lost(leased, now=now)
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
            for run, _ in _work(workspace, leased, now=now).waiting:
                _leave(run, now)
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
    until = time.monotonic() + SITTING_SECONDS
    try:
        while (pending := _work_alone(leased, until)) is not None:
            calls.make(pending)
        failpoints.hit("run.after_submit")
        return True
    except Fenced:
        return False
    except OutOfTime:
        with within(leased.workspace_id) as now:
            _leave(leased, now)
        return False
    except Exception:  # whatever a step raises: the run is tried again, then given to a person
        with logs.about(_people(leased.workspace_id, [leased])):
            logger.exception("run %s failed in attempt %s", leased.pk, leased.attempts)
        return _put_back(leased)


def _work_alone(leased: Run, until: float) -> calls.Pending | None:
    """End the run, or reserve the model call that it needs first.

    Raises:
        Fenced, OutOfTime.
    """
    for _ in range(ROUNDS):
        try:
            with within(leased.workspace_id) as now:
                worked = _work(leased.workspace_id, [leased], now=now)
                if worked.waiting:
                    return _begin(leased, worked, until, now)
                if not worked.ended:
                    raise Fenced(f"run {leased.pk}")
                return None
        except budgets.Exceeded as error:  # somebody was faster: what is left now may do for something narrower
            logger.info("run %s plans again: %s", leased.pk, error)
    raise budgets.Exceeded(OUTRUN % {"times": ROUNDS})


def _begin(leased: Run, worked: Worked, until: float, now: datetime) -> calls.Pending:
    """The lease is renewed with each call: it outlasts the call's deadline."""
    move = worked.waiting[0][1].move
    if time.monotonic() + move.offer.deadline_seconds > until:
        raise OutOfTime(f"run {leased.pk}")
    if not _mine(leased).update(lease_until=now + LEASE):
        raise Fenced(f"run {leased.pk}")
    return calls.begin(leased, move, worked.catalogue, now=now)


def _leave(leased: Run, now: datetime) -> None:
    """Let a task of its own go on with the run, in the caller's transaction; this was no failed attempt."""
    if _mine(leased).update(lease_until=now, attempts=F("attempts") - 1):
        outbox.nudge(intake.ADVANCE, "agents", leased.workspace_id, leased.pk)


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


def _work(workspace: int, leased: Sequence[Run], *, now: datetime) -> Worked:
    """Work the runs and end those that need nobody else."""
    thrown = switches.in_force(workspace=workspace)
    kinds = [run.case.subject.partition(":") for run in leased]
    reader = Snapshot(workspace, tickets={key for kind, _, key in kinds if kind == "ticket"})
    models, catalogue = InForce(workspace), Catalogue(workspace, now)
    before = rejections.of(workspace, leased)
    off = sweeps.stopped(run.sweep_id for run in leased)
    worked: list[Done] = [Done(run, Outcome(), Trace(), stopped=True) for run in leased if run.sweep_id in off]
    waiting: list[tuple[Run, Needs]] = []
    for run in (run for run in leased if run.sweep_id not in off):
        try:
            worked.append(_outcome(run, thrown, reader, models, Asker(run, catalogue), before[run.pk]))
        except Needs as needs:
            waiting.append((run, needs))
    failpoints.hit("run.before_submit")
    ended = ending.end_all(workspace, worked, now=now) if worked else []
    for done in worked:
        if done.run.pk in ended:
            telemetry.after_commit(done.run.trace_id, spans.of(done))
    return Worked(ended, waiting, catalogue)


def _outcome(
    run: Run, thrown: Iterable[switches.Thrown], reader: BooksReader, models: InForce, asker: Asker,
    before: Sequence[Rejected],
) -> Done:  # fmt: skip
    if why := switches.why(thrown, action="", proposer=f"agent:{run.agent}"):
        return Done(run, Outcome(handoff=Handoff("switched_off", why, {"run": f"run:{run.pk}"})), Trace())
    but_case = run.case_id if run.instruction else None
    return work_on(run, asking.told(run), reader, models, but_case=but_case, asker=asker, before=before)


def work_on(
    run: Run, told: Told | None, reader: BooksReader, models: InForce, *, but_case: int | None,
    asker: Asker | None = None, before: Sequence[Rejected] = (),
) -> Done:  # fmt: skip
    """What the run's agent makes of its case, without what it proposed in `but_case`, with what was rejected `before`.

    Raises `Needs` where a model has to be asked first; without an `asker` none is.
    """
    agent, trace = roster.find(run.agent), Trace()
    tools = Tools(
        agent=agent.name, workspace=run.workspace_id, reader=reader, allowed=agent.tools, models=models,
        digest=trace.digest, but_case=but_case, asker=asker, rejected=before,
        pair=None if run.sweep_id is None else sweeps.pair_of(run.pk),
    )  # fmt: skip
    try:
        outcome = agent.work(run.case.subject, tools, trace, told)
    except (ToolError, budgets.Exceeded) as error:  # again it would be the same
        logger.warning("run %s: %s", run.pk, error)
        reason = OVER_BUDGET if isinstance(error, budgets.Exceeded) else "tool_refused"
        outcome = Outcome(handoff=Handoff(reason, STOPPED % {"why": error}, {"run": f"run:{run.pk}"}))
    else:
        if told is not None:
            outcome = trace.step("answer", answering.choose, outcome, told)
        else:
            outcome = rejections.heed(outcome, before, run, trace, asker)
        outcome = cited.check(outcome, tools.read, tools.retrieved)
    return Done(
        run, outcome, trace, _versions(tools, asker), tools.language, calls=tools.calls, retrieved=tools.retrieved,
        costs=asker.took() if asker else {}, notes=asker.notes if asker else {}, read_to=tools.read_to,
    )  # fmt: skip


def _versions(tools: Tools, asker: Asker | None) -> str:
    """The models whose word counted: the fitted one by its digest, the others by name."""
    return " ".join([tools.model_version, *sorted(asker.models if asker else ())]).strip()[:200]


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


def _give_up(leased: Run) -> bool:
    """Nothing is lost: a person gets the case."""
    summary = GIVEN_UP % {"agent": leased.agent, "times": ATTEMPTS}
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
