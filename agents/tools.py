"""What an agent may look at: typed reads of the systems of record, each allowed by name on the roster and by policy.

Nothing here writes. Every call is kept for the trace, refused ones too: what was asked and what came back by digest.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from pydantic import ValidationError

from agents import prompts, retrieval, triage_models
from agents.contacts.merging import Pair
from agents.gateway.asker import Asker
from agents.gateway.base import Answer, Request, Unanswered
from agents.prompts import Prompt
from agents.refunds.facts import OpenRefund
from agents.toolset import MOST_SPELLINGS, TOOLS, Form, sources
from agents.triage import language
from agents.triage.classifier import Model
from agents.triage.duplicates import Other
from agents.types import Draft, Rejected
from approvals import policy, staleness
from approvals.models import Proposal
from approvals.state import OPEN
from portal.retold import kept
from portal.systems.base import Reader
from portal.systems.records import Clause, Contact, Customer, Order, PaymentMethod, Ticket

READ_FOR_LANGUAGE = 2_000
# A run has a known most it can ask; a loop over tools ends here whatever asks for it.
MOST_CALLS_OF_ONE, MOST_CALLS = 40, 100
LONGEST_SECONDS = 8.0
_SLOW = kept("the tool %(tool)s took longer than %(seconds)s seconds")
_NOT_ITS = kept("the tool %(tool)s is not this agent's")
_FORBIDDEN = kept("the tool %(tool)s is forbidden to this agent: %(why)s")
_TOO_OFTEN = kept("the run has asked %(tool)s as often as it may")
_NOT_OF_FORM = kept("%(what)s is not of its form: %(where)s: %(fault)s")
_ASKED_OF = kept("what was asked of %(tool)s")
_GAVE = kept("what %(tool)s gave")
_NO_MODEL = kept("No model may be asked here.")
T = TypeVar("T")


class ToolError(Exception):
    """Base of what a tool refuses; `ended` is its word on the trace. A person gets the case."""

    ended = "refused"


class NotAllowed(ToolError):
    """The roster does not give this tool to this agent, or a policy forbids it."""

    ended = "denied"


class TooMany(ToolError):
    """The run has used up its calls."""

    ended = "limited"


class TooSlow(ToolError):
    """It took longer than a call may; what came back is not used."""

    ended = "timeout"


class Malformed(ToolError):
    """What was asked or came back is not of the tool's form."""

    ended = "malformed"


@dataclass(frozen=True, slots=True)
class Called:
    """One call: digests are SHA-256 (hex), `result_digest` "" where nothing came back; `ended` is ok or a refusal.

    `began_ns` is on the clock of `time.perf_counter_ns`.
    """

    tool: str
    argument_digest: str
    result_digest: str
    began_ns: int
    micros: int
    ended: str


@lru_cache(maxsize=256)
def forbidden(agent: str, name: str) -> str:
    """Why a policy forbids an agent this tool, "" where none does; the policies of a process do not change.

    Raises:
        NotAllowed: the policies did not answer cleanly; that is not remembered.
    """
    tool = TOOLS[name]
    answer = policy.ask_read(
        agent=agent, tool=name, kind=tool.kind, data=tool.data, policies=policy.load(name=policy.READS)
    )
    if answer.denied and not answer.rules:
        raise NotAllowed(" ".join(answer.reasons))
    return " ".join(answer.reasons)


