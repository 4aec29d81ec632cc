"""A workspace as it is after a year: what waits, and three times as much that has ended, filled by COPY.

What waits is urgent in no order, of all tiers and three agents. The most urgent have their ticket and revision, so that
they can be opened.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from agents.benchmarks import filling
from agents.evals import throwaway
from approvals import thresholds
from approvals.diff import Change, Diff
from portal import staff, workspace
from portal.models import Person, Role

DECIDED = 3  # times as many as wait
OPENED = 100  # so many of the most urgent can be opened
DAYS = 365  # over which the decided ones ended
SEED = 20_26
TIERS = ("low",) * 7 + ("medium",) * 2 + ("high",)
AGENTS = ("triage",) * 6 + ("refunds",) * 3 + ("contacts",)
ENDED = ("applied",) * 7 + ("rejected",) * 2 + ("expired",)
COLUMNS = {
    "approvals_case": "id workspace_id subject title customer",
    "approvals_submission": "id workspace_id case_id kind proposer run key depends_on payload seen_content"
    " proposer_version language trace_id status outcome",
    "approvals_proposal": "id workspace_id submission_id case_id action target state version revision round digest"
    " basis basis_version tier people proposer proposer_version customer currency confidence_pct summary flags"
    " content_key urgency fresh_until",
    "approvals_claim": "workspace_id item urgency team language proposer anyones token",
    "approvals_revision": "workspace_id proposal_id number args content nonce digest verdict people second_role made_by"
    " alone",
    "portal_ticket": "id workspace_id ticket_id external_id sender_email subject priority status tags version",
    "portal_message": "workspace_id ticket_id seq sender body reference",
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A filled workspace: its id and address, its reviewer, and how many wait and have ended."""

    workspace: int
    slug: str
    reviewer: Person
    pending: int
    decided: int


def fill(pending: int, say: Callable[[str], None]) -> Desk:
    """So many that wait, and `DECIDED` times as many that have ended."""
    throwaway.sign_in("web")
    with transaction.atomic():
        made = staff.open_workspace(slug=f"desk-{pending}", name="Benchmark", currency="EUR", queues={})
        now = workspace.enter(made.pk)
        reviewer = Person.objects.create(email=f"reviewer@{pending}.invalid", name="Reviewer")
        staff.appoint(workspace=made, person=reviewer, role=Role.REVIEWER, actor="system:benchmark", now=now)
        thresholds.install(workspace=made.pk, actor="system:benchmark", now=now)
    desk = Desk(made.pk, made.slug, reviewer, pending, pending * DECIDED)
    with filling.untriggered(list(COLUMNS)), filling.unindexed(list(COLUMNS)):
        for table, lines in _Stock(desk, now).tables():
            say(f"filling {table}")
            filling.copy_text(table, COLUMNS[table].split(), lines)
    return desk


class _Stock:
    """The lines of each table, as COPY takes them; the ids of a row are the same everywhere, from `first` on."""

    def __init__(self, desk: Desk, now: datetime) -> None:
        chance, soon = random.Random(SEED), int(now.timestamp())  # nosec B311  # an order, not a secret
        self.ws, self.pending, self.whole = desk.workspace, desk.pending, desk.pending + desk.decided
        self.now, self.first = now, _first_id()
        self.due = [soon + chance.randrange(-3_600, 86_400) for _ in range(self.pending)]
        self.urgent = sorted(range(self.pending), key=lambda n: self.due[n])[:OPENED]

    def tables(self) -> Iterator[tuple[str, Iterator[str]]]:
        yield "approvals_case", self._cases()
        yield "approvals_submission", self._submissions()
        yield "approvals_proposal", self._proposals()
        yield "approvals_claim", self._claims()
        yield "approvals_revision", self._revisions()
        yield "portal_ticket", self._tickets()
        yield "portal_message", self._messages()

    def _cases(self) -> Iterator[str]:
        for n in range(self.whole):
            yield f"{self.first + n}\t{self.ws}\tticket:T-{n}\tWhere is my order {n}?\tcu-{n}"

    def _submissions(self) -> Iterator[str]:
        for n in range(self.whole):
            key = self.first + n
            yield (
                f"{key}\t{self.ws}\t{key}\taction\tagent:{_of(AGENTS, n)}\trun:{n}\t1\t[]\t{{}}\t\t1\t\t\tgated"
                f"\tproposal:{key}"
            )

    def _proposals(self) -> Iterator[str]:
        fresh, today = (self.now + timedelta(days=1)).isoformat(), int(self.now.timestamp())
        for n in range(self.whole):
            key, waits = self.first + n, n < self.pending
            ended = today - (n - self.pending) * 86_400 * DAYS // self.whole
            yield (
                f"{key}\t{self.ws}\t{key}\t{key}\tticket.update\tticket:T-{n}\t{'pending' if waits else _of(ENDED, n)}"
                f'\t1\t1\t1\t{n:064x}\t{{"target_version": 1, "reads": {{}}}}\t1\t{_of(TIERS, n // 3)}\t1'
                f"\tagent:{_of(AGENTS, n)}\t1\tcu-{n}\t\t{60 + n % 40}\tQueue: orders, priority: P1 (T-{n})\t[]"
                f"\t{n:064x}\t{self.due[n] if waits else ended}\t{fresh}"
            )

    def _claims(self) -> Iterator[str]:
        for n in range(self.pending):
            yield f"{self.ws}\tproposal:{self.first + n}\t{self.due[n]}\t\t\tagent:{_of(AGENTS, n)}\tt\t"

    def _revisions(self) -> Iterator[str]:
        for n in self.urgent:
            diff = Diff("ticket.update", f"ticket:T-{n}", (Change("priority", "set", "P3", "P1"),))
            said = diff.content().decode().replace("\\", "\\\\")
            verdict = json.dumps({"tier": "low", "rules": [], "reasons": []})
            yield (
                f'{self.ws}\t{self.first + n}\t1\t{{"priority": "P1"}}\t{said}\t\\\\x{"0" * 64}\t{n:064x}\t{verdict}\t1'
                f"\t\tagent:{_of(AGENTS, n)}\tf"
            )

    def _tickets(self) -> Iterator[str]:
        for n in self.urgent:
            yield f"{self.first + n}\t{self.ws}\tT-{n}\tT-{n}\t\tWhere is my order {n}?\tP3\topen\t[]\t1"

    def _messages(self) -> Iterator[str]:
        for n in self.urgent:
            yield f"{self.ws}\t{self.first + n}\t1\tcustomer\tI have waited for order {n} since Monday. Where is it?\t"


def _of(names: Sequence[str], n: int) -> str:
    return names[n % len(names)]


def _first_id() -> int:
    """Behind whatever an earlier filling took."""
    throwaway.sign_in("owner")
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM approvals_case")
        return int(cursor.fetchone()[0])
