"""Runs: worked once, whoever comes, however often, whatever dies; an agents process does nothing else."""

import dataclasses
import threading
from datetime import timedelta

import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.models import F

from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"


def advance(desk, run: int) -> bool:
    from agents import workflow

    with signed_in("agents"):
        return workflow.advance(workspace=desk.workspace, run=run)


def change_run(desk, run: int, **values: object) -> None:
    """As the agents role, which is the one that may."""
    from agents.models import Run
    from portal.workspace import within

    with signed_in("agents"), within(desk.workspace):
        assert Run.objects.filter(pk=run).update(**values) == 1


def submissions(desk):
    from approvals.models import Submission

    return desk.rows(Submission)


def test_a_run_ends_in_submissions_steps_and_one_entry(desk):
    from agents.models import Run, Step
    from audit.models import Entry

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    assert advance(desk, taken.run)

    (run,), (handed_in,) = desk.rows(Run), submissions(desk)
    assert (run.state, run.outcome, run.attempts, run.lease_until) == ("done", "proposal", 1, None)
    assert len(run.model_version) == 64
    assert (handed_in.kind, handed_in.proposer, handed_in.run) == ("action", "agent:triage", f"run:{run.pk}")
    assert handed_in.payload["action"] == "ticket.update"
    assert handed_in.payload["target"] == "ticket:T-1"
    assert handed_in.payload["args"]["queue"] == "fraud_security"
    assert {piece["source"] for piece in handed_in.payload["evidence"]} == {"ticket:T-1"}
    assert [step.name for step in desk.rows(Step)] == ["retrieve", "classify", "verify"]
    (entry,) = desk.rows(Entry, subject=f"run:{run.pk}")
    assert (entry.event, entry.trace_id) == ("run.finished", run.trace_id)


def test_what_is_handed_in_says_how_far_the_conversation_was_read(desk):
    from approvals import conversations
    from portal.workspace import within

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    with within(desk.workspace) as now:
        conversations.receive(
            workspace=desk.workspace, ticket="T-1", external_id="m-2", text="And my keys.", actor="x", now=now
        )
    assert advance(desk, taken.run)
    assert {paper.read_to for paper in submissions(desk)} == {2}


def test_a_run_that_has_ended_is_not_worked_again(desk):
    from agents.models import Step

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    assert advance(desk, taken.run)
    assert not advance(desk, taken.run)
    assert len(submissions(desk)) == 1
    assert len(desk.rows(Step)) == 3


def test_a_message_for_a_run_that_is_not_there_does_nothing(desk):
    assert not advance(desk, 2**40)


def test_a_leased_run_is_left_alone_and_resumed_when_its_worker_died(desk, monkeypatch):
    from agents.models import Run
    from portal import env, failpoints

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    monkeypatch.setattr(env.read(), "failpoints", "run.after_lease=raise")
    with pytest.raises(failpoints.FailpointRaised):
        advance(desk, taken.run)
    monkeypatch.setattr(env.read(), "failpoints", "")

    assert not advance(desk, taken.run)
    change_run(desk, taken.run, lease_until=F("lease_until") - timedelta(seconds=61))
    assert advance(desk, taken.run)
    (run,) = desk.rows(Run)
    assert (run.state, run.attempts, run.fence) == ("done", 2, 2)
    assert len(submissions(desk)) == 1


def test_a_run_that_dies_before_its_last_commit_leaves_nothing(desk, monkeypatch):
    from agents.models import Step
    from portal import env

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    monkeypatch.setattr(env.read(), "failpoints", "run.before_submit=raise")
    assert not advance(desk, taken.run)
    assert submissions(desk) == desk.rows(Step) == []
    monkeypatch.setattr(env.read(), "failpoints", "")
    assert advance(desk, taken.run)
    assert len(submissions(desk)) == 1


def test_after_three_failures_a_person_gets_the_case(desk, monkeypatch):
    from agents.models import Run
    from audit.models import Entry
    from portal import env

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    monkeypatch.setattr(env.read(), "failpoints", "run.before_submit=raise")
    assert [advance(desk, taken.run) for _ in range(4)] == [False, False, True, False]
    (run,), (handed_in,) = desk.rows(Run), submissions(desk)
    assert (run.state, run.attempts) == ("failed", 3)
    assert (handed_in.kind, handed_in.payload["reason"]) == ("handoff", "agent_failed")
    assert [e.event for e in desk.rows(Entry, subject=f"run:{run.pk}")] == ["run.failed"]


