"""The forms of what is handed in, checked at the gate: an agents process may write what it likes. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError


class PayloadError(ValueError):
    """A payload that is not of its form; the message names the field."""


class Citation(BaseModel):
    """One claim with its source, see `agents.types.Evidence`; `version` of a clause as it was read, 0 where unknown."""

    model_config = ConfigDict(strict=True, frozen=True)

    claim: str = ""
    source: str = ""
    quote: str = ""
    field: str = ""
    version: Annotated[int, Field(ge=0, lt=2**31)] = 0


class Paper(BaseModel):
    """What every kind of submission may carry."""

    model_config = ConfigDict(strict=True, frozen=True)

    evidence: list[Citation] = Field(default_factory=list)
    flags: list[str] = Field(default_factory=list)
    found: dict[str, JsonValue] = Field(default_factory=dict)


class ActionPaper(Paper):
    """One proposed write; `confidence` is a share; `asks` says that a reply waits for the customer's answer."""

    action: str
    target: str
    args: dict[str, JsonValue]
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    justification: str = ""
    asks: bool = False


class HandoffPaper(Paper):
    """What a person must do instead."""

    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "unclear"
    summary: str


class AskedPaper(BaseModel):
    """One typed fact of a question, see `agents.types.Asked`."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: str
    kind: str = "text"
    question: str
    options: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)
    about: str = ""


class QuestionPaper(Paper):
    """What must be asked first; `facts` say what kind of answer counts."""

    text: str
    asks: list[str] = Field(default_factory=list)
    facts: list[AskedPaper] = Field(default_factory=list)


P = TypeVar("P", bound=Paper)


def read(form: type[P], payload: Any) -> P:
    """The payload as its form.

    Raises:
        PayloadError: naming the first field that is off.
    """
    try:
        return form.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "payload"
        raise PayloadError(f"{where}: {first['msg']}") from error


def asked(found: Mapping[str, Any]) -> list[AskedPaper]:
    """The typed facts of a question as its hand-off keeps them; what is of another form is left out."""
    rows = found.get("asked")
    kept = []
    for row in rows if isinstance(rows, list) else []:
        try:
            kept.append(AskedPaper.model_validate(row))
        except ValidationError:
            continue
    return kept


def text_of(payload: Any, name: str) -> str:
    """A text out of a payload whose form is off, for the hand-off it becomes."""
    value = payload.get(name) if isinstance(payload, Mapping) else None
    return value[:200] if isinstance(value, str) else ""


def siblings(depends_on: object) -> list[str]:
    """The keys of siblings in a submission's column; one of the wrong form names none."""
    return [str(key) for key in depends_on] if isinstance(depends_on, list) else []
