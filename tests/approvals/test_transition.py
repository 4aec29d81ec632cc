"""No proposal appears or moves but by `transition`: what the trigger and the grants refuse, role by role."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from approvals import decisions, proposals, revising, state
from approvals.models import Proposal
from audit import log
from audit.events import Event
from audit.models import Entry
from portal import env, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


@contextmanager
def refused(sqlstate: str, role: str) -> Iterator[None]:
    """The database refuses with this SQLSTATE, and we are who we think we are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (env.read().user_of(role), env.read().user_of(role), False)  # type: ignore[arg-type]
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    assert caught.value.__cause__.sqlstate == sqlstate  # type: ignore[union-attr]


def forge_entry(cast: Cast, proposal: Proposal, event: Event, after: str) -> None:
    log.record(
        workspace=cast.ws, subject=f"proposal:{proposal.pk}", version=proposal.version + 1, state=after,
        event=event, actor="person:0", now=proposal.created_at,
    )  # fmt: skip


def test_raw_sql_without_an_entry_is_refused(cast: Cast, proposal: Proposal) -> None:
    for role in ("web", "apply"):
        with signed_in(role), workspace.within(cast.ws), refused("CS003", role):
            Proposal.objects.filter(pk=proposal.pk).update(state="rejected", version=2)
    assert steps.fresh(cast, proposal).state == "pending"


def test_a_change_that_keeps_the_version_is_refused(cast: Cast, proposal: Proposal) -> None:
    with workspace.within(cast.ws), refused("CS002", "web"):
        Proposal.objects.filter(pk=proposal.pk).update(summary="Something else")


@pytest.mark.parametrize(
    ("event", "after", "sqlstate"),
    [
        (Event.PROPOSAL_APPROVED, "approved", "CS006"),
        (Event.PROPOSAL_REJECTED, "rejected", "CS006"),
        (Event.PROPOSAL_WITHDRAWN, "withdrawn", "CS006"),
        (Event.PROPOSAL_STALE, "stale", "CS006"),
        (Event.PROPOSAL_EDITED, "pending", "CS005"),
        (Event.PROPOSAL_APPLIED, "applied", "CS004"),
        (Event.PROPOSAL_APPLYING, "applying", "CS004"),
        (Event.PROPOSAL_EXPIRED, "expired", "CS004"),
        (Event.PROPOSAL_DENIED, "denied", "CS004"),
    ],
)
def test_web_with_a_forged_entry_is_refused(
    cast: Cast, proposal: Proposal, event: Event, after: str, sqlstate: str
) -> None:
    with workspace.within(cast.ws, cast.id("rosa")), refused(sqlstate, "web"):
        forge_entry(cast, proposal, event, after)
        Proposal.objects.filter(pk=proposal.pk).update(state=after, version=2)
    assert steps.fresh(cast, proposal).state == "pending"
    with workspace.within(cast.ws):
        assert not Entry.objects.filter(subject=f"proposal:{proposal.pk}", version=2).exists()


def test_an_entry_of_another_transaction_does_not_count(cast: Cast, proposal: Proposal) -> None:
    with signed_in("apply"):
        with workspace.within(cast.ws):
            forge_entry(cast, proposal, Event.PROPOSAL_EXPIRED, "expired")
        with workspace.within(cast.ws), refused("CS003", "apply"):
            Proposal.objects.filter(pk=proposal.pk).update(state="expired", version=2)


def test_apply_alone_cannot_approve_what_nobody_voted_for(cast: Cast, proposal: Proposal) -> None:
    with signed_in("apply"), workspace.within(cast.ws), refused("CS007", "apply"):
        forge_entry(cast, proposal, Event.PROPOSAL_APPROVED, "approved")
        Proposal.objects.filter(pk=proposal.pk).update(state="approved", version=2)


def test_a_proposal_inserted_as_approved_is_refused(cast: Cast, proposal: Proposal) -> None:
    for role, sqlstate in (("web", "42501"), ("agents", "42501")):
        with signed_in(role), workspace.within(cast.ws), refused(sqlstate, role), connection.cursor() as cursor:
            cursor.execute("INSERT INTO approvals_proposal (workspace_id, state) VALUES (%s, 'approved')", [cast.ws])
    copy = steps.fresh(cast, proposal)
    target = steps.ticket(cast)
    submission = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P1"})
    with signed_in("apply"), workspace.within(cast.ws), refused("CS003", "apply"):
        copy.pk, copy.submission, copy.state = 10**9 + secrets.randbelow(10**6), submission, "approved"
        copy.target = target
        copy.save(force_insert=True)
    with signed_in("apply"), workspace.within(cast.ws), refused("CS005", "apply"):
        log.record(
            workspace=cast.ws, subject=f"proposal:{copy.pk}", version=1, state="approved",
            event=Event.PROPOSAL_ALLOWED, actor="system:apply", now=copy.created_at,
        )  # fmt: skip
        copy.save(force_insert=True)


