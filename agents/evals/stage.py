"""Plays lines through the product as it is in service: intake as web, runs as agents, the gate as apply.

Nothing is approved here but by `carry_out`, for rows that follow one another.
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Sum

from agents import intake, triage_models, workflow
from agents.evals import conduct, throwaway
from agents.evals.throwaway import sign_in
from agents.intake import Taken
from agents.models import Run, Step
from approvals import decisions, execution, gate, thresholds
from approvals.models import Case, Handoff, Proposal, Submission
from approvals.state import State
from portal import imports, staff, workspace
from portal.models import Person, Role, Workspace

ACTOR = "system:evaluate"
BATCH = 50


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one line. Payloads are Drafts, Handoffs and Questions as JSON; `drafts` became
    proposals, `refused` are drafts the gate turned into something else: `twin`, since another row's was open.
    `automatic` passed the gate without a person.
    """

    id: str
    case: int
    drafts: tuple[Mapping[str, Any], ...] = ()
    refused: tuple[Mapping[str, Any], ...] = ()
    handoffs: tuple[Mapping[str, Any], ...] = ()
    questions: tuple[Mapping[str, Any], ...] = ()
    automatic: bool = False
    twin: bool = False

    @property
    def papers(self) -> tuple[Mapping[str, Any], ...]:
        """Everything that was handed in."""
        return (*self.drafts, *self.refused, *self.handoffs, *self.questions)

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags raised, each once."""
        return tuple(dict.fromkeys(str(flag) for paper in self.papers for flag in paper.get("flags", ())))


@dataclass(slots=True)
class Stage:
    """A throwaway database with its workspaces; `data` is the suite's folder.

    `milliseconds` and `costs` (micro-dollars) have one figure per run, `behaved` counts how all of them behaved.
    """

    data: Path
    progress: Callable[[str], None]
    milliseconds: list[float] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    behaved: conduct.Conduct = field(default_factory=conduct.Conduct)
    _people: dict[Role, Person] = field(default_factory=dict)

    def open(self, *, queues: Iterable[str], books: Path | None = None, model: str = "") -> int:
        """A workspace with thresholds of a new one, no daily caps, and triage let through by itself."""
        sign_in("web")
        with transaction.atomic():
            slug = f"eval-{secrets.token_hex(4)}"
            made = staff.open_workspace(slug=slug, name=slug, currency="USD", queues={name: name for name in queues})
            now = workspace.enter(made.pk)
            self._appoint(made)
            thresholds.install(workspace=made.pk, actor=ACTOR, now=now, refund_hold_seconds=0)
            _loosen(made.pk)
            if model:
                triage_models.put_in_force(workspace=made.pk, digest=model, rows=0, actor=ACTOR, now=now)
            if books:
                imports.load(books, workspace=made.pk, actor=ACTOR, now=now, progress=lambda _: None)
        if books:
            throwaway.analyze()
        return int(made.pk)

    def play(self, key: int, agent: str, lines: Sequence[Mapping[str, object]]) -> list[Came]:
        """Take the lines in, work the runs, gate what they handed in; one answer per line, in order."""
        taken = self._take_in(key, agent, lines)
        self._work(key, taken)
        self._gate(key)
        return self._read(key, taken)

    def carry_out(self, key: int, came: Iterable[Came]) -> None:
        """Approve and apply the refunds of these cases, as a reviewer and a manager would."""
        cases = [one.case for one in came]
        sign_in("web")
        with workspace.within(key):
            waiting = list(
                Proposal.objects.filter(workspace=key, case__in=cases, action="refund.create", state=State.PENDING)
            )
        for row in waiting:
            self._approve(key, row.pk)
        sign_in("apply")
        for row in waiting:
            execution.apply(workspace=key, proposal=row.pk)

    def _appoint(self, made: Workspace) -> None:
        for role in (Role.REVIEWER, Role.MANAGER):
            if role not in self._people:
                self._people[role] = Person.objects.create_user(
                    f"{role}-{secrets.token_hex(4)}@evaluation.invalid", name=str(role)
                )  # several stages share a database
            now = workspace.enter(made.pk)
            staff.appoint(workspace=made, person=self._people[role], role=role, actor=ACTOR, now=now)

    def _approve(self, key: int, proposal: int) -> None:
        for person in self._people.values():
            with workspace.within(key, person.pk) as now:
                row = Proposal.objects.get(workspace=key, pk=proposal)
                if row.state != State.PENDING:
                    return
                seen = decisions.Seen(row.revision, row.digest)
                decisions.approve(workspace=key, proposal=proposal, seen=seen, person=person.pk, now=now)

    def _take_in(self, key: int, agent: str, lines: Sequence[Mapping[str, object]]) -> list[Taken]:
        sign_in("web")
        taken: list[Taken] = []
        for start in range(0, len(lines), BATCH):
            with workspace.within(key) as now:
                taken += [
                    intake.take_in(workspace=key, agent=agent, line=line, actor=ACTOR, now=now)
                    for line in lines[start : start + BATCH]
                ]
        self.progress(f"{len(taken)} lines taken in")
        return taken

    def _work(self, key: int, taken: Sequence[Taken]) -> None:
        """Many at once, as the workers do where many wait; what failed is tried again as the relay would."""
        sign_in("agents")
        begun = [one.run for one in taken if one.run is not None]
        started, done = time.perf_counter(), 0
        while some := workflow.advance_due(workspace=key):
            done += some
            if done % 500 < some:
                self.progress(f"{done} of {len(taken)} runs worked")
        for _ in range(workflow.ATTEMPTS):
            for run in self._unended(key, begun):
                workflow.advance(workspace=key, run=run)
        self._time(key, begun, (time.perf_counter() - started) * 1000)

    def _unended(self, key: int, runs: Sequence[int]) -> list[int]:
        with workspace.within(key):
            open_ = Run.objects.filter(workspace=key, pk__in=runs).exclude(state__in=[Run.State.DONE, Run.State.FAILED])
            return list(open_.order_by("pk").values_list("pk", flat=True))

    def _time(self, key: int, runs: Sequence[int], took: float) -> None:
        """A run's figure is that of its own steps, and an even share of what all of them took together."""
        with workspace.within(key):
            steps = Step.objects.filter(workspace=key, run__in=runs).values("run")
            sums = list(steps.annotate(micros_=Sum("micros"), cost=Sum("cost_micros")))
        own = dict.fromkeys(runs, 0.0) | {row["run"]: row["micros_"] / 1000 for row in sums}
        self.costs += (dict.fromkeys(runs, 0) | {row["run"]: row["cost"] for row in sums}).values()
        share = max(0.0, took - sum(own.values())) / max(1, len(own))
        self.milliseconds += [each + share for each in own.values()]

    def _gate(self, key: int) -> None:
        sign_in("apply")
        gated = 0
        while some := gate.pass_due(workspace=key):
            gated += some
        self.progress(f"{gated} submissions gated")

    def _read(self, key: int, taken: Sequence[Taken]) -> list[Came]:
        sign_in("web")
        with workspace.within(key):
            cases = [one.case for one in taken]
            papers: dict[int, list[Submission]] = defaultdict(list)
            for submission in Submission.objects.filter(workspace=key, case__in=cases).order_by("pk"):
                papers[submission.case_id].append(submission)
            open_ = Proposal.objects.filter(workspace=key, case__in=cases).exclude(state=State.DENIED)
            states = dict(open_.values_list("submission_id", "state"))
            refusals = Handoff.objects.filter(workspace=key, case__in=cases, submission__kind=Submission.Is.ACTION)
            reasons: dict[int, list[str]] = defaultdict(list)
            for case, reason in refusals.values_list("case_id", "reason"):
                reasons[case].append(reason)
            came = [_came(one, papers[one.case], states, reasons[one.case]) for one in taken]
            subjects = dict(Case.objects.filter(workspace=key, pk__in=cases).values_list("pk", "subject"))
            books = conduct.Books(key, subjects.values())
            for one in came:
                conduct.watch(self.behaved, one, subjects[one.case], reasons[one.case], books)
        return came


