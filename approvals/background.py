"""What stands behind a case on its pages: conversation, customer, orders, citations, and its story so far."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import anchors, calls, marks, queries, remarks, sentences, showing, staleness, wording
from approvals.actions import ACTIONS
from approvals.marks import Piece, Warning
from approvals.models import Case, Handoff, Proposal, Revision
from approvals.showing import Books
from audit.events import Event
from audit.models import Entry
from portal import retold
from portal.models import Queue
from portal.systems.books import BooksReader
from portal.systems.records import Clause, Contact, Customer, Order, Ticket

# A page shows the newest part of a long story; the log page has all of it.
LINES = 40
REFUND = noop("Refund %(amount)s to %(to)s, order %(order)s")


# What erasing puts in front of the number that is left of a customer (agents/sql/40_held.sql).
ERASED = "erased-"


@dataclass(frozen=True, slots=True)
class Facts:
    """Records around a case; `order` is the one that is acted on."""

    ticket: Ticket | None
    contact: Contact | None
    customer: Customer | None
    order: Order | None
    orders: tuple[Order, ...]
    books: Books
    clauses: Mapping[str, Clause]

    @property
    def queue_title(self) -> str:
        """The ticket's queue as people call it, or ""."""
        name = (self.ticket.queue or "") if self.ticket else ""
        return self.books.queues.get(name, name)

    @property
    def contact_named(self) -> str:
        """The contact that it is about, `contact:c-1`, "" where nobody is known."""
        key = self.contact.contact_id if self.contact else self.customer.contact_id if self.customer else ""
        return f"contact:{key}" if key else ""

    @property
    def wrote(self) -> int:
        """The number of the customer's last message."""
        return staleness.newest(self.ticket)

    @property
    def erased(self) -> bool:
        """Whether the person's data was taken away: the records stand, what they held does not."""
        written = self.ticket.messages if self.ticket else ()
        return (
            (self.contact is not None and not self.contact.fields)
            or (self.customer is not None and self.customer.customer_id.startswith(ERASED))
            or (bool(written) and not any(message.body for message in written))
        )

    @property
    def warnings(self) -> tuple[Warning, ...]:
        """What may deceive the eye in the conversation."""
        return marks.warnings([message.body for message in self.ticket.messages] if self.ticket else [])


@dataclass(frozen=True, slots=True)
class Citation:
    """One claim; `clause` is the cited sentence, `own_words` says that only the customer bears it out.

    `clause_id` and `version` lead to the page of a clause as it was read; `changed` says that it reads otherwise now.
    `anchor` is where the page shows what is cited, "" where it does not; `proposal` one that is cited.
    """

    claim: str
    source: str
    field: str
    quote: tuple[Piece, ...]
    clause: str
    own_words: bool
    clause_id: str = ""
    version: int = 0
    changed: bool = False
    anchor: str = ""
    proposal: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `about` is `proposal:12` or another subject; times are UTC; `batch` it was done in."""

    at: datetime
    who: str
    what: str
    about: str
    note: str
    event: str
    until: datetime | None = None
    batch: str = ""

    @property
    def run(self) -> int:
        """The number of the agent's run it is about, 0 where it is about something else."""
        return self._number("run")

    @property
    def proposal(self) -> int:
        """The number of the proposal it is about, 0 where it is about something else."""
        return self._number("proposal")

    @property
    def handoff(self) -> int:
        """The number of the hand-off it is about, 0 where it is about something else."""
        return self._number("handoff")

    def _number(self, wanted: str) -> int:
        kind, _colon, key = self.about.partition(":")
        return int(key) if kind == wanted and key.isdecimal() else 0


