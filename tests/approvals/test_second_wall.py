"""The second wall, one guard at a time: what the database refuses when our own code is not asked."""

import secrets
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from agents.models import Run
from approvals import decisions, proposals, revising
from approvals.actions import writer
from approvals.models import Proposal, Revision, Submission
from audit import log
from audit.events import Event
from portal import models, staff, tokens, workspace
from portal.models import Role
from portal.systems.base import Refund
from tests.approvals import steps
from tests.approvals.test_transition import forge_entry, refused
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.presence import used

VOTE = (
    "INSERT INTO approvals_decision (workspace_id, proposal_id, revision, round, digest, person_id, role, step_up_id,"
    " kind, reason, note, batch, created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'approve', '', '', '', now())"
)


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def row(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def high(cast: Cast) -> Proposal:
    """Rosa proposes 900.00 EUR by hand: two people, one of them a manager."""
    order = steps.order(cast, amount=90_000)
    target = steps.ticket(cast, customer="cu-1")
    with workspace.within(cast.ws, cast.id("rosa")):
        submission = proposals.submit(
            workspace=cast.ws, case=models_case(target), kind="action", proposer=f"person:{cast.id('rosa')}",
            key=secrets.token_hex(4),
            payload={
                "action": "refund.create", "target": f"order:{order}", "confidence": 1, "evidence": [], "flags": [],
                "args": steps.refund_args(order, amount=90_000), "justification": "",
            },
        )  # fmt: skip
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=submission)


def models_case(target: str) -> int:
    from approvals.models import Case

    return Case.objects.get(subject=target).pk


def vote(cast: Cast, row: Proposal, name: str, role: str = "reviewer", **other: Any) -> None:
    """Past all of our own code; on high tier with a proof of presence, unless `step_up` says otherwise."""
    values = {"revision": row.revision, "round": row.round, "digest": row.digest, "step_up": None, **other}
    if row.tier == "high" and "step_up" not in other:
        values["step_up"] = used(cast, row, name, timezone.now())
    places = [values[key] for key in ("revision", "round", "digest")]
    with connection.cursor() as cursor:
        cursor.execute(VOTE, [cast.ws, row.pk, *places, cast.id(name), role, values["step_up"]])


def test_what_a_proposal_is_about_cannot_change(cast: Cast, row: Proposal) -> None:
    for field, value in (("target", "ticket:other"), ("action", "refund.create"), ("proposer", "person:1")):
        with (
            signed_in("owner"),
            workspace.within(cast.ws),
            pytest.raises(DatabaseError) as caught,
            transaction.atomic(),
        ):
            Proposal.objects.filter(pk=row.pk).update(version=2, **{field: value})
        assert caught.value.__cause__.sqlstate == "CS002"  # type: ignore[union-attr]


def test_a_revision_with_a_digest_of_other_bytes_is_refused(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws):
        copy = Revision.objects.get(proposal=row)
    with workspace.within(cast.ws), refused("CS005", "web"):
        copy.pk, copy.number, copy.content = None, 2, copy.content.replace("P1", "P4")
        copy.save(force_insert=True)


def test_nobody_votes_on_what_they_proposed_or_edited(cast: Cast) -> None:
    row = high(cast)
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS010", "web"):
        vote(cast, row, "rosa")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        args = dict(row.revisions.get().args) | {"reason": "It leaks."}
        row = revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), args=args, now=now
        )
    with workspace.within(cast.ws, cast.id("ravi")), refused("CS010", "web"):
        vote(cast, row, "ravi")
    with workspace.within(cast.ws, cast.id("mara")):
        vote(cast, row, "mara", "manager")


def test_two_reviewers_are_no_quorum_where_a_manager_is_asked_for(cast: Cast) -> None:
    row = high(cast)
    with workspace.within(cast.ws) as now:
        staff.appoint(
            workspace=cast.workspace, person=cast.people["anton"], role=Role.REVIEWER, actor="system:test", now=now
        )
    for name in ("ravi", "anton"):
        with workspace.within(cast.ws, cast.id(name)):
            vote(cast, row, name)
    with signed_in("apply"), workspace.within(cast.ws), refused("CS007", "apply"):
        forge_entry(cast, row, Event.PROPOSAL_APPROVED, "approved")
        Proposal.objects.filter(pk=row.pk).update(state="approved", version=2)