def test_three_killed_workers_are_enough(desk):
    taken = desk.take_in("triage", id="T-1", text=TEXT)
    change_run(desk, taken.run, state="running", attempts=3, fence=3)
    assert advance(desk, taken.run)
    (handed_in,) = submissions(desk)
    assert handed_in.payload["reason"] == "agent_failed"


def test_a_worker_frozen_past_its_lease_is_fenced(desk, monkeypatch):
    from agents import workflow
    from agents.models import Run
    from portal.workspace import within

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    overtaken = []

    def freeze(leased):
        """Between the first worker's lease and its end a second one takes the run and finishes it."""
        if not overtaken:
            overtaken.append(leased.fence)
            with within(desk.workspace) as now:
                Run.objects.filter(pk=leased.pk).update(lease_until=now)
            assert workflow.advance(workspace=desk.workspace, run=leased.pk)
        return work(leased)

    work = workflow._try
    monkeypatch.setattr(workflow, "_try", freeze)
    with signed_in("agents"):
        assert not workflow.advance(workspace=desk.workspace, run=taken.run)
    (run,) = desk.rows(Run)
    assert (run.state, run.fence) == ("done", 2)
    assert len(submissions(desk)) == 1


def test_of_five_workers_at_once_one_works(desk):
    from agents import workflow

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    start, worked = threading.Barrier(5), []

    def worker() -> None:
        start.wait()
        worked.append(workflow.advance(workspace=desk.workspace, run=taken.run))
        connection.close()

    with signed_in("agents"):
        workers = [threading.Thread(target=worker) for _ in range(5)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    assert sorted(worked) == [False, False, False, False, True]
    assert len(submissions(desk)) == 1


def test_a_contact_run_hands_in_a_repair_and_a_doubt(desk):
    record = {"full_name": "ANNA BERG", "email": "anna at example.org", "city": " Oslo "}
    taken = desk.take_in("contacts", id="C-1", record=record)
    assert advance(desk, taken.run)
    repair, doubt = submissions(desk)
    assert repair.payload["args"] == {"changes": {"full_name": "Anna Berg", "city": "Oslo"}}
    assert (repair.payload["target"], doubt.kind) == ("contact:C-1", "handoff")
    assert set(doubt.payload["found"]) == {"email"}


def test_an_unknown_sender_of_a_refund_request_is_asked_who_they_are(desk):
    taken = desk.take_in("refunds", id="R-1", from_customer_id="x_1", from_email="", text="Refund order #W1234567")
    assert advance(desk, taken.run)
    (handed_in,) = submissions(desk)
    assert handed_in.kind in {"handoff", "question"}


# What an agents process can do besides: nothing. Each refusal stands beside one write that succeeds.


def refused(statement: str, values: list[object]) -> str:
    """SQLSTATE with which PostgreSQL refuses a statement, signed in as agents."""
    with pytest.raises(ProgrammingError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return error.value.__cause__.sqlstate


def inside(desk) -> None:
    from portal.workspace import enter

    enter(desk.workspace)
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user")
        assert cursor.fetchone() == ("countersign_agents",)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE portal_ticket SET priority = 'P1' WHERE workspace_id = %s",
        "UPDATE approvals_proposal SET state = 'approved' WHERE workspace_id = %s",
        "INSERT INTO approvals_case (workspace_id, subject, title, customer) VALUES (%s, 'ticket:x', '', '')",
        "INSERT INTO portal_message (workspace_id, ticket_id, seq, sender, body, reference)"
        " SELECT workspace_id, id, 9, 'staff', 'x', '' FROM portal_ticket WHERE workspace_id = %s",
        "INSERT INTO approvals_outbox (workspace_id, task, queue, object_id) VALUES (%s, 'x', 'apply', 1)",
        "INSERT INTO agents_run (workspace_id, case_id, agent, agent_version, trace_id)"
        " SELECT workspace_id, id, 'triage', '1', '' FROM approvals_case WHERE workspace_id = %s",
        "UPDATE agents_run SET agent = 'refunds' WHERE workspace_id = %s",
        "DELETE FROM agents_step WHERE workspace_id = %s",
        "DELETE FROM audit_entry WHERE workspace_id = %s",
        "SELECT args FROM approvals_revision WHERE workspace_id = %s",
    ],
)
def test_the_agents_role_writes_nothing_but_its_own(desk, statement):
    from agents.models import Run

    desk.take_in("triage", id="T-1", text=TEXT)
    with signed_in("agents"), transaction.atomic():
        inside(desk)
        assert refused(statement, [desk.workspace]) == "42501"
        assert Run.objects.filter(workspace=desk.workspace).update(fence=F("fence")) == 1


