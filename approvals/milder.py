"""The next milder setting of a threshold whose people only ever said yes: one person fewer, or a lower floor. Pure."""

from typing import Any


def milder(*, people: str, floor_pct: int, reversible: bool, least_pct: int) -> dict[str, Any]:
    """The columns that would be other than they are; none where the row asks for as little as it may.

    `least_pct` is the lowest confidence of what people said yes to. What cannot be undone never passes by itself.
    """
    if people == "two":
        return {"people": "one", "second_role": ""}
    if people == "one" and reversible:
        return {"people": "automatic", "second_role": ""}
    if people == "automatic" and least_pct < floor_pct:
        return {"confidence_floor_pct": least_pct}
    return {}
