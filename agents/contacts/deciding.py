"""What to do about one contact. Pure: no Django, clock, network or settings.

Every field goes through its cleaner; repairs become one draft, doubts one hand-off. A locked field is never
touched and never asked about again: whoever locked it has decided.
"""

from collections.abc import Callable, Mapping

from agents.contacts import countries, emails, fields, following, names, phones
from agents.contacts.cleaned import Cleaned, tidy
from agents.steps import answering
from agents.types import Draft, Evidence, Handoff, Outcome, Told
from portal.retold import kept
from portal.systems.records import Contact

_LABELS = {
    "full_name": kept("name"),
    "email": kept("e-mail address"),
    "phone": kept("phone number"),
    "country": kept("country"),
    "address": kept("address"),
    "city": kept("city"),
    "postcode": kept("postcode"),
}
# As they stand at the beginning of a claim.
CAPITALISED = (
    kept("Name"), kept("E-mail address"), kept("Phone number"), kept("Country"), kept("Address"), kept("City"),
    kept("Postcode"),
)  # fmt: skip
SAID = kept("as a reviewer said")
_NEITHER = kept(
    "The agent follows fields to leave alone (keep the phone) and values of fields that are there"
    " (country is Austria); this names neither."
)
_LOCKED = kept("A person locked %(fields)s; the agent leaves it.")
_NOT_TAKEN = kept("This cannot be taken as it stands. %(why)s.")
# Not registered: it would be taken for `_UNCLEAR`, and that for it.
_VALUE_UNCLEAR = "%(field)s %(value)s: %(why)s"
_NOTHING_LEFT = kept("Nothing is left to change then; reject it.")
_TIDIES = kept("Tidies %(fields)s without changing what is meant.")
_LOOK_AT = kept("Please look at %(fields)s: only a guess could repair it.")
_UNCLEAR = kept("%(field)s: %(why)s")
_BECOMES = kept("%(field)s becomes %(value)s: %(why)s")


def decide(contact: Contact) -> Outcome:
    """At most one draft `contact.update` and one hand-off; neither if the contact is clean."""
    return _settle(contact, _clean_fields(contact.fields))


def decide_again(contact: Contact, told: Told) -> Outcome:
    """The same, but as reviewers said: fields left alone, values taken; words where that cannot be."""
    newest = following.read(told.text, contact.fields)
    if not newest.says_something:
        return answering.keep(_NEITHER)
    wish = following.read_all(told.about(told.target), contact.fields)
    if held := sorted(set(newest.values) & set(contact.locked_fields)):
        return answering.keep(_LOCKED % {"fields": _listed(held)})
    cleaned = _clean_fields({**contact.fields, **wish.values})
    said = {name: _take(contact.fields[name], cleaned.get(name), value) for name, value in wish.values.items()}
    if unclear := [
        _VALUE_UNCLEAR % {"field": _label(name), "value": repr(said[name].value), "why": said[name].reason}
        for name in said
        if _is_flag(said[name])
    ]:
        return answering.keep(_NOT_TAKEN % {"why": "; ".join(unclear)})
    outcome = _settle(contact, {name: done for name, done in {**cleaned, **said}.items() if not wish.leaves(name)})
    return outcome if outcome.drafts else answering.keep(_NOTHING_LEFT)


def _take(found: str, cleaned: Cleaned | None, said: str) -> Cleaned:
    """What a reviewer said, as the field's cleaner writes it."""
    if cleaned is not None and _is_flag(cleaned):
        return cleaned
    value = cleaned.value if cleaned is not None else tidy(said)
    return Cleaned(found) if value == found else Cleaned(value, "fix", SAID, 0.99)


def _is_flag(done: Cleaned) -> bool:
    return done.action == "flag"


def _settle(contact: Contact, cleaned: Mapping[str, Cleaned]) -> Outcome:
    locked = tuple(name for name, done in cleaned.items() if name in contact.locked_fields and done.action != "keep")
    open_fields = {name: done for name, done in cleaned.items() if name not in contact.locked_fields}
    fixes = {name: done for name, done in open_fields.items() if done.action == "fix"}
    doubts = {name: done for name, done in open_fields.items() if done.action == "flag"}
    flags = tuple(f"locked:{name}" for name in locked) + tuple(f"unclear:{name}" for name in doubts)
    return Outcome(
        drafts=(_draft(contact, fixes, flags),) if fixes else (),
        handoff=_handoff(contact, doubts) if doubts else None,
        flags=flags,
        confidence=min((done.confidence for done in fixes.values()), default=1.0),
    )


def _clean_fields(found: Mapping[str, str]) -> dict[str, Cleaned]:
    """The cleaned value of each field that is there and has a cleaner."""
    country = countries.find(found.get("country", ""))
    cleaners: dict[str, Callable[[str], Cleaned]] = {
        "full_name": lambda raw: names.clean(raw, found.get("email", "")),
        "email": emails.clean,
        "phone": lambda raw: _with_extension(phones.clean(raw, country), raw),
        "country": countries.clean,
        "address": fields.clean_address,
        "city": fields.clean_city,
        "postcode": lambda raw: fields.clean_postcode(raw, country),
    }
    return {name: clean(found[name]) for name, clean in cleaners.items() if name in found}


def _with_extension(done: Cleaned, raw: str) -> Cleaned:
    """The field holds number and extension in one text, written as in RFC 3966."""
    if not done.extension:
        return done
    value = f"{done.value};ext={done.extension}"
    return Cleaned(raw) if value == raw else Cleaned(value, "fix", done.reason, done.confidence)


def _draft(contact: Contact, fixes: Mapping[str, Cleaned], flags: tuple[str, ...]) -> Draft:
    return Draft(
        action="contact.update",
        target=f"contact:{contact.contact_id}",
        args={"changes": {name: done.value for name, done in fixes.items()}},
        confidence=min(done.confidence for done in fixes.values()),
        justification=_TIDIES % {"fields": _listed(list(fixes))},
        evidence=tuple(_evidence(contact, name, done) for name, done in fixes.items()),
        flags=flags,
    )


def _handoff(contact: Contact, doubts: Mapping[str, Cleaned]) -> Handoff:
    return Handoff(
        reason="needs_a_person",
        summary=_LOOK_AT % {"fields": _listed(list(doubts))},
        found={name: done.reason for name, done in doubts.items()},
        evidence=tuple(_evidence(contact, name, done) for name, done in doubts.items()),
    )


def _evidence(contact: Contact, name: str, done: Cleaned) -> Evidence:
    sentence = _UNCLEAR if done.action == "flag" else _BECOMES
    claim = sentence % {"field": _label(name).capitalize(), "value": repr(done.value), "why": done.reason}
    return Evidence(claim, f"contact:{contact.contact_id}", contact.fields[name], name)


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ")


def _listed(found: list[str]) -> str:
    words = [_label(name) for name in found]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
