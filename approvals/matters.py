"""What an escalation is a matter of: the groups in which managers go through them. Pure."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

# What each reason of a hand-off is a matter of; what is not named here is unclear.
GROUPS: Mapping[str, tuple[str, frozenset[str]]] = {
    "policy": (
        noop("Policy"), frozenset({"policy", "no_undo", "held_back", "switched_off", "not_there", "over_budget"})
    ),
    "money": (
        noop("Money"),
        frozenset({"over_cap", "daily_cap", "dispute", "books_behind", "bounced", "recovery", "duplicate"}),
    ),
    "abuse": (noop("Abuse"), frozenset({"injection", "tool_refused"})),
    "data": (
        noop("Missing data"),
        frozenset(
            {"missing_data", "bad_arguments", "verification_failed", "unjustified", "cannot_check", "agent_failed"}
        ),
    ),
    "late": (noop("Nobody decided"), frozenset({"expired"})),
    "unclear": (noop("Unclear"), frozenset()),
}  # fmt: skip
UNCLEAR = "unclear"
# What a person may say that an item is a matter of: that nobody decided is for the clock to say.
CHOSEN = ("policy", "money", "abuse", "data", UNCLEAR)


def group_of(reason: str) -> str:
    """The name of the group a hand-off's reason belongs to."""
    return next((name for name, (_title, reasons) in GROUPS.items() if reason in reasons), UNCLEAR)


def title(name: str) -> str:
    """A group's heading in the language in force; one that there is not as unclear."""
    return _(GROUPS[name if name in GROUPS else UNCLEAR][0])
