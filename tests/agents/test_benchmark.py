"""`benchmark claims` at a small size: it measures the real service, finds what is wrong, and leaves nothing behind."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from agents.benchmarks import claiming, crowd, filling, looking_back, paging, running
from agents.evals import throwaway
from approvals import backtesting, claims
from tests.conftest import sign_in, signed_in

ITEMS, CLAIMERS = 240, 3


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'countersign_eval_%%'")
        return {name for (name,) in cursor.fetchall()}


def quiet(_: str) -> None:
    """Progress nobody reads."""


def test_every_item_is_served_once_and_both_rates_are_of_this_run(live: None) -> None:
    before, out = databases(), StringIO()
    call_command("benchmark", "claims", "--size", str(ITEMS), "--json", stdout=out, stderr=StringIO())
    report = json.loads(out.getvalue())
    assert (report["twice"], report["skipped"], report["items"]) == (0, 0, ITEMS)
    assert report["ours"] > 0
    assert report["ratio"] == pytest.approx(report["ours"] / report["floor"], abs=0.01)
    assert databases() == before
    sign_in("web")


def test_what_is_served_twice_or_never_is_counted(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = claims.claim_next
    monkeypatch.setattr(claims, "claim_next", forgetful(whole))
    report = claiming.measure(items=30, claimers=1, say=quiet)
    assert report["twice"] > 0
    assert report["skipped"] > 0
    sign_in("web")


def forgetful(whole: Callable[..., claims.Taken | None]) -> Callable[..., claims.Taken | None]:
    """Serves what it served first for ever."""
    seen: list[claims.Taken] = []

    def again(**asked: object) -> claims.Taken | None:
        if len(seen) == 20:
            return None
        taken = whole(**asked)
        seen.extend([taken] if taken else [])
        return seen[0]

    return again


def test_the_first_page_is_measured_at_two_sizes_beside_a_bare_view(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "ROUNDS", 1)
    monkeypatch.setattr(paging, "SECONDS", 0.3)
    before = databases()
    report = paging.measure(items=600, say=quiet)
    assert (report["pending"], report["decided"]) == (600, 1_800)
    assert report["queries"] == report["small_queries"] <= 20
    assert report["ratio"] == pytest.approx(report["ours"] / report["floor"], abs=0.02)
    assert databases() == before
    sign_in("web")


def test_a_page_that_counts_all_or_skips_breaks_the_measure(live: None) -> None:
    with pytest.raises(paging.Broken, match="skips or counts"), paging._checked(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM approvals_proposal")


def test_the_triggers_are_off_while_filling_and_always_afterwards(live: None) -> None:
    with throwaway.database():
        with filling.untriggered(["approvals_claim", "approvals_proposal"]):
            assert "O" not in modes()
            assert "D" in modes()
        assert modes() == {"A"}
    sign_in("web")


def modes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgenabled::text FROM pg_trigger WHERE NOT tgisinternal")
        return {mode for (mode,) in cursor.fetchall()}


def test_a_process_that_fails_fails_the_measure(live: None) -> None:
    def act(number: int) -> None:
        if number:
            raise RuntimeError("no more")

    with pytest.raises(crowd.CrowdError, match="no more"):
        crowd.at_once(2, act)


def test_a_measure_that_breaks_off_ends_with_one_line_and_leaves_nothing(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("the queue is gone")

    before = databases()
    monkeypatch.setattr(claims, "claim_next", broken)
    with pytest.raises(CommandError, match="the queue is gone"):
        call_command("benchmark", "claims", "--size", "10", stdout=StringIO(), stderr=StringIO())
    assert databases() == before
    with signed_in("web"), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() != ("postgres",)


def test_runs_go_through_two_real_workers_and_are_counted_beside_the_floor(
    live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ALONE", 2)
    before, said = databases(), []
    report = running.measure(items=6, say=said.append)
    assert report["runs"] == 6
    assert report["rows_per_run"] > 10, "the floor writes as many rows as a run does"
    assert 0 < report["commits_per_run"] < 50
    assert report["ratio"] == pytest.approx(report["ours"] / report["floor"], rel=0.2)
    assert databases() == before
    assert "6 runs" in said
    sign_in("web")


def test_a_backtest_is_timed_and_the_gate_says_the_same(live: None) -> None:
    before, said = databases(), []
    report = looking_back.measure(items=300, sample=40, say=said.append)
    assert report["equal"] == report["replayed"] == 40 * report["backtests"]
    assert report["versions"] >= 30
    assert all(report[outcome] > 0 for outcome in ("rejected", "edited", "undone"))
    assert databases() == before
    assert any("looked at 3" in line for line in said)
    sign_in("web")


def test_a_backtest_that_says_otherwise_than_the_gate_is_named(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtesting, "_came_in", lambda *_: (0, ("unclear",)))
    with pytest.raises(looking_back.Differs, match="at the gate"):
        looking_back.measure(items=300, sample=300, say=quiet)
    sign_in("web")
