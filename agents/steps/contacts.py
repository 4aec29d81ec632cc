"""CRM hygiene: repairs what is certain in a contact and asks about the rest; puts two that are one together.

Proposes `contact.update`, and `contact.merge` where a sweep found a pair.
"""

from agents.contacts import deciding, merging
from agents.contacts.merging import Pair
from agents.lines import ContactLine
from agents.steps import answering, second_look, verify
from agents.steps.base import Agent, Trace
from agents.tools import Tools
from agents.types import Draft, Outcome, Told
from approvals.actions.contacts import data_class
from portal.retold import kept
from portal.systems.records import Contact

UNMOVED = kept(
    "The agent says that two contacts are one, no more. Choose in the editor which values survive, or reject it."
)
_UNCHANGED = kept("no field is changed")
_LOCKED = kept("%(field)s is locked by a person")
_NOT_THERE = kept("%(field)s is not in the record")
_EMPTIED = kept("%(field)s would be emptied")


def work(subject: str, tools: Tools, trace: Trace, told: Told | None = None) -> Outcome:
    """Read, propose, or propose again as a reviewer said, verify."""
    contact = trace.step("retrieve", tools.contact, subject.partition(":")[2])
    if contact is None:
        return verify.gone(subject)
    if contact.merged_into:
        return Outcome(confidence=1.0)
    if told is not None and told.action == "contact.merge":
        return trace.step("follow", lambda: answering.keep(UNMOVED))
    if told is None and (pair := tools.pair()) is not None:
        return merge(pair, subject, contact, tools, trace)
    if told is None:
        outcome = trace.step("propose", deciding.decide, contact)
    else:
        outcome = trace.step("follow", deciding.decide_again, contact, told)
    outcome = trace.step("verify", check, outcome, subject, contact)
    return second_look.look(tools, trace, outcome, {"contact": contact})


def merge(pair: Pair, subject: str, keep: Contact, tools: Tools, trace: Trace) -> Outcome:
    """Read the other one, propose, and compare the two again without what the sweep says of them."""
    other = trace.step("retrieve", tools.contact, pair.other)
    if other is None or other.merged_into:
        return Outcome(confidence=1.0)
    leave = tuple(name for name in sorted(other.fields) if data_class(name) == "identity")
    outcome = trace.step("propose", merging.propose, pair, keep, other, leave)
    settled = verify.settle(outcome, subject=subject, texts=list(keep.fields.values()), actions=AGENT.actions)
    outcome = trace.step("verify", verify.judge, settled, merging.faults(pair, keep, other))
    return second_look.look(tools, trace, outcome, {"contact": keep, "other": other})


def check(outcome: Outcome, subject: str, contact: Contact) -> Outcome:
    """Changes of this very contact's own, unlocked fields, none emptied."""
    texts = list(contact.fields.values())
    settled = verify.settle(outcome, subject=subject, texts=texts, actions=AGENT.actions)
    return verify.judge(settled, [fault for d in settled.drafts for fault in _faults(d, subject, contact)])


def _faults(draft: Draft, subject: str, contact: Contact) -> list[str]:
    faults = [] if draft.target == subject else [verify.NOT_THE_CASE % {"target": draft.target, "subject": subject}]
    changes = draft.args.get("changes")
    if not isinstance(changes, dict) or not changes:
        return [*faults, _UNCHANGED]
    for name, value in changes.items():
        if name in contact.locked_fields:
            faults.append(_LOCKED % {"field": name})
        if name not in contact.fields:
            faults.append(_NOT_THERE % {"field": name})
        if not isinstance(value, str) or not value.strip():
            faults.append(_EMPTIED % {"field": name})
    return faults


AGENT = Agent(
    name="contacts",
    version="2",
    line=ContactLine,
    tools=frozenset({"contact"}),
    actions=frozenset({"contact.update", "contact.merge"}),
    work=work,
)
