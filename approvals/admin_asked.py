"""A threshold's form with what an address asks of the row filled in, and the backtest of it.

Whoever may save the row gets the form and its backtest at once; whoever may only read the backtest. Saves nothing.
"""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from approvals import admin_backtest, overriding, thresholds
from approvals.models import Threshold
from portal.retold import say

SECOND = ("", "manager")


def href(row: Threshold, values: dict[str, Any]) -> str:
    """The address that asks for these values of a row."""
    return f"{reverse('admin:approvals_threshold_change', args=[row.pk])}?{urlencode(values)}#backtest"


def of(request: Any, row: Threshold | None) -> dict[str, Any]:
    """What the address asks to be other than the row is; nothing that no threshold may say."""
    if row is None or request.method != "GET":
        return {}
    given, found = request.GET, dict[str, Any]()
    if given.get("people") in Threshold.People.values:
        found["people"] = given["people"]
    if given.get("second_role") in SECOND:
        found["second_role"] = given["second_role"]
    floor = given.get("confidence_floor_pct", "")
    if floor.isascii() and floor.isdecimal() and len(floor) <= 3 and int(floor) <= 100:
        found["confidence_floor_pct"] = int(floor)
    return {name: value for name, value in found.items() if getattr(row, name) != value}


def context(request: Any, row: Threshold | None, *, may_save: bool) -> dict[str, Any]:
    """What the page of a row tells beside its fields."""
    if row is None:
        return {}
    was = {name: getattr(row, name) for name in thresholds.COPIED}
    told: dict[str, Any] = {"warnings": overriding.warnings(row.workspace_id, was)}
    if asked := of(request, row):
        values = was | asked
        words = thresholds.loosened(Threshold, row.workspace_id, row.series, values)
        told["asked"] = ", ".join(map(say, words)) or _("nothing is milder by it")
        if not may_save:
            told |= admin_backtest.going(request, row.series, values)
    return told
