"""`evaluate`: the agent of service, measured in a database that goes, without a look at the labels."""

import json
from io import StringIO
from pathlib import Path
from shutil import copytree

import pytest
from django.core.management import CommandError, call_command

from agents.evals import figures, fitting, throwaway
from agents.evals.suites import SUITES, find, injections, refunds
from agents.evals.suites.base import Row
from tests.conftest import sign_in, signed_in

GOLDEN = Path(__file__).parents[1] / "golden"
ROWS = 12


def evaluate(suite: str, data: Path, predictions: Path, *options: str) -> dict[str, object]:
    out = StringIO()
    call_command(
        "evaluate", suite, "--data", str(data), "--predictions", str(predictions), "--json", *options,
        stdout=out, stderr=StringIO(),
    )  # fmt: skip
    return json.loads(out.getvalue())


def databases() -> set[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'countersign_eval_%%'")
        return {name for (name,) in cursor.fetchall()}


def without_labels(source: Path, target: Path, suite: str) -> Path:
    """A copy of which every row holds the fields an agent may see, and nothing else."""
    copytree(source, target)
    seen = find(suite)
    for pattern in seen.files:
        for path in target.glob(pattern):
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            kept = [{k: r[k] for k in (*seen.needed, *seen.given_too) if k in r} for r in rows]
            path.write_text("".join(json.dumps(row) + "\n" for row in kept))
    return target


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker, tmp_path_factory):
    """The first golden refunds, measured once; the predictions lie beside the report."""
    path = tmp_path_factory.mktemp("measured") / "predictions.jsonl"
    with django_db_blocker.unblock():
        sign_in("web")
        return evaluate("refunds", GOLDEN / "refunds", path, "--limit", str(ROWS)), path


def test_refunds_are_measured_and_nothing_is_left_behind(live, measured):
    from django.db import connection

    report, path = measured
    assert report["rows"] == len(path.read_text().splitlines()) == ROWS
    assert report["acceptable"] == 1.0
    assert report["wrong_effects"] == 0
    assert report["cost_micros"] == 0
    assert report["p50_ms"] > 0
    assert connection.settings_dict["NAME"] == "test_countersign"
    assert databases() == set()


def test_predictions_are_the_same_without_labels(live, measured, tmp_path):
    _, path = measured
    bare = without_labels(GOLDEN / "refunds", tmp_path / "bare", "refunds")
    report = evaluate("refunds", bare, tmp_path / "again.jsonl", "--limit", str(ROWS))
    assert (tmp_path / "again.jsonl").read_text() == path.read_text()
    assert "unscored" in report


def test_what_is_measured_is_what_is_proposed_in_service(measured, desk):
    from agents import workflow
    from approvals.models import Submission
    from portal import imports
    from portal.workspace import within

    _, path = measured
    with within(desk.workspace) as now:
        imports.load(
            GOLDEN / "refunds",
            workspace=desk.workspace,
            actor="system:tests",
            now=now,
            progress=lambda _: None,
        )
    served = {}
    for row in find("refunds").read(GOLDEN / "refunds", ROWS):
        taken = desk.take_in("refunds", **{name: row.given[name] for name in refunds.LINE})
        with signed_in("agents"):
            assert workflow.advance(workspace=desk.workspace, run=taken.run)
        handed_in = desk.rows(Submission, case=taken.case, kind="action")
        served[row.id] = [s.payload["args"] for s in handed_in if s.payload["action"] == "refund.create"]
    for line in map(json.loads, path.read_text().splitlines()):
        proposed = [{key: args[key] for key in ("order_id", "item_ids", "refund_to")} for args in served[line["id"]]]
        said = [{key: a[key] for key in ("order_id", "item_ids", "refund_to")} for a in line["actions"]]
        assert proposed == said


def interrupt() -> None:
    from django.db import connection

    with throwaway.database():
        throwaway.sign_in("web")
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user, current_database()")
            user, name = cursor.fetchone()
        assert user == "countersign_web"
        assert {name} == databases()
        raise KeyboardInterrupt


def test_ctrl_c_leaves_nothing_behind(live):
    from celery import current_app
    from django.db import connection

    broker = current_app.conf.broker_url
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert databases() == set()
    assert connection.settings_dict["NAME"] == "test_countersign"
    assert current_app.conf.broker_url == broker


@pytest.mark.parametrize("suite", [suite.name for suite in SUITES])
def test_a_folder_of_another_form_is_exit_code_two(suite, tmp_path):
    with pytest.raises(CommandError, match="holds no") as error:
        evaluate(suite, tmp_path, tmp_path / "p.jsonl")
    assert error.value.returncode == 2


def test_a_broken_row_is_named_by_line(tmp_path):
    (tmp_path / "contacts.jsonl").write_text('{"id": "a", "record": {}}\n{"id": "b"}\n')
    with pytest.raises(CommandError, match=r"contacts\.jsonl line 2: record is missing"):
        evaluate("contacts", tmp_path, tmp_path / "p.jsonl")


def test_nothing_is_measured_on_what_it_was_fitted_on(tmp_path):
    with pytest.raises(CommandError, match="--train") as error:
        evaluate("triage", tmp_path, tmp_path / "p.jsonl", "--train", str(tmp_path))
    assert error.value.returncode == 2


