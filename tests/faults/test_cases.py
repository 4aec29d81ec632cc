"""The table of cases names tests that are there."""

from pathlib import Path

import pytest

from tests.faults.cases import CASES, STORIES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.short
def test_every_case_has_its_tests() -> None:
    assert list(CASES) == sorted(CASES)
    assert set(CASES) == set(range(1, 64))
    assert [number for number, case in CASES.items() if not case.nodes] == []
    missing = []
    for node in [STORIES, *(node for case in CASES.values() for node in case.nodes)]:
        path, _, name = node.partition("::")
        if f"def {name}(" not in (ROOT / path).read_text():
            missing.append(node)
    assert missing == []
