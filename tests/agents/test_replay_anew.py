"""Replay with models asked anew: another prompt or another model, paid for within the caps, and nothing else moves."""

import json

import pytest

from tests.agents.models import LARGE, SMALL, UNSURE, calls, cap, connect, triage
from tests.agents.test_replay import command, everything, replayed, work
from tests.conftest import signed_in
from tests.modelserver import ModelServer, answer, fixture

QUOTE = "the thing from last week"
THEN, NOW = triage("fees_billing", quote=QUOTE), triage("orders_delivery", priority="P2", quote=QUOTE)


@pytest.fixture
def asking(desk, server):
    connect(desk.workspace, server.base_url)
    server.says(fixture(SMALL, answer(THEN)), fixture(LARGE, answer(NOW)))
    return desk


@pytest.fixture
def run(asking):
    taken = asking.take_in("triage", id="T-1", text=UNSURE)
    work(asking, taken.run)
    return taken.run


@pytest.fixture
def prompt(tmp_path, monkeypatch):
    """A second version of what triage tells a model."""
    from agents import prompts

    for path in prompts.FOLDER.glob("*.txt"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "classify.2.txt").write_text("Choose one of {queues}; be brief. Quote {literally}.\n")
    monkeypatch.setattr(prompts, "FOLDER", tmp_path)
    return prompts.named("classify.2")


def made(desk):
    """The calls of replays."""
    return [call for call in calls(desk.workspace) if call.replay_id is not None]


def test_without_a_word_about_models_the_record_answers_and_nobody_is_asked(asking, server, run):
    before = len(server.asked())
    found = replayed(asking, run)
    assert (found.equal, found.asked_anew, found.said, len(server.asked())) == (True, False, (), before)
    assert found.versions["prompt"]["then"] == found.versions["prompt"]["now"]
    (call,) = calls(asking.workspace, run)
    assert call.prompt == found.versions["prompt"]["now"]
    assert call.prompt.startswith("classify.1-")


def test_a_language_model_by_its_name_is_asked_anew_and_differences_are_shown(asking, server, run):
    from agents.models import Run

    before, cost = everything(asking), asking.rows(Run, pk=run)[0].cost_micros
    found = replayed(asking, run, model=LARGE)
    assert {field.field: (field.then, field.now) for field in found.fields}["payload.args.queue"] == (
        "fees_billing", "orders_delivery"
    )  # fmt: skip
    assert found.versions["model"]["now"].endswith(LARGE)
    assert found.versions["model"]["then"].endswith(SMALL)
    (call,) = made(asking)
    assert (call.model, call.tier, call.outcome, call.cost_micros) == (LARGE, 2, "answered", found.cost)
    assert found.cost == 450
    assert [one.model for one in found.said] == [LARGE]
    assert everything(asking) == [*before[:-1], before[-1] + 1], "an entry, and nothing else"
    assert asking.rows(Run, pk=run)[0].cost_micros == cost, "what the run cost stays what it was"
    assert replayed(asking, run).equal, "and its record too"
    from agents import waterfall
    from portal.workspace import within

    with within(asking.workspace):
        fall = waterfall.of(Run.objects.get(pk=run))
    assert [bar.name for bar in fall.bars if bar.kind == "model"] == [SMALL], "its page shows its own calls alone"


def test_another_prompt_is_sent_and_named_on_the_call_and_on_the_log(asking, server, run, prompt):
    from audit.models import Entry

    server.says(fixture(SMALL, answer(NOW)))
    found = replayed(asking, run, prompts=["classify.2"])
    (asked,) = server.asked()
    assert "be brief. Quote {literally}." in asked["messages"][0]["content"]
    assert "fees_billing" in asked["messages"][0]["content"]
    assert found.versions["prompt"]["now"] == prompt.name == made(asking)[0].prompt
    assert not found.equal
    (entry,) = asking.rows(Entry, event="run.replayed")
    assert (entry.subject, entry.actor) == (f"run:{run}", "agent:triage")
    assert json.loads(entry.canonical)["body"]["prompts"] == prompt.name


