"""Entries of the log as sentences, in the language in force: 'Mara Voss approved “Refund 45.10 EUR”'. Pure."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import wording
from portal import retold

# What the actor did, by event; {about} is the thing it was done to.
PHRASES = {
    "ticket.received": noop("took in {about}"),
    "contact.received": noop("took in {about}"),
    "books.imported": noop("imported records"),
    "page.published": noop("published {about}"),
    "model.trained": noop("trained the classifier of tickets"),
    "backend.set": noop("set {about}"),
    "model_key.set": noop("put in a key: {about}"),
    "price.set": noop("set {about}"),
    "budget.set": noop("set {about}"),
    "bar.set": noop("set {about}"),
    "run.finished": noop("finished {about}"),
    "run.failed": noop("gave up {about}"),
    "run.replayed": noop("was asked again about {about}"),
    "sweep.planned": noop("planned the sweeps of contacts"),
    "sweep.started": noop("began {about}"),
    "sweep.finished": noop("finished {about}"),
    "sweep.stopped": noop("stopped {about}"),
    "proposal.proposed": noop("proposed {about}"),
    "proposal.allowed": noop("proposed {about}, which passed by itself"),
    "proposal.denied": noop("proposed {about}, which was denied"),
    "proposal.edited": noop("edited {about}"),
    "proposal.rebased": noop("saw the record change elsewhere; {about} stayed the same"),
    "proposal.approved": noop("completed the approval of {about}"),
    "proposal.rejected": noop("rejected {about}"),
    "proposal.stopped": noop("stopped {about} during its hold"),
    "proposal.unvoted": noop("took back an approval of {about}"),
    "proposal.reopened": noop("reopened {about}"),
    "proposal.redone": noop("had {about} worked out anew"),
    "proposal.withdrawn": noop("withdrew {about}"),
    "proposal.revised": noop("worked {about} out again"),
    "proposal.rescheduled": noop("gave {about} the time back that was spent waiting"),
    "proposal.stale": noop("found {about} stale"),
    "proposal.expired": noop("let {about} expire"),
    "proposal.applying": noop("began to carry out {about}"),
    "proposal.applied": noop("carried out {about}"),
    "proposal.failed": noop("could not carry out {about}"),
    "proposal.unknown": noop("does not know what became of {about}"),
    "proposal.cleared": noop("cleared {about} to be sent again"),
    "attempt.sent": noop("sent {about} to the system outside"),
    "attempt.ended": noop("has the answer of the system outside to {about}"),
    "effect.settled": noop("saw the money of {about} arrive"),
    "effect.bounced": noop("saw the money of {about} come back"),
    "work.died": noop("gave up on {about} after several tries"),
    "work.revived": noop("had {about} tried again"),
    "decision.recorded": noop("decided on {about}"),
    "instruction.answered": noop("answered what was asked about {about}"),
    "submission.refused": noop("was refused at the door: {about}"),
    "handoff.opened": noop("handed to a person: {about}"),
    "handoff.resolved": noop("resolved {about}"),
    "handoff.reopened": noop("reopened {about}"),
    "handoff.rescheduled": noop("gave {about} the time back that was spent waiting"),
    "item.taken_over": noop("took over {about}"),
    "item.assigned": noop("assigned {about}"),
    "item.seen": noop("looked at {about}"),
    "item.snoozed": noop("laid {about} aside"),
    "item.woken": noop("brought {about} back"),
    "item.escalated": noop("called a manager to {about}"),
    "item.settled": noop("needs no manager any more for {about}"),
    "colleague.called": noop("called a colleague to {about}"),
    "log.exported": noop("took a part of the log along"),
    "queue.exported": noop("took a part of the queue along"),
    "key.rotated": noop("gave the log a new key"),
    "subject.erased": noop("erased what was kept of {about}"),
    "hold.placed": noop("placed a legal hold on {about}"),
    "hold.lifted": noop("lifted the legal hold on {about}"),
    "retention.set": noop("set how long is kept: {about}"),
    "retention.ran": noop("let go what had been kept long enough: {about}"),
    "vault.opened": noop("opened the vault for {about}"),
    "mark.reached": noop("noted time used up on {about}"),
    "case.opened": noop("opened {about} by hand"),
    "case.paused": noop("let {about} wait for the customer"),
    "case.resumed": noop("let {about} go on"),
    "message.received": noop("took in a message of the customer on {about}"),
    "switch.thrown": noop("threw {about}"),
    "switch.restored": noop("restored {about}"),
    "stepup.passed": noop("proved to be present for {about}"),
    "factors.forgotten": noop("took away the second factors of {about}"),
    "view.begun": noop("began to look as {about}"),
    "view.ended": noop("stopped looking as {about}"),
    "shift.noted": noop("left the next shift a note"),
    "shift.settled": noop("settled a note of an earlier shift"),
    "second_look.answered": noop("took a second look at {about}"),
    "second_look.exported": noop("took disagreements of second looks along"),
    "decision.exported": noop("took what people rejected or edited of agents along"),
    "practice.answered": noop("practised on an invented case"),
    "delegation.set": noop("set who stands in for {about}"),
    "hours.set": noop("set the working hours"),
    "skill.set": noop("set the skills of {about}"),
    "system.chosen": noop("chose {about}"),
    "credential.set": noop("put in a credential: {about}"),
    "slack.set": noop("set the channel in Slack"),
    "change.unattributed": noop("changed a record without naming an action: {about}"),
    "threshold.set": noop("set {about}"),
    "cap.set": noop("set {about}"),
    "text.set": noop("set {about}"),
    "loosening.proposed": noop("proposed {about}"),
    "loosening.agreed": noop("agreed to {about}"),
    "loosening.refused": noop("ended {about}"),
    "membership.set": noop("set the role of {about}"),
    "workspace.made": noop("made {about}"),
    "token.made": noop("made {about}"),
    "token.revoked": noop("revoked {about}"),
}

DECIDED = {
    "approve": noop("approved {about}"),
    "reject": noop("rejected {about}"),
    "edit": noop("edited {about}"),
    "redo": noop("asked for {about} anew"),
    "stop": noop("stopped {about}"),
    "unvote": noop("took back the approval of {about}"),
    "reopen": noop("reopened {about}"),
    "withdraw": noop("withdrew {about}"),
    "found_stale": noop("found {about} stale"),
    "send_back": noop("sent {about} back"),
    "found": noop("said that {about} was carried out"),
    "not_found": noop("said that {about} was not carried out"),
}

# Bodies that name what an entry is about better than its own subject does: by the event's noun, the key and its kind.
_NAMED = {
    "decision": ("proposal", "proposal"), "attempt": ("proposal", "proposal"), "effect": ("proposal", "proposal"),
    "instruction": ("proposal", "proposal"), "item": ("item", ""), "mark": ("item", ""), "stepup": ("subject", ""),
    "view": ("person", "person"), "membership": ("person", "person"), "delegation": ("person", "person"),
    "skill": ("person", "person"), "subject": ("about", ""), "hold": ("about", ""), "retention": ("kind", ""),
    "vault": ("run", "run"), "second_look": ("proposal", "proposal"), "colleague": ("item", ""),
}  # fmt: skip

_KINDS = {
    "handoff": noop("hand-off"),
    "stepup": noop("proof of presence"),
    "work": noop("work"),
    "page": noop("policy page"),
    "cap": noop("daily cap"),
    "switch": noop("switch"),
    "sweep-plan": noop("plan of sweeps"),
    "unattributed": noop("unattributed change"),
    "proposal": noop("proposal"),
    "case": noop("case"),
    "run": noop("run"),
    "ticket": noop("ticket"),
    "order": noop("order"),
    "contact": noop("contact"),
    "customer": noop("customer"),
    "threshold": noop("threshold"),
    "loosening": noop("loosening"),
    "submission": noop("submission"),
    "token": noop("token"),
    "budget": noop("budget"),
    "price": noop("price"),
    "bar": noop("bar"),
    "credential": noop("credential"),
    "sweep": noop("sweep"),
    "text": noop("reusable text"),
    "shift-note": noop("note for the next shift"),
}

# What events are of, as headings of their lists.
NOUNS = {
    "ticket": noop("Ticket"),
    "contact": noop("Contact"),
    "books": noop("Books"),
    "page": noop("Page"),
    "model": noop("Model"),
    "backend": noop("Backend"),
    "model_key": noop("Model key"),
    "price": noop("Price"),
    "budget": noop("Budget"),
    "bar": noop("Bar"),
    "run": noop("Run"),
    "sweep": noop("Sweep"),
    "proposal": noop("Proposal"),
    "attempt": noop("Attempt"),
    "effect": noop("Effect"),
    "work": noop("Work"),
    "decision": noop("Decision"),
    "instruction": noop("Instruction"),
    "submission": noop("Submission"),
    "handoff": noop("Handoff"),
    "item": noop("Item"),
    "mark": noop("Mark"),
    "colleague": noop("Colleague"),
    "text": noop("Text"),
    "case": noop("Case"),
    "message": noop("Message"),
    "switch": noop("Switch"),
    "stepup": noop("Stepup"),
    "factors": noop("Factors"),
    "view": noop("View"),
    "delegation": noop("Delegation"),
    "practice": noop("Practice"),
    "second_look": noop("Second look"),
    "shift": noop("Shift"),
    "hours": noop("Hours"),
    "skill": noop("Skill"),
    "system": noop("System"),
    "credential": noop("Credential"),
    "slack": noop("Slack"),
    "log": noop("Log"),
    "queue": noop("Queue"),
    "retention": noop("Retention"),
    "vault": noop("Vault"),
    "change": noop("Change"),
    "threshold": noop("Threshold"),
    "cap": noop("Cap"),
    "loosening": noop("Loosening"),
    "membership": noop("Membership"),
    "workspace": noop("Workspace"),
    "key": noop("Key"),
    "token": noop("Token"),
}


def object_of(event: str, subject: str, body: Mapping[str, Any]) -> str:
    """What an entry is about, as a subject: of a decision the proposal, of an assignment the item."""
    name, kind = _NAMED.get(event.partition(".")[0], ("", ""))
    value = body.get(name)
    if value is None or isinstance(value, list | dict):
        return subject
    return f"{kind}:{value}" if kind else str(value)


def thing(subject: str, names: Mapping[str, str]) -> str:
    """A subject in words: its name where one is known, quoted unless it is a person's."""
    kind, _colon, key = subject.partition(":")
    if kind == "person":
        return names.get(subject, _("person %(number)s") % {"number": key})
    if subject in names:
        return _("“%(name)s”") % {"name": retold.say(names[subject])}
    called = _(_KINDS[kind]) if kind in _KINDS else kind.replace("_", " ")
    return f"{called} {key.replace(':', ' ')}".strip()


