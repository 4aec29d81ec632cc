"""`evaluate dedupe`: both ways measured, the pairs looked at after all answers, and nothing left behind."""

import json
from pathlib import Path
from shutil import copy

import pytest

from tests.agents.test_evaluate import GOLDEN, databases, evaluate

FOLDER = GOLDEN / "dedupe"


@pytest.fixture
def report(live: None, tmp_path: Path) -> dict[str, object]:
    return evaluate("dedupe", FOLDER, tmp_path / "pairs.jsonl")


def test_both_ways_are_measured_and_nothing_is_left_behind(report: dict[str, object], tmp_path: Path) -> None:
    for way in ("without_birth_date", "with_birth_date"):
        found = report[way]
        assert isinstance(found, dict)
        assert found["precision"] >= 0.99
        assert found["recall"] >= 0.90
    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert {tuple(sorted(line)) for line in lines} == {("left", "right", "score", "used_birth_date")}
    assert all(line["left"] < line["right"] and line["score"] >= 0.99 for line in lines)
    assert {line["used_birth_date"] for line in lines} == {True, False}
    assert databases() == set()


def test_predictions_are_the_same_without_the_pairs(report: dict[str, object], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    copy(FOLDER / "dedupe_records.csv", bare)
    unscored = evaluate("dedupe", bare, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_text() == (tmp_path / "pairs.jsonl").read_text()
    assert "dedupe_pairs.csv" in str(unscored["unscored"])
