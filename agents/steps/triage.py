"""Ticket triage: which queue, how urgent, which tags; told before; answered by the policy pages.

Reads message, queues, the customer's other open tickets and clauses. Proposes `ticket.update`, and `ticket.reply` where
one clause clearly answers.
"""

from collections.abc import Sequence
from functools import partial

from agents.lines import TriageLine
from agents.steps import second_look, verify
from agents.steps.base import Agent, Trace
from agents.tools import Tools
from agents.triage import deciding, duplicates, escalating, following, replying
from agents.triage.classifier import Model
from agents.types import Draft, Outcome, Told
from portal.retold import kept
from portal.systems.records import Clause, Ticket

LONGEST_QUESTION = 2_000
PRIORITIES = ("P1", "P2", "P3", "P4")
_NO_CLAUSE = kept("the reply rests on no clause")
_MISQUOTED = kept("the reply does not quote %(clause)s")
_NO_QUEUE = kept("there is no queue %(queue)s")
_NO_PRIORITY = kept("the priority is none of P1 to P4")


def work(subject: str, tools: Tools, trace: Trace, told: Told | None = None) -> Outcome:
    """Read, classify, follow what a reviewer said, verify."""
    ticket = trace.step("retrieve", tools.ticket, subject.partition(":")[2])
    if ticket is None:
        return verify.gone(subject)
    queues, text = tools.queues(), written(ticket)
    outcome = trace.step("classify", partial(classify, tools, tools.triage_model()), text, queues)
    if ticket.customer_id and (others := tools.open_tickets(ticket)):
        outcome = trace.step("compare", duplicates.name, outcome, text, others)
    if replying.asks(outcome, text):
        outcome = trace.step("suggest", replying.suggest, outcome, text, tools.passages(text[:LONGEST_QUESTION]))
    if told is not None:
        outcome = trace.step("follow", following.follow, outcome, told, queues)
    cited = {name for draft in outcome.drafts for name in _clauses(draft)}
    clauses = [clause for clause in tools.clauses() if clause.clause_id in cited] if cited else []
    outcome = trace.step("verify", check, outcome, subject, ticket, queues, clauses)
    return second_look.look(tools, trace, outcome, {"message": text, "clauses": clauses})


def written(ticket: Ticket) -> str:
    """What the customer wrote, the subject line first."""
    bodies = [message.body for message in ticket.messages if message.sender == "customer"]
    return "\n\n".join(part for part in (ticket.subject, *bodies) if part)


def classify(tools: Tools, model: Model, text: str, queues: tuple[str, ...]) -> Outcome:
    """What the classifier makes of the text, and where it is unsure a language model; the rules around both are in
    `agents.triage`.
    """
    outcome = deciding.decide(text, model, queues=queues)
    if not escalating.may_ask(outcome, tools.bar(escalating.STEP)):
        return outcome
    asked = escalating.request(text, queues, tools.prompt(escalating.STEP), tools.rejected)
    return escalating.heed(outcome, tools.ask(asked))


def check(
    outcome: Outcome, subject: str, ticket: Ticket, queues: tuple[str, ...], clauses: Sequence[Clause] = ()
) -> Outcome:
    """Of this very ticket an update, to a queue and a priority that exist, and a reply that quotes its clause."""
    settled = verify.settle(outcome, subject=subject, texts=[written(ticket)], actions=AGENT.actions)
    faults = [fault for d in settled.drafts if d.action != replying.ACTION for fault in _faults(d, subject, queues)]
    faults += [
        fault for d in settled.drafts if d.action == replying.ACTION for fault in _misquotes(d, subject, clauses)
    ]
    return verify.judge(settled, faults)


def _clauses(draft: Draft) -> list[str]:
    named = draft.args.get("clauses")
    return [str(name) for name in named] if isinstance(named, list) else []


def _misquotes(draft: Draft, subject: str, clauses: Sequence[Clause]) -> list[str]:
    faults = [] if draft.target == subject else [verify.NOT_THE_CASE % {"target": draft.target, "subject": subject}]
    texts = {clause.clause_id: clause.text for clause in clauses}
    named, body = _clauses(draft), str(draft.args.get("body"))
    faults += [] if named else [_NO_CLAUSE]
    return faults + [_MISQUOTED % {"clause": name} for name in named if texts.get(name, "\0") not in body]


def _faults(draft: Draft, subject: str, queues: tuple[str, ...]) -> list[str]:
    faults = [] if draft.target == subject else [verify.NOT_THE_CASE % {"target": draft.target, "subject": subject}]
    queue = draft.args.get("queue")
    faults += [] if queue in queues else [_NO_QUEUE % {"queue": repr(queue)}]
    faults += [] if draft.args.get("priority") in PRIORITIES else [_NO_PRIORITY]
    return faults


AGENT = Agent(
    name="triage",
    version="2",
    line=TriageLine,
    tools=frozenset({"ticket", "queues", "triage_model", "open_tickets", "clauses", "passages"}),
    actions=frozenset({"ticket.update", "ticket.reply"}),
    work=work,
)
