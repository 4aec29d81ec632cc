"""Decides what to propose for a ticket: queue, priority and tags, or a hand-off.
Pure: no Django, clock, network or settings. It proposes one `ticket.update` at most, quotes only what stands
in the text, and never does what a message tells it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from pydantic import JsonValue

from agents import hostile
from agents.triage import language, matters
from agents.triage.classifier import Model, Prediction
from agents.types import Draft, Evidence, Handoff, Outcome
from portal.retold import kept

ACTION = "ticket.update"
SOURCE = "ticket:"
TWO_MATTERS = "two_matters"
WORTH_PROPOSING = 0.35
"""Below this confidence a proposal would be a guess that somebody has to undo."""
SURE_AFTER_TURN = 0.3
SURE_OF_SENTENCE = 0.9
"""How sure it must be of each of two parts: less where the writer says "also" than between sentences."""
UNFAMILIAR = 0.5
"""Factor for text the model was not calibrated on: another language, or mostly words it never met."""
LONGEST_SPLIT = 12
"""Messages of more parts are told as one story: their parts are not asked one by one."""
LONGEST_TEXT = 20_000
LONGEST_QUOTE = 200
"""Characters: what is read of a message, what is cited of it."""
_NO_MATTER = frozenset({"out_of_scope"})
SPEAKS_FOR = kept("speaks for %(queue)s")
_RAISES = kept("raises a second matter, for %(queue)s, priority %(priority)s")
_NO_WORDS = kept("The message holds no words to go by.")
_NOT_CLEAR = kept("It is not clear enough what the message is about.")
_ONE = kept("A matter for %(queue)s, priority %(priority)s.")
_ONE_UNSURE = kept(
    "A matter for %(queue)s, priority %(priority)s; at %(confidence)s it is too unsure to go without a person."
)
_TWO = kept("A matter for %(queue)s, priority %(priority)s, and a second one for %(second)s.")
_TWO_UNSURE = kept(
    "A matter for %(queue)s, priority %(priority)s, and a second one for %(second)s;"
    " at %(confidence)s it is too unsure to go without a person."
)


@dataclass(frozen=True, slots=True)
class _Matter:
    """One matter: the words it was read from, and what the model says of them."""

    words: str
    said: Prediction


def decide(text: str, model: Model, *, floor: float = 0.80, queues: Collection[str]) -> Outcome:
    """One draft of `ticket.update` (its target is for the workflow to fill in), or a hand-off "unclear".

    `floor` is the workspace's confidence for routing without a person, `queues` those it has.
    Confidence is the calibrated probability that queue and priority are both right.
    """
    reading = hostile.read(text[:LONGEST_TEXT])
    words = matters.own_words(reading.matter)
    if not re.search(r"\w", words):
        return _hand_off(_NO_WORDS, None, reading.flags)
    tongue = language.name_language(words)
    strange = bool(tongue) or model.familiarity(words) < UNFAMILIAR
    found = _find_matters(words, model)
    confidence = min(matter.said.confidence for matter in found) * (UNFAMILIAR if strange else 1.0)
    lead = found[0].said
    if confidence < WORTH_PROPOSING or any(matter.said.queue not in queues for matter in found):
        return _hand_off(_NOT_CLEAR, lead, reading.flags)
    flags = ((TWO_MATTERS,) if len(found) > 1 else ()) + reading.flags
    draft = Draft(
        action=ACTION,
        target="",
        args={"queue": lead.queue, "priority": lead.priority, "tags": [*_name_tags(found, tongue)]},
        confidence=confidence,
        justification=_justify(found, confidence, floor),
        evidence=(*_cite(text, found[0], model), *(_second(text, matter) for matter in found[1:])),
        flags=flags,
    )
    return Outcome(drafts=(draft,), flags=flags, confidence=confidence)


def _find_matters(words: str, model: Model) -> list[_Matter]:
    """One matter, or the two most urgent ones, the leading one first. The model is asked once for all of it."""
    ways = [
        (parts, sure)
        for parts, sure in (
            (matters.split_at_turns(words), SURE_AFTER_TURN),
            (matters.split_sentences(words), SURE_OF_SENTENCE),
        )
        if 1 < len(parts) <= LONGEST_SPLIT
    ]
    texts = list(dict.fromkeys([words, *(part for parts, _ in ways for part in parts)]))
    told = {text: _Matter(text, said) for text, said in zip(texts, model.predict_many(texts), strict=True)}
    for parts, sure in ways:
        sound = [told[p] for p in parts if told[p].said.confidence >= sure and told[p].said.queue not in _NO_MATTER]
        ranked = sorted(sound, key=lambda m: (m.said.priority, -m.said.confidence))
        others = [m for m in ranked if m.said.queue != ranked[0].said.queue]
        if others:
            return [ranked[0], others[0]]
    return [told[words]]


def _name_tags(found: list[_Matter], tongue: str) -> tuple[str, ...]:
    also = tuple(f"also:{matter.said.queue}" for matter in found[1:])
    return also + ((f"language:{tongue}",) if tongue else ())


def _cite(text: str, matter: _Matter, model: Model) -> list[Evidence]:
    """The loudest words of the matter where they stand to the letter in the text; else the matter itself."""
    claim = SPEAKS_FOR % {"queue": _speak(matter.said.queue)}
    quotes = (_find_verbatim(text, term) for term in model.terms(matter.words, matter.said))
    cited = [Evidence(claim, SOURCE, quote, "queue") for quote in dict.fromkeys(quotes) if quote]
    opening = matter.words[:LONGEST_QUOTE]
    return cited or [Evidence(claim, SOURCE, opening if opening in text else "", "queue")]


def _second(text: str, matter: _Matter) -> Evidence:
    """Another matter of the same message, with the words that raise it: nobody must find it by chance."""
    claim = _RAISES % {"queue": _speak(matter.said.queue), "priority": matter.said.priority}
    return Evidence(claim, SOURCE, _find_verbatim(text, matter.words)[:LONGEST_QUOTE], "tags")


def _find_verbatim(text: str, term: str) -> str:
    pattern = r"\W+".join(re.escape(word) for word in term.split())
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return found.group(0) if found else ""


def _justify(found: list[_Matter], confidence: float, floor: float) -> str:
    sure = confidence >= floor
    sentence = (_TWO if sure else _TWO_UNSURE) if len(found) > 1 else (_ONE if sure else _ONE_UNSURE)
    return sentence % {
        "queue": _speak(found[0].said.queue), "priority": found[0].said.priority,
        "second": _speak(found[-1].said.queue), "confidence": f"{confidence:.0%}",
    }  # fmt: skip


def _speak(queue: str) -> str:
    return queue.replace("_", " ")


def _hand_off(summary: str, said: Prediction | None, flags: tuple[str, ...]) -> Outcome:
    """What the model made of it goes along: an unclear message that may be urgent is not found out by waiting."""
    if said is None:
        return Outcome(handoff=Handoff("unclear", summary), flags=flags)
    likeliest: dict[str, JsonValue] = {queue: round(share, 3) for queue, share in said.alternatives[:3]}
    found: dict[str, JsonValue] = {"queues": likeliest, "priority": said.priority}
    return Outcome(handoff=Handoff("unclear", summary, found), flags=flags, confidence=said.alternatives[0][1])
