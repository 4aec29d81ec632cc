"""What an agent may look at: typed reads of the systems of record, each allowed by name on the roster.

Nothing here writes. A tool the roster does not name for an agent is refused, whatever the step asks.
"""

from collections.abc import Iterable

from agents import triage_models
from agents.gateway.asker import Asker
from agents.gateway.base import Answer, Request, Unanswered
from agents.refunds.facts import OpenRefund
from agents.triage import language
from agents.triage.classifier import Model
from agents.types import Draft
from approvals.models import Proposal
from approvals.state import OPEN
from portal.systems.base import Reader
from portal.systems.records import Clause, Contact, Customer, Order, PaymentMethod, Ticket

# More spellings than this are not looked up: a message of nothing but numbers must not read the whole book.
MOST_SPELLINGS = 60
READ_FOR_LANGUAGE = 2_000


class ToolError(Exception):
    """Base of what a tool refuses."""


class NotAllowed(ToolError):
    """The roster does not give this tool to this agent."""


class Tools:
    """The tools of one run, inside a transaction of its workspace. `model_version` is the model used,
    `language` that of the ticket read last (ISO 639-1), "" where it is not obvious. What the agent itself proposed
    in `but_case` is not there for it: it is being made again.
    """

    def __init__(
        self, *, workspace: int, reader: Reader, allowed: frozenset[str], models: triage_models.InForce,
        but_case: int | None = None, asker: Asker | None = None,
    ) -> None:  # fmt: skip
        self._workspace = workspace
        self._models = models
        self._reader = reader
        self._allowed = allowed
        self._but_case = but_case
        self._asker = asker
        self.model_version = ""
        self.language = ""

    def ticket(self, ticket_id: str) -> Ticket | None:
        """A ticket with its messages."""
        found = self._using("ticket").ticket(ticket_id)
        if found is not None:
            said = "\n".join(message.body for message in found.messages if message.sender == "customer")
            self.language = language.obvious(said[:READ_FOR_LANGUAGE])
        return found

    def contact(self, contact_id: str) -> Contact | None:
        """A contact of the CRM."""
        return self._using("contact").contact(contact_id)

    def customer(self, customer_id: str) -> Customer | None:
        """A customer."""
        return self._using("customer").customer(customer_id)

    def orders_of(self, customer_id: str) -> tuple[Order, ...]:
        """A customer's orders."""
        return self._using("orders_of").orders_of(customer_id)

    def methods_of(self, customer_id: str) -> tuple[PaymentMethod, ...]:
        """A customer's payment methods."""
        return self._using("methods_of").methods_of(customer_id)

    def orders_named(self, spellings: Iterable[str]) -> tuple[Order, ...]:
        """Orders on record under one of the spellings, whoever owns them."""
        return self._using("orders_named").orders_known_as(list(spellings)[:MOST_SPELLINGS])

    def clauses(self) -> tuple[Clause, ...]:
        """The policy pages, clause by clause."""
        return self._using("clauses").clauses()

    def queues(self) -> tuple[str, ...]:
        """Names of the team queues."""
        return self._using("queues").queues()

    def open_refunds(self, order_ids: Iterable[str]) -> tuple[OpenRefund, ...]:
        """Refunds of these orders that are proposed and not yet sent."""
        self._using("open_refunds")
        rows = (
            Proposal.objects.filter(
                workspace=self._workspace, action="refund.create", state__in=OPEN,
                target__in=[f"order:{order_id}" for order_id in order_ids],
            )
            .exclude(case=self._but_case)
            .order_by("id")
            .values_list("id", "target", "submission__payload")
        )  # fmt: skip
        return tuple(
            OpenRefund(target.partition(":")[2], tuple(payload["args"]["item_ids"]), f"proposal:{key}")
            for key, target, payload in rows
        )

    def triage_model(self) -> Model:
        """The classifier in force in this workspace."""
        self._using("triage_model")
        self.model_version = self._models.version
        return triage_models.load(self.model_version)

    def ask(self, request: Request) -> Answer | Unanswered:
        """A typed value from a model. Raises `Needs` where the run has to leave for it, as `Asker.ask`."""
        return Unanswered("none", "No model may be asked here.") if self._asker is None else self._asker.ask(request)

    def bar(self, step: str) -> float:
        """From which confidence on a step's own answer stands without asking a model, 0 to 1; 0 where none is asked."""
        return 0.0 if self._asker is None else self._asker.bar(step)

    @property
    def asked_models(self) -> frozenset[str]:
        """Names of the models whose answers were used so far."""
        return frozenset() if self._asker is None else frozenset(self._asker.models)

    def is_grave(self, draft: Draft) -> bool:
        """Whether a second model is to look at a draft: its threshold says medium or high, and there is a backend."""
        return self._asker is not None and self._asker.is_grave(draft)

    def _using(self, name: str) -> Reader:
        if name not in self._allowed:
            raise NotAllowed(f"the tool {name} is not this agent's")
        if self._asker is not None:
            self._asker.use_tool(name)
        return self._reader
