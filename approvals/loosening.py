"""Whether a change of a threshold or a cap is provably stricter; whatever is not is a loosening. Pure.

A new row counts as one too: the most specific row wins, so it may stand before a stricter one. So does a row that
ends, and one that speaks about other writes than before.
"""

from collections.abc import Mapping
from typing import Any

from approvals import risk

Row = Mapping[str, Any]
SCOPE = ("action", "proposer_kind", "agent", "currency", "above_minor", "up_to_minor")
CAP_SCOPE = ("scope", "currency")
PEOPLE = ("automatic", "one", "two", "never")
FALLS = {"confidence_floor_pct": "confidence floor", "hold_seconds": "hold"}


def of_threshold(before: Row | None, after: Row) -> tuple[str, ...]:
    """What a next version loosens, in words; none where it is stricter in everything. `before` None is a new row."""
    if after["retired"]:
        return ("the row ends",) if before else ()
    if before is None:
        return () if after["people"] == "never" else ("a new row may stand before a stricter one",)
    found = ["it speaks about other writes"] if _differ(before, after, SCOPE) else []
    if PEOPLE.index(after["people"]) < PEOPLE.index(before["people"]):
        found.append(f"people from {before['people']} to {after['people']}")
    if before["second_role"] not in ("", after["second_role"]):
        found.append(f"no {before['second_role']} among them")
    if risk.lower(after["tier"], before["tier"]):
        found.append(f"tier from {before['tier']} to {after['tier']}")
    found += [f"{name} from {before[key]} to {after[key]}" for key, name in FALLS.items() if after[key] < before[key]]
    if after["fresh_minutes"] > before["fresh_minutes"]:
        found.append(f"fresh for {after['fresh_minutes']} minutes instead of {before['fresh_minutes']}")
    return tuple(found)


def touches_high(before: Row | None, after: Row) -> bool:
    """Whether a loosening may take writes out of high tier: silence is high, and so is what another row says."""
    return before is None or before["tier"] == "high" or bool(after["retired"]) or _differ(before, after, SCOPE)


def of_cap(before: Row | None, after: Row) -> tuple[str, ...]:
    """The same of a daily cap. All caps hold at once, so that a new one only adds; None is no limit."""
    if before is None:
        return ()
    if after["retired"]:
        return ("the cap ends",)
    found = ["it counts something else"] if _differ(before, after, CAP_SCOPE) else []
    for key, name in (("writes", "writes"), ("amount_minor", "amount")):
        old, new = before[key], after[key]
        if old is not None and (new is None or new > old):
            found.append(f"{name} from {old} to {'no limit' if new is None else new}")
    return tuple(found)


def _differ(before: Row, after: Row, fields: tuple[str, ...]) -> bool:
    return any(before[field] != after[field] for field in fields)
