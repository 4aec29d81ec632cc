"""`take_in`: a file goes in whole or not at all, twice is once, and what came of each line is told."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.conftest import signed_in


@pytest.fixture
def write(tmp_path):
    def write(*lines: object) -> str:
        path = tmp_path / "lines.jsonl"
        path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
        return str(path)

    return write


def take_in(desk, path: str, *options: str, agent: str = "triage") -> dict[str, object]:
    out = StringIO()
    slug = desk.cast.workspace.slug
    call_command(
        "take_in", path, "--agent", agent, "--workspace", slug, "--json", *options,
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    return json.loads(out.getvalue())


def work(desk) -> None:
    """What the two workers do, each as itself."""
    from agents import workflow
    from agents.models import Run
    from approvals import gate
    from approvals.models import Submission

    runs = [run.pk for run in desk.rows(Run, state="queued")]
    with signed_in("agents"):
        for run in runs:
            workflow.advance(workspace=desk.workspace, run=run)
    new = [submission.pk for submission in desk.rows(Submission, status="new")]
    with signed_in("apply"):
        for submission in new:
            gate.pass_through(workspace=desk.workspace, submission=submission)


def test_what_came_of_each_line_is_told_in_its_order(desk, write):
    path = write(
        {"id": "a", "text": "My card was stolen, please block it right away"},
        "",
        {"id": "b", "text": "..."},
        {"id": "c", "text": "I forgot my password and cannot sign in"},
    )
    first = take_in(desk, path)
    assert first["taken"] == 3
    assert [row["outcome"] for row in first["rows"]] == [None, None, None]

    work(desk)
    again = take_in(desk, path, "--wait")
    assert again["taken"] == 0
    assert [row["id"] for row in again["rows"]] == ["a", "b", "c"]
    assert [row["outcome"] for row in again["rows"]] == ["proposal", "handoff", "proposal"]
    (proposal,) = again["rows"][0]["proposals"]
    assert proposal["action"] == "ticket.update"
    assert proposal["target"] == "ticket:a"
    assert proposal["args"]["queue"] == "fraud_security"
    assert again["rows"][1]["handoff"]["reason"] == "unclear"
    assert again["rows"][0]["handoff"] is None


def test_waiting_without_workers_ends_with_one_clear_line(desk, write, monkeypatch):
    from agents.management.commands import take_in as command

    monkeypatch.setattr(command, "PATIENCE", 0.3)
    with pytest.raises(CommandError, match="no worker answers") as error:
        take_in(desk, write({"id": "a", "text": "Hello there"}), "--wait")
    assert error.value.returncode == 1


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"id": "b"}, "line 2: text: Field required"),
        ({"id": "b", "text": "x\x00"}, "line 2: text: holds a NUL character"),
        ('{"id": "b", "text": "\\ud800"}', "line 2: text: "),
        ('{"id": "b"', "line 2: not a JSON object"),
        ("[" * 20_000, "line 2: not a JSON object"),
        ('["id", "b"]', "line 2: line: is not a JSON object"),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_taken_in(desk, write, broken, message):
    from portal.models import Ticket

    with pytest.raises(CommandError) as error:
        take_in(desk, write({"id": "a", "text": "Hello there"}, broken))
    assert error.value.returncode == 2
    assert message in str(error.value)
    assert desk.rows(Ticket) == []


def test_bytes_that_are_not_utf8_are_named_by_line(desk, tmp_path):
    path = tmp_path / "latin.jsonl"
    path.write_bytes('{"id": "a", "text": "café"}\n'.encode("latin-1"))
    with pytest.raises(CommandError, match="line 1: not UTF-8"):
        take_in(desk, str(path))


def test_a_file_that_is_not_there_is_exit_code_two(desk, tmp_path):
    with pytest.raises(CommandError, match="No such file") as error:
        take_in(desk, str(tmp_path / "none.jsonl"))
    assert error.value.returncode == 2


def test_training_on_own_messages_changes_the_model_of_the_next_run(desk, tmp_path, monkeypatch):
    from django.conf import settings

    from agents import triage_models
    from agents.models import Run

    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    lines = [
        {"text": f"{word} number {n}", "queue": queue, "priority": "P3"}
        for word, queue in (
            ("kettle", "orders_delivery"),
            ("invoice", "fees_billing"),
            ("login", "account_access"),
        )
        for n in range(6)
    ]
    (tmp_path / "messages_own.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = StringIO()
    call_command(
        "train_triage", "--data", str(tmp_path), "--workspace", desk.cast.workspace.slug, "--json",
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    trained = json.loads(out.getvalue())
    assert trained["rows"] == 18

    take = desk.take_in("triage", id="T-1", text="my kettle number 3")
    work(desk)
    (run,) = desk.rows(Run, pk=take.run)
    assert run.model_version == trained["model"]
    assert (triage_models.folder() / f"{trained['model']}.model").exists()


def test_training_on_a_folder_without_messages_is_exit_code_two(desk, tmp_path):
    with pytest.raises(CommandError, match=r"holds no messages_\*\.jsonl") as error:
        call_command("train_triage", "--data", str(tmp_path), "--workspace", desk.cast.workspace.slug)
    assert error.value.returncode == 2
