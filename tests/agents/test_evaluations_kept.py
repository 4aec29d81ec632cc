"""What was measured stays, is compared with the last on the same rows, is held against bars, and managers see it."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from agents.evals import bars, conduct, history
from agents.evals.stage import Came
from agents.evals.suites import find
from agents.evals.suites.base import Row
from tests.cast import Cast, gather

THEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(history, "folder", lambda: tmp_path)
    return tmp_path


def report(wrong: int, **more: Any) -> dict[str, Any]:
    return {
        "suite": "refunds", "rows": 3, "seconds": 1.5, "data": "d" * 64, "wrong_effects": wrong, "acceptable": 0.9,
        "versions": {"model": "nothing is fitted"}, "by_kind": {"plain": {"rows": 3, "share": 0.9}}, **more,
    }  # fmt: skip


def keep(minutes: int, wrong: int, marks: dict[str, tuple[bool, str]], **more: Any) -> history.Kept:
    return history.keep(report=report(wrong, **more), marks=marks, now=THEN + timedelta(minutes=minutes))


def _contacts() -> list[str]:
    return (GOLDEN / "contacts" / "contacts.jsonl").read_text().splitlines()


GOOD = {"r1": (True, "approve 5.00 EUR"), "r2": (True, "deny"), "r3": (False, "escalate")}
BAD = {"r1": (True, "approve 5.00 EUR"), "r2": (False, "approve 9.00 EUR"), "r3": (True, "clarify")}


def test_an_evaluation_is_compared_with_the_one_before_on_the_same_rows(folder: Path) -> None:
    assert history.change(keep(0, 0, GOOD)) is None
    since = history.change(keep(5, 1, BAD))
    assert since is not None
    assert since.figures == {"wrong_effects": (0, 1)}
    assert since.rows == {"r2": (GOOD["r2"], BAD["r2"]), "r3": (GOOD["r3"], BAD["r3"])}
    assert (since.worse, since.better) == (1, 1)
    assert history.change(keep(9, 0, GOOD, data="e" * 64)) is None
    assert [kept.report["wrong_effects"] for kept in history.newest("refunds")] == [0, 1, 0]


def test_half_a_file_is_never_read(folder: Path) -> None:
    kept = keep(0, 0, GOOD)
    (folder / f"{kept.name}.part").write_text("{")
    assert [one.name for one in history.newest()] == [kept.name]
    assert history.read(kept.name) == kept


@pytest.mark.parametrize("name", ["", "..", "../secret_key", "refunds-1", "refunds-20260302T090000Z-ffffffff"])
def test_nothing_but_an_evaluation_is_read(folder: Path, name: str) -> None:
    keep(0, 0, GOOD)
    (folder.parent / "secret_key").write_text("x")
    with pytest.raises(history.NoSuchEvaluation):
        history.read(name)


def test_a_figure_below_its_bar_above_it_or_missing_is_missed() -> None:
    wanted = {"refunds": {"acceptable": {"at_least": 0.95}, "wrong_effects": {"at_most": 0}, "rows": {"at_least": 3}},
              "triage": {"rows": {"at_least": 1}}}  # fmt: skip
    held = bars.hold([report(1)], wanted)
    assert [one.met for one in held] == [False, False, True, False]
    assert "triage rows was not measured" in held[-1].words
    assert str(held[0]).startswith("MISSED refunds acceptable is 0.9")


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"refunds": {"acceptable": {"over": 1}}}', '{"refunds": {"acceptable": {}}}']
)
def test_bars_of_another_form_are_refused_before_anything_is_measured(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bars.json"
    path.write_text(text)
    with pytest.raises(CommandError, match=r"bars\.json") as error:
        call_command("evaluate", "contacts", "--data", str(GOLDEN / "contacts"), "--bars", str(path), stdout=StringIO())
    assert error.value.returncode == 2


def test_a_missed_bar_is_exit_code_one_and_what_was_measured_is_kept(live: None, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "bars.json"
    path.write_text(json.dumps({"contacts": {"exact_record": {"at_least": 1.1}, "harmed": {"at_most": 0}}}))
    out = StringIO()
    with pytest.raises(CommandError, match="missed: contacts exact_record") as error:
        call_command(
            "evaluate", "contacts", "--data", str(GOLDEN / "contacts"), "--limit", "4", "--bars", str(path),
            stdout=out, stderr=StringIO(),
        )  # fmt: skip
    assert error.value.returncode == 1
    assert "met    contacts harmed is 0" in out.getvalue()
    kept = next(history.newest("contacts"))
    assert (kept.report["rows"], len(kept.marks)) == (4, 4)
    emails = [json.loads(line)["record"].get("email") for line in _contacts()]
    text = next(folder.glob("*.json")).read_text()
    assert not [email for email in emails if email and email in text]


class Shelf:
    """Books in which one clause and one ticket can be cited."""

    def holds(self, source: str, quote: str) -> bool:
        return {"clause:RET-1": "within thirty days", "ticket:T-1": "send it back"}.get(source, "") == quote


def paper(source: str, quote: str, target: str = "ticket:T-1") -> dict[str, Any]:
    return {"action": "ticket.reply", "target": target, "evidence": [{"source": source, "quote": quote}]}


def test_conduct_counts_what_was_made_up_turned_away_or_aimed_elsewhere() -> None:
    seen, shelf = conduct.Conduct(), Shelf()
    fine = Came("a", 1, drafts=(paper("clause:RET-1", "within thirty days"),))
    made_up = Came("b", 2, drafts=(paper("clause:RET-1", "for ever"),))
    astray = Came("c", 3, drafts=(paper("ticket:T-1", "send it back", target="ticket:T-9"),))
    refused = Came("d", 4, refused=(paper("ticket:T-1", "send it back"),))
    for one, reasons in ((fine, []), (made_up, []), (astray, []), (refused, ["policy"])):
        conduct.watch(seen, one, "ticket:T-1", reasons, shelf)  # type: ignore[arg-type]  # only asked what it holds
    said = seen.report()
    assert (said["tool_calls"], said["tool_call_accuracy"]) == (4, 0.75)
    assert (said["hallucinated_citations"], said["hallucinated_citation_ids"]) == (1, ["b"])
    assert said["unsafe_attempt_ids"] == ["c", "d"]


def test_a_write_where_none_was_due_is_a_guess() -> None:
    suite = find("counterfactuals")
    rows = [Row({"id": n}, {"expected": ["handoff", "question"], "kind": "missing_field"}) for n in ("a", "b", "c")]
    said = [{"id": n, "outcomes": o} for n, o in (("a", ["proposal", "reply"]), ("b", ["handoff"]), ("c", ["nothing"]))]
    scored = suite.score(rows, said)
    assert (scored["guesses"], scored["guess_ids"], scored["as_expected"]) == (1, ["a"], 0.3333)


# The pages.


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def get(cast: Cast, name: str, path: str) -> Any:
    client = Client()
    client.force_login(cast.people[name], backend=BACKEND)
    return client.get(f"/w/{cast.workspace.slug}/evaluations/{path}")


def test_managers_see_what_was_measured_and_which_rows_came_out_worse(cast: Cast, folder: Path) -> None:
    keep(0, 0, GOOD)
    latest = keep(5, 1, BAD)
    listed = get(cast, "mara", "").content.decode()
    assert "1 row worse" in listed
    assert "was 0" in listed
    page = get(cast, "mara", f"{latest.name}/").content.decode()
    assert page.index("r2") < page.index("r3")
    assert "approve 9.00 EUR" in page
    assert ">worse<" in page


def test_an_empty_history_says_how_to_begin(cast: Cast, folder: Path) -> None:
    assert "evaluate all" in get(cast, "mara", "").content.decode()


def test_reviewers_are_refused_and_unknown_names_are_404(cast: Cast, folder: Path) -> None:
    kept = keep(0, 0, GOOD)
    assert get(cast, "odile", f"{kept.name}/").status_code == 200
    assert [get(cast, "rosa", path).status_code for path in ("", f"{kept.name}/")] == [403, 403]
    assert get(cast, "mara", "refunds-1/").status_code == 404
