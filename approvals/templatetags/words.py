"""States and reasons as they stand within a sentence: as they are kept in English, else in the reader's language."""

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import wording

register = template.Library()

STATES = {
    "pending": noop("pending"), "approved": noop("approved"), "applying": noop("applying"),
    "applied": noop("applied"), "denied": noop("denied"), "stale": noop("stale"), "rejected": noop("rejected"),
    "expired": noop("expired"), "withdrawn": noop("withdrawn"), "failed": noop("failed"), "unknown": noop("unknown"),
    "open": noop("open"), "resolved": noop("resolved"),
}  # fmt: skip
WHY_NOT = {
    "wrong_record": noop("wrong record"), "wrong_value": noop("wrong value"), "against_policy": noop("against policy"),
    "not_needed": noop("not needed"), "ask_customer": noop("ask customer"), "duplicate": noop("duplicate"),
    "other": noop("other"),
}  # fmt: skip


@register.filter
def state_within(state: str) -> str:
    """One state of a proposal or a hand-off; an unknown one as it is."""
    return _(STATES[state]) if state in STATES else state


@register.filter
def part_within(part: str) -> str:
    """What an outside system serves."""
    return wording.part(part)


@register.filter
def worker(name: str) -> str:
    """A process whose pulse is watched."""
    return wording.worker(name)


@register.filter
def reject_word(reason: str) -> str:
    """A reason of `decisions.REJECT_REASONS`; an unknown one as it is."""
    return _(WHY_NOT[reason]) if reason in WHY_NOT else reason
