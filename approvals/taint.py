"""Which values of a change follow from what the customer wrote, and from which passage. Pure.

Looked for at the gate, in the records it reads itself: whoever proposes can neither hide it nor make it up. Values
out of a closed list (a queue, a priority, a status) follow from nobody's words, however often these name them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

from approvals.diff import ABSENT, Change
from audit import recognisers
from portal import money

FLAG = "tainted_destination"
CLOSED = frozenset({"queue", "priority", "status", "tags", "payments"})
DESTINATIONS = frozenset({"url", "email", "phone", "address", "account"})
"""What money, mail or a click may go to."""
LONGEST_TEXT = 20_000
"""Characters of a message that are looked through."""
FEWEST_WORDS = 8
"""Of a passage that a text shares with a message, word by word: fewer are anybody's."""
MOST = 40

_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"'()\[\]]+"
    r"|(?<![@\w.])(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|io|co|eu|de|uk|fr|es|it|nl|ru|cn|xyz|top|shop|site|online|app"
    r"|link|click|ly|me|ai|dev|example|test)(?:/[^\s<>\"'()\[\]]*)?(?![\w@])",
    re.IGNORECASE,
)
_KINDS = {
    recognisers.EMAIL: "email", recognisers.PHONE: "phone", recognisers.IBAN: "account", recognisers.CARD: "account",
}  # fmt: skip
_BY_FIELD = (
    ("mail", "email"), ("phone", "phone"), ("mobile", "phone"), ("fax", "phone"), ("url", "url"), ("web", "url"),
    ("address", "address"), ("street", "address"), ("city", "address"), ("postcode", "address"),
    ("iban", "account"), ("account", "account"), ("name", "name"),
)  # fmt: skip
Record = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing the customer wrote: message `seq` of the conversation, 0 the subject line."""

    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Taint:
    """A value of `field` that stands in message `seq` from `start` up to `end`, there spelled `quote`.

    `kind` is amount, text, name or one of DESTINATIONS; `on_record`: the records hold it too.
    """

    field: str
    kind: str
    value: str
    seq: int
    start: int
    end: int
    quote: str
    on_record: bool = False

    @property
    def leads_away(self) -> bool:
        """Whether something would go to where only the customer's words point."""
        return self.kind in DESTINATIONS and not self.on_record

    def as_json(self) -> dict[str, Any]:
        """For the revision."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Taint":
        """The reverse."""
        return cls(**value)


def trace(
    changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], passages: Sequence[Passage], on_record: Record
) -> tuple[Taint, ...]:
    """Every value of the change that stands in a passage, exactly or but for spelling; each where it stands first.

    `on_record` is asked of a kind and a value whether the records hold it; only for what was found.
    """
    found: dict[tuple[str, str], Taint] = {}
    values = list(_values(changes, effects))
    replies = any(effect.get("kind") == "reply" for effect in effects)
    if not (values or replies):
        return ()
    folded = [(one.seq, one.text[:LONGEST_TEXT], *recognisers.fold(one.text[:LONGEST_TEXT])) for one in passages]
    for field, kind, value in values:
        for seq, text, plain, places in folded if (field, value) not in found else ():
            span = _find(kind, value, plain)
            if span is not None:
                start, end = places[span[0]], places[span[1] - 1] + 1
                taint = Taint(field, kind, value, seq, start, end, text[start:end], on_record(kind, value))
                found[field, value] = taint
                break
        if len(found) >= MOST:
            break
    shared = {taint.field: taint for taint in _shared(effects, folded)}
    return (*found.values(), *shared.values())


def flags(taints: Sequence[Taint]) -> tuple[str, ...]:
    """The flag of a destination that only the customer's words name, if there is one."""
    return (FLAG,) if any(taint.leads_away for taint in taints) else ()


def _values(
    changes: Sequence[Change], effects: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, str]]:  # field, kind, value
    for change in changes:
        if change.field in CLOSED or change.after is ABSENT or not isinstance(change.after, str):
            continue
        if change.after.strip() and change.after != change.before:
            yield change.field, _kind_of(change.field), change.after.strip()
            yield from (
                (change.field, kind, part) for kind, part in _parts(change.after) if part != change.after.strip()
            )
    for effect in effects:
        if effect.get("kind") == "refund":
            yield "to", "account", str(effect["to"])
            yield "amount_minor", "amount", f"{effect['amount_minor']} {effect['currency']}"
        if effect.get("kind") == "reply":
            yield from (("body", kind, part) for kind, part in _parts(str(effect["body"])))


def _kind_of(field: str) -> str:
    return next((kind for word, kind in _BY_FIELD if word in field.lower()), "text")


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """What a text may send somebody to: links, addresses of mail, numbers."""
    plain, _ = recognisers.fold(text)
    for link in _URL.finditer(plain):
        yield "url", link.group().rstrip(".,;:!?")
    for span in recognisers.find(text):
        if span.kind in _KINDS:
            yield _KINDS[span.kind], text[span.start : span.end]


def _find(kind: str, value: str, plain: str) -> tuple[int, int] | None:
    pattern = _amount(value) if kind == "amount" else _number(value) if kind == "phone" else _words(value)
    found = re.search(pattern, plain, re.IGNORECASE) if pattern else None
    return found.span() if found else None


def _words(value: str) -> str:
    words, _ = recognisers.fold(value)
    parts = [re.escape(word) for word in words.split()]
    return r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)" if parts and len("".join(parts)) > 1 else ""


def _number(value: str) -> str:
    """A telephone number by its last nine digits, however written: the code of the country is often left out."""
    digits = re.sub(r"\D", "", value)[-9:]
    return r"(?:[+(\d][\d\s().\-/]{0,8}?)?" + r"[\s().\-/]{0,3}".join(digits) + r"(?!\d)" if len(digits) >= 6 else ""


def _amount(value: str) -> str:
    """`129900 EUR` as people write it: 1299, 1,299.00, 1.299,00; never inside a longer figure."""
    minor, _, currency = value.partition(" ")
    try:
        whole, _, part = money.to_text(int(minor), currency).partition(".")
    except (money.MoneyError, ValueError):
        return ""
    groups = f"{int(whole):,}".split(",")
    cents = rf"[.,]{part}" if part.strip("0") else (rf"(?:[.,]{part})?" if part else "")
    if part.endswith("0") and part.strip("0"):
        cents = rf"[.,]{part.rstrip('0')}0*"
    return rf"(?<![\d.,]){r'[., ’]?'.join(groups)}{cents}(?![\d]|[.,]\d)"


def _shared(
    effects: Sequence[Mapping[str, Any]], folded: Sequence[tuple[int, str, str, Sequence[int]]]
) -> Iterator[Taint]:
    """The longest passage a reply repeats word by word."""
    for effect in effects:
        if effect.get("kind") != "reply":
            continue
        own = _URL.sub(" ", recognisers.fold(str(effect["body"]))[0].lower())  # a link is told of by itself
        said = re.findall(r"\w+", own)
        for seq, text, plain, places in folded:
            spans = [found.span() for found in re.finditer(r"\w+", plain)]
            words = [plain[start:end].lower() for start, end in spans]
            match = SequenceMatcher(a=said, b=words).find_longest_match()
            if match.size >= FEWEST_WORDS:
                first, last = spans[match.b][0], spans[match.b + match.size - 1][1]
                start, end = places[first], places[last - 1] + 1
                yield Taint(
                    "body", "text", " ".join(said[match.a : match.a + match.size]), seq, start, end, text[start:end]
                )
