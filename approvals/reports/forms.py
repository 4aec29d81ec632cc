"""The form of a report, `countersign.report.v1`: the page shows these values and no others. Pure.

A name that is gone or changes its meaning makes it v2; another one beside these does not. Times are UTC, money is
in words where it is shown and in minor units where it is a number.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Form(BaseModel):
    """Every part of a report."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)


class Subject(Form):
    """What the report is about. `href`s are addresses inside this installation."""

    proposal: int
    revision: int
    action: str
    title: str
    summary: str
    target: str
    case: int
    case_title: str
    tier: str
    href: str


class Outcome(Form):
    """What became of it. `at` and `who` are of the entry that ended it, None and "" while it is open."""

    state: str
    words: str
    because: str
    at: datetime | None
    who: str
    outside: list[str]


class Asked(Form):
    """Who wanted it, and why. `run` is the agent's run, 0 where a person proposed it."""

    who: str
    actor: str
    version: str
    run: int
    at: datetime | None
    because: str


class Changed(Form):
    """One field before and after; None is a field that was not there."""

    name: str
    label: str
    before: str | None
    after: str | None


class Effect(Form):
    """What reached somebody outside: labels and values, and the text that was sent to the letter."""

    title: str
    facts: list[tuple[str, str]]
    text: str


class Changes(Form):
    """What was proposed at the revision decided on. `erased` says that its values were erased since."""

    digest: str
    erased: bool
    fields: list[Changed]
    effects: list[Effect]
    written: str


class Rule(Form):
    """One rule that spoke, by its name and version, with what it says in words."""

    kind: Literal["threshold", "policy"]
    name: str
    version: str
    words: str


class Flag(Form):
    """What was noticed about it."""

    label: str
    meaning: str


class Allowed(Form):
    """Why it might be done, or might not."""

    people: str
    reasons: list[str]
    rules: list[Rule]
    flags: list[Flag]
    confidence_pct: int | None
    hold_seconds: int


class Cited(Form):
    """One piece of evidence: `source` by its id, `where` in words. What this reader may not open shows neither claim
    nor quote.
    """

    claim: str
    source: str
    where: str
    quote: str
    version: int
    readable: bool
    href: str


class Act(Form):
    """What one person or agent did with it. `seconds` is how long it had been on their screen, where that is known."""

    entry: int
    at: datetime
    who: str
    role: str
    words: str
    revision: int
    digest: str
    seconds: int | None
    present: bool
    note: str
    edits: list[Changed]


class Back(Form):
    """One undo of it."""

    proposal: int
    state: str
    words: str
    href: str


class Undo(Form):
    """How it stands with the way back."""

    words: str
    undoes: int
    by: list[Back]


class Kept(Form):
    """Where and when a checkpoint over the entry was kept outside the database."""

    where: str
    at: datetime


class Seal(Form):
    """The leaf's number, and the signed checkpoint that its proof leads to."""

    index: int
    origin: str
    size: int
    root: str
    at: datetime
    anchors: list[Kept]


class Proved(Form):
    """One entry: `digest` is the SHA-256 of 0x00 and its bytes. `part` says which of them count most."""

    entry: int
    words: str
    at: datetime
    part: Literal["", "asked", "approval", "outcome"]
    digest: str
    seal: Seal | None
    href: str


class Proof(Form):
    """Every entry that names it, oldest first, and in words how far it is proved."""

    words: str
    entries: list[Proved]


class Report(Form):
    """All of it. `as_of` is when it was put together."""

    form: Literal["countersign.report.v1"] = Field("countersign.report.v1", alias="schema")
    as_of: datetime
    workspace: str
    subject: Subject
    outcome: Outcome
    asked: Asked
    changes: Changes
    allowed: Allowed
    evidence: list[Cited]
    people: list[Act]
    undo: Undo
    proof: Proof
