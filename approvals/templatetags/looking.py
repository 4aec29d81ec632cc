"""`{% look p %}`: the mark that says what is on whose screen since when."""

from django import template
from django.template import Context

from approvals import looks
from approvals.models import Proposal

register = template.Library()


@register.simple_tag(takes_context=True)
def look(context: Context, p: Proposal | object) -> str:
    """Signed for whoever looks; what a refused form posted keeps the mark it came with."""
    request = context.get("request")
    if request is None or not isinstance(p, Proposal):
        return str(getattr(p, "get", lambda _name: "")("look") or "")
    return looks.mark(
        proposal=p.pk, revision=p.revision, digest=p.digest, person=request.user.pk, now=request.now
    )  # fmt: skip
