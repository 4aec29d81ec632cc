"""Random stories in which workers die and come back, credentials go wrong, roles and switches change in between.

Each example is a fresh workspace whose payments an outside provider serves that keeps exactly what is promised in its
name. After every step the log is folded, the ledger read, and whatever went out with the step is asked for the people
behind it, by books of the test's own. (What people alone can do is in `tests/approvals/test_state_machine.py`.)
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

import pytest
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

import approvals.state
from approvals import (
    claims,
    decisions,
    diff,
    execution,
    outbox,
    presence,
    proposals,
    reconciliation,
    resolving,
    reversal,
    revising,
    sending,
    switches,
    thresholds,
)
from approvals.models import Attempt, CapUse, Case, Proposal, Receipt, Revision
from audit import log
from portal import models, stepup, workspace
from portal.models import Membership
from portal.systems import connections
from tests.approvals import outside, steps
from tests.audit.seals import seal
from tests.cast import ROLES, Cast, gather
from tests.conftest import signed_in
from tests.faults import checking
from tests.presence import passed
from tests.provider.process import Provider

EXAMPLES = int(os.environ.get("STORIES", "10"))
STEPS = 25
AGENT_WRITES_A_DAY = 4
SMALL, LARGE = 4_510, 90_000
REFUSED = (
    decisions.DecisionError, claims.ClaimError, stepup.StepUpError, proposals.ProposalError, reversal.UndoError,
    switches.SwitchError, approvals.state.IllegalMove,
)  # fmt: skip
FAULTS = ("drop_after_effect", "drop_before_effect", "error_after_effect", "error_before_effect", "busy", "malformed")
# The first refund's fate: what its provider does, whether its worker dies, how often the reconciler looks, and
# whether the worker then comes back.
BEGINNINGS = (
    ("", True, 0, False), ("", True, 1, True), ("", True, 2, True), ("drop_after_effect", False, 0, False),
    ("error_after_effect", False, 1, False),
)  # fmt: skip
# Whether the provider knows keys, and whether it can be asked.
PROMISES = ((True, True), (False, True), (False, True), (True, False), (False, False))
SETTLING_SECONDS = 1
DECIDING = ("rosa", "ravi", "mara")
DECIDERS = st.sampled_from((*DECIDING, *DECIDING, "ada", "otto"))
WHICH = st.integers(0, 30)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


class Story(RuleBasedStateMachine):
    """The whole door. `votes` and `roles` are kept here, beside what the program thinks."""

    provider: ClassVar[Provider]
    reached: ClassVar[Counter[str]] = Counter()

    @initialize(promises=st.sampled_from(PROMISES), begins=st.sampled_from(BEGINNINGS))
    def open(self, promises: tuple[bool, bool], begins: tuple[str, bool, int, bool]) -> None:
        """Some begin in the middle: random steps alone seldom get as far as a call."""
        self.provider.clear()
        self.cast: Cast = gather()
        keys, look_up = promises
        self.roles = {name: {str(role)} for name, role in ROLES.items()} | {"otto": set()}
        self.votes: dict[str, set[str]] = {}
        self.ids: list[int] = []
        self.lost: list[Attempt] = []
        self.applied: set[int] = set()
        self.dispatched: set[tuple[int, int, int]] = set()
        hours = 24 if keys else 0
        self.provider.lifetime(hours)
        outside.serve(self.cast, self.provider, calls_per_second=500, lookup=look_up, idempotency_hours=hours)
        with workspace.within(self.cast.ws) as now:
            thresholds.set_cap(
                workspace=self.cast.ws, series="agent-writes", actor="system:test", now=now, scope="agent",
                writes=AGENT_WRITES_A_DAY,
            )  # fmt: skip
        for by, amount in (("agent", SMALL), ("rosa", LARGE)):
            self.propose_refund(by, amount)
        fault, dies, again, back = begins
        self.all_approve_and_it_is_carried_out(0, fault, dies, again)
        if back and self.lost:
            self.a_worker_comes_back(0)

    # What comes in ---------------------------------------------------------------------------------------

    @rule(by=st.sampled_from(("agent", "rosa", "mara")), amount=st.sampled_from((SMALL, SMALL, LARGE)))
    def propose_refund(self, by: str, amount: int) -> None:
        order = steps.order(self.cast, amount=amount)
        self.provider.pay(order, 4 * amount)  # so that a second refund would not be refused as too much
        case = steps.ticket(self.cast, customer="cu-1")
        self._propose(by, case, "refund.create", f"order:{order}", steps.refund_args(order, amount=amount))

    @rule(by=st.sampled_from(("agent", "ravi")), priority=st.sampled_from(("P1", "P2")))
    def propose_update(self, by: str, priority: str) -> None:
        case = steps.ticket(self.cast)
        self._propose(by, case, "ticket.update", case, {"priority": priority})

    def _propose(self, by: str, case: str, action: str, target: str, args: dict[str, Any]) -> None:
        if by == "agent":
            agent = "refunds" if action == "refund.create" else "triage"
            submission = steps.submit_as_agent(self.cast, case, action, target, args, agent=agent)
        else:
            with workspace.within(self.cast.ws, self.cast.id(by)):
                submission = proposals.submit(
                    workspace=self.cast.ws, case=Case.objects.get(subject=case).pk, kind="action", key=case,
                    proposer=f"person:{self.cast.id(by)}",
                    payload={
                        "action": action, "target": target, "args": args, "confidence": 1, "justification": "",
                        "evidence": [], "flags": [],
                    },
                )  # fmt: skip
        self._gate(submission)

    def _gate(self, submission: Any) -> None:
        steps.pass_gate(self.cast, submission)
        with workspace.within(self.cast.ws):
            self.ids += Proposal.objects.filter(submission=submission).values_list("pk", flat=True)

    # What people do --------------------------------------------------------------------------------------

    @rule(which=WHICH, names=st.permutations(DECIDING), proof=st.sampled_from((True, True, False)))
    def some_approve(self, which: int, names: tuple[str, ...], proof: bool) -> None:
        for name in names:
            self.approve(which, name, proof, False)

    @rule(which=WHICH, name=DECIDERS, proof=st.booleans(), old=st.booleans())
    def approve(self, which: int, name: str, proof: bool, old: bool) -> None:
        row = self._row(which)
        seen = decisions.Seen(row.revision - old, row.digest)

        def act(now: Any) -> None:
            shown = passed(self.cast, presence.ask(row, "approve"), name, now) if proof else None
            decisions.approve(
                workspace=self.cast.ws, proposal=row.pk, seen=seen, person=self.cast.id(name), now=now, step_up=shown
            )
            if Proposal.objects.get(pk=row.pk).state != "stale":  # found stale, a vote is not counted
                self.votes.setdefault(_ballot(row), set()).add(name)

        self._as(name, act)

    @rule(which=WHICH, name=DECIDERS, how=st.sampled_from(("reject", "stop", "reopen", "withdraw", "redo", "edit")))
    def decide(self, which: int, name: str, how: str) -> None:
        row = self._row(which)
        common: dict[str, Any] = {
            "workspace": self.cast.ws, "proposal": row.pk, "seen": steps.seen(row), "person": self.cast.id(name)
        }  # fmt: skip

        def act(now: Any) -> None:
            match how:
                case "reject":
                    decisions.reject(**common, reason="other", note="", now=now)
                case "edit":
                    args = dict(Revision.objects.get(proposal=row, number=row.revision).args)
                    change = {"priority": "P4"} if row.action == "ticket.update" else {"reason": f"Edited by {name}."}
                    revising.edit(**common, args={**args, **change}, now=now)
                case "redo":
                    revising.redo(**common, now=now)
                case _:
                    getattr(decisions, how)(**common, now=now)

        self._as(name, act)

    @rule(which=WHICH, name=DECIDERS)
    def say_what_became_of_it(self, which: int, name: str) -> None:
        """Whoever looks says what is so: people are not what is tried here."""
        row = self._row(which)
        happened = "yes" if outside.effects(self.cast, self.provider, row) else "no"

        def act(now: Any) -> None:
            shown = passed(self.cast, presence.ask(row, "resolve"), name, now)
            resolving.resolve(
                workspace=self.cast.ws, proposal=row.pk, seen=steps.seen(row), person=self.cast.id(name),
                happened=happened, evidence="Looked at their pages.", now=now, step_up=shown,
            )  # fmt: skip

        self._as(name, act)

    @precondition(lambda self: self.applied)
    @rule(which=WHICH, name=st.sampled_from(DECIDING))
    def undo(self, which: int, name: str) -> None:
        row, made = self._get(sorted(self.applied)[which % len(self.applied)]), []

        def act(now: Any) -> None:
            seen = reversal.undo_preview(proposal=row).content
            key = f"undo-{row.pk}-{len(self.ids)}"
            made.append(reversal.undo(proposal=row, person=self.cast.id(name), seen_content=seen, key=key))

        self._as(name, act)
        for submission in made:
            self._gate(submission)

    @rule(name=st.sampled_from(DECIDING), held=st.sampled_from((True, True, False)))
    def change_a_role(self, name: str, held: bool) -> None:
        with workspace.within(self.cast.ws):
            log.attribute("test")
            Membership.objects.filter(workspace=self.cast.ws, person=self.cast.id(name)).update(active=held)
        self.roles[name] = {str(ROLES[name])} if held else set()

    @rule(
        what=st.sampled_from((("freeze", "refund.create"), ("halt", "triage"), ("autonomy_off", ""))),
        act=st.sampled_from((switches.throw, switches.restore, switches.restore)),
    )
    def switch(self, what: tuple[str, str], act: Callable[..., Any]) -> None:
        kind, subject = what
        said = {"workspace": self.cast.ws, "kind": kind, "subject": subject, "reason": "A drill."}
        self._as("ada", lambda now: act(**said, actor="system:test", now=now))

    @rule(which=WHICH, priority=st.sampled_from(("P1", "P4")))
    def change_the_record(self, which: int, priority: str) -> None:
        row = self._row(which)
        if row.target.startswith("ticket:"):
            with signed_in("apply"), workspace.within(self.cast.ws):
                log.attribute("test")
                models.Ticket.objects.filter(ticket_id=row.target.partition(":")[2]).update(
                    priority=priority, version=F("version") + 1
                )

    # What workers and the provider do --------------------------------------------------------------------

    @rule(fault=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def the_provider_fails(self, fault: str, times: int) -> None:
        self.provider.fault(fault, times)

    @rule(right=st.sampled_from((True, True, False)))
    def change_the_credential(self, right: bool) -> None:
        """With the wrong one the provider refuses whatever it is asked."""
        secret = self.provider.secret if right else "not-the-secret-of-the-provider"
        with workspace.within(self.cast.ws) as now:
            connections.set_credential(
                workspace=self.cast.ws, part="payments", secret=secret, actor="system:test", now=now
            )

    @rule(which=WHICH, dies=st.booleans())
    def dispatch(self, which: int, dies: bool) -> None:
        seal()
        self._work(execution.apply, self._row(which).pk, dies)

    @rule(which=WHICH)
    def dispatch_while_nobody_seals(self, which: int) -> None:
        """What goes out waits then; whether anything did is looked at with all the rest."""
        self._work(execution.apply, self._row(which).pk, False)

    @rule(which=WHICH, fault=st.sampled_from(("", *FAULTS)), dies=st.booleans(), again=st.integers(0, 3))
    def all_approve_and_it_is_carried_out(self, which: int, fault: str, dies: bool, again: int) -> None:
        self.some_approve(which, DECIDING, True)
        if fault:
            self.provider.fault(fault)
        self.dispatch(which, dies)
        for number in range(again):
            if number:
                time.sleep(SETTLING_SECONDS + 0.1)  # from then on an absence is a proof
            self.reconcile(which, False)

    @rule(which=WHICH, dies=st.booleans())
    def reconcile(self, which: int, dies: bool) -> None:
        self._work(reconciliation.reconcile, self._row(which).pk, dies)

    @rule(which=WHICH)
    def settle(self, which: int) -> None:
        self._work(execution.settle, self._row(which).pk, False)

    @precondition(lambda self: self.lost)
    @rule(which=WHICH)
    def a_worker_comes_back(self, which: int) -> None:
        """It was frozen between its commit and its call, and goes on as if nothing had been."""
        attempt = self.lost.pop(which % len(self.lost))
        self.reached["came back"] += 1
        with signed_in("apply"):
            sending.call(attempt)

    def _work(self, task: Callable[..., None], pk: int, dies: bool) -> None:
        """A worker does it; one that dies is gone after its attempt was committed, before the call."""
        with mock.patch.object(outbox, "send"), signed_in("apply"):
            if not dies:
                task(workspace=self.cast.ws, proposal=pk)
                return
            lapsed = mock.patch.object(sending, "LEASE", timedelta(0))
            with lapsed, mock.patch.object(sending, "call", self.lost.append):
                task(workspace=self.cast.ws, proposal=pk)

    # What must hold --------------------------------------------------------------------------------------

    @invariant()
    def the_log_the_ledger_and_the_rows_agree(self) -> None:
        found, ledger = checking.Found(), checking.references(self.provider.effects())
        with workspace.within(self.cast.ws):
            for row in Proposal.objects.filter(workspace=self.cast.ws).order_by("pk"):
                checking.fold(row, found)
                checking.effects(row, ledger, found)
                self._people_stood_behind(row)
        assert not found.wrong, found.wrong

    @invariant()
    def caps_are_never_passed(self) -> None:
        with workspace.within(self.cast.ws):
            for agent in ("refunds", "triage"):
                uses = CapUse.objects.filter(scope="agent", holder=agent, released=False).count()
                done = Receipt.objects.filter(proposal__proposer=f"agent:{agent}").count()
                assert max(uses, done) <= AGENT_WRITES_A_DAY

    def _people_stood_behind(self, row: Proposal) -> None:
        """What went out with the last step, or was written: the quorum of the very digest, with today's roles."""
        receipt = Receipt.objects.filter(proposal=row).first()
        went_out = Attempt.objects.filter(proposal=row, revision=row.revision).exists()
        this = (row.pk, row.revision, row.round)
        revision = Revision.objects.get(proposal=row, number=row.revision)
        if (went_out or receipt is not None) and this not in self.dispatched:
            self.dispatched.add(this)
            given = self.votes.get(_ballot(row), set())
            still = {name for name in given if self.roles[name] & {"reviewer", "manager"}}
            counted = {f"person:{self.cast.id(name)}" for name in still} - {row.proposer}
            starter = {row.proposer} if row.undoes_id else set()
            assert len(counted | starter) >= revision.people, (row.pk, given, self.roles, revision.people)
            if revision.second_role:
                assert any(revision.second_role in self.roles[name] for name in still), (row.pk, given)
            assert diff.digest(revision.content.encode(), bytes(revision.nonce)) == row.digest
        if receipt is not None and row.pk not in self.applied:
            changes, _ = diff.read_content(revision.content)
            assert receipt.changed in ([], [change.as_json() for change in changes])
            assert (receipt.revision, receipt.digest) == (row.revision, row.digest)
            self.applied.add(row.pk)

    def teardown(self) -> None:
        with workspace.within(self.cast.ws):
            self.reached.update(Proposal.objects.values_list("state", flat=True))
            self.reached.update(f"attempt {s}" for s in Attempt.objects.values_list("state", flat=True))

    # Short ways ------------------------------------------------------------------------------------------

    def _row(self, which: int) -> Proposal:
        return self._get(self.ids[which % len(self.ids)])

    def _get(self, pk: int) -> Proposal:
        with workspace.within(self.cast.ws):
            return Proposal.objects.select_related("case", "submission").get(pk=pk)

    def _as(self, name: str, act: Callable[[Any], object]) -> None:
        """Somebody tries; what is refused leaves nothing behind."""
        try:
            with workspace.within(self.cast.ws, self.cast.id(name)) as now:
                act(now)
        except REFUSED:
            return


def _ballot(row: Proposal) -> str:
    return f"{row.pk}.{row.revision}.{row.round}.{row.digest}"


@pytest.mark.timeout(1200)
def test_no_story_of_dying_workers_ends_in_a_second_or_an_unknown_effect(live: None, provider: Provider) -> None:
    Story.provider = provider
    try:
        run(
            Story,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, database=None, phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    finally:
        provider.lifetime(24)
    print(dict(Story.reached))
    assert min(Story.reached["applied"], Story.reached["came back"]) > 0, "the stories hardly got anywhere"
