"""What figures must reach: a JSON object of suites, each of figures with `at_least` or `at_most`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Bars = Mapping[str, Mapping[str, Mapping[str, float]]]


class BarsError(ValueError):
    """The file is not of that form; the message names it."""


def read(path: Path) -> Bars:
    """The bars of a file.

    Raises:
        BarsError.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for suite, wanted in found.items():
            for figure, bar in wanted.items():
                if not bar or set(bar) - {"at_least", "at_most"}:
                    raise BarsError(f"{path.name}: {suite}.{figure}: at_least or at_most")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise error if isinstance(error, BarsError) else BarsError(f"{path.name}: {error}") from error
    return dict(found)


@dataclass(frozen=True, slots=True)
class Held:
    """One figure against its bar, in words."""

    met: bool
    words: str

    def __str__(self) -> str:
        return f"{'met   ' if self.met else 'MISSED'} {self.words}"


def hold(reports: Sequence[Mapping[str, Any]], wanted: Bars) -> list[Held]:
    """Each figure against its bar; a figure or a suite that was not measured is missed."""
    there = {str(report["suite"]): report for report in reports}
    return [
        _held(f"{suite} {name}", there.get(suite, {}).get(name), bar)
        for suite, figures in wanted.items()
        for name, bar in figures.items()
    ]


def _held(name: str, figure: float | None, bar: Mapping[str, float]) -> Held:
    asked = ", ".join(f"{bound.replace('_', ' ')} {value}" for bound, value in bar.items())
    if figure is None:
        return Held(False, f"{name} was not measured ({asked})")
    met = bar.get("at_least", figure) <= figure <= bar.get("at_most", figure)
    return Held(met, f"{name} is {figure} ({asked})")
