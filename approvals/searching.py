"""What the address of the queue asks for: tab, filters, and operators of the search box. Pure.

Only exact columns with an index are offered; a word it does not know is told back, never ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from approvals.state import State

TABS = (
    "pending", "approved", "applying", "stale", "unknown", "handoffs", "resolved", "applied", "rejected", "failed",
    "denied", "expired", "withdrawn",
)  # fmt: skip
TIERS = ("low", "medium", "high")
# What waits, seen otherwise: in nobody's hands, past its time, passed on to managers, laid aside until later.
VIEWS = ("free", "overdue", "escalated", "snoozed")
HANDOFF_TABS = {"handoffs": "open", "resolved": "resolved"}
RISING = ("pending", "approved", "stale", "applying", "unknown", "handoffs", "any")
WAITING = ("pending", "handoffs")
_KNOWN = frozenset([*State, *TABS, *HANDOFF_TABS, "any"])
_TARGETS = ("order", "ticket", "contact")
_COLUMNS = ("agent", "action", "customer", "tier")
HELP_HANDOFFS = "order:#W123 ticket:T-1 contact:C-1"
HELP = "agent:refunds tier:high action:refund.create order:#W123 ticket:T-1 contact:C-1 customer:name_1"


@dataclass(frozen=True, slots=True)
class Search:
    """The search box taken apart: exact columns, possible targets, and what could not be read."""

    columns: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    fault: str = ""

    @property
    def narrow(self) -> bool:
        """Whether it names a record, so that every state may be searched."""
        return bool(self.targets or "target" in self.columns or "customer" in self.columns)


@dataclass(frozen=True, slots=True)
class Filters:
    """The queue's filters as they stand in its address; `playing` serves the next free item after each decision."""

    state: str = "pending"
    agent: str = ""
    tier: str = ""
    action: str = ""
    mine: bool = False
    view: str = ""
    q: str = ""
    search: Search = Search()
    playing: bool = False

    def __hash__(self) -> int:
        """What is searched for is read from `q`, so that says enough."""
        return hash((self.query, self.state))

    @property
    def query(self) -> str:
        """The address's query, without what stands at its default."""
        return self.but()

    def but(self, **changed: str) -> str:
        """The same query with some values changed; "" drops one."""
        values = {
            "state": "" if self.state == "pending" and not self.search.narrow else self.state,
            "agent": self.agent, "tier": self.tier, "action": self.action, "mine": "1" if self.mine else "",
            "view": self.view, "q": self.q, "play": "1" if self.playing else "", **changed,
        }  # fmt: skip
        return urlencode({name: value for name, value in values.items() if value})

    @property
    def lasting(self) -> str:
        """The query that a view is known by: what it shows, not how one works through it."""
        return self.but(play="")

    @property
    def handoffs(self) -> bool:
        """Whether the list shows hand-offs and questions."""
        return self.state in HANDOFF_TABS

    @property
    def rising(self) -> bool:
        """Most urgent first where work waits, newest first where it has ended."""
        return self.state in RISING

    @property
    def columns(self) -> dict[str, str]:
        """Exact column values of proposals."""
        found = {"tier": self.tier, "action": self.action, "proposer": self.agent and f"agent:{self.agent}"}
        return {**{name: value for name, value in found.items() if value}, **self.search.columns}


def read(query: Mapping[str, str]) -> Filters:
    """The filters of an address; what it does not know falls back to the default."""
    q = query.get("q", "").strip()[:200]
    search = parse(q, among_handoffs=query.get("state", "") in HANDOFF_TABS)
    fallback = "any" if search.narrow else "pending"
    state, tier = query.get("state", ""), _one_of(TIERS, query.get("tier", ""))
    state = state if state in _KNOWN and (state != "any" or search.narrow) else fallback
    return Filters(
        state, query.get("agent", "")[:40], tier, query.get("action", "")[:40],
        query.get("mine") == "1", _one_of(VIEWS, query.get("view", "")) if state in WAITING else "", q, search,
        query.get("play") == "1",
    )  # fmt: skip


def _one_of(known: Sequence[str], name: str) -> str:
    return name if name in known else ""


def parse(q: str, *, among_handoffs: bool = False) -> Search:
    """Operators `name:value`; a bare word is the id of an order, a ticket or a contact, all that hand-offs know."""
    try_these = HELP_HANDOFFS if among_handoffs else HELP
    columns: dict[str, str] = {}
    targets: list[str] = []
    for word in q.split():
        name, colon, value = word.partition(":")
        if not colon:
            targets += [f"{kind}:{word}" for kind in _TARGETS] + [f"order:#{word}"]
        elif not value:
            return Search(
                columns, tuple(targets), _("%(word)s names nothing. Try: %(help)s") % {"word": word, "help": try_these}
            )
        elif name in _TARGETS:
            columns["target"] = f"{name}:{value}"
        elif among_handoffs or name not in _COLUMNS or (name == "tier" and value not in TIERS):
            return Search(
                columns,
                tuple(targets),
                _("%(word)s is not an operator here. Try: %(help)s") % {"word": word, "help": try_these},
            )
        elif name == "agent":
            columns["proposer"] = f"agent:{value}"
        else:
            columns[name] = value
    return Search(columns, tuple(targets))
