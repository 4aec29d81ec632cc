"""Two contacts that are one person, as a draft with what speaks for it. Pure: no Django, clock, network or settings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agents.dedupe import comparing
from agents.dedupe.comparing import Level
from agents.dedupe.fields import columns
from agents.dedupe.finding import Match, Said
from agents.types import Draft, Evidence, Outcome
from portal.retold import kept
from portal.systems.records import Contact

# A fair coin that falls the same way so often: how surely two records are one, in words.
_WORDS = (
    (30.0, kept("beyond reasonable doubt")), (15.0, kept("as good as certainly")), (0.0, kept("all but certainly")),
)  # fmt: skip
_ONE_PERSON = kept(
    "%(keep)s and %(other)s are %(how)s one person: %(agreeing)s of %(told)s fields that both have agree to the letter"
    " (weight %(bits)s bits: of %(pairs)s pairs that agree so about one is a coincidence)."
)
_BILLION = kept("more than a billion")
_STAYS = kept("%(field)s of %(other)s stays there: only people carry over what proves who somebody is")
_ANOTHER_PAIR = kept("%(keep)s and %(other)s are not the pair that was found")
_NO_LONGER = kept("%(field)s does not agree any more")
_CLAIMS = {
    Level.EXACT: kept("%(field)s agrees"),
    Level.NEAR: kept("%(field)s nearly agrees: %(here)s here, %(there)s there"),
    Level.ELSEWHERE: kept("%(field)s stands in another field of the other record: %(here)s here, %(there)s there"),
    Level.DIFFERS: kept("%(field)s differs: %(here)s here, %(there)s there"),
}
# Fields that most records have, as a claim begins with them.
LABELS = (
    kept("Full name"), kept("First name"), kept("Last name"), kept("Given name"), kept("Family name"), kept("Email"),
    kept("Phone"), kept("Mobile"), kept("Company"), kept("Street"), kept("Date of birth"), kept("Birth date"),
)  # fmt: skip
LONGEST_QUOTE = 80


@dataclass(frozen=True, slots=True)
class Pair:
    """What a sweep found: `keep` stays, `bits` is the weight of all that is `said`."""

    keep: str
    other: str
    bits: float
    said: tuple[Said, ...]

    @property
    def match(self) -> Match:
        """The same as the finder says it."""
        return Match(self.keep, self.other, 1 / (1 + 2.0 ** -min(self.bits, 60.0)), self.bits, self.said)


def propose(pair: Pair, keep: Contact, other: Contact, leave: Sequence[str]) -> Outcome:
    """Draft the merge. `leave` names fields of the other record that only people carry over."""
    found = pair.match
    missing = [name for name in leave if not keep.fields.get(name)]
    flags = tuple(f"another_person:{name}" for name in found.doubts)
    confidence = round(min(found.chance, 0.75 if flags else 1.0), 4)
    words = next(words for bits, words in _WORDS if pair.bits >= bits or not bits)
    agreeing = sum(one.level is Level.EXACT for one in pair.said)
    told = sum(one.level is not Level.MISSING for one in pair.said)
    args: dict[str, JsonValue] = {"other": pair.other}
    if missing:
        args["leave"] = [*missing]
    draft = Draft(
        "contact.merge", "", args, confidence,
        _ONE_PERSON
        % {
            "keep": pair.keep, "other": pair.other, "how": words, "agreeing": agreeing, "told": told,
            "bits": f"{pair.bits:.0f}", "pairs": _one_in(found),
        },
        tuple(_evidence(pair, keep, other, missing)), flags,
    )  # fmt: skip
    return Outcome(drafts=(draft,), flags=flags, confidence=confidence)


def faults(pair: Pair, keep: Contact, other: Contact) -> list[str]:
    """Where the records as they are now do not bear out what the sweep said: compared anew, field by field."""
    if (keep.contact_id, other.contact_id) != (pair.keep, pair.other):
        return [_ANOTHER_PAIR % {"keep": keep.contact_id, "other": other.contact_id}]
    table = columns([(keep.contact_id, keep.fields), (other.contact_id, other.fields)])
    levels: dict[str, int] = {}
    if table.names:
        left, right = comparing.places(0), comparing.places(1)
        levels = dict(zip(table.names, comparing.compare(table, left, right)[0].tolist(), strict=True))
    agree = (Level.EXACT, Level.NEAR)
    return [
        _NO_LONGER % {"field": one.field}
        for one in pair.said
        if one.level in agree and levels.get(one.field, Level.DIFFERS) == Level.DIFFERS
    ]


def _one_in(found: Match) -> str:
    return f"{round(1 / max(1e-12, 1 - found.chance)):,}" if found.chance < 1 - 1e-9 else _BILLION


def _evidence(pair: Pair, keep: Contact, other: Contact, leave: Sequence[str]) -> Iterator[Evidence]:
    for one in pair.said:
        mine, theirs = keep.fields.get(one.field, ""), other.fields.get(one.field, "")
        if one.level is not Level.MISSING and mine and theirs:
            claim = _CLAIMS[one.level] % {"field": _label(one.field), "here": _short(mine), "there": _short(theirs)}
            quote = mine[:LONGEST_QUOTE] if one.level is Level.EXACT else ""
            yield Evidence(claim, f"contact:{pair.keep}", quote)
    for name in leave:
        yield Evidence(_STAYS % {"field": _label(name), "other": pair.other}, f"contact:{pair.other}")


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _short(value: str) -> str:
    return f"“{value}”" if len(value) <= LONGEST_QUOTE else f"“{value[: LONGEST_QUOTE - 1]}…”"
