"""Random events by random actors: no illegal state, and no effect without a quorum on the very bytes that were applied.

Every example works in a workspace of its own, against an outside payment system that answers, fails and drops.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from approvals import claims, decisions, diff, manual, presence, proposals, reversal, revising, state, switches
from approvals.models import Attempt, Case, Decision, Proposal, Receipt, Revision, Submission
from approvals.state import MOVES, Kind
from audit import log
from audit.models import Entry
from portal import models, stepup, workspace
from tests.approvals import outside, steps
from tests.cast import Cast, gather
from tests.presence import passed
from tests.provider.process import Provider

REFUSALS = (
    decisions.DecisionError, claims.ClaimError, proposals.ProposalError, state.IllegalMove, stepup.StepUpError,
    switches.SwitchError, reversal.UndoError,
)  # fmt: skip
PEOPLE = ("rosa", "ravi", "mara", "ada", "odile")
FAULTS = ("drop_after_effect", "drop_before_effect", "error_after_effect", "error_before_effect", "busy", "malformed")
LEGAL = {(str(m.before or ""), str(m.event), str(m.after)) for m in MOVES}
AMOUNTS = (4_510, 20_000, 60_000)

person = st.sampled_from(PEOPLE)
which = st.integers(0, 5)


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


class Door(RuleBasedStateMachine):
    """What anybody might do, in any order."""

    provider: Provider
    reached: ClassVar[Counter[str]] = Counter()

    def teardown(self) -> None:
        """What the example got to, so that a machine that never gets anywhere is seen."""
        with workspace.within(self.cast.ws):
            self.reached.update(Proposal.objects.values_list("state", flat=True))
            self.reached.update(f"attempt {s}" for s in Attempt.objects.values_list("state", flat=True))
            self.reached["undo"] += Proposal.objects.exclude(undoes=None).count()

    @initialize(lookup=st.booleans(), hours=st.sampled_from([0, 24]))
    def open(self, lookup: bool, hours: int) -> None:
        self.provider.clear()
        self.cast: Cast = gather()
        outside.serve(self.cast, self.provider, lookup=lookup, idempotency_hours=hours)
        self.rows: list[int] = []
        self.an_agent_proposes_a_ticket_change({"priority": "P1"})
        self.somebody_proposes_a_refund(4_510, "cu-1", "")
        self.somebody_proposes_a_refund(60_000, "cu-1", "rosa")
        self.enough_approve_and_it_is_carried_out(0)

    def row(self, number: int) -> Proposal:
        with workspace.within(self.cast.ws):
            return Proposal.objects.select_related("case").get(pk=self.rows[number % len(self.rows)])

    def gated(self, submission: Submission) -> None:
        steps.pass_gate(self.cast, submission)
        with workspace.within(self.cast.ws):
            self.rows += list(Proposal.objects.filter(submission=submission).values_list("pk", flat=True))

    def decided(self, name: str, act: Callable[..., Any], row: Proposal, **said: Any) -> None:
        with suppress(*REFUSALS), workspace.within(self.cast.ws, self.cast.id(name)) as now:
            act(
                workspace=self.cast.ws, proposal=row.pk, seen=steps.seen(row), person=self.cast.id(name), now=now,
                **said,
            )  # fmt: skip

    @rule(change=st.sampled_from([{"priority": "P1"}, {"status": "pending"}, {"tags": ["loud"]}]))
    def an_agent_proposes_a_ticket_change(self, change: dict[str, Any]) -> None:
        target = steps.ticket(self.cast)
        self.gated(steps.submit_as_agent(self.cast, target, "ticket.update", target, change))

    @rule(
        amount=st.sampled_from(AMOUNTS), customer=st.sampled_from(["cu-1", "rosa"]), who=st.sampled_from(["", *PEOPLE])
    )
    def somebody_proposes_a_refund(self, amount: int, customer: str, who: str) -> None:
        """Some customers are people of the desk themselves: their e-mail address is the same."""
        owner = self.cast.people["rosa"].email.partition("@")[0] if customer == "rosa" else customer
        order = steps.order(self.cast, customer=owner, amount=amount)
        self.provider.pay(order, amount)
        case, args = steps.ticket(self.cast, customer=owner), steps.refund_args(order, customer=owner, amount=amount)
        if not who:
            self.gated(steps.submit_as_agent(self.cast, case, "refund.create", f"order:{order}", args, agent="refunds"))
            return
        with workspace.within(self.cast.ws, self.cast.id(who)):
            made = manual.hand_in(
                workspace=self.cast.ws, case=Case.objects.get(subject=case), action="refund.create",
                target=f"order:{order}", args=args, why="By hand.", person=self.cast.id(who), key=secrets.token_hex(4),
            )  # fmt: skip
        self.gated(made)

    @rule(number=which, name=person, present=st.booleans())
    def approve(self, number: int, name: str, present: bool) -> None:
        row, me = self.row(number), self.cast.id(name)
        with suppress(*REFUSALS), workspace.within(self.cast.ws, me) as now:
            proof = passed(self.cast, presence.ask(row, "approve"), name, now) if present else None
            decisions.approve(
                workspace=self.cast.ws, proposal=row.pk, seen=steps.seen(row), person=me, now=now, step_up=proof
            )  # fmt: skip

    @rule(number=which)
    def enough_approve_and_it_is_carried_out(self, number: int) -> None:
        self.some_approve_and_it_is_carried_out(number, ["ravi", "mara"])

    @rule(number=which)
    def enough_approve_it_is_carried_out_and_undone(self, number: int) -> None:
        self.some_approve_and_it_is_carried_out(number, ["mara", "ravi"])
        self.undo(number, "rosa")

    @rule(number=which, names=st.permutations(["rosa", "ravi", "mara", "ada"]))
    def some_approve_and_it_is_carried_out(self, number: int, names: list[str]) -> None:
        for name in names[:3]:
            self.approve(number, name, True)
        self.a_worker_gets_the_message(number)

    @rule(number=which, mode=st.sampled_from(FAULTS), times=st.integers(1, 3))
    def it_is_carried_out_by_a_failing_side(self, number: int, mode: str, times: int) -> None:
        self.provider.fault(mode, times=times)
        self.some_approve_and_it_is_carried_out(number, ["ravi", "mara"])
        self.the_reconciler_is_due(number)

    @rule(number=which, name=person)
    def reject(self, number: int, name: str) -> None:
        self.decided(name, decisions.reject, self.row(number), reason="not_needed", note="")

    @rule(number=which, name=person, act=st.sampled_from([decisions.stop, decisions.reopen, decisions.withdraw]))
    def take_back(self, number: int, name: str, act: Callable[..., Any]) -> None:
        self.decided(name, act, self.row(number))

    @rule(number=which, name=person)
    def redo(self, number: int, name: str) -> None:
        self.decided(name, revising.redo, self.row(number))

    @rule(number=which, name=person, priority=st.sampled_from(["P1", "P2", "P3"]))
    def edit(self, number: int, name: str, priority: str) -> None:
        row = self.row(number)
        if row.action == "ticket.update":
            self.decided(name, revising.edit, row, args={"priority": priority})

    @rule(number=which, priority=st.sampled_from(["P1", "P3"]))
    def the_record_changes_meanwhile(self, number: int, priority: str) -> None:
        kind, _, key = self.row(number).target.partition(":")
        if kind == "ticket":
            with steps.signed_in("apply"), workspace.within(self.cast.ws):
                log.attribute("test")
                models.Ticket.objects.filter(ticket_id=key).update(priority=priority)

    @rule(name=st.sampled_from(["rosa", "ravi", "mara"]), active=st.sampled_from([True, False, True, True]))
    def a_role_is_taken_or_given_back(self, name: str, active: bool) -> None:
        with workspace.within(self.cast.ws):
            log.attribute("test")
            models.Membership.objects.filter(person_id=self.cast.id(name)).update(active=active)

    @rule(kind=st.sampled_from(["autonomy_off", "force_approval"]), on=st.sampled_from([False, True, False]))
    def a_switch_moves(self, kind: str, on: bool) -> None:
        act = switches.throw if on else switches.restore
        with suppress(*REFUSALS), workspace.within(self.cast.ws, self.cast.id("ada")) as now:
            who = f"person:{self.cast.id('ada')}"
            act(workspace=self.cast.ws, kind=kind, subject="", reason="a drill", actor=who, now=now)

    @rule(number=which)
    def a_worker_gets_the_message(self, number: int) -> None:
        outside.apply(self.cast, self.row(number))

    @rule(number=which)
    def the_reconciler_is_due(self, number: int) -> None:
        outside.reconcile(self.cast, self.row(number))

    @rule(number=which, name=person)
    def undo(self, number: int, name: str) -> None:
        row, me = self.row(number), self.cast.id(name)
        made = None
        with suppress(*REFUSALS), workspace.within(self.cast.ws, me):
            seen = reversal.undo_preview(proposal=row)
            made = reversal.undo(
                proposal=row, person=me, seen_content=seen.content, key=f"undo:{secrets.token_hex(4)}"
            )  # fmt: skip
        if made is not None:
            self.gated(made)

    @invariant()
    def every_state_is_that_of_the_entries(self) -> None:
        with workspace.within(self.cast.ws):
            for row in Proposal.objects.all():
                told = list(Entry.objects.filter(subject=f"proposal:{row.pk}").order_by("version"))
                assert [e.version for e in told] == list(range(1, row.version + 1))
                assert told[-1].state == row.state
                before = ""
                for entry in told:
                    assert (before, entry.event, entry.state) in LEGAL
                    before = entry.state

    @invariant()
    def every_effect_had_its_quorum_on_its_bytes(self) -> None:
        with workspace.within(self.cast.ws):
            for receipt in Receipt.objects.select_related("proposal__case"):
                row = receipt.proposal
                assert (row.state, row.digest, row.revision) == ("applied", receipt.digest, receipt.revision)
                revision = Revision.objects.get(proposal=row, number=receipt.revision)
                assert diff.digest(revision.content.encode(), bytes(revision.nonce)) == receipt.digest
                self._quorum(row, revision)

    def _quorum(self, row: Proposal, revision: Revision) -> None:
        votes = Decision.objects.filter(
            proposal=row, kind=Kind.APPROVE, revision=revision.number, digest=revision.digest, round=row.round
        )
        people = set(votes.values_list("person_id", flat=True))
        assert len(people) >= max(1, revision.people)
        if row.undoes_id is None:
            assert f"person:{row.proposer}" not in {f"person:person:{p}" for p in people}
        about = models.Customer.objects.filter(customer_id=row.customer).values_list("email", flat=True).first()
        emails = set(models.Person.objects.filter(pk__in=people).values_list("email", flat=True))
        assert not about or about not in emails
        if revision.second_role:
            assert models.Membership.objects.filter(person_id__in=people, role=revision.second_role).exists()
        if row.tier == "high":
            assert all(vote.step_up_id for vote in votes)

    @invariant()
    def nothing_happened_twice_and_nothing_unknown_to_us(self) -> None:
        with workspace.within(self.cast.ws):
            ours = {str(a.key): a.proposal for a in Attempt.objects.select_related("proposal")}
        made = [e["reference"] for e in self.provider.effects() if e["reference"] in ours]
        assert len(made) == len(set(made))
        for reference in made:
            assert ours[reference].state in ("applied", "applying", "unknown", "stale", "approved")
        done = {key for key, row in ours.items() if row.state == "applied" and row.action == "refund.create"}
        with workspace.within(self.cast.ws):
            last = {str(a.key) for a in Attempt.objects.filter(state=Attempt.State.DONE)}
        assert done & last <= set(made)


@pytest.mark.timeout(600)
def test_no_order_of_events_leads_past_the_rules(live: None, provider: Provider) -> None:
    Door.provider = provider
    run_state_machine_as_test(
        Door,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
        ),
    )
    print(dict(Door.reached))
    assert Door.reached["applied"] > 5, "the machine hardly got anywhere"
