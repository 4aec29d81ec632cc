"""Erases a person: a customer or a contact with everything that is theirs, as the apply worker alone may.

What is still open is withdrawn first, then one function of the database takes away values, salts and keys
(`agents/sql/40_held.sql` says what and where). The log keeps every entry, and one more that counts what went.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import instructions, proposals
from approvals.models import Handoff, Proposal
from approvals.state import State
from audit import holds, log
from audit.events import Event
from portal.models import Contact, Customer
from portal.retold import kept

WITHDRAWN = (State.PENDING, State.STALE, State.APPROVED)
KEPT = {
    "proposal": noop("a proposal is being applied, or nobody knows what became of it"),
    "run": noop("an agent is at work"),
    "submission": noop("the gate checks something"),
    "hold": noop("a legal hold was placed"),
}
WORDS = kept("Withdrawn: what it was about is erased.")


class ErasingError(Exception):
    """Base of why nothing was erased; the message is for the person."""


class NoSuchPerson(ErasingError):
    """Nobody of that name is here."""


class UnderWay(ErasingError):
    """Something of theirs is being worked on just now; nothing was erased."""


@dataclass(frozen=True, slots=True)
class Erased:
    """Rows taken away or emptied by table, and how many proposals and hand-offs were ended before."""

    subject: str
    counts: Mapping[str, int]
    withdrawn: int
    resolved: int

    @property
    def nothing(self) -> bool:
        """Whether nothing of theirs was there any more."""
        return not self.counts


def find(*, workspace: int, name: str) -> str:
    """The subject by its row (`customer:12`) from the id people know (`customer:c-77`, `contact:c-5`).

    Raises:
        NoSuchPerson.
    """
    kind, _colon, key = name.partition(":")
    found: int | None = None
    if kind == "customer":
        found = Customer.objects.filter(workspace=workspace, customer_id=key).values_list("pk", flat=True).first()
    elif kind == "contact":
        found = Contact.objects.filter(workspace=workspace, contact_id=key).values_list("pk", flat=True).first()
    if found is None:
        words = _("there is no %(name)s here; name one as customer:ID or contact:ID")
        raise NoSuchPerson(words % {"name": repr(name)})
    return f"{kind}:{found}"


def erase(*, workspace: int, subject: str, actor: str, now: datetime) -> Erased:
    """Everything of a person, in the caller's transaction, signed in as apply. Again is a no-op but for its entry.

    Raises:
        holds.OnHold: a legal hold keeps it.
        UnderWay: something of theirs is being applied, worked or checked just now.
    """
    theirs = _theirs(workspace, subject)
    holds.refuse(workspace, theirs["rows"])
    withdrawn = _withdraw(workspace, theirs["proposals"], actor=actor, now=now)
    resolved = _resolve(workspace, theirs["cases"], actor=actor, now=now)
    _refuse_under_way(workspace, subject)
    counts = _call(workspace, subject, only_count=True)
    log.record(
        workspace=workspace, subject=f"erasure:{subject}", event=Event.SUBJECT_ERASED, actor=actor, now=now,
        body={"about": subject, "counts": counts, "withdrawn": withdrawn, "resolved": resolved},
    )  # fmt: skip
    log.attribute(f"erasure:{subject}")
    _call(workspace, subject, only_count=False)
    log.attribute("")
    return Erased(subject, counts, withdrawn, resolved)


def _theirs(workspace: int, subject: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_theirs(%s, %s)", [workspace, subject])
        found = cursor.fetchone()[0]
    return json.loads(found) if isinstance(found, str) else found


def _call(workspace: int, subject: str, *, only_count: bool) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_erase(%s, %s, %s)", [workspace, subject, only_count])
        found = cursor.fetchone()[0]
    counts: dict[str, int] = json.loads(found) if isinstance(found, str) else found
    return dict(sorted(counts.items()))


def _refuse_under_way(workspace: int, subject: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_keeps(%s, agents_theirs(%s, %s))", [workspace, workspace, subject])
        why = str(cursor.fetchone()[0])
    if why:
        raise UnderWay(_("Nothing was erased: %(why)s. Try again when that has ended.") % {"why": _(KEPT[why])})


def _withdraw(workspace: int, found: Sequence[int], *, actor: str, now: datetime) -> int:
    """What is open and not yet under way, each through `transition`."""
    rows = Proposal.objects.filter(workspace_id=workspace, pk__in=list(found), state__in=WITHDRAWN).order_by("pk")
    keys = list(rows.values_list("pk", flat=True))
    for key in keys:
        row = proposals.locked(workspace=workspace, proposal=key)
        if row.state in WITHDRAWN:
            instructions.close(row, WORDS, actor=actor, now=now)
            proposals.transition(row, Event.PROPOSAL_WITHDRAWN, actor=actor, now=now)
    return len(keys)


def _resolve(workspace: int, cases: Sequence[int], *, actor: str, now: datetime) -> int:
    """Hand-offs and questions about them need nobody any more; their rows end with what they held."""
    rows = list(Handoff.objects.filter(workspace_id=workspace, case__in=list(cases), state="open").order_by("pk"))
    log.record_all(
        [
            log.draft(
                workspace=workspace, subject=f"handoff:{row.pk}", version=row.version + 1, case=f"case:{row.case_id}",
                event=Event.HANDOFF_RESOLVED, actor=actor, now=now, body={"erased": True},
            )
            for row in rows
        ]
    )  # fmt: skip
    return len(rows)
