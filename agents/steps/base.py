"""What an agent is, and how its steps are accounted for. The workflow owns the order and the state of a run.

A step is a function over frozen values; `Trace.step` runs it and keeps digests of what went in and came out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from pydantic_core import to_jsonable_python

from agents.lines import Line
from agents.tools import Tools
from agents.types import Outcome, Told
from audit import canonical

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Taken:
    """One step that was taken. Digests are SHA-256 (hex) over canonical JSON; `micros` is its duration.

    `began_ns` is on the clock of `time.perf_counter_ns`.
    """

    name: str
    input_digest: str
    output_digest: str
    micros: int
    began_ns: int = 0


@dataclass(slots=True)
class Trace:
    """The steps of one run, in order, kept in memory until the run ends; `began_ns` as in `Taken`."""

    taken: list[Taken] = field(default_factory=list)
    began_ns: int = field(default_factory=time.perf_counter_ns)
    _results: dict[int, tuple[object, str]] = field(default_factory=dict)

    def step(self, name: str, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one step; tools and models come bound to `function`, so that only values are digested."""
        started = time.perf_counter_ns()
        result = function(*args, **kwargs)
        micros = (time.perf_counter_ns() - started) // 1000
        inputs = digest([self.digest(value) for value in (*args, *kwargs.values())])
        self.taken.append(Taken(name, inputs, self.digest(result), micros, started))
        return result

    def digest(self, value: object) -> str:
        """What a tool or a step gave is often what the next one takes: it is digested once."""
        held, known = self._results.get(id(value), (None, ""))
        if held is not value or not known:
            known = digest(value)
            self._results[id(value)] = (value, known)
        return known


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: the lines it takes, the tools it may use, the actions it may propose, and its work.

    `work(subject, tools, trace, told)` reads, decides and verifies; only a broken program makes it raise. `told` is
    what a reviewer said who sent a proposal back, else None.
    """

    name: str
    version: str
    line: type[Line]
    tools: frozenset[str]
    actions: frozenset[str]
    work: Callable[[str, Tools, Trace, Told | None], Outcome]


def digest(value: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of a value; fractions enter as text, since the form has none."""
    return canonical.sha256_hex(_exact(to_jsonable_python(value)))


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {name: _exact(inner) for name, inner in value.items()}
    return [_exact(inner) for inner in value] if isinstance(value, list) else value
