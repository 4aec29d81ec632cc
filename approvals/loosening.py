"""Whether a change of a threshold or a cap is provably stricter; whatever is not is a loosening. Pure.

A new row counts as one too: the most specific row wins, so it may stand before a stricter one. So does a row that
ends, and one that speaks about other writes than before.
"""

from collections.abc import Mapping
from typing import Any

from approvals import risk
from portal.retold import kept

Row = Mapping[str, Any]
SCOPE = ("action", "proposer_kind", "agent", "currency", "above_minor", "up_to_minor")
CAP_SCOPE = ("scope", "currency")
PEOPLE = ("automatic", "one", "two", "never")
FALLS = {
    "confidence_floor_pct": kept("confidence floor from %(was)s to %(now)s"),
    "hold_seconds": kept("hold from %(was)s to %(now)s"),
}
RISES = {"writes": kept("writes from %(was)s to %(now)s"), "amount_minor": kept("amount from %(was)s to %(now)s")}
NO_LIMIT = kept("no limit")
PEOPLE_WORDS = (kept("automatic"), kept("one"), kept("two"), kept("never"))
PEOPLE_FALL = kept("people from %(was)s to %(now)s")
TIER_FALLS = kept("tier from %(was)s to %(now)s")
NOBODY_OF = kept("no %(role)s among them")
OTHER_WRITES = kept("it speaks about other writes")
COUNTS_ELSE = kept("it counts something else")
ROW_ENDS, CAP_ENDS = kept("the row ends"), kept("the cap ends")
NEW_ROW = kept("a new row may stand before a stricter one")
FRESH = kept("fresh for %(now)s minutes instead of %(was)s")


def of_threshold(before: Row | None, after: Row) -> tuple[str, ...]:
    """What a next version loosens, in words; none where it is stricter in everything. `before` None is a new row."""
    if after["retired"]:
        return (ROW_ENDS,) if before else ()
    if before is None:
        return () if after["people"] == "never" else (NEW_ROW,)
    found = [OTHER_WRITES] if _differ(before, after, SCOPE) else []
    if PEOPLE.index(after["people"]) < PEOPLE.index(before["people"]):
        found.append(PEOPLE_FALL % {"was": before["people"], "now": after["people"]})
    if before["second_role"] not in ("", after["second_role"]):
        found.append(NOBODY_OF % {"role": before["second_role"]})
    if risk.lower(after["tier"], before["tier"]):
        found.append(TIER_FALLS % {"was": before["tier"], "now": after["tier"]})
    found += [
        words % {"was": before[key], "now": after[key]} for key, words in FALLS.items() if after[key] < before[key]
    ]
    if after["fresh_minutes"] > before["fresh_minutes"]:
        found.append(FRESH % {"now": after["fresh_minutes"], "was": before["fresh_minutes"]})
    return tuple(found)


def touches_high(before: Row | None, after: Row) -> bool:
    """Whether a loosening may take writes out of high tier: silence is high, and so is what another row says."""
    return before is None or before["tier"] == "high" or bool(after["retired"]) or _differ(before, after, SCOPE)


def of_cap(before: Row | None, after: Row) -> tuple[str, ...]:
    """The same of a daily cap. All caps hold at once, so that a new one only adds; None is no limit."""
    if before is None:
        return ()
    if after["retired"]:
        return (CAP_ENDS,)
    found = [COUNTS_ELSE] if _differ(before, after, CAP_SCOPE) else []
    for key, words in RISES.items():
        old, new = before[key], after[key]
        if old is not None and (new is None or new > old):
            found.append(words % {"was": old, "now": NO_LIMIT if new is None else new})
    return tuple(found)


def _differ(before: Row, after: Row, fields: tuple[str, ...]) -> bool:
    return any(before[field] != after[field] for field in fields)
