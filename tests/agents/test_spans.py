"""Spans leave after the commit for the collector that is named, one trace from intake to the write, without text."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"


class Collector(BaseHTTPRequestHandler):
    """Keeps what comes in."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bodies(monkeypatch) -> Iterator[list[bytes]]:
    from portal import env, telemetry

    Collector.bodies = []
    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(env.read(), "otel_endpoint", f"http://127.0.0.1:{server.server_port}/v1/traces")
    telemetry.processor.cache_clear()
    yield Collector.bodies
    telemetry.processor().shutdown()
    telemetry.processor.cache_clear()
    server.shutdown()
    server.server_close()


def through(desk, number: int = 1) -> None:
    """A ticket from intake to the write."""
    from agents import workflow
    from approvals.models import Proposal, Submission
    from tests.approvals import steps

    taken = desk.take_in("triage", id=f"T-{number}", text=TEXT)
    with signed_in("agents"):
        assert workflow.advance(workspace=desk.workspace, run=taken.run)
    (handed_in,) = desk.rows(Submission, run=f"run:{taken.run}")
    steps.pass_gate(desk.cast, handed_in)
    (proposal,) = desk.rows(Proposal, submission=handed_in)
    steps.approve(desk.cast, proposal, "rosa")
    steps.apply(desk.cast, proposal)


def spans(bodies: list[bytes]) -> list:
    found = []
    for body in bodies:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        found += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    return found


def test_one_trace_of_spans_leads_from_intake_to_the_write_and_holds_no_text(desk, bodies):
    from agents.models import Run
    from portal import telemetry

    through(desk)
    telemetry.flush()
    (run,), found = desk.rows(Run), spans(bodies)
    assert {span.trace_id.hex() for span in found} == {run.trace_id}
    names = [span.name for span in found]
    assert names == [
        "intake", "invoke_agent triage", "step retrieve", "step classify", "step verify", "execute_tool ticket",
        "execute_tool queues", "execute_tool triage_model", "gate", "proposal.approved", "proposal.applying",
        "proposal.applied",
    ]  # fmt: skip
    by_name = {span.name: span for span in found}
    assert not by_name["intake"].parent_span_id
    assert by_name["invoke_agent triage"].parent_span_id == by_name["intake"].span_id
    assert by_name["execute_tool ticket"].parent_span_id == by_name["invoke_agent triage"].span_id
    assert by_name["gate"].parent_span_id == by_name["invoke_agent triage"].span_id
    assert by_name["proposal.applied"].parent_span_id == by_name["gate"].span_id
    about = {pair.key: pair.value.string_value for pair in by_name["execute_tool ticket"].attributes}
    assert (about["gen_ai.operation.name"], about["gen_ai.tool.name"]) == ("execute_tool", "ticket")
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in found)
    assert not any(word.encode() in body for body in bodies for word in ("stolen", "tram", "card"))


def test_nothing_leaves_of_what_is_rolled_back(desk, bodies):
    from django.db import transaction

    from agents import intake
    from portal import telemetry
    from portal.workspace import within

    with within(desk.workspace) as now:
        intake.take_in(
            workspace=desk.workspace, agent="triage", line={"id": "T-9", "text": TEXT}, actor="system:test", now=now
        )
        transaction.set_rollback(True)
    through(desk)
    telemetry.flush()
    assert len({span.trace_id for span in spans(bodies)}) == 1


def test_off_by_default_and_a_collector_that_is_away_holds_nothing_up(desk, monkeypatch):
    from portal import env, telemetry

    telemetry.processor.cache_clear()
    through(desk, 1)
    assert telemetry.processor.cache_info().currsize == 0
    monkeypatch.setattr(env.read(), "otel_endpoint", "http://127.0.0.1:1/v1/traces")
    through(desk, 2)
    assert telemetry.processor.cache_info().currsize == 1
    telemetry.processor().shutdown()
    telemetry.processor.cache_clear()