def test_a_vote_of_another_round_or_by_a_process_is_refused(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS008", "web"):
        vote(cast, row, "rosa", round=2)
    with signed_in("apply"), workspace.within(cast.ws, cast.id("rosa")), refused("CS009", "apply"):
        vote(cast, row, "rosa")


def test_an_old_decision_does_not_carry_a_new_move(cast: Cast, row: Proposal) -> None:
    """Web stops what was stopped once before: the decision beside a move is of the same transaction."""
    row = steps.approve(cast, row, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        row = decisions.stop(workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), now=now)
    row = steps.approve(cast, row, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS006", "web"):
        forge_entry(cast, row, Event.PROPOSAL_STOPPED, "pending")
        Proposal.objects.filter(pk=row.pk).update(state="pending", version=row.version + 1, round=row.round + 1)


APPEND_ONLY = [
    "audit_entry", "approvals_revision", "approvals_decision", "approvals_threshold", "approvals_dailycap",
    "approvals_receipt", "approvals_dependency", "agents_step", "portal_payment", "portal_message",
]  # fmt: skip


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_not_even_the_owner_changes_what_is_append_only(cast: Cast, table: str) -> None:
    high(cast)
    steps.ticket(cast)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = 'append_only'"
            " AND tgenabled = 'A' AND tgtype & 26 = 26",  # before, delete and update, each row or statement
            [table],
        )
        assert cursor.fetchone() == (1,)
    if table in ("approvals_revision", "portal_payment", "portal_message", "approvals_threshold", "audit_entry"):
        for statement in (f"UPDATE {table} SET workspace_id = workspace_id", f"DELETE FROM {table}"):
            with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
                with pytest.raises(DatabaseError) as caught, transaction.atomic():
                    cursor.execute(statement)
                assert caught.value.__cause__.sqlstate == "CS001"  # type: ignore[union-attr]


def test_not_even_the_owner_deletes_a_proposal(cast: Cast, row: Proposal) -> None:
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute("DELETE FROM approvals_proposal WHERE id = %s", [row.pk])
        assert caught.value.__cause__.sqlstate == "CS001"  # type: ignore[union-attr]
    assert steps.fresh(cast, row).state == "pending"


WRITES = {  # what each role may write in the books, beyond reading
    "web": {
        **{f"portal_{t}": {"INSERT"} for t in ("paymentmethod", "order", "orderitem", "payment", "queue", "ticket",
                                               "message", "contact", "clause")},
        "portal_customer": {"INSERT", "UPDATE"},  # of the contact alone
    },
    "apply": {
        "portal_payment": {"INSERT"}, "portal_message": {"INSERT"}, "portal_ticket": {"UPDATE"},
        "portal_order": {"UPDATE"}, "portal_contact": {"UPDATE"}, "portal_customer": {"UPDATE"},
    },
    "agents": {},
    "sealer": {},
    "eval": {},
}  # fmt: skip
BOOKS = [f"portal_{t}" for t in ("customer", "paymentmethod", "order", "orderitem", "payment", "queue", "ticket",
                                 "message", "contact", "clause")]  # fmt: skip


@pytest.mark.parametrize("role", WRITES)
def test_each_role_writes_what_it_may_in_the_books_and_nothing_else(live: None, role: str) -> None:
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        for table in BOOKS:
            for privilege in ("INSERT", "UPDATE", "DELETE", "TRUNCATE"):
                ask = "has_any_column_privilege" if privilege in ("INSERT", "UPDATE") else "has_table_privilege"
                cursor.execute(f"SELECT {ask}(%s, %s, %s)", [f"countersign_{role}", table, privilege])
                if cursor.fetchone()[0]:
                    found.setdefault(table, set()).add(privilege)
    assert found == WRITES[role]


def test_an_agent_submits_for_a_run_that_is_under_way_only(cast: Cast) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    with signed_in("agents"):
        with workspace.within(cast.ws):
            Run.objects.filter(pk=run.pk).update(state="done")
        with workspace.within(cast.ws), refused("42501", "agents"):
            Submission.objects.create(
                workspace=cast.workspace, case_id=run.case_id, kind="action", proposer="agent:triage", key="k",
                payload={}, run=f"run:{run.pk}",
            )  # fmt: skip


def test_one_reference_books_one_refund(cast: Cast) -> None:
    order = steps.order(cast, amount=1_000, besides=5_000)
    once = Refund(order, "card-cu-1", 1_000, "EUR", "return requested")
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        writer(cast.ws).refund(once, "proposal:1")
        with pytest.raises(IntegrityError), transaction.atomic():
            writer(cast.ws).refund(once, "proposal:1")
        assert list(models.Payment.objects.filter(type="refund").values_list("reference", flat=True)) == ["proposal:1"]


def test_a_token_of_one_workspace_opens_no_other_even_to_a_member_of_both(live: None) -> None:
    first, second = gather(), gather()
    rosa = first.people["rosa"]
    with workspace.within(second.ws) as now:
        staff.appoint(workspace=second.workspace, person=rosa, role=Role.REVIEWER, actor="system:test", now=now)
    with workspace.within(first.ws, rosa.pk) as now:
        _, secret = tokens.make(workspace=first.workspace, person=rosa, name="x", scopes=["cases:read"], now=now)
    headers = {"Authorization": f"Bearer {secret}"}
    codes = [Client().get(f"/w/{c.workspace.slug}/api/cases/", headers=headers).status_code for c in (first, second)]
    assert codes == [200, 404]


@pytest.mark.parametrize("amount", ["4510", 4510.0])
def test_the_right_amount_in_the_wrong_form_is_refused_too(cast: Cast, amount: object) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    args = {**steps.refund_args(order), "amount_minor": amount}
    steps.pass_gate(cast, steps.submit_as_agent(cast, target, "refund.create", f"order:{order}", args, agent="refunds"))
    with workspace.within(cast.ws):
        assert not Proposal.objects.exists()
