"""Collects what each case tried and found, and prints one line per case: a pytest plugin of `make faults`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from tests.faults.cases import CASES


@dataclass
class Line:
    """What was seen of one case."""

    tests: int = 0
    failed: int = 0
    skipped: int = 0
    tried: int = 0
    lost: int = 0
    doubled: int = 0
    recovery: float = 0.0

    @property
    def held(self) -> bool:
        """Whether something was tried and nothing failed."""
        return not self.failed and self.tests > self.skipped

    @property
    def outcome(self) -> str:
        """How many tests, in words where not all of them held."""
        if self.failed:
            return f"{self.failed} of {self.tests} FAILED"
        return f"{self.tests - self.skipped}" + (f", {self.skipped} not possible here" if self.skipped else "")


class Report:
    """Registered by the runner."""

    def __init__(self) -> None:
        self.lines: dict[int, Line] = defaultdict(Line)
        self._failed: set[str] = set()
        self._skipped: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test at its very end: what must hold is looked at after it, and recorded then."""
        if report.failed:
            self._failed.add(report.nodeid)
        if report.skipped:
            self._skipped.add(report.nodeid)
        if report.when != "teardown":
            return
        properties = dict(report.user_properties)
        for number in numbers_of(report.nodeid):
            line = self.lines[number]
            line.tests += 1
            line.failed += report.nodeid in self._failed
            line.skipped += report.nodeid in self._skipped
            line.tried += 0 if report.nodeid in self._skipped else int(properties.get("tried", 1))
            line.lost += int(properties.get("lost", 0))
            line.doubled += int(properties.get("doubled", 0))
            line.recovery = max(line.recovery, float(properties.get("recovery", 0)))

    def table(self, wanted: Iterable[int]) -> str:
        """Markdown, one line per case."""
        rows = ["| case | fault | tests | tried | lost | doubled | longest recovery |", "|---|---|---|---|---|---|---|"]
        for number in wanted:
            case, line = CASES[number], self.lines.get(number)
            if line is None:
                rows.append(f"| {number} | {case.title} | NOT RUN | | | | |")
                continue
            took = f"{line.recovery:.1f} s" if line.recovery else ""
            figures = f"{line.outcome} | {line.tried} | {line.lost} | {line.doubled} | {took}"
            rows.append(f"| {number} | {case.title} | {figures} |")
        return "\n".join(rows)

    def total(self) -> str:
        """The one line that matters."""
        seen = self.lines.values()
        longest = max((line.recovery for line in seen), default=0.0)
        return (
            f"faults tried {sum(line.tried for line in seen)}, effects lost {sum(line.lost for line in seen)}, "
            f"doubled {sum(line.doubled for line in seen)}, longest recovery {longest:.1f} s"
        )

    def good(self, wanted: Iterable[int]) -> bool:
        """Whether every case wanted ran and held."""
        return all(n in self.lines and self.lines[n].held for n in wanted)


def numbers_of(node: str) -> list[int]:
    """The cases a test stands for."""
    plain = node.partition("[")[0]
    return [number for number, case in CASES.items() if any(plain == n or node == n for n in case.nodes)]
