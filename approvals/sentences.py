"""Entries of the log as sentences: 'Mara Voss approved “Refund 45.10 EUR”'. Pure."""

from collections.abc import Mapping
from typing import Any

from approvals import wording

# What the actor did, by event; {about} is the thing it was done to.
PHRASES = {
    "ticket.received": "took in {about}",
    "contact.received": "took in {about}",
    "books.imported": "imported records",
    "page.published": "published {about}",
    "model.trained": "trained the classifier of tickets",
    "backend.set": "set {about}",
    "model_key.set": "put in a key: {about}",
    "price.set": "set {about}",
    "budget.set": "set {about}",
    "bar.set": "set {about}",
    "run.finished": "finished {about}",
    "run.failed": "gave up {about}",
    "run.replayed": "was asked again about {about}",
    "sweep.planned": "planned the sweeps of contacts",
    "sweep.started": "began {about}",
    "sweep.finished": "finished {about}",
    "proposal.proposed": "proposed {about}",
    "proposal.allowed": "proposed {about}, which passed by itself",
    "proposal.denied": "proposed {about}, which was denied",
    "proposal.edited": "edited {about}",
    "proposal.rebased": "saw the record change elsewhere; {about} stayed the same",
    "proposal.approved": "completed the approval of {about}",
    "proposal.rejected": "rejected {about}",
    "proposal.stopped": "stopped {about} during its hold",
    "proposal.reopened": "reopened {about}",
    "proposal.redone": "had {about} worked out anew",
    "proposal.withdrawn": "withdrew {about}",
    "proposal.revised": "worked {about} out again",
    "proposal.rescheduled": "gave {about} the time back that was spent waiting",
    "proposal.stale": "found {about} stale",
    "proposal.expired": "let {about} expire",
    "proposal.applying": "began to carry out {about}",
    "proposal.applied": "carried out {about}",
    "proposal.failed": "could not carry out {about}",
    "proposal.unknown": "does not know what became of {about}",
    "proposal.cleared": "cleared {about} to be sent again",
    "attempt.sent": "sent {about} to the system outside",
    "attempt.ended": "has the answer of the system outside to {about}",
    "effect.settled": "saw the money of {about} arrive",
    "effect.bounced": "saw the money of {about} come back",
    "work.died": "gave up on {about} after several tries",
    "work.revived": "had {about} tried again",
    "decision.recorded": "decided on {about}",
    "instruction.answered": "answered what was asked about {about}",
    "submission.refused": "was refused at the door: {about}",
    "handoff.opened": "handed to a person: {about}",
    "handoff.resolved": "resolved {about}",
    "handoff.rescheduled": "gave {about} the time back that was spent waiting",
    "item.taken_over": "took over {about}",
    "item.assigned": "assigned {about}",
    "item.seen": "looked at {about}",
    "item.snoozed": "laid {about} aside",
    "item.woken": "brought {about} back",
    "item.escalated": "called a manager to {about}",
    "item.settled": "needs no manager any more for {about}",
    "log.exported": "took a part of the log along",
    "queue.exported": "took a part of the queue along",
    "key.rotated": "gave the log a new key",
    "subject.erased": "erased what was kept of {about}",
    "hold.placed": "placed a legal hold on {about}",
    "hold.lifted": "lifted the legal hold on {about}",
    "retention.set": "set how long is kept: {about}",
    "retention.ran": "let go what had been kept long enough: {about}",
    "vault.opened": "opened the vault for {about}",
    "mark.reached": "noted time used up on {about}",
    "case.paused": "let {about} wait for the customer",
    "case.resumed": "let {about} go on",
    "message.received": "took in a message of the customer on {about}",
    "switch.thrown": "threw {about}",
    "switch.restored": "restored {about}",
    "stepup.passed": "proved to be present for {about}",
    "factors.forgotten": "took away the second factors of {about}",
    "view.begun": "began to look as {about}",
    "view.ended": "stopped looking as {about}",
    "shift.noted": "left the next shift a note",
    "shift.settled": "settled a note of an earlier shift",
    "second_look.answered": "took a second look at {about}",
    "second_look.exported": "took disagreements of second looks along",
    "practice.answered": "practised on an invented case",
    "delegation.set": "set who stands in for {about}",
    "hours.set": "set the working hours",
    "skill.set": "set the skills of {about}",
    "system.chosen": "chose {about}",
    "credential.set": "put in a credential: {about}",
    "slack.set": "set the channel in Slack",
    "change.unattributed": "changed a record without naming an action: {about}",
    "threshold.set": "set {about}",
    "cap.set": "set {about}",
    "loosening.proposed": "proposed {about}",
    "loosening.agreed": "agreed to {about}",
    "loosening.refused": "ended {about}",
    "membership.set": "set the role of {about}",
    "workspace.made": "made {about}",
    "token.made": "made {about}",
    "token.revoked": "revoked {about}",
}

