"""A workspace with a quarter of a year behind it: what came to the gate, under thresholds that changed meanwhile, and
what people did with it. Thresholds are set by their service, all else is filled by COPY.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from agents.benchmarks import changing, filling
from agents.benchmarks.coming import REVERSIBLE, Came, coming
from agents.evals import throwaway
from approvals import risk
from approvals.models import Threshold
from portal import staff, workspace
from portal.models import Person

TABLES = ("approvals_case", "approvals_submission", "approvals_proposal", "approvals_revision", "approvals_handoff",
          "approvals_decision")  # fmt: skip
DAYS, STAFF = 89, 12
ENDS = {"edited": "applied", "undone": "applied", "sent_back": "applied"}
DECIDED = {"applied": "approve", "rejected": "reject"}
NOTHING = '{"changes":[],"effects":[]}'
Rows = tuple[Sequence[str], Iterator[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One write, when it came, what the thresholds said then, and how it ended; "" where a person did it instead."""

    came: Came
    at: datetime
    verdict: risk.Verdict
    state: str

    @property
    def revised(self) -> bool:
        """Whether it was edited, or sent back and came again."""
        seen = bool(self.verdict.people) and self.state not in ("", "denied")
        return seen and self.came.fate in ("edited", "sent_back")


@dataclass(frozen=True, slots=True)
class History:
    """A filled workspace: what came in, by number, and how many versions of thresholds there are."""

    workspace: int
    writes: Mapping[int, Came]
    versions: int


def fill(items: int) -> History:
    """A workspace of its own with `items` proposals behind it, and the hand-offs of what was nobody's to pass."""
    throwaway.sign_in("web")
    with transaction.atomic():
        made = staff.open_workspace(slug="benchmark", name="Benchmark", currency="EUR", queues={})
        now = workspace.enter(made.pk)
        began = now - timedelta(days=DAYS)
        changing.change(made.pk, began, now)
        times = changing.times(made.pk)
        versions = Threshold.objects.filter(workspace=made.pk).count()
    with filling.untriggered(TABLES):
        reviewers = Person.objects.bulk_create(
            Person(email=f"{n}@benchmark.invalid", name=f"Reviewer {n}") for n in range(STAFF)
        )
        people = [person.pk for person in reviewers]
        past = list(_past(items, times, people, began, (now - began) / (items * 1.1)))
        with transaction.atomic():  # an undo and what it undoes name each other
            for table, (columns, rows) in _tables(made.pk, past, people):
                filling.copy(table, columns, rows)
    throwaway.analyze()
    return History(made.pk, {one.came.n: one.came for one in past}, versions)


def _past(
    items: int, times: Sequence[changing.Time], people: Sequence[int], began: datetime, step: timedelta
) -> Iterator[Judged]:
    """Until as many as wanted became proposals."""
    rules, later = times[0].rules, list(times[1:])
    for one in coming(people):
        at = began + one.n * step
        while later and later[0].at <= at:
            rules = later.pop(0).rules
        judged = _judged(one, at, rules)
        items -= bool(judged.state)
        yield judged
        if not items:
            return


def _judged(one: Came, at: datetime, rules: Sequence[risk.Rule]) -> Judged:
    kind, _, name = one.proposer.partition(":")
    verdict = risk.judge(
        rules,
        risk.Write(
            one.action, kind, name if kind == "agent" else "", one.amount_minor, one.currency,
            round(one.confidence * 100), one.action in REVERSIBLE, one.flags,
        ),
    )  # fmt: skip
    if not one.theirs:
        return Judged(one, at, verdict, "denied")
    if not verdict.allowed:
        return Judged(one, at, verdict, "")
    return Judged(one, at, verdict, ENDS.get(one.fate, one.fate) if verdict.people else "applied")


def _tables(ws: int, past: Sequence[Judged], people: Sequence[int]) -> Iterator[tuple[str, Rows]]:
    proposed = [one for one in past if one.state]
    yield "approvals_case", _cases(ws, past)
    yield "approvals_submission", _submissions(ws, past)
    yield "approvals_proposal", _proposals(ws, proposed)
    yield "approvals_revision", _revisions(ws, proposed, people)
    yield "approvals_handoff", _handoffs(ws, [one for one in past if not one.state])
    yield "approvals_decision", _decisions(ws, proposed, people)


def _cases(ws: int, past: Sequence[Judged]) -> Rows:
    columns = ("id", "workspace_id", "subject", "title", "customer", "opened_at")
    return columns, (
        (one.came.n, ws, one.came.subject, f"Order {one.came.n}", f"cu-{one.came.n}", one.at)
        for one in past
        if one.came.undoes is None
    )


