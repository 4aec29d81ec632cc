"""Durations and costs of runs as people read them."""

from django import template

register = template.Library()


@register.filter
def took(micros: int) -> str:
    """A duration in microseconds: '840 µs', '12.4 ms', '3.1 s'."""
    if micros < 1_000:
        return f"{micros} µs"
    return f"{micros / 1_000:.1f} ms" if micros < 1_000_000 else f"{micros / 1_000_000:.1f} s"


@register.filter
def dollars(micros: int) -> str:
    """A cost in millionths of a dollar: 'nothing', '$0.0021'."""
    return f"${micros / 1_000_000:.4f}" if micros else "nothing"
