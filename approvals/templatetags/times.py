"""The line of an opened item about its time: waiting for the customer, late, how much is used."""

from typing import Any

from django import template
from django.template import Context
from django.urls import reverse

from approvals import sweeper
from approvals import times as reads
from approvals.models import Proposal
from portal import hours

register = template.Library()


@register.inclusion_tag("approvals/_times.html", takes_context=True)
def times(context: Context, item: sweeper.Item) -> dict[str, Any]:
    """Nothing where the item has ended."""
    request = context["request"]
    standing = reads.of(item, hours.of_row(request.workspace), request.now)
    kind = "proposal" if isinstance(item, Proposal) else "handoff"
    where, wrote = reverse(kind, args=[item.pk]), standing.wrote if standing else 0
    return {"request": request, "item": item, "standing": standing, "where": where, "wrote": wrote}
