"""Bands of amounts of thresholds that speak about the same writes: how they read, and whether they cross."""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import risk, wording
from approvals.models import Threshold
from portal import figures, money

WHOSE = ("action", "proposer_kind", "agent", "currency")
PLACE = (*WHOSE, "above_minor", "up_to_minor", "tier")
ALL = (-1, inf)
BEGIN = noop(
    "This crosses the row for %(amounts)s (%(row)s, tier %(tier)s): begin where it ends, or change that one first."
)
END = noop(
    "This crosses the row for %(amounts)s (%(row)s, tier %(tier)s): end where it begins, or change that one first."
)
LOWER = noop(
    "More money would be of a lower tier beside the row for %(amounts)s (%(row)s, tier %(tier)s);"
    " change that one first."
)


def edge(row: Threshold, minor: int | None) -> str:
    """One end of a band in the row's currency; empty is open."""
    return money.to_text(minor, row.currency) if minor is not None and row.currency else ""


def band(row: Threshold) -> str:
    """As people read it: `100.00 - 500.00 EUR`."""
    low, high = edge(row, row.above_minor), edge(row, row.up_to_minor)
    return f"{low or '0'} – {high or '…'} {row.currency}" if low or high else ""


def crossing(
    new: Mapping[str, Any], rows: Iterable[Threshold], series: str, *, was: Mapping[str, Any] | None
) -> tuple[str, str] | None:
    """Field and reason of the first row in force that `new`, of `series`, cannot stand beside.

    None where there is none, or where it stands where it `was`.
    """
    if was is not None and all(was[name] == new[name] for name in PLACE):
        return None
    others = (row for row in rows if row.series != series and all(getattr(row, name) == new[name] for name in WHOSE))
    return next((wrong for row in others if (wrong := beside(new, row)) is not None), None)


def beside(new: Mapping[str, Any], row: Threshold) -> tuple[str, str] | None:
    """The field and the reason why a new row cannot stand beside one in force about the same writes; None if it can."""
    (low, high), (other_low, other_high) = (
        _ends(new["above_minor"], new["up_to_minor"]),
        _ends(row.above_minor, row.up_to_minor),
    )
    if ((low, high) == ALL) != ((other_low, other_high) == ALL):
        return None  # a band goes before the row for all amounts, which is for the rest
    told = {"amounts": figures.figure(band(row)) or _("all amounts"), "row": row.series, "tier": wording.tier(row.tier)}
    if max(low, other_low) < min(high, other_high):
        if low >= other_low:
            return "above", _(BEGIN) % told
        return "up_to", _(END) % told
    first, then = (new["tier"], row.tier) if high <= other_low else (row.tier, new["tier"])
    if risk.lower(then, first):
        return "tier", _(LOWER) % told
    return None


def _ends(above: int | None, up_to: int | None) -> tuple[float, float]:
    return (-1 if above is None else above), (inf if up_to is None else up_to)
