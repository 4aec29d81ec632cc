"""How things are called on the pages, in the language in force: states, events, flags, proposers, money. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals.event_titles import EVENTS
from approvals.vocabulary import ENTRY, FIELDS, FLAGS, PARTS, REASONS, STATUSES, WORKERS
from portal import figures, money

# Languages that write their nouns with a capital letter wherever they stand.
NOUNS_STAND_OUT = frozenset({"de"})

STATES = {
    "pending": noop("Waiting"),
    "approved": noop("On hold"),
    "applying": noop("Being carried out"),
    "applied": "Done",
    "stale": noop("Stale"),
    "rejected": noop("Rejected"),
    "failed": noop("Failed"),
    "denied": noop("Denied"),
    "expired": noop("Expired"),
    "withdrawn": noop("Withdrawn"),
    "unknown": noop("Unknown"),
    "open": "Open",
    "resolved": noop("Resolved"),
    "handoffs": noop("Hand-offs"),
    "any": noop("Any state"),
}

REVERSIBLE = {
    "reversible": noop("Can be undone: the old values come back, field by field, unless they changed again."),
    "cancellable": noop("Can be stopped while it is held. Once it is sent, nothing takes it back."),
    "irreversible": noop("Cannot be undone."),
    "read-only": noop("Changes nothing."),
}

ANSWERS = {
    "order_number": noop("An order number"),
    "items": noop("Articles, and how many"),
    "destination": noop("One of these ways"),
    "reason": noop("One of these"),
    "yes_no": noop("Yes or no"),
    "identity": noop("E-mail, or name and postcode"),
}

DECIDED = {
    "approve": noop("voted yes"),
    "reject": noop("voted no"),
    "edit": noop("edited it"),
    "redo": noop("asked for it anew"),
    "stop": noop("stopped it"),
    "unvote": noop("took the approval back"),
    "reopen": noop("reopened it"),
    "withdraw": noop("withdrew it"),
    "found_stale": noop("found it stale"),
    "send_back": noop("sent it back"),
}

TIERS = {"low": noop("low"), "medium": noop("medium"), "high": noop("high")}

# What something can rest on.
SOURCES = {
    "order": noop("order"), "ticket": noop("ticket"), "contact": noop("contact"), "customer": noop("customer"),
    "clause": noop("clause"),
}  # fmt: skip

# What a merge changes beside the fields of the contact that stays.
_PLACES = {"contact": noop("Contact {} merged into"), "customer": noop("Customer {}, contact")}

_CARD = ("full_name", "legal_name", "email", "phone", "address", "postcode", "city", "country")


def state(name: str) -> str:
    """A state as a word."""
    match name:
        case "open":
            return pgettext("state", "Open")
        case "applied":
            return pgettext("state", "Done")
    return _(STATES[name]) if name in STATES else name


def status(name: str) -> str:
    """What a ticket or an order is; one that our books do not know as it is."""
    return _(STATUSES[name]) if name in STATUSES else name


def part(name: str) -> str:
    """What an outside system serves, as it stands within a sentence."""
    return within(_(PARTS[name])) if name in PARTS else name


def worker(name: str) -> str:
    """A process by its queue."""
    return _(WORKERS[name]) if name in WORKERS else name.capitalize()


def tier(name: str) -> str:
    """A tier as it stands within a sentence."""
    return _(TIERS[name]) if name in TIERS else name


def reversible(name: str) -> str:
    """What can be done about an action of this reversibility once it is approved."""
    return _(REVERSIBLE[name])


def decided(kind: str) -> str:
    """What a person did to a proposal, as it stands behind their name."""
    return _(DECIDED[kind]) if kind in DECIDED else kind


def field(name: str) -> str:
    """A field's label: `full_name` is 'Name', `consent_date` is 'Consent date'."""
    kind, _colon, key = name.partition(":")
    if key and kind in _PLACES:
        return _(_PLACES[kind]).format(key)
    if name == "item_ids":
        return pgettext("of an order", "Items")
    known = FIELDS.get(name) or ENTRY.get(name)
    return _(known) if known else name.replace("_", " ").capitalize()


def kept_field(name: str) -> str:
    """The same within a sentence that is kept, whoever reads it: 'name', 'consent date'."""
    kind, _colon, key = name.partition(":")
    label = _PLACES[kind].format(key) if key and kind in _PLACES else FIELDS.get(name, name.replace("_", " "))
    return label.lower()


