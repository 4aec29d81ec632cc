"""Values that are asked of a model and come back. Pure: no Django, clock, network or settings.

A step asks for a typed value; code validates it, and no answer chooses what happens next. Money in micro-dollars.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents import marking
from audit import canonical, redaction
from audit.recognisers import Known

SHORT = 2_000
"""Characters that a long part is cut to where a cap is near: its beginning and its end."""
LONGEST_FAULT = 300


class GatewayError(Exception):
    """Base of what can go wrong on the way to a model."""


class Outcome(StrEnum):
    """How a call ended."""

    OPEN = "open"  # reserved and not settled: it is under way, or its worker died
    ANSWERED = "answered"
    MALFORMED = "malformed"  # it answered something else than was asked for
    REFUSED = "refused"  # the model will not say
    LIMITED = "limited"  # told to wait
    UNREACHABLE = "unreachable"  # no connection, no whole answer in time, a failure of the server
    MISUSED = "misused"  # a wrong key, no such model: for an admin to mend
    OVERCHARGED = "overcharged"  # it reports more tokens than it was asked for
    LOST = "lost"  # the worker died before the answer was recorded


AWAY = frozenset({Outcome.LIMITED, Outcome.UNREACHABLE, Outcome.MISUSED, Outcome.OVERCHARGED})
"""The next backend is asked after these."""


class Said(BaseModel):
    """Base of every value a model is asked for: nothing extra, nothing missing, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)

    confidence: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Part:
    """A passage of a request. What a stranger wrote is `data`, never an instruction; `dispensable` goes first
    where a cap is near. `origin` says whose text it is, `holds` the classes of data in it, where they are known.
    """

    kind: Literal["instruction", "data"]
    name: str
    text: str
    dispensable: bool = False
    origin: marking.Origin = "customer"
    holds: frozenset[marking.Data] = frozenset()


def _unchecked(_: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Request:
    """What one step asks. `most_tokens` bounds the answer; `check` says what is wrong with a value that fits the
    schema, "" where nothing is; no model of `but_models` is asked. `known` are the record's own personal values, which
    no model sees; `prompt` names the version of what the model is told.
    """

    step: str
    schema: type[Said]
    parts: tuple[Part, ...]
    most_tokens: int = 400
    check: Callable[[Any], str] = _unchecked
    but_models: frozenset[str] = frozenset()
    tiers: frozenset[int] = frozenset({1, 2})
    known: tuple[Known, ...] = ()
    prompt: str = ""

    @property
    def key(self) -> str:
        """SHA-256 (hex) of what is asked: the same again is the same question."""
        parts = [[part.kind, part.name, part.text] for part in self.parts]
        return canonical.sha256_hex([self.step, parts, self.json_schema(), self.most_tokens])

    @property
    def holds(self) -> frozenset[marking.Data]:
        """The classes of data that its parts are known to hold."""
        return frozenset().union(*(part.holds for part in self.parts))

    def json_schema(self) -> dict[str, Any]:
        """The schema as it is sent. Its bounds are whole numbers: the canonical form has no fractions."""
        return self.schema.model_json_schema()

    def rungs(self) -> Iterator["Request"]:
        """The request as it is, then narrower: without what is dispensable, then with long passages cut."""
        yield self
        kept = tuple(part for part in self.parts if not part.dispensable)
        if kept != self.parts:
            yield replace(self, parts=kept)
        cut = tuple(replace(part, text=shorten(part.text)) if part.kind == "data" else part for part in kept)
        if cut != kept:
            yield replace(self, parts=cut)


def shorten(text: str) -> str:
    """Beginning and end of a long text, the gap said."""
    if len(text) <= SHORT:
        return text
    head, tail = SHORT * 3 // 4, SHORT // 4
    return f"{text[:head]}\n[... {len(text) - SHORT} characters left out ...]\n{text[-tail:]}"


def read(request: Request, marked: marking.Marked, content: str) -> tuple[Said | None, str]:
    """The value of an answer as it was said, or what is wrong with it in words that quote nothing of it."""
    try:
        value = request.schema.model_validate_json(content)
        fault = request.check(restore(request, marked, value.model_dump(mode="json")))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(one) for one in first["loc"])
        fault = f"{where}: {first['msg']}".lstrip(": ")
    except (marking.MarkingError, redaction.RedactionError) as error:
        fault = str(error)
    return (None, fault[:LONGEST_FAULT]) if fault else (value, "")


def restore(request: Request, marked: marking.Marked, value: Any) -> Said:
    """The value with what was kept back from the model in its places.

    Raises:
        redaction.RedactionError, marking.MarkingError, pydantic.ValidationError.
    """
    return request.schema.model_validate(marking.restore(value, marked))


@dataclass(frozen=True, slots=True)
class Offer:
    """One model at one backend for one tier; prices in micro-dollars per million tokens. What holds data of a class in
    `barred` is not sent there.
    """

    tier: int
    backend: str
    version: int
    model: str
    input_price: int
    output_price: int
    deadline_seconds: int
    barred: frozenset[str] = frozenset()

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """Micro-dollars, rounded up."""
        return -(-(input_tokens * self.input_price + output_tokens * self.output_price) // 1_000_000)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What a call takes of the caps; money in micro-dollars, `wall_ms` in milliseconds."""

    money: int = 0
    tokens: int = 0
    model_calls: int = 0
    tool_calls: int = 0
    wall_ms: int = 0

    def within(self, left: Mapping[str, int]) -> bool:
        """Whether as much is left; a kind that `left` does not name has no cap."""
        return all(getattr(self, kind) <= most for kind, most in left.items())


@dataclass(frozen=True, slots=True)
class Past:
    """A call of this run that is on record. `value` is there where it was answered."""

    tier: int
    backend: str
    model: str
    outcome: Outcome
    error: str = ""
    value: Mapping[str, Any] | None = None
    cost: int = 0
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """The next call to make: which offer, how narrow, what was wrong with the last answer, the most it can take."""

    offer: Offer
    request: Request
    key: str
    wrong: str
    most: Amounts


@dataclass(frozen=True, slots=True)
class Answer:
    """A validated value and where it came from; `sure` says whether it is above the step's bar."""

    value: Said
    model: str
    tier: int
    sure: bool
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No model could say, and why: `budget`, `dear_step`, `unavailable`, `refused`, `malformed`, `barred` where no
    server may be given such data, or `none` where the workspace has no backend that may be asked.
    """

    reason: str
    words: str


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call ended. Tokens are -1 where nobody said how many; `sent` False: not a byte left this machine."""

    outcome: Outcome
    value: Mapping[str, Any] | None = None
    error: str = ""
    input_tokens: int = -1
    output_tokens: int = -1
    request_id: str = ""
    served_by: str = ""
    retry_seconds: float = 0.0
    sent: bool = True
    digest: str = ""
    content: str = field(default="", repr=False)
