"""The verifier as outsiders run it, on large bundles: how long it takes, and that its memory does not grow."""

from pathlib import Path

import pytest

from agents.benchmarks import auditing
from tests.audit.seals import SIGNER

WITHIN_SECONDS, WITHIN_MB = 5.0, 200.0


@pytest.mark.timeout(600)
def test_63_a_hundred_thousand_entries_in_five_seconds_and_flat_memory(tmp_path: Path) -> None:
    figures = {
        size: auditing.verified(auditing.bundle(tmp_path / str(size), size, SIGNER), SIGNER.verifier)
        for size in (1_000, 100_000, 1_000_000)
    }
    print({size: f"{seconds:.2f} s, {megabytes:.0f} MB" for size, (seconds, megabytes) in figures.items()})
    assert figures[100_000][0] < WITHIN_SECONDS
    assert figures[1_000_000][1] < WITHIN_MB
