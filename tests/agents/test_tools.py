"""Read tools: typed, allowed by roster and policy, bounded, and each call on the trace of a run under way."""

import dataclasses

import cedarpy
import pytest
from django.db import ProgrammingError, connection, transaction

from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"


@pytest.fixture
def tools(desk):
    """Makes the tools of an agent inside a transaction of the workspace."""
    from agents.steps.base import Trace
    from agents.tools import Tools
    from agents.triage_models import InForce
    from portal.systems.books import BooksReader

    def make(agent="refunds", allowed=("ticket", "orders_of", "orders_named", "clauses", "queues"), reader=None):
        return Tools(
            agent=agent, workspace=desk.workspace, reader=reader or BooksReader(desk.workspace),
            allowed=frozenset(allowed), models=InForce(desk.workspace), digest=Trace().digest,
        )  # fmt: skip

    return make


def work(desk, run):
    from agents import workflow

    with signed_in("agents"):
        return workflow.advance(workspace=desk.workspace, run=run)


def test_every_call_of_a_run_is_a_row_with_digests_and_times(desk):
    from agents.models import Run, Step, ToolCall
    from agents.steps.base import digest

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    assert work(desk, taken.run)
    calls, steps, (run,) = desk.rows(ToolCall), desk.rows(Step), desk.rows(Run)
    assert [(c.seq, c.tool, c.ended) for c in calls] == [
        (1, "ticket", "ok"), (2, "queues", "ok"), (3, "triage_model", "ok")
    ]  # fmt: skip
    assert calls[0].argument_digest == digest(["T-1"])
    assert calls[0].result_digest == steps[0].output_digest
    assert calls[2].result_digest == run.model_version
    assert steps[0].started_micros <= calls[0].started_micros <= calls[1].started_micros


def test_what_was_read_of_the_policy_pages_stands_on_the_run(desk):
    from agents.models import Run
    from tests.approvals import steps

    steps.page(desk.cast, "Thirty days.")
    steps.page(desk.cast, "Ask a colleague.", clause="IN-1", slug="inside", readers=["managers", "agents"])
    taken = desk.take_in("refunds", id="R-1", from_customer_id="x", from_email="", text="Refund order #W1234567")
    assert work(desk, taken.run)
    (run,) = desk.rows(Run)
    assert run.retrieved == {"RET-1": 1}


def test_a_tool_the_roster_does_not_give_is_refused_and_kept(desk, tools):
    from agents.tools import NotAllowed
    from portal.workspace import within

    own = tools(allowed=("ticket",))
    with within(desk.workspace):
        assert own.ticket("T-9") is None
        with pytest.raises(NotAllowed, match="not this agent's"):
            own.queues()
    assert [(c.tool, c.ended, bool(c.result_digest)) for c in own.calls] == [
        ("ticket", "ok", True), ("queues", "denied", False)
    ]  # fmt: skip


def test_a_policy_may_forbid_a_read_that_the_roster_gives(desk, tools):
    from agents.tools import NotAllowed
    from portal.workspace import within

    with within(desk.workspace):
        with pytest.raises(NotAllowed, match="Only the agent of refunds reads orders"):
            tools(agent="triage").orders_of("cu-1")
        assert tools(agent="refunds").orders_of("cu-1") == ()


def test_policies_that_do_not_answer_mean_no_and_are_asked_again(desk, tools, monkeypatch):
    from agents.tools import NotAllowed, forbidden
    from portal.workspace import within

    def broken(*_args, **_more):
        raise RuntimeError("no engine")

    forbidden.cache_clear()
    with within(desk.workspace):
        with monkeypatch.context() as patch:
            patch.setattr(cedarpy, "is_authorized", broken)
            with pytest.raises(NotAllowed, match="did not answer cleanly"):
                tools().queues()
        assert tools().queues()


def test_a_loop_over_tools_ends_at_a_known_number(desk, tools):
    from agents.tools import MOST_CALLS_OF_ONE, TooMany
    from portal.workspace import within

    own = tools()
    with within(desk.workspace):
        for _ in range(MOST_CALLS_OF_ONE):
            own.queues()
        with pytest.raises(TooMany):
            own.queues()
        assert own.ticket("T-9") is None


@pytest.mark.parametrize("asked", ["T\x00", "T" * 201, 7, None])
def test_what_is_asked_has_a_form(desk, tools, asked):
    from agents.tools import Malformed
    from portal.workspace import within

    own = tools()
    with within(desk.workspace), pytest.raises(Malformed, match="what was asked of ticket"):
        own.ticket(asked)
    assert [c.ended for c in own.calls] == ["malformed"]