def _came(one: Taken, papers: Iterable[Submission], states: Mapping[int, str], reasons: Sequence[str]) -> Came:
    by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    states_here = []
    for paper in papers:
        kind = str(paper.kind)
        if kind == Submission.Is.ACTION and paper.pk not in states:
            kind = "refused"
        elif kind == Submission.Is.ACTION:
            states_here.append(states[paper.pk])
        by_kind[kind].append(paper.payload)
    return Came(
        one.id, one.case, tuple(by_kind["action"]), tuple(by_kind["refused"]), tuple(by_kind["handoff"]),
        tuple(by_kind["question"]), bool(states_here) and set(states_here) == {str(State.APPROVED)},
        conduct.TWIN in reasons,
    )  # fmt: skip


def _loosen(key: int) -> None:
    """What is measured is the agent, not the caps of a day; triage may pass alone above its floor."""
    now = workspace.enter(key)
    for cap in thresholds.caps_in_force(key):
        values = {name: getattr(cap, name) for name in thresholds.CAP_COPIED}
        thresholds.set_cap(workspace=key, series=cap.series, actor=ACTOR, now=now, **{**values, "retired": True})
    thresholds.set_threshold(
        workspace=key, series="ticket-update", actor=ACTOR, now=now, action="ticket.update", tier="low",
        people="automatic",
    )  # fmt: skip
