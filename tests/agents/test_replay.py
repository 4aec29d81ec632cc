"""Replay: the same run comes to the same; what differs is named; nothing is written."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import InternalError

from tests.conftest import signed_in

TEXT = "My card was stolen on the tram, please block it right away"
CONTENT = Path(__file__).resolve().parents[2] / "agents" / "demo" / "content"


def work(desk, run):
    from agents import workflow

    with signed_in("agents"):
        assert workflow.advance(workspace=desk.workspace, run=run)


def replayed(desk, run, role="agents", **more):
    from agents import replay

    with signed_in(role):
        return replay.replay(workspace=desk.workspace, run=run, **more)


def command(desk, *words):
    """Exit code and what was printed."""
    out = io.StringIO()
    try:
        call_command("replay", *words, "--workspace", desk.cast.workspace.slug, stdout=out)
    except SystemExit as ended:
        return ended.code, out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def everything(desk):
    from agents.models import Run, Step, ToolCall
    from approvals.models import Proposal, Submission
    from audit.models import Entry

    return [len(desk.rows(model)) for model in (Run, Step, ToolCall, Submission, Proposal, Entry)]


@pytest.fixture
def books(desk):
    from portal import imports
    from portal.workspace import within

    with within(desk.workspace) as now:
        imports.load(CONTENT, workspace=desk.workspace, actor="system:test", now=now, progress=lambda _: None)


@pytest.mark.timeout(300)
def test_a_hundred_runs_of_three_agents_replay_to_the_same(desk, books):
    from agents import replay, workflow

    lines = [json.loads(line) for line in (CONTENT / "tickets.jsonl").read_text().splitlines()]
    contacts = [json.loads(line) for line in (CONTENT / "contacts.jsonl").read_text().splitlines()]
    taken = []
    for line in lines:
        agent = line.pop("agent", "refunds" if line.get("from_customer_id") else "triage")
        taken.append(desk.take_in(agent, **{k: v for k, v in line.items() if k in FORMS[agent]}))
    taken += [
        desk.take_in("contacts", **{k: v for k, v in line.items() if k in FORMS["contacts"]}) for line in contacts
    ]
    with signed_in("agents"):
        while workflow.advance_due(workspace=desk.workspace):
            pass
    before = everything(desk)
    with signed_in("agents"):
        found = [replay.replay(workspace=desk.workspace, run=one.run) for one in taken]
    assert len(found) == len(taken) >= 100
    assert [(one.run, one.agent, one.fields, one.moved) for one in found if not one.equal] == []
    assert {one.agent for one in found} == {"triage", "refunds", "contacts"}
    assert everything(desk) == before


def test_what_the_case_itself_has_open_is_not_there_for_the_agent(desk, books):
    from approvals.models import Proposal, Submission
    from tests.approvals import steps

    line = json.loads((CONTENT / "tickets.jsonl").read_text().splitlines()[0])
    taken = desk.take_in("refunds", **{k: v for k, v in line.items() if k in FORMS["refunds"]})
    work(desk, taken.run)
    steps.pass_gate(desk.cast, desk.rows(Submission)[0])
    assert [row.state for row in desk.rows(Proposal, action="refund.create")] == ["pending"]
    assert replayed(desk, taken.run).equal


def test_answers_of_models_are_those_on_record_and_none_is_asked(desk, monkeypatch):
    from agents import replay, workflow
    from agents.gateway.asker import Asker, Needs

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    work(desk, taken.run)
    given = []
    whole = workflow.work_on

    def keep(*args, **more):
        given.append(more["asker"])
        return whole(*args, **more)

    monkeypatch.setattr(workflow, "work_on", keep)
    assert replayed(desk, taken.run).equal
    assert isinstance(given[0], replay.OnRecord)
    assert issubclass(replay.OnRecord, Asker)

    class Wanted(Needs):
        def __init__(self):
            Exception.__init__(self, "classify asks a-model")

    def needs(*_args, **_more):
        raise Wanted

    monkeypatch.setattr(workflow, "work_on", needs)
    assert command(desk, str(taken.run)) == (
        2, f"RUN: run {taken.run}: classify asks a-model now, and no answer to that is on record"
    )  # fmt: skip


FORMS = {
    "triage": ("id", "text"), "refunds": ("id", "from_customer_id", "from_email", "text"),
    "contacts": ("id", "record", "locked_fields"),
}  # fmt: skip


def test_what_changed_in_the_books_since_is_named_by_the_reading_that_shows_it(desk):
    from approvals.models import Proposal, Submission
    from tests.approvals import steps

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    work(desk, taken.run)
    assert command(desk, str(taken.run))[0] == 0
    (handed_in,) = desk.rows(Submission)
    steps.pass_gate(desk.cast, handed_in)
    (proposal,) = desk.rows(Proposal)
    steps.approve(desk.cast, proposal, "rosa")
    steps.apply(desk.cast, proposal)
    code, text = command(desk, str(taken.run))
    assert code == 1
    assert "records changed since: reading 1, ticket:" in text
    assert not replayed(desk, taken.run).fields, "the draft is still the same"


def test_other_code_shows_field_by_field(desk, monkeypatch):
    from agents import roster
    from agents.triage import deciding

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    work(desk, taken.run)
    whole = deciding.decide

    def other(*args, **more):
        outcome = whole(*args, **more)
        (draft,) = outcome.drafts
        changed = dataclasses.replace(draft, args={**draft.args, "queue": "general"}, confidence=0.5)
        return dataclasses.replace(outcome, drafts=(changed,))

    monkeypatch.setattr(deciding, "decide", other)
    monkeypatch.setattr(roster.triage.verify, "judge", lambda outcome, faults: outcome)
    found = replayed(desk, taken.run)
    assert [(one.name, one.difference) for one in found.steps] == [
        ("retrieve", ""), ("classify", "output"), ("verify", "input")
    ]  # fmt: skip
    assert {one.field for one in found.fields} == {
        "payload.args.queue", "payload.confidence", "payload.verified"
    }  # fmt: skip
    code, text = command(desk, str(taken.run), "--json")
    assert (code, json.loads(text)["equal"]) == (1, False)


def test_another_model_is_used_by_its_digest(desk):
    from agents import triage_models
    from agents.triage.classifier import Labelled

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    work(desk, taken.run)
    rows = [Labelled(f"{word} {n}", queue, "P3") for queue, word in WORDS.items() for n in range(12)]
    other = triage_models.fit(rows)
    found = replayed(desk, taken.run, model=other[:20])
    assert found.versions["model"]["now"] == other != found.versions["model"]["then"]
    assert [one.name for one in found.reads if one.difference] == ["triage_model"]
    code, text = command(desk, str(taken.run), "--model", "f" * 64)
    assert (code, "is not on this machine" in text) == (2, True)


WORDS = {"general": "hello", "fraud_security": "stolen", "fees_billing": "fee"}


@pytest.mark.parametrize("role", ["web", "agents"])
def test_a_replay_can_write_nothing_under_whatever_role(desk, monkeypatch, role):
    from agents import workflow
    from agents.models import Run

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    work(desk, taken.run)
    assert replayed(desk, taken.run, role).equal

    def writes(run, *_args, **_more):
        Run.objects.filter(pk=run.pk).update(outcome="x")

    monkeypatch.setattr(workflow, "work_on", writes)
    with pytest.raises(InternalError) as error:
        replayed(desk, taken.run, "agents")
    assert error.value.__cause__.sqlstate == "25006"


def test_wrong_input_is_one_line_and_exit_code_2(desk):
    from tests.cast import gather

    taken = desk.take_in("triage", id="T-1", text=TEXT)
    contact = desk.take_in("contacts", id="C-1", record={"full_name": "ANNA BERG"})
    assert command(desk, str(taken.run)) == (
        2, f"RUN: run {taken.run} is queued; only one that came to its end can be replayed"
    )  # fmt: skip
    work(desk, contact.run)
    for words, said in (
        (("999999999",), "there is no run"),
        (("-1",), "RUN"),
        ((str(contact.run), "--agent-version", "9"), "--agent-version"),
        ((str(contact.run), "--model", "abc"), "used no fitted model"),
    ):
        code, text = command(desk, *words)
        assert (code, said in text) == (2, True), text
    elsewhere = gather()
    with pytest.raises(CommandError, match="there is no run"):
        call_command("replay", str(contact.run), "--workspace", elsewhere.workspace.slug)
