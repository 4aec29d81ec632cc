"""What a reviewer's instruction says of queue and priority. Pure: no Django, clock, network or settings.

Takes names of the workspace's queues and P1 to P4, nothing else; two at once, or none, is answered in words.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from pydantic import JsonValue

from agents.steps import answering
from agents.triage.deciding import ACTION
from agents.types import Draft, Evidence, Outcome, Told
from portal.retold import kept

_NOT_BEFORE = re.compile(
    r"(?:\bnot|n['’]t|\bnever|\bno|\binstead\s+of|\brather\s+than|\bfrom|\bwithout)\s+(?:\w+\s+){0,3}$", re.IGNORECASE
)
_PRIORITY = re.compile(r"\bP([1-4])\b|\bprio(?:rity)?\W{0,3}(?:(?:is|to|should\s+be)\s+)?([1-4])\b", re.IGNORECASE)
_JOIN = r"[\s_/&-]*(?:\s(?:and|or)\s)?[\s_/&-]*"
_LEADS = re.compile(
    r"\b(?:to|into|in|under|for)\s+(?:the\s+)?(?P<to>\w+)|\b(?P<team>\w+)\s+(?:queue|team)\b|^\W*(?P<alone>\w+)\W*(?:$|[,;])",
    re.IGNORECASE,
)
_STRANGER = re.compile(
    r"\b(?:to|into|under)\s+(?:the\s+)?(?!P[1-4]\b)([A-Z]\w{2,40})|\b(?!the\b|this\b|another\b)(\w+)\s+queue\b"
)
_SHORTEST_WORD = 4
_EDIT_INSTEAD = kept("The reply quotes the policy pages to the letter; edit its text instead.")
_SEVERAL_QUEUES = kept("It names several queues: %(queues)s. Name one.")
_SEVERAL_PRIORITIES = kept("It names several priorities: %(priorities)s. Name one.")
_NO_QUEUE = kept("There is no queue %(queue)s.")
_NEITHER = kept("The agent follows a queue by its name and a priority from P1 to P4; this names neither.")
_BOTH = kept("As the reviewer asked: queue %(queue)s and priority %(priority)s.")
_QUEUE_ALONE = kept("As the reviewer asked: queue %(queue)s.")
_PRIORITY_ALONE = kept("As the reviewer asked: priority %(priority)s.")
_SAYS_SO = kept("A reviewer says so")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, "" where it was not; `problem` says in words why it cannot be followed."""

    queue: str = ""
    priority: str = ""
    problem: str = ""


def follow(outcome: Outcome, told: Told, queues: Collection[str]) -> Outcome:
    """The agent's own answer with what reviewers asked for in its place; words where nothing can be followed."""
    if told.action != ACTION:
        return answering.keep(_EDIT_INSTEAD)
    newest = read(told.text, queues)
    if newest.problem:
        return answering.keep(newest.problem)
    wish = newest
    for text in reversed(told.about(told.target)[:-1]):
        before = read(text, queues)
        wish = replace(wish, queue=wish.queue or before.queue, priority=wish.priority or before.priority)
    draft = outcome.drafts[0] if outcome.drafts else Draft(ACTION, told.target, dict(told.args), 0.0, "")
    return replace(outcome, drafts=(_changed(draft, wish, told),), handoff=None, question=None)


def read(text: str, queues: Collection[str]) -> Wish:
    """Queue and priority that one instruction names."""
    priorities = {f"P{m.group(1) or m.group(2)}" for m in _PRIORITY.finditer(text) if not _negated(text, m.start())}
    named = _find_whole(text, queues) or _find_part(text, queues)
    if len(named) > 1:
        return Wish(problem=_SEVERAL_QUEUES % {"queues": _listed(named)})
    if len(priorities) > 1:
        return Wish(problem=_SEVERAL_PRIORITIES % {"priorities": ", ".join(sorted(priorities))})
    if not named and (stranger := _STRANGER.search(text)):
        return Wish(problem=_NO_QUEUE % {"queue": next(filter(None, stranger.groups()))})
    if not named and not priorities:
        return Wish(problem=_NEITHER)
    return Wish(next(iter(named), ""), next(iter(priorities), ""))


def _find_whole(text: str, queues: Collection[str]) -> set[str]:
    """Queues whose names stand there, as written or as people write them."""
    found = {}
    for queue in queues:
        pattern = rf"\b{_JOIN.join(re.escape(word) for word in queue.split('_'))}\b"
        places = [m for m in re.finditer(pattern, text, re.IGNORECASE) if not _negated(text, m.start())]
        if places:
            found[queue] = places[0].span()
    return {q for q, span in found.items() if not any(_inside(span, other) for other in found.values())}


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _find_part(text: str, queues: Collection[str]) -> set[str]:
    """Queues of whose name one word stands where a queue is named: 'to Billing', 'the fraud team'."""
    words = [
        match.group(match.lastgroup).lower()
        for match in _LEADS.finditer(text)
        if match.lastgroup and not _negated(text, match.start())
    ]
    return {
        queue
        for queue in queues
        for part in queue.split("_")
        if len(part) >= _SHORTEST_WORD and any(_alike(part, word) for word in words)
    }


def _alike(part: str, word: str) -> bool:
    return part.lower().removesuffix("s") == word.removesuffix("s")


def _negated(text: str, start: int) -> bool:
    return bool(_NOT_BEFORE.search(text[max(0, start - 60) : start]))


def _listed(queues: Collection[str]) -> str:
    return ", ".join(sorted(queue.replace("_", " ") for queue in queues))


def _changed(draft: Draft, wish: Wish, told: Told) -> Draft:
    asked = {name: value for name, value in (("queue", wish.queue), ("priority", wish.priority)) if value}
    args: dict[str, JsonValue] = {**draft.args, **asked}
    if isinstance(tags := args.get("tags"), list):
        args["tags"] = [tag for tag in tags if tag != f"also:{args['queue']}"]
    sentence = (_BOTH if wish.priority else _QUEUE_ALONE) if wish.queue else _PRIORITY_ALONE
    said = sentence % {"queue": wish.queue.replace("_", " "), "priority": wish.priority}
    others = tuple(piece for piece in draft.evidence if piece.field not in asked)
    cited = tuple(Evidence(_SAYS_SO, told.source, told.text[:200], name) for name in asked)
    return replace(draft, args=args, justification=said, evidence=(*cited, *others))
