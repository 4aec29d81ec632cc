"""A notice in words that may leave the house: its kind, and what it is about by number. Pure.

Nothing a customer wrote, no name, no amount: who follows the link signs in and sees the rest.
"""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

# To the person it is for, and to everybody in a channel.
TO_ONE: Mapping[str, str] = {
    "escalated": noop("A manager is called"),
    "assigned": noop("Given to you"),
    "late": noop("Three quarters of its time are used"),
    "breached": noop("Its time is over"),
    "second": noop("It waits for one more approval, and yours counts"),
    "turned": noop("What you approved did not go as approved"),
    "undone": noop("What you approved was undone"),
    "switch": noop("A switch was thrown"),
    "returned": noop("Your proposal came back"),
    "loosening": noop("Your loosening was decided"),
    "vault": noop("The vault was opened"),
    "seal": noop("The log is not sealed any more"),
    "dead": noop("Work ended its worker three times and lies still"),
    "mention": noop("A colleague calls you in a note"),
}
TO_ALL: Mapping[str, str] = {
    **TO_ONE,
    "assigned": noop("Given to somebody"),
    "second": noop("It waits for one more approval"),
    "turned": noop("What was approved did not go as approved"),
    "undone": noop("What was approved was undone"),
    "returned": noop("A person's proposal was sent back"),
    "loosening": noop("A loosening was decided"),
    "mention": noop("Somebody is called in a note"),
}

_CALLED = {
    "proposal": noop("proposal %(number)s"), "handoff": noop("hand-off %(number)s"), "vault": noop("run %(number)s"),
    "switch": noop("switch %(number)s"), "loosening": noop("loosening %(number)s"),
    "seal": noop("log"), "work": noop("dead work"), "shift-note": noop("note %(number)s for the next shift"),
}  # fmt: skip
_PLACES = {
    "proposal": "proposals/{}/", "handoff": "handoffs/{}/", "switch": "switches/", "work": "manage/",
    "shift-note": "notes/",
    "loosening": "admin/approvals/loosening/{}/change/", "vault": "runs/{}/", "seal": "audit/",
}  # fmt: skip


def called(subject: str) -> str:
    """What it is about by kind and number: 'hand-off 12', 'switch freeze contact.merge'."""
    kind, _colon, key = subject.partition(":")
    words = _(_CALLED[kind]) if kind in _CALLED else f"{kind} %(number)s"
    return (words % {"number": key.replace(":", " ")}).strip()


def place(subject: str) -> str:
    """Where it is seen, below the workspace's address."""
    kind, _colon, key = subject.partition(":")
    return _PLACES.get(kind, "notices/").format(key)


def address(public_url: str, slug: str, path: str) -> str:
    """A link from outside; "" where nobody said what this installation is called there."""
    return f"{public_url}/w/{slug}/{path}" if public_url else ""


def to_one(kind: str) -> str:
    """What happened, to whom it is told."""
    return _(TO_ONE[kind])


def to_all(kind: str) -> str:
    """What happened, to a channel."""
    return _(TO_ALL[kind])


def line(kind: str, subject: str) -> str:
    """One line of a digest."""
    return f"{to_one(kind)}: {called(subject)}"
