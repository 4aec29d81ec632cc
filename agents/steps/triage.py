"""Ticket triage: which queue, how urgent, which tags. Reads message and queues, proposes `ticket.update`."""

from functools import partial

from agents.lines import TriageLine
from agents.steps import second_look, verify
from agents.steps.base import Agent, Trace
from agents.tools import Tools
from agents.triage import deciding, escalating, following
from agents.triage.classifier import Model
from agents.types import Draft, Outcome, Told
from portal.systems.records import Ticket

PRIORITIES = ("P1", "P2", "P3", "P4")


def work(subject: str, tools: Tools, trace: Trace, told: Told | None = None) -> Outcome:
    """Read, classify, follow what a reviewer said, verify."""
    ticket = trace.step("retrieve", tools.ticket, subject.partition(":")[2])
    if ticket is None:
        return verify.gone(subject)
    queues = tools.queues()
    outcome = trace.step("classify", partial(classify, tools, tools.triage_model()), written(ticket), queues)
    if told is not None:
        outcome = trace.step("follow", following.follow, outcome, told, queues)
    outcome = trace.step("verify", check, outcome, subject, ticket, queues)
    return second_look.look(tools, trace, outcome, {"message": written(ticket)})


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
    return escalating.heed(outcome, tools.ask(escalating.request(text, queues)))


def check(outcome: Outcome, subject: str, ticket: Ticket, queues: tuple[str, ...]) -> Outcome:
    """One update of this very ticket, to a queue and a priority that exist."""
    settled = verify.settle(outcome, subject=subject, texts=[written(ticket)], actions=AGENT.actions)
    return verify.judge(settled, [fault for d in settled.drafts for fault in _faults(d, subject, queues)])


def _faults(draft: Draft, subject: str, queues: tuple[str, ...]) -> list[str]:
    faults = [] if draft.target == subject else [f"{draft.target} is not {subject}"]
    faults += [] if draft.args.get("queue") in queues else [f"there is no queue {draft.args.get('queue')!r}"]
    faults += [] if draft.args.get("priority") in PRIORITIES else ["the priority is none of P1 to P4"]
    return faults


AGENT = Agent(
    name="triage",
    version="1",
    line=TriageLine,
    tools=frozenset({"ticket", "queues", "triage_model"}),
    actions=frozenset({"ticket.update"}),
    work=work,
)