def facts(workspace: int, case: Case, target: str = "", customer: str = "") -> Facts:
    """Read the books around a case and, where one is named, the record that is acted on."""
    reader = BooksReader(workspace)
    kind, _colon, key = case.subject.partition(":")
    ticket = reader.ticket(key) if kind == "ticket" else None
    acted = target if target.startswith(("contact:", "order:")) else case.subject
    about = acted if acted.startswith("contact:") else case.subject
    contact = reader.contact(about.removeprefix("contact:")) if about.startswith("contact:") else None
    owner = customer or case.customer
    orders = reader.orders_of(owner) if owner else ()
    named = acted.removeprefix("order:") if acted.startswith("order:") else ""
    methods = {method.payment_method_id: method for method in reader.methods_of(owner)} if owner else {}
    titles = dict(Queue.objects.filter(workspace_id=workspace).values_list("name", "title"))
    return Facts(
        ticket,
        contact,
        reader.customer(owner) if owner else None,
        next((order for order in orders if order.order_id == named), None),
        orders,
        Books({order.order_id: order for order in orders}, methods, titles),
        {clause.clause_id: clause for clause in reader.clauses()},
    )


def citations(evidence: Iterable[Mapping[str, Any]], known: Facts) -> tuple[Citation, ...]:
    """Evidence with its passages; what only the customer's own text says is marked."""
    return tuple(_citation(piece, known, at) for at, piece in enumerate(evidence))


def _citation(piece: Mapping[str, Any], known: Facts, at: int) -> Citation:
    source = str(piece.get("source", ""))
    kind, _colon, key = source.partition(":")
    clause = known.clauses.get(key) if kind == "clause" else None
    read = int(piece.get("version") or 0) or (clause.version if clause else 0)
    changed = clause is not None and clause.version != read
    quote = str(piece.get("quote", ""))
    claim = retold.say(str(piece.get("claim", "")))
    return Citation(
        claim=claim[:1].upper() + claim[1:],
        source=source,
        field=wording.field(name) if (name := piece.get("field")) else "",
        quote=() if clause else marks.spell(quote),
        clause=(quote if changed else clause.text) if clause else "",
        own_words=kind == "ticket",
        clause_id=key if kind == "clause" else "",
        version=read,
        changed=changed,
        anchor=anchors.of(
            piece, at, ticket=known.ticket, orders=known.orders, contact=known.contact, customer=known.customer
        ),
        proposal=int(key) if kind == "proposal" and key.isdecimal() else 0,
    )


def taint(cited: Sequence[Citation]) -> str:
    """A warning where a value, or all of it, rests on nothing but what the customer wrote; or ""."""
    fields = {c.field for c in cited if c.field}
    alone = sorted(f for f in fields if all(c.own_words for c in cited if c.field == f))
    if cited and all(c.own_words for c in cited):
        return _("All of this rests on the customer's own words; no record bears it out.")
    words = _("Rests on the customer's own words alone: %(fields)s.") % {"fields": ", ".join(alone)}
    return words if alone else ""


def timeline(workspace: int, case: int, *, limit: int = LINES, trace_id: str = "") -> tuple[Line, ...]:
    """The newest entries of a case, oldest first; of one trace alone where it is named."""
    rows = Entry.objects.filter(workspace_id=workspace, case=f"case:{case}").exclude(event=Event.ITEM_SEEN)
    rows = rows.filter(trace_id=trace_id) if trace_id else rows
    entries = list(rows.prefetch_related("payloads").order_by("-id")[:limit])
    bodies = [json.loads(entry.canonical)["body"] for entry in entries]
    named = [who for body in bodies for who in remarks.people_in(body)]
    people = queries.names([*(entry.actor for entry in entries), *named])
    return tuple(_line(entry, body, people) for entry, body in zip(reversed(entries), reversed(bodies), strict=True))


def _line(entry: Entry, body: Mapping[str, Any], people: Mapping[int, str]) -> Line:
    personal = {payload.name: payload.value for payload in entry.payloads.all()}
    what, about = wording.event(entry.event), sentences.object_of(entry.event, entry.subject, body)
    if entry.event == Event.DECISION_RECORDED:
        what = wording.decided(body["kind"])
        what = what[:1].upper() + what[1:]
    return Line(
        entry.at, wording.actor(entry.actor, people), what, "" if about.startswith("shift-note:") else about,
        remarks.of(entry.event, body, personal, people), entry.event,
        datetime.fromisoformat(body["until"]) if entry.event == Event.ITEM_SNOOZED else None,
        str(body.get("batch", "")) if entry.event == Event.DECISION_RECORDED else "",
    )  # fmt: skip


