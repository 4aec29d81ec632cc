"""Values that pass from step to step of a run. Pure: no Django, clock, network or settings.

An agent ends its work with an Outcome: drafts for the gate, or a hand-off or a question for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Evidence:
    """One claim with its citation.

    `source` is `kind:id` (`ticket:T-12`, `order:#W100`, `clause:RET-4`, `method:gift_card_1`, `contact:c-7`),
    `quote` the passage it rests on to the letter, `field` the changed field it speaks for ("" is all of them).
    `version` is that of a clause as the run read it, put in by the workflow from what was read.
    """

    claim: str
    source: str
    quote: str = ""
    field: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposed write. `args` fit the action's schema; `key` names it for `depends_on` of its siblings.

    `verified` says in words who looked at it again and agreed, "" where nobody did.
    """

    action: str
    target: str
    args: Mapping[str, JsonValue]
    confidence: float
    justification: str
    evidence: tuple[Evidence, ...] = ()
    flags: tuple[str, ...] = ()
    key: str = ""
    depends_on: tuple[str, ...] = ()
    verified: str = ""


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a person must do instead. `reason` is one of the presets, `found` what is known so far."""

    reason: str
    summary: str
    found: Mapping[str, JsonValue] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """What a reviewer told the agent about one of its proposals; `target` is what that proposal is about."""

    target: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """An instruction to answer, beside the draft that was sent back.

    `said` is all that was ever told in this case, oldest first; the last is the instruction, cited as `source`
    (`instruction:7`). `args` and `depends_on` are those of the agent's newest draft of this proposal.
    """

    source: str
    said: tuple[Said, ...]
    action: str
    target: str
    args: Mapping[str, JsonValue] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The instruction itself."""
        return self.said[-1].text

    def about(self, target: str) -> tuple[str, ...]:
        """All that was told about one target, oldest first."""
        return tuple(said.text for said in self.said if said.target == target)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A proposal of the same agent in the same case that a person rejected, as the agent drafted it last.

    `why` is the preset in words, `note` what they wrote beside it: the word of staff, where no customer can write.
    `source` is the proposal (`proposal:12`); `may_come_again` where it was too early rather than wrong.
    """

    source: str
    action: str
    target: str
    args: Mapping[str, JsonValue]
    why: str
    note: str = ""
    may_come_again: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One fact that only the customer knows, typed: what kind of answer counts, and among what.

    `kind` is order_number, items, destination, reason, yes_no, identity or text; `options` are (key, words), empty
    where the answer is open; `about` is the record it belongs to (`order:#W100`), "" for none.
    """

    name: str
    kind: str
    question: str
    options: tuple[tuple[str, str], ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What must be asked before work can go on.

    `text` is ready to send, `asks` names the missing facts, `facts` are the same with the type of each answer.
    """

    text: str
    asks: tuple[str, ...]
    found: Mapping[str, JsonValue] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    facts: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run hands in. At least one of drafts, handoff, question is there, or nothing is to be done."""

    drafts: tuple[Draft, ...] = ()
    handoff: Handoff | None = None
    question: Question | None = None
    flags: tuple[str, ...] = ()
    confidence: float = 0.0