def test_the_same_answer_again_is_equal(asking, server, run):
    found = replayed(asking, run, model=SMALL)
    assert found.equal
    assert (len(server.asked(SMALL)), len(made(asking))) == (2, 1)


def test_what_it_takes_counts_on_the_day_and_a_cap_refuses_it_in_words(asking, server, run):
    from agents.models import Account, Replay

    def day() -> int:
        return next(one.money for one in asking.rows(Account) if one.key.startswith("workspace:"))

    before = day()
    found = replayed(asking, run, model=LARGE)
    assert day() == before + found.cost
    (row,) = asking.rows(Replay)
    assert (row.model, row.most_micros) == (LARGE, 100_000)
    cap(asking.workspace, day() + 10, scope="workspace", per="day")
    server.says(fixture(LARGE, answer(NOW)))
    found = replayed(asking, run, model=LARGE)
    assert found.unanswered == {"classify": "The cap on money leaves too little for it."}
    assert (server.asked(), found.said, found.equal) == ([], (), False)
    with signed_in("agents"):
        code, text = command(asking, str(run), "--model", LARGE)
    assert (code, "no answer, classify: The cap on money leaves too little for it." in text) == (1, True)


def test_a_correction_is_asked_for_as_in_service(asking, server, run):
    server.says(fixture(LARGE, answer("hm"), match={"sequenceIndex": 0}), fixture(LARGE, answer(NOW)))
    found = replayed(asking, run, model=LARGE)
    assert [one.outcome for one in found.said] == ["malformed", "answered"]


def test_a_server_that_is_gone_is_no_answer_and_no_money(asking, run):
    with ModelServer() as gone:
        connect(asking.workspace, gone.base_url)
    found = replayed(asking, run, model=LARGE)
    assert found.unanswered == {"classify": "No model server answers now."}
    assert [(one.outcome, one.cost_micros) for one in found.said] == [("unreachable", 0)]


def test_wrong_names_are_one_line_and_nothing_is_asked_or_written(asking, server, run):
    before, asked = everything(asking), len(server.asked())
    with signed_in("agents"):
        for words, said in (
            (("--model", "gpt-none"), "no model of the servers in force (large-1, small-1)"),
            (("--prompt", "classify.9"), "there is no prompt classify.9; there are classify.1, second_look.1"),
            (("--prompt", "../settings.1"), "there is no prompt"),
        ):
            code, text = command(asking, str(run), *words)
            assert (code, said in text) == (2, True), text
    code, text = command(asking, str(run), "--model", LARGE)
    assert (code, "PROCESS_ROLE=agents" in text) == (2, True), "web holds no key of a model"
    assert (everything(asking), len(server.asked()), made(asking)) == (before, asked, [])


def test_only_a_replay_may_call_for_a_run_that_has_ended(asking, run):
    from django.db import DatabaseError

    from agents.models import ModelCall, Replay
    from portal.workspace import within

    replayed(asking, run, model=LARGE)
    (call,) = made(asking)
    fields = {f.attname: getattr(call, f.attname) for f in ModelCall._meta.concrete_fields if f.attname != "id"}
    fields |= {"outcome": "open", "value": None, "cost_micros": 0, "settled_at": None}
    with signed_in("agents"):
        with pytest.raises(DatabaseError) as refused, within(asking.workspace):
            ModelCall.objects.create(**{**fields, "replay_id": None})
        assert refused.value.__cause__.sqlstate == "42501"
        with within(asking.workspace):
            assert ModelCall.objects.create(**fields).pk > call.pk
        with pytest.raises(DatabaseError) as refused, within(asking.workspace):
            Replay.objects.all().update(model="")
        assert refused.value.__cause__.sqlstate == "42501"
    with pytest.raises(DatabaseError) as refused, within(asking.workspace):
        Replay.objects.create(workspace_id=asking.workspace, run_id=run)
    assert refused.value.__cause__.sqlstate == "42501", "web may not"
