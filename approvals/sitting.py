"""One transaction of the gate: what it reads once for all it looks at, and the proposals it writes together.

Holds the targets it will look at from its beginning, in one order whoever asks. Decides nothing.
"""

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db import connection
from django.db.models import Q

from approvals import caps, citations, payloads, proposals, verdicts
from approvals.models import CapUse, Proposal, Revision, Submission
from approvals.state import OPEN, State
from audit import log
from portal import telemetry
from portal.systems.books import Snapshot


@dataclass(frozen=True, slots=True)
class Opened:
    """A proposal that begins: its first revision, its entry and its row, none of them written yet."""

    proposal: Proposal
    revision: Revision
    entry: log.Draft


class Sitting:
    """What the gate knows and will write. `now` is the transaction's."""

    def __init__(self, workspace: int, submissions: Sequence[Submission], *, now: datetime) -> None:
        self.workspace = workspace
        self.now = now
        self.day = caps.Day(workspace, now)
        self.rulebook = verdicts.Rulebook(workspace)
        self._opened: list[Opened] = []
        self._twins: dict[tuple[str, str], tuple[int, str]] = {}
        self._ids: list[int] = []
        self._fresh = True
        targets = sorted({payloads.text_of(one.payload, "target") for one in submissions} - {""})
        proposals.lock_targets(workspace, targets)
        self._held = set(targets)
        self._learn_twins(targets)
        self.reader = Snapshot(workspace, tickets=_tickets([*targets, *(one.case.subject for one in submissions)]))
        self._ids_wanted = max(1, len(submissions))
        self._submissions = submissions

    @cached_property
    def clauses(self) -> Mapping[str, citations.Standing]:
        """The clauses in force that are cited."""
        return citations.standing(self.workspace, self._submissions)

    def hold(self, target: str) -> None:
        """Make sure that nobody else decides what is open on a target, nor writes it."""
        if target not in self._held:
            proposals.lock_targets(self.workspace, [target])
            self._held.add(target)
            if self._fresh:
                self._learn_twins([target])

    def twin(self, target: str, key: str) -> tuple[int, str] | None:
        """Number and summary of what is open already with this content on a target that is held."""
        if not self._fresh:
            self._twins, self._fresh = {}, True
            self._learn_twins(sorted(self._held))
        return self._twins.get((target, key))

    def next_id(self) -> int:
        """The number of a proposal; fetched for all that may come at once."""
        if not self._ids:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT nextval(pg_get_serial_sequence('approvals_proposal', 'id')) FROM generate_series(1, %s)",
                    [self._ids_wanted],
                )
                self._ids = [row[0] for row in reversed(cursor.fetchall())]
            self._ids_wanted = 1
        return self._ids.pop()

    def open(self, opened: Opened, holders: Mapping[str, str]) -> None:
        """Take a proposal in, counted on the day of its holders; `write` writes it."""
        row = opened.proposal
        self._opened.append(opened)
        self.day.reserve(row, holders)
        if row.state in OPEN:
            self._twins[row.target, row.content_key] = (row.pk, row.summary)

    def write(self) -> None:
        """Revisions, entries, rows, reservations: in this order, which the trigger demands."""
        opened, self._opened, uses = self._opened, [], self.day.take()
        if not opened:
            return
        Revision.objects.bulk_create([one.revision for one in opened])
        log.record_all([one.entry for one in opened])
        Proposal.objects.bulk_create([one.proposal for one in opened])
        CapUse.objects.bulk_create(uses)
        for one in opened:
            row = one.proposal
            telemetry.after_commit(row.submission.trace_id, [gate_span(row.submission, f"proposal:{row.pk}", self.now)])
            if one.proposal.state != State.PENDING:
                proposals.follow_up(one.proposal, now=self.now)  # nothing can be due yet for one that waits

    def forget(self) -> None:
        """Something was done that may have changed what is open: it is read again."""
        self._fresh = False

    def _learn_twins(self, targets: Sequence[str]) -> None:
        rows = Proposal.objects.filter(workspace_id=self.workspace, target__in=targets, state__in=OPEN)
        for target, key, pk, summary in rows.values_list("target", "content_key", "pk", "summary") if targets else ():
            self._twins[target, key] = (pk, summary)


def gate_span(submission: Submission, item: str, began: datetime) -> telemetry.Span:
    """What the gate made of a submission."""
    return telemetry.since(
        "gate", f"gate:{item}", began, parent=submission.run or telemetry.ROOT, countersign__item=item,
        countersign__kind=str(submission.kind),
    )  # fmt: skip


def due_with(workspace: int, submissions: Sequence[int]) -> list[Submission]:
    """The submissions and the siblings of their runs, locked; what a sibling depends on comes first."""
    asked = Submission.objects.filter(workspace_id=workspace, pk__in=submissions)
    known = list(asked.values_list("pk", "proposer", "run"))
    alone = Q(pk__in=[pk for pk, _, run in known if not run])
    in_runs = Q(run__in={run for *_, run in known if run}, proposer__in={proposer for _, proposer, _ in known})
    rows = Submission.objects.select_for_update(of=("self",)).select_related("case")
    rows = rows.filter(alone | in_runs, workspace_id=workspace, status="new").order_by("pk")
    of_run: dict[tuple[str, str], list[Submission]] = {}
    for row in rows if known else ():
        of_run.setdefault((row.proposer, row.run or str(row.pk)), []).append(row)
    return [row for siblings in of_run.values() for row in _in_order(siblings)]


def _in_order(siblings: Sequence[Submission]) -> list[Submission]:
    by_key = {row.key: row for row in siblings}
    wanted = {key: [on for on in payloads.siblings(row.depends_on) if on in by_key] for key, row in by_key.items()}
    try:
        return [by_key[key] for key in graphlib.TopologicalSorter(wanted).static_order()]
    except graphlib.CycleError:
        return list(siblings)  # each then finds that what it waits for was not proposed


def _tickets(subjects: Iterable[str]) -> set[str]:
    split = (subject.partition(":") for subject in subjects)
    return {key for kind, _, key in split if kind == "ticket" and key}