def _submissions(ws: int, past: Sequence[Judged]) -> Rows:
    columns = ("id", "workspace_id", "case_id", "kind", "proposer", "run", "key", "depends_on", "payload",
               "seen_content", "trace_id", "status", "outcome", "undoes_id", "created_at")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (came.n, ws, came.about, "action", came.proposer, f"run:{came.n}", "1", [], came.payload(), "", "", "gated",
         f"{'proposal' if one.state else 'handoff'}:{came.n}", came.undoes, one.at)
        for one in past
        for came in (one.came,)
    )  # fmt: skip
    return columns, rows


def _proposals(ws: int, past: Sequence[Judged]) -> Rows:
    columns = ("id", "workspace_id", "submission_id", "case_id", "action", "target", "state", "version", "revision",
               "round", "digest", "basis", "basis_version", "tier", "people", "proposer", "team", "customer",
               "amount_minor", "currency", "confidence_pct", "summary", "flags", "content_key", "undoes_id", "urgency",
               "fresh_until", "created_at")  # fmt: skip
    return columns, (_proposal(ws, one, one.came) for one in past)


def _proposal(ws: int, one: Judged, came: Came) -> Sequence[Any]:
    """As it stands: an edit changed its amount; an agent that it was sent back to is surer and raises no flag."""
    edited, again = one.revised and came.fate == "edited", one.revised and came.fate == "sent_back"
    amount = came.pieces[0] if edited and came.currency else came.amount_minor
    sure, flags = (97, []) if again else (round(came.confidence * 100), list(came.flags))
    return (
        came.n, ws, came.n, came.about, came.action, came.target, one.state, 2, 1 + one.revised, 1, f"{came.n:064x}",
        {}, 1, one.verdict.tier, one.verdict.people, came.proposer, came.team, f"cu-{came.about}", amount,
        came.currency, sure, f"Write {came.n}", flags, f"{came.n:064x}", came.undoes, int(one.at.timestamp()),
        one.at + timedelta(days=1), one.at,
    )  # fmt: skip


def _revisions(ws: int, past: Sequence[Judged], people: Sequence[int]) -> Rows:
    columns = ("workspace_id", "proposal_id", "number", "args", "content", "nonce", "digest", "verdict", "people",
               "second_role", "made_by", "alone", "taint", "created_at")  # fmt: skip

    def row(one: Judged, number: int, made_by: str, args: dict[str, Any]) -> Sequence[Any]:
        verdict = one.verdict
        return (ws, one.came.n, number, args, NOTHING, b"-", f"{one.came.n:064x}", verdict.as_json(), verdict.people,
                verdict.second_role, made_by, False, [], one.at)  # fmt: skip

    def rows() -> Iterator[Sequence[Any]]:
        for one in past:
            came, edited = one.came, one.came.fate == "edited"
            yield row(one, 1, came.proposer, came.args())
            if one.revised:
                by = f"person:{people[came.n % len(people)]}" if edited else came.proposer
                yield row(one, 2, by, came.args(edited=edited))

    return columns, rows()


def _handoffs(ws: int, past: Sequence[Judged]) -> Rows:
    columns = ("id", "workspace_id", "case_id", "submission_id", "kind", "reason", "summary", "found", "evidence",
               "proposer", "team", "state", "version", "outcome", "urgency", "created_at")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (came.n, ws, came.about, came.n, "handoff", "over_cap", f"Write {came.n}",
         {"amount_minor": came.amount_minor, "currency": came.currency, "flags": list(came.flags)}, [],
         came.proposer, came.team, "resolved", 2, "Done", int(one.at.timestamp()), one.at)
        for one in past
        for came in (one.came,)
    )  # fmt: skip
    return columns, rows


def _decisions(ws: int, past: Sequence[Judged], people: Sequence[int]) -> Rows:
    columns = ("workspace_id", "proposal_id", "revision", "round", "digest", "person_id", "role", "kind", "reason",
               "note", "batch", "created_at")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (ws, one.came.n, 1 + one.revised, 1, f"{one.came.n:064x}", people[(one.came.n + vote) % len(people)],
         "manager", DECIDED[one.state], "", "", "", one.at)
        for one in past
        if one.state in DECIDED
        for vote in range(one.verdict.people if one.state == "applied" else 1)
    )  # fmt: skip
    return columns, rows