def siblings(workspace: int, case: int, besides: int = 0) -> list[Proposal]:
    """The other proposals of a case with what they wait for, oldest first."""
    rows = Proposal.objects.filter(workspace_id=workspace, case_id=case).exclude(pk=besides).defer("basis")
    return list(rows.prefetch_related("dependencies__on").order_by("pk")[:50])


def taints(workspace: int, proposals: Iterable[Proposal]) -> dict[int, list[dict[str, Any]]]:
    """What of each proposal, as it stands, follows from the customer's words."""
    rows = Revision.objects.filter(workspace_id=workspace, proposal__in=list(proposals), number=F("proposal__revision"))
    return dict(rows.exclude(taint=[]).order_by("proposal_id").values_list("proposal_id", "taint"))


def handoffs(workspace: int, case: int, besides: int = 0) -> list[Handoff]:
    """The other hand-offs and questions of a case, oldest first."""
    rows = Handoff.objects.filter(workspace_id=workspace, case_id=case).exclude(pk=besides)
    return list(rows.order_by("pk")[:50])


# What was sent reads as money does; our own numbers of it come last, all else stands as it came.
_FIRST = ("amount_minor", "to", "sent", "sent_at", "system", "outside_id", "money")
_ORDER = {name: place - len(_FIRST) for place, name in enumerate(_FIRST)} | {"proposal": 1, "attempt": 2, "receipt": 3}


def found(values: Mapping[str, Any], known: Facts) -> list[tuple[str, str]]:
    """What an agent had found, as labels and words; plans of refunds by item, amount and destination."""
    currency = str(values.get("currency", ""))
    shown: list[tuple[str, str]] = []
    for name, value in sorted(values.items(), key=lambda pair: _ORDER.get(pair[0], 0)):
        try:
            shown += [(label, text) for label, text in _found(name, value, currency, known) if text]
        except (TypeError, ValueError, LookupError, AttributeError):  # an agent's own words, of any form
            shown.append((wording.field(name), json.dumps(value)))
    return shown


def _found(name: str, value: Any, currency: str, known: Facts) -> Iterable[tuple[str, str]]:
    if name in ("currency", "args", "run", "open", "clauses", "flags", "asked"):
        return []
    if name == "amount_minor":
        return [(_("Amount"), wording.amount(value, currency))]
    if name == "money":
        return [(_("Money"), calls.money(value))]
    if name == "actions":
        return [(_("Worked out"), _plan(plan, known)) for plan in value]
    if name == "drafts":
        return [
            (_("Drafted"), _("%(action)s on %(target)s") % {**draft, "action": _title(draft["action"])})
            for draft in value
        ]
    if name == "queues":
        return [
            (
                _("Likeliest queues"),
                "\n".join(f"{known.books.queues.get(q, q)}: {p:.0%}" for q, p in value.items()),
            )
        ]
    return [(wording.field(name), _told(value) if not isinstance(value, dict) else json.dumps(value))]


def _title(text: str) -> str:
    """An action by its title, whatever else in the reader's language."""
    return retold.say(ACTIONS[text].title if text in ACTIONS else text)


def _told(value: Any) -> str:
    """As text; of lists, and of what an agent's code says, each in the reader's language."""
    parts = value if isinstance(value, list) else [value]
    return "\n".join(_title(wording.plain(part)) for part in parts)


def _plan(plan: Mapping[str, Any], known: Facts) -> str:
    order = known.books.orders.get(plan["order_id"])
    amount = wording.amount(plan["amount_minor"], plan["currency"])
    told = {
        "amount": amount, "order": plan["order_id"], "to": showing.method(plan["refund_to"], known.books),
    }  # fmt: skip
    cancels = plan["kind"] == "cancel"
    words = _("Cancel and refund %(amount)s to %(to)s, order %(order)s") if cancels else _(REFUND)
    return "\n".join([words % told, *showing.items(plan["item_ids"], order)])