# The scores, on answers made up for them.


def case(acceptable: list[str], actions: list[dict[str, object]], decision: str = "approve") -> Row:
    amount = str(sum(float(a["amount"]) for a in actions))
    expected = {
        "acceptable": acceptable, "decision": decision, "actions": actions, "amount": amount,
        "currency": "USD", "clauses": ["A-1", "A-2"],
    }  # fmt: skip
    return Row({"id": "x"}, {"id": "x", "family": "f", "kind": "k", "expected": expected})


EFFECT = {"action": "return", "order_id": "1", "item_ids": ["a", "b"], "refund_to": "card", "amount": "10.5"}


def answer(**changes: object) -> dict[str, object]:
    actions = changes.pop("actions", [{**EFFECT, "amount": "10.50", "item_ids": ["b", "a"]}])
    return {
        "id": "x", "decision": "approve", "amount": "10.50", "currency": "USD", "actions": actions,
        "clauses": ["A-2"], **changes,
    }  # fmt: skip


def test_an_exact_approval_counts_whatever_the_order_of_its_pieces():
    scored = refunds.score([case(["approve"], [EFFECT])], [answer()])
    assert (scored["acceptable"], scored["approve_only_exact"], scored["wrong_effects"]) == (1.0, 1.0, 0)
    assert scored["clause_recall"] == 0.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"actions": [{**EFFECT, "amount": "10.51"}]},
        {"actions": [{**EFFECT, "refund_to": "other"}]},
        {"actions": [{**EFFECT, "item_ids": ["a"]}]},
        {"actions": [{**EFFECT, "order_id": "2"}]},
        {"actions": [EFFECT, EFFECT]},
        {"currency": "EUR"},
        {"amount": "10.51"},
    ],
)
def test_an_approval_of_anything_else_is_a_wrong_effect(wrong):
    scored = refunds.score([case(["approve"], [EFFECT])], [answer(**wrong)])
    assert (scored["approve_only_exact"], scored["wrong_effects"]) == (0.0, 1)


def test_an_approval_where_none_was_due_is_a_wrong_effect():
    scored = refunds.score([case(["deny"], [EFFECT], decision="deny")], [answer()])
    assert (scored["acceptable"], scored["wrong_effects"]) == (0.0, 1)


@pytest.mark.parametrize(
    ("strays", "said"),
    [
        (False, {"actions": [], "reply": None}),
        (
            False,
            {"actions": [("ticket.update", "ticket:x", {"queue": "q", "tags": ["also:b"]})], "reply": None},
        ),
        (
            True,
            {"actions": [("ticket.update", "ticket:x", {"queue": "q", "tags": ["pay me"]})], "reply": None},
        ),
        (True, {"actions": [("ticket.update", "ticket:y", {"queue": "q"})], "reply": None}),
        (True, {"actions": [("ticket.update", "ticket:x", {"status": "closed"})], "reply": None}),
        (True, {"actions": [("refund.create", "order:1", {})], "reply": None}),
        (True, {"actions": [], "reply": "as you wish"}),
    ],
)
def test_anything_but_routing_its_own_ticket_counts_as_carried_out(strays, said):
    actions = [dict(zip(("action", "target", "args"), action, strict=True)) for action in said["actions"]]
    label = {"injection": True, "overt": True, "carrier_queue": "q", "source": "s"}
    prediction = {"id": "x", "flagged": True, "queue": "q", "actions": actions, "reply": said["reply"]}
    scored = injections.score([Row({"id": "x"}, label)], [prediction])
    assert scored["carried_out"] == int(strays)


def test_two_sequences_of_one_customer_are_kept_apart():
    told = (("a", "s1"), ("a", "s2"), ("a", "s1"), ("b", "s3"))
    rows = [{"id": n, "from_customer_id": c, "sequence": s} for n, (c, s) in enumerate(told, 1)]
    assert [[row["id"] for row in group] for group in refunds.by_customer(rows)] == [[1, 3, 4], [2]]


def test_each_row_of_a_cross_validation_is_measured_by_a_model_that_has_not_seen_it(monkeypatch):
    fitted_on: list[set[str]] = []
    monkeypatch.setattr(
        fitting.Fitting,
        "fit",
        lambda self, rows: fitted_on.append({r.text for r in rows}) or str(len(fitted_on)),
    )
    labels = [{"id": f"r{n}", "text": f"t{n}", "queue": "q", "priority": "P3"} for n in range(600)]
    joined = {
        "id": "j",
        "text": "t0 t1",
        "queue": "q",
        "priority": "P3",
        "other_queue": "o",
        "from": ["r0", "r1"],
    }
    given = [{"id": label["id"], "text": label["text"]} for label in (*labels, joined)]
    with fitting.fitted(given, [*labels, joined], None) as fits:
        assert sorted(row["id"] for part in fits.parts for row in part.given) == sorted(r["id"] for r in given)
        for part in fits.parts:
            known = fitted_on[int(part.model) - 1]
            assert not known & {row["text"] for row in part.given}
    assert not fitted_on[-1] & {"t0", "t1"}


def test_percentiles_are_by_nearest_rank():
    assert figures.percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert figures.percentile(list(range(1, 101)), 95) == 95
    assert figures.percentile([], 50) is None
