"""CRM hygiene: repairs what is certain in a contact and asks about the rest. Proposes `contact.update`."""

from agents.contacts import deciding
from agents.lines import ContactLine
from agents.steps import second_look, verify
from agents.steps.base import Agent, Trace
from agents.tools import Tools
from agents.types import Draft, Outcome, Told
from portal.systems.records import Contact


def work(subject: str, tools: Tools, trace: Trace, told: Told | None = None) -> Outcome:
    """Read, propose, or propose again as a reviewer said, verify."""
    contact = trace.step("retrieve", tools.contact, subject.partition(":")[2])
    if contact is None:
        return verify.gone(subject)
    if told is None:
        outcome = trace.step("propose", deciding.decide, contact)
    else:
        outcome = trace.step("follow", deciding.decide_again, contact, told)
    outcome = trace.step("verify", check, outcome, subject, contact)
    return second_look.look(tools, trace, outcome, {"contact": contact})


def check(outcome: Outcome, subject: str, contact: Contact) -> Outcome:
    """Changes of this very contact's own, unlocked fields, none emptied."""
    texts = list(contact.fields.values())
    settled = verify.settle(outcome, subject=subject, texts=texts, actions=AGENT.actions)
    return verify.judge(settled, [fault for d in settled.drafts for fault in _faults(d, subject, contact)])


def _faults(draft: Draft, subject: str, contact: Contact) -> list[str]:
    faults = [] if draft.target == subject else [f"{draft.target} is not {subject}"]
    changes = draft.args.get("changes")
    if not isinstance(changes, dict) or not changes:
        return [*faults, "no field is changed"]
    for name, value in changes.items():
        if name in contact.locked_fields:
            faults.append(f"{name} is locked by a person")
        if name not in contact.fields:
            faults.append(f"{name} is not in the record")
        if not isinstance(value, str) or not value.strip():
            faults.append(f"{name} would be emptied")
    return faults


AGENT = Agent(
    name="contacts",
    version="1",
    line=ContactLine,
    tools=frozenset({"contact"}),
    actions=frozenset({"contact.update"}),
    work=work,
)
