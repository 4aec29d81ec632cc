"""A second model's look at drafts of medium and high stakes. It may raise a flag or stop; it lowers and allows nothing.

It is of another name than the models that proposed, and sees the case, the records and what would be done, not why the
proposer thinks so. Where it does not answer, a person is told.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, cast

from pydantic import Field
from pydantic_core import to_jsonable_python

from agents import hostile
from agents.gateway.base import Answer, Part, Request, Said, Unanswered
from agents.gateway.plans import VERIFIER
from agents.marking import Data, Origin
from agents.prompts import Prompt
from agents.steps import heeding, verify
from agents.steps.base import Trace
from agents.tools import Tools
from agents.types import Draft, Outcome
from audit.recognisers import Known
from portal.retold import kept

STEP = "second_look"
DOUBTS, NOT_VERIFIED = "second_model_doubts", "not_verified"
_OBJECTS = kept("another model, %(model)s, objects: %(why)s")
_DOUBTS_IT = kept("Another model, %(model)s, doubts it: %(why)s.")
_AGREES = kept("Another model, %(model)s, saw the same evidence and agrees.")
_REMARKS = kept("Another model, %(model)s, saw the same evidence and agrees, with a remark: %(why)s.")
_NO_REASON = kept("no reason given")
_NOT_SURE = kept("it is not sure")
MOST_TOKENS = 400
_ORIGINS: Mapping[str, Origin] = {"message": "customer", "quoted": "customer", "clauses": "page"}
_PERSON, _MONEY = frozenset({Data.IDENTITY, Data.CONTACT}), frozenset({Data.ORDER, Data.PAYMENT})
_WRITTEN = frozenset({Data.MESSAGE})
# What the values shown hold, by name; of drafts and quotes by what they are about.
_HOLDS: Mapping[str, frozenset[Data]] = {
    "message": _WRITTEN, "sender": frozenset({Data.IDENTITY}), "orders": _MONEY, "contact": _PERSON, "other": _PERSON,
    "clauses": frozenset(),
}  # fmt: skip
_ABOUT: Mapping[str, frozenset[Data]] = {
    "contact": _PERSON, "order": _MONEY, "method": _MONEY, "refund": _MONEY, "ticket": _WRITTEN, "clause": frozenset(),
    "instruction": frozenset(),
}  # fmt: skip
_ANY = frozenset(Data) - {Data.SECRET}


class Verdict(Said):
    """What the second model says of all the drafts together."""

    verdict: Literal["agree", "doubt", "wrong"]
    doubts: list[str] = Field(max_length=5)


def look(
    tools: Tools, trace: Trace, outcome: Outcome, shown: Mapping[str, Any], known: Sequence[Known] = ()
) -> Outcome:
    """The outcome as it is, flagged, or stopped. `shown` are message and records by name, as they were read, `known`
    the personal values of the record, which are kept back.
    """
    grave = tuple(draft for draft in outcome.drafts if tools.is_grave(draft))
    if not grave:
        return outcome
    return trace.step(STEP, partial(_look, tools, shown, tuple(known)), outcome, grave)


def _look(
    tools: Tools, shown: Mapping[str, Any], known: tuple[Known, ...], outcome: Outcome, grave: tuple[Draft, ...]
) -> Outcome:
    asked = _request(grave, shown, tools.asked_models, tools.prompt(STEP), known)
    held = _about(one.action.partition(".")[0] for one in tools.rejected) | _WRITTEN
    said = tools.ask(replace(asked, parts=(*asked.parts, *heeding.part(tools.rejected, held))))
    if isinstance(said, Unanswered):
        return outcome if said.reason == "none" else _flag(outcome, grave, NOT_VERIFIED, said.words)
    return heed(outcome, grave, said)


def heed(outcome: Outcome, grave: tuple[Draft, ...], said: Answer) -> Outcome:
    """What a verdict makes of the outcome."""
    verdict = cast(Verdict, said.value)
    words = "; ".join(" ".join(doubt.split())[:200] for doubt in verdict.doubts)
    if verdict.verdict == "wrong":
        return verify.judge(outcome, [_OBJECTS % {"model": said.model, "why": words or _NO_REASON}])
    if verdict.verdict == "agree" and said.sure:
        return _agreed(outcome, grave, (_REMARKS if words else _AGREES) % {"model": said.model, "why": words})
    return _flag(outcome, grave, DOUBTS, _DOUBTS_IT % {"model": said.model, "why": words or _NOT_SURE})


def _request(
    grave: tuple[Draft, ...], shown: Mapping[str, Any], models: frozenset[str], prompt: Prompt,
    known: tuple[Known, ...] = (),
) -> Request:  # fmt: skip
    drafts = [{"action": d.action, "target": d.target, "args": dict(d.args)} for d in grave]
    quoted = [{"source": e.source, "quote": e.quote} for d in grave for e in d.evidence if e.quote]
    values = {**shown, "drafts": drafts, "quoted": quoted}
    holds = {name: _HOLDS.get(name, _ANY) for name in shown}
    holds["drafts"] = _about(d.action.partition(".")[0] for d in grave)
    holds["quoted"] = _about(str(piece["source"]).partition(":")[0] for piece in quoted)
    parts = [
        Part("data", name, _text(value), name == "quoted", _ORIGINS.get(name, "record"), holds[name])
        for name, value in values.items()
    ]
    return Request(
        STEP, Verdict, (Part("instruction", "task", prompt.text), *parts), MOST_TOKENS, but_models=models,
        tiers=frozenset({VERIFIER}), known=known, prompt=prompt.name,
    )  # fmt: skip


def _about(kinds: Iterable[str]) -> frozenset[Data]:
    """The classes of data in what is about records of these kinds; of one that is not known here, all."""
    return frozenset().union(*(_ABOUT.get(kind, _ANY) for kind in kinds))


def _text(value: Any) -> str:
    """A message without what talks to the machine, or a record as JSON."""
    if isinstance(value, str):
        return hostile.read(value).matter
    return json.dumps(to_jsonable_python(value), ensure_ascii=False, sort_keys=True)


def _agreed(outcome: Outcome, grave: tuple[Draft, ...], words: str) -> Outcome:
    drafts = tuple(
        replace(draft, verified=f"{words} {draft.verified}".strip()) if draft in grave else draft
        for draft in outcome.drafts
    )  # fmt: skip
    return replace(outcome, drafts=drafts)


def _flag(outcome: Outcome, grave: tuple[Draft, ...], flag: str, words: str) -> Outcome:
    drafts = tuple(
        replace(draft, flags=(*draft.flags, flag), justification=f"{draft.justification} {words}")
        if draft in grave else draft
        for draft in outcome.drafts
    )  # fmt: skip
    return replace(outcome, drafts=drafts, flags=(*outcome.flags, flag))
