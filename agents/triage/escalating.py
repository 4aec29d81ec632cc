"""What a model is asked about a ticket that the classifier is unsure of, and what its answer makes of the draft.
Pure: no Django, clock, network or settings. Passages that talk to the machine are not shown to it.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

from pydantic import Field, JsonValue, create_model

from agents import hostile
from agents.gateway.base import Answer, Part, Request, Said, Unanswered
from agents.marking import Data
from agents.prompts import Prompt
from agents.steps import heeding
from agents.triage import deciding, matters
from agents.types import Draft, Evidence, Outcome, Rejected
from portal.retold import kept

STEP = "classify"
NO_ANSWER, BELOW_BAR, DEAR = "no_model_answer", "below_bar", "dear_step"
LONGEST_QUOTE = 200
MOST_TOKENS = 200
SHOWN = frozenset({Data.MESSAGE})
_AS_READ = kept(
    "A matter for %(queue)s, priority %(priority)s, as %(model)s reads it;"
    " the classifier alone was unsure (%(before)s)."
)


def may_ask(outcome: Outcome, bar: float) -> bool:
    """Whether the classifier's word is not enough, and there are words to ask about."""
    readable = bool(outcome.drafts) or bool(outcome.handoff and outcome.handoff.found.get("queues"))
    return readable and outcome.confidence < bar


def request(text: str, queues: Collection[str], prompt: Prompt, rejected: Sequence[Rejected] = ()) -> Request:
    """Queue, priority and a quote, by schema; the quote must stand in the text. With what people rejected before."""
    names = tuple(sorted(queues))
    fields: dict[str, Any] = {
        "queue": (Literal[names], ...), "priority": (Literal["P1", "P2", "P3", "P4"], ...),
        "quote": (str, Field(max_length=LONGEST_QUOTE)),
    }  # fmt: skip
    schema = create_model("Triage", __base__=Said, **fields)
    shown = matters.own_words(hostile.read(text[: deciding.LONGEST_TEXT]).matter)

    def check(value: Any) -> str:
        return "" if value.quote in text else "quote: it does not stand in the message to the letter"

    told = Part("instruction", "task", prompt.fill(queues=", ".join(names)))
    parts = (told, Part("data", "message", shown, holds=SHOWN), *heeding.part(rejected, SHOWN))
    return Request(STEP, schema, parts, MOST_TOKENS, check, prompt=prompt.name)


def heed(outcome: Outcome, answer: Answer | Unanswered) -> Outcome:
    """The draft as the model reads the message; as the classifier does, flagged, where no model could say."""
    if isinstance(answer, Unanswered):
        return (
            outcome
            if answer.reason == "none"
            else _flag(outcome, DEAR if answer.reason == DEAR else NO_ANSWER, answer.words)
        )
    said = cast(Any, answer.value)
    before = outcome.drafts[0] if outcome.drafts else None
    tags = list(cast(list[JsonValue], before.args.get("tags", []))) if before else []
    queue = said.queue.replace("_", " ")
    words = _AS_READ % {
        "queue": queue, "priority": said.priority, "model": answer.model, "before": f"{outcome.confidence:.0%}"
    }  # fmt: skip
    args: dict[str, JsonValue] = {
        "queue": said.queue, "priority": said.priority, "tags": [t for t in tags if t != f"also:{said.queue}"],
    }  # fmt: skip
    quoted = Evidence(deciding.SPEAKS_FOR % {"queue": queue}, deciding.SOURCE, said.quote, "queue")
    flags = (*outcome.flags, *(() if answer.sure else (BELOW_BAR,)))
    draft = Draft(deciding.ACTION, "", args, said.confidence, words, (quoted,), flags)
    return Outcome(drafts=(draft,), flags=flags, confidence=said.confidence)


def _flag(outcome: Outcome, flag: str, words: str) -> Outcome:
    drafts = tuple(
        replace(draft, flags=(*draft.flags, flag), justification=f"{draft.justification} {words}")
        for draft in outcome.drafts
    )
    handoff = outcome.handoff and replace(outcome.handoff, summary=f"{outcome.handoff.summary} {words}")
    return replace(outcome, drafts=drafts, handoff=handoff, flags=(*outcome.flags, flag))
