"""A notice in words that may leave the house: its kind, and what it is about by number. Pure.

Nothing a customer wrote, no name, no amount: who follows the link signs in and sees the rest.
"""

from collections.abc import Mapping

# To the person it is for, and to everybody in a channel.
TO_ONE: Mapping[str, str] = {
    "escalated": "A manager is called",
    "assigned": "Given to you",
    "late": "Three quarters of its time are used",
    "breached": "Its time is over",
    "second": "It waits for one more approval, and yours counts",
    "turned": "What you approved did not go as approved",
    "undone": "What you approved was undone",
    "switch": "A switch was thrown",
    "returned": "Your proposal came back",
    "loosening": "Your loosening was decided",
    "vault": "The vault was opened",
    "seal": "The log is not sealed any more",
    "dead": "Work ended its worker three times and lies still",
}
TO_ALL: Mapping[str, str] = {
    **TO_ONE,
    "assigned": "Given to somebody",
    "second": "It waits for one more approval",
    "turned": "What was approved did not go as approved",
    "undone": "What was approved was undone",
    "returned": "A person's proposal was sent back",
    "loosening": "A loosening was decided",
}

_CALLED = {"handoff": "hand-off", "seal": "log", "vault": "run"}
_PLACES = {
    "proposal": "proposals/{}/", "handoff": "handoffs/{}/", "switch": "switches/", "work": "manage/",
    "loosening": "admin/approvals/loosening/{}/change/", "vault": "runs/{}/", "seal": "audit/",
}  # fmt: skip


def called(subject: str) -> str:
    """What it is about by kind and number: 'hand-off 12', 'switch freeze contact.merge'."""
    kind, _, key = subject.partition(":")
    if kind in ("seal", "work"):
        return "log" if kind == "seal" else "dead work"
    return f"{_CALLED.get(kind, kind)} {key.replace(':', ' ')}".strip()


def place(subject: str) -> str:
    """Where it is seen, below the workspace's address."""
    kind, _, key = subject.partition(":")
    return _PLACES.get(kind, "notices/").format(key)


def address(public_url: str, slug: str, path: str) -> str:
    """A link from outside; "" where nobody said what this installation is called there."""
    return f"{public_url}/w/{slug}/{path}" if public_url else ""


def line(kind: str, subject: str) -> str:
    """One line of a digest."""
    return f"{TO_ONE[kind]}: {called(subject)}"
