"""What a reviewer told an agent when sending a proposal back: one at a time, open until it is answered.

While a fresh one is open nobody approves. Whatever else is decided on the proposal answers it.
"""

import math
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals import abouts, outbox
from approvals.actions.base import clean_text
from approvals.models import Instruction, Proposal
from audit import log
from audit.events import Event
from portal import retold

# How long an agent may take before people go on without it.
WAITS = timedelta(minutes=10)
LONGEST = 2000
ANSWER_LONGEST = 300
ASK_AGAIN = "agents.tasks.ask_again"


class InstructionError(Exception):
    """The text cannot be an instruction; the message names the field."""


def key_of(instruction: int) -> str:
    """The key under which the answer to an instruction is handed in."""
    return f"instruction:{instruction}"


def checked(text: str) -> str:
    """The text as it is kept.

    Raises:
        InstructionError: empty, longer than 2,000 characters, or not storable.
    """
    text = text.strip()
    if not text:
        raise InstructionError(f"text: {_('say what the agent should do differently')}")
    if len(text) > LONGEST:
        words = _("%(count)s characters; at most %(most)s are read")
        raise InstructionError(f"text: {words % {'count': len(text), 'most': LONGEST}}")
    try:
        return clean_text(text)
    except ValueError as error:
        raise InstructionError(f"text: {retold.say(str(error))}") from error


def give(proposal: Proposal, *, text: str, person: int, now: datetime) -> Instruction:
    """Open one on the proposal as it stands, and make it due for the agent. The row must be locked."""
    row = Instruction.objects.create(
        workspace_id=proposal.workspace_id, proposal=proposal, revision=proposal.revision, text=text,
        person_id=person, created_at=now,
    )  # fmt: skip
    outbox.put(
        workspace=row.workspace_id, task=ASK_AGAIN, queue="agents", object_id=row.pk, not_before=now, now=now
    )  # fmt: skip
    return row


def open_on(proposal: Proposal) -> Instruction | None:
    """The one that waits for its answer."""
    rows = Instruction.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal, answered_at=None)
    return rows.first()


def why_wait(instruction: Instruction | None, *, now: datetime) -> str:
    """Why nobody approves now, in words; "" where nothing is open, or the agent had its time."""
    if instruction is None or instruction.created_at <= now - WAITS:
        return ""
    left = math.ceil((instruction.created_at + WAITS - now).total_seconds() / 60)
    told = {"name": instruction.person.name, "minutes": left}
    return _("%(name)s sent this back; the agent has %(minutes)s min left to answer.") % told


def answer(instruction: Instruction, words: str, *, actor: str, now: datetime) -> None:
    """Say what came of it. `actor` is who did: the agent, or the person who decided without it."""
    instruction.answer, instruction.answered_at = _cut(words), now
    log.record(
        workspace=instruction.workspace_id, subject=f"instruction:{instruction.pk}", version=1, actor=actor, now=now,
        event=Event.INSTRUCTION_ANSWERED, case=f"case:{instruction.proposal.case_id}",
        body={"proposal": instruction.proposal_id, "revision": instruction.revision},
        personal={"answer": instruction.answer}, about=abouts.of(instruction.proposal),
    )  # fmt: skip
    instruction.save(update_fields=["answer", "answered_at"])
    outbox.done(workspace=instruction.workspace_id, task=ASK_AGAIN, object_id=instruction.pk)


def close(proposal: Proposal, words: str, *, actor: str, now: datetime) -> None:
    """Answer the open one, if there is one: somebody decided without the agent."""
    if (row := open_on(proposal)) is not None:
        answer(row, words, actor=actor, now=now)


def _cut(words: str) -> str:
    return words if len(words) <= ANSWER_LONGEST else words[: ANSWER_LONGEST - 1] + "…"
