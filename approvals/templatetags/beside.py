"""Two contacts side by side, for whoever decides whether they are one: what stays of which, and why."""

from dataclasses import dataclass
from typing import Any

from django import template

from approvals import actions, votes, wording
from approvals.actions.merging import ContactMerge, survivors
from approvals.models import Proposal
from approvals.state import State
from portal import retold

register = template.Library()
SHOWN = (State.PENDING, State.STALE, State.APPROVED)


@dataclass(frozen=True, slots=True)
class Row:
    """One field of both; `stays` is "here", "there", "both" or ""."""

    label: str
    here: str
    there: str
    stays: str
    why: str
    locked_here: bool
    locked_there: bool


@register.inclusion_tag("approvals/_beside.html")
def beside(proposal: Proposal) -> dict[str, Any]:
    """Empty for anything but a merge that is not carried out yet, and where one of them is gone."""
    if proposal.action != ContactMerge.name or proposal.state not in SHOWN:
        return {}
    args = actions.named(proposal.action).parse(votes.current(proposal).args)
    reader = actions.reader(proposal.workspace_id)
    keep, other = reader.contact(proposal.target.partition(":")[2]), reader.contact(args.other)
    if args.back is not None or keep is None or other is None:
        return {}
    try:
        found = {name: (value, why) for name, value, why in survivors(keep, other, args)}
    except actions.BadArguments:
        return {}  # what stands in its way is told above
    rows = [
        Row(
            wording.field(name), keep.fields.get(name, ""), other.fields.get(name, ""),
            _stays(keep.fields.get(name), other.fields.get(name), found[name][0]), retold.say(found[name][1]),
            name in keep.locked_fields, name in other.locked_fields,
        )
        for name, _place in wording.in_order(found)
    ]  # fmt: skip
    moving = reader.customers_of(other.contact_id)
    orders = sum(len(reader.orders_of(customer.customer_id)) for customer in moving)
    return {"keep": keep, "other": other, "rows": rows, "moving": moving, "orders": orders}


def _stays(mine: str | None, theirs: str | None, value: str | None) -> str:
    if mine == theirs:
        return "both"
    return "here" if value == mine else "there"
