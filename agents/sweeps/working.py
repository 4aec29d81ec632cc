"""Works a sweep to its end in short transactions: find, put before people what the caps allow, repair.

A lease and a fence make it safe to run twice, in parallel, or after a kill -9 anywhere: a finding has at most one run,
and what was counted was begun. Begins runs of agent `contacts`, which hand in as ever; writes nothing else.
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat

from agents import intake
from agents.ending import STOPPED
from agents.models import Run
from agents.steps.contacts import AGENT
from agents.sweeps import finding, planning, repairing
from agents.sweeps.models import Finding, Sweep
from approvals import outbox, switches
from approvals.models import Case
from audit import log
from audit.events import Event
from portal import failpoints, outage
from portal.retold import kept
from portal.workspace import within

LEASE = timedelta(minutes=5)
ATTEMPTS = 3
BATCH = 25
LOOKED_AT_ONCE = 500
OPEN = planning.OPEN
# What is written of a sweep while it is worked.
KEPT = (
    "state", "lease_until", "total", "done", "reached", "found", "known", "proposed", "repairs", "left", "because",
    "finished_at",
)  # fmt: skip
ACTOR = f"agent:{AGENT.name}"
ENDED_WORKER = kept("it ended its worker %(times)s times")
logger = logging.getLogger(__name__)


class Fenced(Exception):
    """Another worker holds the sweep by now, or a person stopped it."""


class SwitchedOff(Exception):
    """A person stopped the agent; the message says who and why."""


def work(*, workspace: int, sweep: int) -> bool:
    """Work a sweep to its end; False if somebody else does, it has ended, or this attempt failed."""
    leased = _lease(workspace, sweep)
    if leased is None:
        return False
    try:
        if leased.attempts > ATTEMPTS:
            _end(leased, Sweep.State.FAILED, because=ENDED_WORKER % {"times": ATTEMPTS})
            return False
        _work(leased)
    except Fenced:
        return False
    except SwitchedOff as why:
        _end(leased, Sweep.State.FAILED, because=str(why))
    except Exception as error:  # whatever it is: tried again, and after the last time given up
        if outage.is_outage(error):
            raise
        logger.exception("sweep %s failed in attempt %s", leased.pk, leased.attempts)
        _let_go(leased)
        return False
    return True


def _work(leased: Sweep) -> None:
    if leased.state != Sweep.State.PROPOSING:
        _find(leased)
    while _propose(leased):
        failpoints.hit("sweep.after_batch")
    while _repair(leased):
        failpoints.hit("sweep.after_batch")
    _end(leased, Sweep.State.DONE)


def _lease(workspace: int, sweep: int) -> Sweep | None:
    with within(workspace) as now:
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        rows = Sweep.objects.filter(workspace=workspace, pk=sweep, state__in=OPEN)
        taken = rows.filter(free).update(attempts=F("attempts") + 1, fence=F("fence") + 1, lease_until=now + LEASE)
        return rows.get() if taken else None


def _held(leased: Sweep, *, now: datetime) -> Sweep:
    """The row, locked and leased anew.

    Raises:
        Fenced, SwitchedOff.
    """
    rows = Sweep.objects.select_for_update().filter(
        workspace=leased.workspace_id, pk=leased.pk, fence=leased.fence, state__in=OPEN
    )
    row = rows.first()
    if row is None:
        raise Fenced(f"sweep {leased.pk}")
    thrown = switches.in_force(workspace=leased.workspace_id)
    if why := switches.why(thrown, action="", proposer=ACTOR):
        raise SwitchedOff(why)
    row.lease_until = now + LEASE
    return row


def _find(leased: Sweep) -> None:
    with within(leased.workspace_id) as now:
        row = _held(leased, now=now)
        records, ranks = finding.read(leased.workspace_id)
        row.state, row.total = Sweep.State.FINDING, len(records)
        row.save(update_fields=KEPT)
    found = finding.pairs(records, ranks)
    failpoints.hit("sweep.found")
    with within(leased.workspace_id) as now:
        row = _held(leased, now=now)
        made = finding.rows(row, found)
        Finding.objects.bulk_create(made, batch_size=1_000)
        row.found = len(found)
        row.known = sum(one.state == Finding.State.KNOWN for one in made)
        row.left = len(found) - row.known
        row.state = Sweep.State.PROPOSING
        row.save(update_fields=KEPT)


def _propose(leased: Sweep) -> bool:
    """Put the next of the findings before people; False where none is left or the caps are full."""
    with within(leased.workspace_id) as now:
        row = _held(leased, now=now)
        case = Case.objects.filter(
            workspace=row.workspace_id, subject=Concat(Value("contact:"), OuterRef("keep"))
        )  # what came in has one
        waiting = row.findings.filter(Exists(case), state=Finding.State.WAITING).order_by("-bits", "pk")
        batch = list(waiting[: min(BATCH, _allowed(row, now=now))])
        cases = _cases(row.workspace_id, [one.keep for one in batch])
        for one, run in zip(batch, _begin_runs(row, [cases[one.keep] for one in batch]), strict=True):
            one.run, one.state = run, Finding.State.PROPOSED
        Finding.objects.bulk_update(batch, ["run", "state"])
        row.proposed, row.left = row.proposed + len(batch), row.left - len(batch)
        row.save(update_fields=KEPT)
    return bool(batch)


def _repair(leased: Sweep) -> bool:
    """Look at the next contacts that changed since they were last looked at; False where there is none."""
    with within(leased.workspace_id) as now:
        row = _held(leased, now=now)
        contacts = repairing.changed(row.workspace_id, after=row.reached, most=LOOKED_AT_ONCE)
        wanting = [contact for contact in contacts if repairing.wants(contact)]
        begin = wanting[: _allowed(row, now=now)]
        cases = _cases(row.workspace_id, [contact.contact_id for contact in begin])
        row.repairs += len(_begin_runs(row, list(cases.values())))
        row.left += len(wanting) - len(cases)
        row.done += len(contacts)
        row.reached = contacts[-1].pk if contacts else row.reached
        row.save(update_fields=KEPT)
    return bool(contacts)


def _allowed(row: Sweep, *, now: datetime) -> int:
    """How many more may be put before people by this sweep, and today by any."""
    midnight = planning.local(row.workspace_id, now).replace(hour=0, minute=0, second=0, microsecond=0)
    begun = Run.objects.filter(workspace=row.workspace_id, created_at__gte=midnight).exclude(sweep=None)
    today = begun.exclude(outcome=STOPPED).count()
    return max(0, min(row.per_sweep - row.proposed - row.repairs, row.per_day - today))


def _cases(workspace: int, contacts: Sequence[str]) -> dict[str, int]:
    """The case of each contact that has one."""
    subjects = [f"contact:{name}" for name in contacts]
    rows = Case.objects.filter(workspace=workspace, subject__in=subjects).values_list("subject", "pk")
    return {subject.partition(":")[2]: key for subject, key in rows}


def _begin_runs(row: Sweep, cases: Sequence[int]) -> list[Run]:
    """One run for each, in their order."""
    made = Run.objects.bulk_create(
        Run(
            workspace_id=row.workspace_id, case_id=case, agent=AGENT.name, agent_version=AGENT.version,
            trace_id=secrets.token_hex(16), asked_by=row.started_by, sweep=row,
        )
        for case in cases
    )  # fmt: skip
    if made:
        outbox.nudge_together(intake.ADVANCE, "agents", row.workspace_id)
    return made


def _end(leased: Sweep, state: Sweep.State, *, because: str = "") -> None:
    with within(leased.workspace_id) as now:
        rows = Sweep.objects.select_for_update().filter(
            workspace=leased.workspace_id, pk=leased.pk, fence=leased.fence, state__in=OPEN
        )
        row = rows.first()
        if row is None:
            return
        row.state, row.because, row.finished_at, row.lease_until = state, because[:200], now, None
        log.record(
            workspace=row.workspace_id, subject=f"sweep:{row.pk}", event=Event.SWEEP_FINISHED, actor=ACTOR, now=now,
            body={
                "state": str(state), "because": row.because, "total": row.total, "found": row.found,
                "known": row.known, "proposed": row.proposed, "repairs": row.repairs, "left": row.left,
            },
        )  # fmt: skip
        row.save(update_fields=KEPT)


def _let_go(leased: Sweep) -> None:
    with within(leased.workspace_id) as now:
        Sweep.objects.filter(pk=leased.pk, fence=leased.fence, state__in=OPEN).update(lease_until=now)