def test_an_agents_process_writes_submissions_and_its_own_runs_only(cast: Cast, proposal: Proposal) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    attempts = [
        ("UPDATE approvals_proposal SET state = 'approved'", "42501"),
        ("UPDATE portal_ticket SET priority = 'P1'", "42501"),
        ("INSERT INTO portal_queue (workspace_id, name, title) VALUES (%(ws)s, 'x', 'x')", "42501"),
        ("INSERT INTO approvals_decision (workspace_id) VALUES (%(ws)s)", "42501"),
        ("INSERT INTO approvals_outbox (workspace_id) VALUES (%(ws)s)", "42501"),
        ("INSERT INTO approvals_case (workspace_id, subject) VALUES (%(ws)s, 'ticket:x')", "42501"),
        ("UPDATE approvals_submission SET status = 'gated'", "42501"),
        ("DELETE FROM agents_step", "42501"),
        ("SELECT secret_sha256 FROM portal_personaltoken", "42501"),
        ("SELECT password FROM portal_person", "42501"),
        (
            'INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at,'
            " canonical)"
            " VALUES (%(ws)s, 'proposal:1', 99, 'proposal.approved', 'approved', 'agent:triage', '', '', now(), '{}')",
            "42501",
        ),
    ]
    with signed_in("agents"):
        for statement, sqlstate in attempts:
            with workspace.within(cast.ws), refused(sqlstate, "agents"), connection.cursor() as cursor:
                cursor.execute(statement, {"ws": cast.ws})
        with workspace.within(cast.ws), refused("42501", "agents"):
            proposals.submit(
                workspace=cast.ws, case=run.case_id, kind="action", proposer=f"person:{cast.id('rosa')}", key="k",
                payload={}, run=f"run:{run.pk}",
            )  # fmt: skip
        with workspace.within(cast.ws):
            made = proposals.submit(
                workspace=cast.ws, case=run.case_id, kind="handoff", proposer="agent:triage", key="k", payload={},
                run=f"run:{run.pk}",
            )  # fmt: skip
    assert made.pk


def test_web_can_neither_gate_nor_submit_for_somebody_else(cast: Cast, proposal: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("rosa")), refused("42501", "web"):
        proposals.submit(
            workspace=cast.ws,
            case=proposal.case_id,
            kind="action",
            proposer="agent:refunds",
            key="k",
            payload={},
        )
    with workspace.within(cast.ws, cast.id("rosa")):
        proposals.submit(
            workspace=cast.ws, case=proposal.case_id, kind="action", proposer=f"person:{cast.id('rosa')}", key="k",
            payload={},
        )  # fmt: skip


def test_the_moves_in_the_database_are_those_of_the_table(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT "before", "after", event, processes, decisions, new_revision, new_round FROM approvals_moves'
        )
        stored = set(cursor.fetchall())
    assert stored == {
        (m.before or "", m.after, m.event, ",".join(m.by), ",".join(m.decisions), m.new_revision, m.new_round)
        for m in state.MOVES
    }


def test_a_vote_is_refused_in_the_database_too(cast: Cast, proposal: Proposal) -> None:
    """Self-approval, a wrong role, somebody else's name and an old digest: the second wall."""
    row = steps.fresh(cast, proposal)
    sql = (
        "INSERT INTO approvals_decision (workspace_id, proposal_id, revision, round, digest, person_id, role, kind,"
        " reason, note, created_at) VALUES (%s, %s, %s, 1, %s, %s, %s, 'approve', '', '', now())"
    )
    cases = [
        ("odile", "odile", "auditor", row.revision, row.digest, "CS009"),
        ("otto", "otto", "reviewer", row.revision, row.digest, "CS009"),
        ("rosa", "ravi", "reviewer", row.revision, row.digest, "CS009"),
        ("rosa", "rosa", "manager", row.revision, row.digest, "CS009"),
        ("rosa", "rosa", "reviewer", row.revision + 1, row.digest, "CS008"),
        ("rosa", "rosa", "reviewer", row.revision, "0" * 64, "CS008"),
    ]
    for signed, person, role, revision, digest, sqlstate in cases:
        with (
            workspace.within(cast.ws, cast.id(signed)),
            refused(sqlstate, "web"),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [cast.ws, row.pk, revision, digest, cast.id(person), role])
    with workspace.within(cast.ws, cast.id("rosa")), connection.cursor() as cursor:
        cursor.execute(sql, [cast.ws, row.pk, row.revision, row.digest, cast.id("rosa"), "reviewer"])


def test_what_was_edited_meanwhile_is_not_approved(cast: Cast, proposal: Proposal) -> None:
    before = steps.seen(steps.fresh(cast, proposal))
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        revising.edit(
            workspace=cast.ws, proposal=proposal.pk, seen=before, person=cast.id("ravi"), args={"priority": "P2"},
            now=now,
        )  # fmt: skip
    with workspace.within(cast.ws, cast.id("rosa")) as now, pytest.raises(decisions.Gone):
        decisions.approve(workspace=cast.ws, proposal=proposal.pk, seen=before, person=cast.id("rosa"), now=now)
    assert steps.fresh(cast, proposal).revision == 2
    assert steps.approve(cast, proposal, "rosa").state == "approved"