def test_what_comes_back_has_a_form_to_its_last_field(desk, tools):
    from agents.tools import Malformed
    from portal.systems.books import BooksReader
    from portal.workspace import within

    class Odd(BooksReader):
        def ticket(self, ticket_id):
            return dataclasses.replace(super().ticket(ticket_id), priority=1)

    desk.take_in("triage", id="T-1", text=TEXT)
    with within(desk.workspace):
        assert tools().ticket("T-1").ticket_id == "T-1"
        with pytest.raises(Malformed, match="what ticket gave is not of its form: priority"):
            tools(reader=Odd(desk.workspace)).ticket("T-1")


def test_a_call_that_took_too_long_is_not_used(desk, tools, monkeypatch):
    from agents import tools as module
    from portal.workspace import within

    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.0)
    own = tools()
    with within(desk.workspace), pytest.raises(module.TooSlow):
        own.queues()
    assert own.calls[0].ended == "timeout"


def test_an_agents_process_is_given_no_longer_for_a_statement_than_a_call_may_take():
    from portal.env import Env

    assert Env(process_role="agents").statement_timeout_of("agents") == 8_000
    assert Env(statement_timeout_ms=2_000).statement_timeout_of("agents") == 2_000
    assert Env().statement_timeout_of("web") == 15_000


def test_a_refused_call_hands_the_case_to_a_person_and_stays_on_the_trace(desk, monkeypatch):
    from agents import roster
    from agents.models import ToolCall
    from approvals.models import Submission

    def work_less(agent):
        return dataclasses.replace(agent, tools=agent.tools - {"queues"})

    found = roster.find
    monkeypatch.setattr(roster, "find", lambda name: work_less(found(name)))
    taken = desk.take_in("triage", id="T-1", text=TEXT)
    assert work(desk, taken.run)
    (handed_in,) = desk.rows(Submission)
    assert (handed_in.kind, handed_in.payload["reason"]) == ("handoff", "tool_refused")
    assert [(c.tool, c.ended) for c in desk.rows(ToolCall)] == [("ticket", "ok"), ("queues", "denied")]


# A call is a row of one's own run under way, and stays as it was written.


def insert_call(desk, run, seq):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agents_toolcall (workspace_id, run_id, seq, tool, argument_digest, result_digest,"
            " started_micros, micros, ended) VALUES (%s, %s, %s, 'ticket', '', '', 0, 0, 'ok')",
            [desk.workspace, run, seq],
        )


def refused(act) -> str:
    with pytest.raises(Exception) as error, transaction.atomic():
        act()
    return error.value.__cause__.sqlstate


def test_calls_are_of_a_run_under_way_and_never_change(desk):
    from agents.models import Run, ToolCall
    from portal.workspace import within

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    with signed_in("agents"), within(desk.workspace):
        assert refused(lambda: insert_call(desk, taken.run, 1)) == "42501"
        assert Run.objects.filter(pk=taken.run).update(state="running") == 1
        insert_call(desk, taken.run, 1)
        assert refused(lambda: ToolCall.objects.filter(run=taken.run).update(micros=1)) == "42501"
    with signed_in("owner"), within(desk.workspace):
        assert refused(lambda: ToolCall.objects.filter(run=taken.run).update(micros=1)) == "CS001"
    with within(desk.workspace), pytest.raises(ProgrammingError), transaction.atomic():
        insert_call(desk, taken.run, 2)


def test_nothing_of_an_agent_comes_in_without_the_trace_of_its_run(desk):
    from agents.models import Run
    from approvals.models import Submission
    from portal.workspace import within

    taken = desk.take_in("triage", id="T-1", text=TEXT)

    def submit(key, **more):
        return Submission.objects.create(
            workspace_id=desk.workspace, case_id=taken.case, kind="handoff", key=key, payload={},
            proposer="agent:triage", run=f"run:{taken.run}", **more,
        )  # fmt: skip

    with signed_in("agents"), within(desk.workspace):
        Run.objects.filter(pk=taken.run).update(state="running")
        assert refused(lambda: submit("a", trace_id="f" * 32)) == "42501"
        row = submit("b")
        run = Run.objects.get(pk=taken.run)
        assert Submission.objects.get(pk=row.pk).trace_id == run.trace_id != ""
    with signed_in("owner"), within(desk.workspace):
        assert refused(lambda: Run.objects.filter(pk=taken.run).update(trace_id="")) == "23514"