def fields(names: Iterable[str]) -> str:
    """Labels within a sentence: 'name and e-mail'."""
    return _(" and ").join(within(field(name)) for name in names)


def within(label: str) -> str:
    """A label as it stands within a sentence."""
    return label if get_language() in NOUNS_STAND_OUT else label.lower()


def choice(value: str) -> str:
    """A value that a schema lets one choose, as it stands alone."""
    match value:
        case "cancel":
            return pgettext("kind of refund", "Cancel")
        case "return":
            return pgettext("kind of refund", "Return")
    return value[:1].upper() + value[1:]


def in_order(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields of a contact as people read a card, what is not known by its name after that."""
    return sorted(fields.items(), key=lambda item: (place(item[0]), item[0]))


def place(name: str) -> int:
    """Where a field stands on a card; all that are not on it stand together behind."""
    return _CARD.index(name) if name in _CARD else len(_CARD)


def flag(name: str) -> tuple[str, str]:
    """A flag's chip and what it means; `locked:phone` names its field."""
    kind, _colon, about = name.partition(":")
    label, meaning = FLAGS.get(kind, (kind.replace("_", " "), noop("The agent raised this flag.")))
    label = _(label)
    return (f"{label}: {within(field(about))}" if about else label), _(meaning)


def source(name: str) -> str:
    """What something rests on, by name: `order:#W1` is 'order #W1'."""
    kind, _colon, key = name.partition(":")
    if kind in ("messages", "wrote"):
        return _("the conversation of ticket %(ticket)s") % {"ticket": key}
    return f"{_(SOURCES[kind]) if kind in SOURCES else kind} {key}"


def answer(kind: str) -> str:
    """What kind of answer a question asks for."""
    return _(ANSWERS.get(kind, noop("In their own words")))


def reason(name: str) -> str:
    """Why a person was called."""
    return _(REASONS[name]) if name in REASONS else name.replace("_", " ").capitalize()


def event(name: str) -> str:
    """What happened, in words."""
    return _(EVENTS[name]) if name in EVENTS else name.replace(".", " ").replace("_", " ").capitalize()


def actor(name: str, people: Mapping[int, str]) -> str:
    """Who: 'Refunds agent', a person's name, 'Countersign' for the program itself."""
    kind, _colon, key = name.partition(":")
    if kind == "person":
        return people.get(int(key), _("Person %(number)s") % {"number": key}) if key.isdigit() else key
    if kind == "agent":
        return _("%(name)s agent") % {"name": key.replace("_", " ").capitalize()}
    return "Countersign" if kind == "system" else name


def amount(minor: int | None, currency: str) -> str:
    """Money as people read it, or "" where none moves; an unknown code is shown raw."""
    if minor is None:
        return ""
    try:
        return figures.figure(money.shown(minor, currency))
    except money.MoneyError:
        named = currency or _("no currency")
        return _("%(number)s minor units of %(currency)s") % {"number": minor, "currency": named}


def lasted(seconds: int) -> str:
    """A length of time in its two largest units: '8 s', '2 min 5 s', '1 h 3 min'."""
    minutes, rest = divmod(seconds, 60)
    hours, less = divmod(minutes, 60)
    parts = [_("%s h") % hours] * bool(hours) + [_("%s min") % less] * bool(less)
    return " ".join(parts + [_("%s s") % rest] * (not hours and bool(rest))) or _("%s s") % 0


def people_needed(people: int, second_role: str) -> str:
    """How many must agree, in words."""
    if people == 0:
        return _("Passes by itself; nobody is asked.")
    if people == 1:
        return _("One person decides.")
    if not second_role:
        return _("%(people)s different people must approve.") % {"people": people}
    told = {"people": people, "role": _(second_role)}
    return _("%(people)s different people must approve, one of them a %(role)s.") % told


def value(found: Any) -> str:
    """A value of an entry's body as text: lists behind each other, maps as 'name: value'."""
    if isinstance(found, dict):
        return "; ".join(f"{name}: {value(inner)}" for name, inner in found.items())
    return ", ".join(value(inner) for inner in found) if isinstance(found, list | tuple) else plain(found)


def plain(value: Any) -> str:
    """A field's value as text; lists one a line, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(plain(item) for item in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