DECIDED = {
    "approve": "approved {about}",
    "reject": "rejected {about}",
    "edit": "edited {about}",
    "redo": "asked for {about} anew",
    "stop": "stopped {about}",
    "reopen": "reopened {about}",
    "withdraw": "withdrew {about}",
    "found_stale": "found {about} stale",
    "send_back": "sent {about} back",
    "found": "said that {about} was carried out",
    "not_found": "said that {about} was not carried out",
}

# Bodies that name what an entry is about better than its own subject does: by the event's noun, the key and its kind.
_NAMED = {
    "decision": ("proposal", "proposal"), "attempt": ("proposal", "proposal"), "effect": ("proposal", "proposal"),
    "instruction": ("proposal", "proposal"), "item": ("item", ""), "mark": ("item", ""), "stepup": ("subject", ""),
    "view": ("person", "person"), "membership": ("person", "person"), "delegation": ("person", "person"),
    "skill": ("person", "person"), "subject": ("about", ""), "hold": ("about", ""), "retention": ("kind", ""),
    "vault": ("run", "run"), "second_look": ("proposal", "proposal"),
}  # fmt: skip

_KINDS = {
    "handoff": "hand-off", "stepup": "proof of presence", "work": "work", "page": "policy page",
    "cap": "daily cap", "switch": "switch", "sweep-plan": "plan of sweeps", "unattributed": "unattributed change",
}  # fmt: skip


def object_of(event: str, subject: str, body: Mapping[str, Any]) -> str:
    """What an entry is about, as a subject: of a decision the proposal, of an assignment the item."""
    name, kind = _NAMED.get(event.partition(".")[0], ("", ""))
    value = body.get(name)
    if value is None or isinstance(value, list | dict):
        return subject
    return f"{kind}:{value}" if kind else str(value)


def thing(subject: str, names: Mapping[str, str]) -> str:
    """A subject in words: its name where one is known, quoted unless it is a person's."""
    kind, _, key = subject.partition(":")
    if kind == "person":
        return names.get(subject, f"person {key}")
    if subject in names:
        return f"“{names[subject]}”"
    return f"{_KINDS.get(kind, kind.replace('_', ' '))} {key.replace(':', ' ')}".strip()


def phrase(event: str, body: Mapping[str, Any]) -> str:
    """What was done, with {about} where the thing stands."""
    if event == "decision.recorded":
        return DECIDED.get(str(body.get("kind")), PHRASES[event])
    return PHRASES.get(event) or f"{wording.event(event).lower()}: {{about}}"


def short(event: str) -> str:
    """An event as a few words, without who and what: 'Carried out'."""
    words = " ".join(PHRASES[event].replace("{about}", " ").replace(" :", "").replace(":", "").split())
    return words.strip(" ,;").capitalize()


def told(event: str, subject: str, body: Mapping[str, Any], names: Mapping[str, str], *, it: str = "") -> str:
    """What was done to what, behind who did it; the subject `it` is called so."""
    about = object_of(event, subject, body)
    # Not str.format: a name may hold braces.
    said = phrase(event, body).replace("{about}", "it" if about == it else thing(about, names))
    seconds = body.get("seconds")
    if not isinstance(seconds, int):
        return said
    return f"{said} {'for' if event == 'item.seen' else 'after'} {wording.lasted(seconds)} on the screen"