@pytest.mark.parametrize(
    "other", [{"proposer": "agent:refunds"}, {"proposer": "person:1"}, {"run": "run:0"}, {"status": "gated"}]
)
def test_an_agent_submits_for_its_own_running_run_alone(desk, other):
    from approvals.models import Submission

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    own = {"proposer": "agent:triage", "run": f"run:{taken.run}", "status": "new"}

    def submit(key: str, **values: str) -> None:
        with transaction.atomic():
            Submission.objects.create(
                workspace_id=desk.workspace, case_id=taken.case, kind="handoff", key=key, payload={}, **values
            )

    change_run(desk, taken.run, state="running")
    with signed_in("agents"), transaction.atomic():
        inside(desk)
        with pytest.raises(ProgrammingError) as error:
            submit("a", **{**own, **other})
        assert error.value.__cause__.sqlstate == "42501"
        submit("b", **own)


def advance_due(desk) -> int:
    from agents import workflow

    with signed_in("agents"):
        return workflow.advance_due(workspace=desk.workspace)


def test_what_nobody_began_is_worked_together_and_each_run_ends_as_by_itself(desk):
    from agents.models import Run, Step
    from approvals.models import Outbox
    from audit.models import Entry

    taken = [desk.take_in("triage", id=f"T-{n}", text=TEXT).run for n in range(3)]
    assert advance_due(desk) == 3
    assert advance_due(desk) == 0
    runs = desk.rows(Run)
    assert {(run.pk, run.state, run.attempts, run.outcome) for run in runs} == {
        (pk, "done", 1, "proposal") for pk in taken
    }
    for run in runs:
        (handed_in,) = desk.rows(type(submissions(desk)[0]), run=f"run:{run.pk}")
        (entry,) = desk.rows(Entry, subject=f"run:{run.pk}")
        assert f"submission:{handed_in.pk}" in entry.canonical
        assert [step.name for step in desk.rows(Step, run=run)] == ["retrieve", "classify", "verify"]
    assert not desk.rows(Outbox, task="agents.tasks.advance")


def test_a_run_that_breaks_the_others_is_tried_again_by_itself(desk, monkeypatch):
    from agents import roster
    from agents.models import Run

    taken = [desk.take_in("triage", id=f"T-{n}", text=TEXT).run for n in range(3)]
    (broken,) = desk.rows(Run, pk=taken[0])
    whole = roster.find("triage").work

    def work(subject, *more):
        if subject == broken.case.subject:
            raise ValueError("a fault of ours")
        return whole(subject, *more)

    monkeypatch.setattr(
        roster, "find", lambda name: dataclasses.replace(next(a for a in roster.AGENTS if a.name == name), work=work)
    )
    assert advance_due(desk) == 3
    states = {run.pk: (run.state, run.attempts) for run in desk.rows(Run)}
    assert states == {taken[0]: ("running", 1), taken[1]: ("done", 1), taken[2]: ("done", 1)}
    assert len(submissions(desk)) == 2


def test_a_run_whose_lease_went_to_another_ends_without_the_others(desk, monkeypatch):
    from agents import ending, workflow
    from agents.models import Run

    taken = [desk.take_in("triage", id=f"T-{n}", text=TEXT).run for n in range(2)]
    whole = ending.end_all

    def end_all(workspace, worked, *, now):
        lost = worked[0]
        return whole(workspace, [dataclasses.replace(lost, run=_with_fence(lost.run, 7)), *worked[1:]], now=now)

    monkeypatch.setattr(workflow.ending, "end_all", end_all)
    assert advance_due(desk) == 2
    assert {run.pk: run.state for run in desk.rows(Run)} == {taken[0]: "running", taken[1]: "done"}
    assert len(submissions(desk)) == 1


def _with_fence(run, fence):
    run.fence = fence
    return run
