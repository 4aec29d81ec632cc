"""The message as it may be read: without history, hidden signs or orders to the machine. Pure.

Owns cleaning and cutting into sentences; keeps every offset of the message, so quotes stay verbatim.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents import hostile

MAX_CHARS = 10_000
_GAP_EDGE = 10
_GAP = re.compile(r"\s{40,}")
_KEPT_CONTROLS = "\n\t\r"
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad\U000e0000-\U000e007f]")
_HISTORY = re.compile(r"^[ \t]*>.*$|^-{2,}\s*(?:original|forwarded) message\b[\s\S]*\Z", re.MULTILINE | re.IGNORECASE)
_NOTES = re.compile(
    r"<!--[\s\S]{0,2000}?(?:-->|\Z)|\[/?(?:inst|internal|system|admin|hidden)\b[^\n]{0,400}", re.IGNORECASE
)
_ROLES = re.compile(
    r"(?:^|[#>\]*]|\s{2,4}|[.!?]\s)[ \t]{0,4}(?P<order>(?:"
    r"(?:system|assistant|developer|admin(?:istrator)?|supervisor|agent|internal)"
    r"(?:\s+(?:note|message|prompt|override|instructions?|notice|update|alert))?\s*:|"
    r"(?:system|admin|internal)\s+(?:note|override|prompt|notice)\b|<\s*/?(?:system|assistant|instructions?)\b|"
    r"(?:note|message|memo|attention|instructions?)\s+(?:to|for)\s+(?:the\s+|any\s+|all\s+)?(?:support\s+|refund\s+)?"
    r"(?:agent|ai\b|bot|model|system|assistant|reviewer|approver|llm)).{0,1000})",
    re.IGNORECASE | re.MULTILINE,
)
_COMMANDS = re.compile(
    r"\b(?:ignor|disregard|forget|overrid|overrul|bypass|skip|waiv|suspend|circumvent)\w{0,4}\s+(?:[\w',-]{1,20}\s+){0,6}?"
    r"(?:instructions?|rules?|polic(?:y|ies)|limits?|caps?|checks?|reviews?|verification|approvals?|prompts?|guidelines?|"
    r"restrictions?|safeguards?)\b"
    r"|\b(?:supervisor|manager|management|admin|director|boss|team\s+lead|headquarters|compliance)\s+(?:[\w']{1,20}\s+){0,3}?"
    r"(?:approv|authori[sz]|signed|sign|cleared|confirm|agreed|okayed|granted)\w{0,3}\b"
    r"|\b(?:no|without(?:\s+any)?|needs?\s+no)\s+(?:further\s+)?(?:verification|review|approval|checks?|confirmation)\b"
    r"|\b(?:cap|limit|threshold|ceiling)s?\s+(?:(?:is|was|has|have|been|are|now)\s+){0,3}(?:raised|lifted|removed|increased|waived|void)"
    r"|\b(?:mark|flag|set|tag|treat)\s+(?:[\w']{1,20}\s+){0,4}?(?:as\s+)?(?:approved|pre-?approved|verified|authori[sz]ed)\b"
    r"|\bas\s+an?\s+(?:ai|llm|language\s+model|assistant|automated)\b|\byou\s+are\s+(?:now\s+)?(?:an?|in|the)\s+"
    r"(?:[\w']{1,20}\s+){0,2}?(?:ai|mode|admin\w*|assistant|bot|model)\b|\b(?:developer|admin|debug|god|root|maintenance)\s+mode\b"
    r"|\b(?:pre-?approved|auto-?approve|approve\s+(?:this|it|at\s+once|immediately|[\d$€£]))"
    r"|\b(?:amount|decision|status|refund_to)\s*=\s*\S|\b(?:system|hidden)\s+prompt\b|\b(?:rules|instructions)\s+are\s+(?:void|off|suspended)\b",
    re.IGNORECASE,
)
_BREAK = re.compile(
    r"(?<!\bno)(?<!\bnr)(?<!\bnum)(?<!\bmr)(?<!\bmrs)(?<!\bdr)(?<!\be\.g)(?<!\bi\.e)"
    r"[.!?]+[)\"']*(?=\s|\Z)|;|\n(?=[ \t\r]*\n)|"
    r"\n(?=[ \t]*(?:[-*•]|\d{1,2}[.)]|[^a-z\s]))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A cut of the message: `text` equals the cleaned message from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`text` is as long as the message; what must not be read is blank there and listed in `commands`."""

    text: str
    commands: tuple[Passage, ...]
    hidden: bool


def clean(message: str) -> Cleaned:
    """Blank out quoted history, invisible characters and passages that address the machine."""
    text = message[:MAX_CHARS].replace("\u2019", "'").replace("\u2018", "'").replace("\u00a0", " ")
    hidden = bool(_HIDDEN.search(text))
    text = _HIDDEN.sub(" ", text)
    text = "".join(c if c in _KEPT_CONTROLS or c.isprintable() else " " for c in text)
    text = _GAP.sub(_bridge, text)
    text = _HISTORY.sub(_blank, text)
    commands = []
    for start, end in _find_commands(text):
        commands.append(Passage(start, end, message[start:end]))
        text = text[:start] + " " * (end - start) + text[end:]
    return Cleaned(text, tuple(commands), hidden)


def sentences(text: str, start: int = 0) -> Iterator[Passage]:
    """Cut at ends of sentences, at semicolons and at line ends that are no mere wrapping."""
    begin = 0
    for end in (*(m.end() for m in _BREAK.finditer(text)), len(text)):
        if text[begin:end].strip():
            yield Passage(start + begin, start + end, text[begin:end])
        begin = end


def _find_commands(text: str) -> list[tuple[int, int]]:
    spans = [m.span() for m in _NOTES.finditer(text)]
    spans += [m.span("order") for m in _ROLES.finditer(text)]
    spans += [(p.start, p.end) for p in sentences(text) if _COMMANDS.search(p.text) or hostile.instructs(p.text)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _bridge(match: re.Match[str]) -> str:
    """Fill the middle of a very long gap, over which patterns would otherwise search again and again."""
    gap = match.group()
    return gap[:_GAP_EDGE] + "|" * (len(gap) - 2 * _GAP_EDGE) + gap[-_GAP_EDGE:]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
