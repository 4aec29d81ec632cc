"""Durations and costs of runs as people read them, and the most that one would cost before it is begun."""

from django import template
from django.template import Context
from django.utils.translation import gettext as _

from agents.gateway import budgets
from portal import figures

register = template.Library()


@register.filter
def took(micros: int) -> str:
    """A duration in microseconds: '840 µs', '12.4 ms', '3.1 s'."""
    if micros < 1_000:
        return f"{micros} µs"
    return figures.figure(f"{micros / 1_000:.1f} ms" if micros < 1_000_000 else f"{micros / 1_000_000:.1f} s")


@register.filter
def dollars(micros: int) -> str:
    """A cost in millionths of a dollar: 'nothing', '$0.0021', '$0.000027'."""
    if not micros:
        return _("nothing")
    return _("$%(amount)s") % {"amount": figures.figure(f"{micros / 1_000_000:.{4 if micros >= 1_000 else 6}f}")}


@register.simple_tag(takes_context=True)
def most_of(context: Context, agent: str) -> int:
    """The most that a run of an agent would cost if whoever looks began it now, in micro-dollars."""
    request = context["request"]
    name = agent.removeprefix("agent:")
    return budgets.most_of(request.workspace.pk, agent=name, asked_by=f"person:{request.user.pk}")