class Tools:
    """The tools of one run of `agent`, inside a transaction of its workspace. `digest` names values on the trace.

    `model_version` is the model used, `language` that of the ticket read last (ISO 639-1), "" where it is not obvious.
    `read_to` is the number of its last message; `read` are the records that tools gave, as evidence names them,
    `retrieved` the clauses, by id with their version. What the agent itself proposed in `but_case` is not there for it:
    it is being made again. `rejected` is what people rejected of it in this case.
    """

    def __init__(
        self, *, agent: str, workspace: int, reader: Reader, allowed: frozenset[str], models: triage_models.InForce,
        digest: Callable[[object], str], but_case: int | None = None, asker: Asker | None = None,
        pair: Pair | None = None, rejected: Sequence[Rejected] = (),
    ) -> None:  # fmt: skip
        self._agent = agent
        self._workspace = workspace
        self._models = models
        self._reader = reader
        self._allowed = allowed
        self._digest = digest
        self._but_case = but_case
        self._asker = asker
        self._pair = pair
        self.rejected = tuple(rejected)
        self.calls: list[Called] = []
        self.read: set[str] = set()
        self.retrieved: dict[str, int] = {}
        self.model_version = ""
        self.language = ""
        self.read_to: int | None = None

    def ticket(self, ticket_id: str) -> Ticket | None:
        """A ticket with its messages."""
        found = self._call("ticket", self._reader.ticket, ticket_id)
        if found is not None:
            said = "\n".join(message.body for message in found.messages if message.sender == "customer")
            self.language, self.read_to = language.obvious(said[:READ_FOR_LANGUAGE]), staleness.last(found)
        return found

    def contact(self, contact_id: str) -> Contact | None:
        """A contact of the CRM."""
        return self._call("contact", self._reader.contact, contact_id)

    def pair(self) -> Pair | None:
        """Two contacts that a sweep found to be one, where it began this run for them."""
        return self._pair

    def customer(self, customer_id: str) -> Customer | None:
        """A customer."""
        return self._call("customer", self._reader.customer, customer_id)

    def orders_of(self, customer_id: str) -> tuple[Order, ...]:
        """A customer's orders."""
        return self._call("orders_of", self._reader.orders_of, customer_id)

    def methods_of(self, customer_id: str) -> tuple[PaymentMethod, ...]:
        """A customer's payment methods."""
        return self._call("methods_of", self._reader.methods_of, customer_id)

    def orders_named(self, spellings: Iterable[str]) -> tuple[Order, ...]:
        """Orders on record under one of the spellings, whoever owns them."""
        return self._call("orders_named", self._reader.orders_known_as, list(spellings)[:MOST_SPELLINGS])

    def clauses(self) -> tuple[Clause, ...]:
        """The policy pages in force, clause by clause: what this agent may read, and who reviews its work too."""
        found = self._call("clauses", partial(self._reader.clauses_for, self._agent))
        self.retrieved |= {clause.clause_id: clause.version for clause in found}
        return found

    def passages(self, question: str) -> tuple[Clause, ...]:
        """The clauses that speak to a question: all of them where nobody embeds, else the nearest by words and meaning.

        Raises `Needs` where the run has to leave for vectors.
        """
        if self._asker is None or not self._asker.embedding:
            return self.clauses()
        found = self._call("passages", partial(self._passages, self._asker), question)
        self.retrieved |= {clause.clause_id: clause.version for clause in found}
        return found

    def queues(self) -> tuple[str, ...]:
        """Names of the team queues."""
        return self._call("queues", self._reader.queues)

    def open_refunds(self, order_ids: Iterable[str]) -> tuple[OpenRefund, ...]:
        """Refunds of these orders that are proposed and not yet sent."""
        return self._call("open_refunds", self._open_refunds, sorted(order_ids))

    def open_tickets(self, ticket: Ticket) -> tuple[Other, ...]:
        """What the same customer wrote in their other tickets that are not solved, the newest first."""
        return self._call("open_tickets", self._open_tickets, ticket.customer_id, ticket.ticket_id)

    def triage_model(self) -> Model:
        """The classifier in force in this workspace."""
        return self._call("triage_model", self._triage_model)

    def _passages(self, asker: Asker, question: str) -> tuple[Clause, ...]:
        return retrieval.search(self._workspace, self._agent, question, asker)

    def _open_refunds(self, order_ids: list[str]) -> tuple[OpenRefund, ...]:
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

    def _open_tickets(self, customer_id: str, but: str) -> tuple[Other, ...]:
        found = self._reader.open_tickets_of(customer_id)
        return tuple(Other(one.ticket_id, _written(one)) for one in found if one.ticket_id != but)

    def _triage_model(self) -> Model:
        self.model_version = self._models.version
        return triage_models.load(self.model_version)

    def ask(self, request: Request) -> Answer | Unanswered:
        """A typed value from a model. Raises `Needs` where the run has to leave for it, as `Asker.ask`."""
        return Unanswered("none", _NO_MODEL) if self._asker is None else self._asker.ask(request)

    def prompt(self, step: str) -> Prompt:
        """The version of what a step tells a model."""
        return prompts.in_force(step) if self._asker is None else self._asker.prompt(step)

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

    def _call(self, name: str, read: Callable[..., T], *args: Any) -> T:
        """Permit, read, look through; whatever comes of it is on the trace.

        Raises:
            ToolError.
        """
        began, ended, result = time.perf_counter_ns(), "error", ""
        try:
            self._permit(name)
            _look_through(TOOLS[name].takes, args, _ASKED_OF % {"tool": name})
            value = read(*args)
            _look_through(TOOLS[name].gives, value, _GAVE % {"tool": name})
            if time.perf_counter_ns() - began > LONGEST_SECONDS * 1e9:
                raise TooSlow(_SLOW % {"tool": name, "seconds": f"{LONGEST_SECONDS:g}"})
            self.read |= sources(value)
            ended, result = "ok", self.model_version if isinstance(value, Model) else self._digest(value)
            return value
        except ToolError as error:
            ended = error.ended
            raise
        finally:
            micros = (time.perf_counter_ns() - began) // 1000
            self.calls.append(Called(name, self._digest(list(args)), result, began, micros, ended))

    def _permit(self, name: str) -> None:
        if name not in self._allowed:
            raise NotAllowed(_NOT_ITS % {"tool": name})
        if why := forbidden(self._agent, name):
            raise NotAllowed(_FORBIDDEN % {"tool": name, "why": why})
        if len(self.calls) >= MOST_CALLS or sum(call.tool == name for call in self.calls) >= MOST_CALLS_OF_ONE:
            raise TooMany(_TOO_OFTEN % {"tool": name})
        if self._asker is not None:
            self._asker.use_tool(name)


def _look_through(form: Form, value: Any, what: str) -> None:
    try:
        form.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(_NOT_OF_FORM % {"what": what, "where": where, "fault": first["msg"]}) from error


def _written(ticket: Ticket) -> str:
    return "\n\n".join(message.body for message in ticket.messages if message.sender == "customer")
