"""The page of a run: a waterfall with a table behind it, what came of it by its trace, and nobody else's."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"


def page(cast, path: str, name: str = "rosa"):
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(f"/w/{cast.workspace.slug}/{path}")


@pytest.fixture
def worked(desk):
    """A ticket through run, gate, approval and write; its run."""
    from agents import workflow
    from approvals.models import Proposal, Submission
    from tests.approvals import steps

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    with signed_in("agents"):
        assert workflow.advance(workspace=desk.workspace, run=taken.run)
    (handed_in,) = desk.rows(Submission)
    steps.pass_gate(desk.cast, handed_in)
    (proposal,) = desk.rows(Proposal)
    steps.approve(desk.cast, proposal, "rosa")
    steps.apply(desk.cast, proposal)
    return taken


def test_bars_lie_on_one_scale_with_calls_inside_their_steps():
    from agents.waterfall import ROW, Bar, lay_out

    steps = [Bar("step", "retrieve", 0, 400, "a", "b"), Bar("step", "verify", 600, 400, "c", "d", cost=7)]
    calls = [Bar("tool", "ticket", 10, 300, "e", "f"), Bar("tool", "queues", 450, 100, "g", "h")]
    fall = lay_out(steps, calls)
    assert [(bar.name, bar.inside, bar.x, bar.width) for bar in fall.bars] == [
        ("retrieve", False, 0.0, 40.0), ("ticket", True, 1.0, 30.0), ("queues", False, 45.0, 10.0),
        ("verify", False, 60.0, 40.0),
    ]  # fmt: skip
    assert (fall.micros, fall.cost, fall.bars[3].y - fall.bars[2].y) == (1000, 7, ROW)
    assert fall.longest == fall.bars[0]


def test_a_run_without_steps_has_no_picture():
    from agents.waterfall import lay_out

    assert lay_out([], []).bars == ()


def test_the_page_shows_each_step_and_call_and_one_trace_from_intake_to_the_write(desk, worked):
    answer = page(desk.cast, f"runs/{worked.run}/")
    text = answer.content.decode()
    assert answer.status_code == 200
    picture = re.search(r"<svg.*?</svg>", text, re.S).group()
    assert "<title" in picture
    assert "<desc" in picture
    for name in ("Retrieve", "Ticket", "Queues", "Triage model", "Classify", "Verify"):
        assert name in picture
    story = text[text.index("From intake to the write") :]
    for what in ("Ticket came in", "Proposed", "Approved", "Carried out"):
        assert what in story, what


def test_one_trace_id_goes_with_every_entry_from_intake_to_the_write(desk, worked):
    from agents.models import Run
    from approvals.models import Submission
    from audit.models import Entry

    (run,), (handed_in,) = desk.rows(Run), desk.rows(Submission)
    assert handed_in.trace_id == run.trace_id
    events = [entry.event for entry in desk.rows(Entry, trace_id=run.trace_id)]
    assert events == [
        "ticket.received", "run.finished", "proposal.proposed", "decision.recorded", "proposal.approved",
        "proposal.applying", "proposal.applied",
    ]  # fmt: skip


def test_cases_and_proposals_lead_to_the_run(desk, worked):
    from approvals.models import Proposal

    (proposal,) = desk.rows(Proposal)
    for path in (f"cases/{worked.case}/", f"proposals/{proposal.pk}/"):
        assert f"/w/{desk.cast.workspace.slug}/runs/{worked.run}/" in page(desk.cast, path).content.decode()


def test_strangers_and_other_workspaces_find_no_run(desk, worked):
    from tests.cast import gather

    other = gather()
    assert page(desk.cast, f"runs/{worked.run}/", "otto").status_code == 404
    assert page(other, f"runs/{worked.run}/").status_code == 404
    assert page(desk.cast, "runs/999999999/").status_code == 404
    assert page(desk.cast, f"runs/{worked.run}/", "odile").status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_run(desk, worked):
    from agents.models import Run, ToolCall
    from portal.workspace import within

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert page(desk.cast, f"runs/{worked.run}/").status_code == 200
        return len(captured)

    page(desk.cast, f"runs/{worked.run}/")
    before = queries()
    with signed_in("owner"), within(desk.workspace):
        Run.objects.filter(pk=worked.run).update(state="running")
        ToolCall.objects.bulk_create(
            ToolCall(workspace_id=desk.workspace, run_id=worked.run, seq=n, tool="ticket", argument_digest="0" * 64)
            for n in range(10, 40)
        )
        Run.objects.filter(pk=worked.run).update(state="done")
    assert queries() == before
