"""An agent's own threshold that is milder than the general one it stands before: whoever sets it is told, not refused.

Reads the rows in force, writes nothing.
"""

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from django.utils.translation import gettext as _

from approvals import loosening, risk, thresholds
from approvals.models import Threshold
from portal.retold import say


def warnings(workspace: int, values: Mapping[str, Any]) -> list[str]:
    """For each general row in force that values of an agent's own go before, in what they are milder."""
    if not values["agent"] or values["retired"]:
        return []
    return [
        _("This row of agent %(agent)s stands before the general row %(row)s, and is milder: %(what)s.")
        % {"agent": values["agent"], "row": row.series, "what": ", ".join(map(say, words))}
        for row in thresholds.in_force(workspace)
        if _goes_before(values, row) and (words := _milder(values, row))
    ]


def _goes_before(own: Mapping[str, Any], general: Threshold) -> bool:
    if general.agent or general.action != own["action"] or general.proposer_kind not in ("", "agent"):
        return False
    if general.currency and own["currency"] and general.currency != own["currency"]:
        return False
    (low, high), (other_low, other_high) = _ends(own["above_minor"], own["up_to_minor"]), _ends(
        general.above_minor, general.up_to_minor
    )  # fmt: skip
    if max(low, other_low) >= min(high, other_high):
        return False
    rule = risk.Rule(id="own", **{name: value for name, value in own.items() if name != "retired"})
    return rule.specificity > thresholds.as_rule(general).specificity


def _milder(own: Mapping[str, Any], general: Threshold) -> Iterable[str]:
    """In what the same writes would be asked less of; both as if they spoke about the same."""
    was = {name: getattr(general, name) for name in thresholds.COPIED}
    return loosening.of_threshold(was | {name: own[name] for name in loosening.SCOPE}, own)


def _ends(above: int | None, up_to: int | None) -> tuple[float, float]:
    return (-1 if above is None else above), (inf if up_to is None else up_to)