def phrase(event: str, body: Mapping[str, Any]) -> str:
    """What was done, with {about} where the thing stands."""
    if event == "decision.recorded":
        return _(DECIDED.get(str(body.get("kind")), PHRASES[event]))
    return _(PHRASES[event]) if event in PHRASES else f"{wording.within(wording.event(event))}: {{about}}"


def noun(kind: str) -> str:
    """What events are of, as the heading of their list."""
    if kind == "hold":
        return pgettext("on what may not be erased", "Hold")
    if kind == "subject":
        return pgettext("whose data is kept", "Subject")
    return _(NOUNS[kind]) if kind in NOUNS else kind.replace("_", " ").capitalize()


def short(event: str) -> str:
    """An event as a few words, without who and what: 'Carried out'. Only English can be cut down to that."""
    if not (get_language() or "en").startswith("en"):
        return wording.event(event)
    words = " ".join(PHRASES[event].replace("{about}", " ").replace(" :", "").replace(":", "").split())
    return words.strip(" ,;").capitalize()


def told(event: str, subject: str, body: Mapping[str, Any], names: Mapping[str, str], *, it: str = "") -> str:
    """What was done to what, behind who did it; the subject `it` is called so."""
    about = object_of(event, subject, body)
    # Not str.format: a name may hold braces.
    said = phrase(event, body).replace("{about}", _("it") if about == it else thing(about, names))
    seconds = body.get("seconds")
    if not isinstance(seconds, int):
        return said
    words = (
        _("%(said)s for %(time)s on the screen") if event == "item.seen" else _("%(said)s after %(time)s on the screen")
    )
    return words % {"said": said, "time": wording.lasted(seconds)}
