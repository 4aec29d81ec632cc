"""Words of the house in the language in force: roles, kept sentences, figures."""

from collections.abc import Iterable

from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from portal import figures, retold

register = template.Library()
register.filter("retold", retold.say)
register.filter("figure", figures.figure)

ROLES = {
    "reviewer": noop("reviewer"), "manager": noop("manager"), "admin": noop("admin"), "auditor": noop("auditor"),
}  # fmt: skip
TIERS = {"low": noop("low"), "medium": noop("medium"), "high": noop("high")}
# Languages that write a noun with a capital wherever it stands.
CAPITAL_NOUNS = frozenset({"de"})


@register.filter
def role_word(role: str) -> str:
    """One role, as it stands within a sentence; an unknown one as it is."""
    return _(ROLES[role]) if role in ROLES else role


@register.filter
def role_words(roles: Iterable[str]) -> str:
    """Several, by commas; a text of them by commas as well."""
    several = roles.split(", ") if isinstance(roles, str) else roles
    return ", ".join(role_word(role) for role in sorted(several))


@register.filter
def tier_word(tier: str) -> str:
    """A tier as it stands within a sentence; an unknown one as it is."""
    return _(TIERS[tier]) if tier in TIERS else tier


@register.filter
def within(word: str) -> str:
    """A label of ours as it stands within a sentence."""
    return word if get_language() in CAPITAL_NOUNS else word.lower()
