"""The vault: full transcripts, sealed by the agents process that cannot read them, opened by an auditor alone.

Each opening is asked for with a reason and fresh presence, and is an entry before anything is read.
"""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from agents.models import FullTranscript, Run
from approvals import abouts
from audit import canonical, envelopes, log, subjects
from audit.events import Event
from portal import roles, stepup
from portal.models import Role
from portal.retold import kept

OPEN_IT = kept("Open the full transcripts of run %(run)s: %(reason)s")
LONGEST_REASON = 300
LONGEST = 400_000
"""Characters kept of prompt and of answer."""


class VaultError(Exception):
    """Base of why the vault stays shut; the message is for the person."""


class NotAllowed(VaultError):
    """Auditors alone open it, and nobody in somebody else's name."""


class NoReason(VaultError):
    """Why it is opened must be said."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One call as it was."""

    step: str
    number: int
    at: datetime
    prompt: str
    answer: str


def keep(*, run: Run, step: str, number: int, prompt: str, answer: str) -> None:
    """Store one call of a run under way, inside the caller's transaction. Without VAULT_PUBLIC_KEY nothing is kept."""
    if not settings.VAULT_PUBLIC_KEY:
        return
    about = abouts.of_case(run.case) or f"case:{run.case_id}"
    key, public = subjects.keys_of(run.workspace_id, [about])[about]
    said = [envelopes.seal_for_vault(text[:LONGEST]) for text in (prompt, answer)]
    FullTranscript.objects.create(
        workspace_id=run.workspace_id, run=run, step=step[:20], number=number, key_id=key,
        sealed=envelopes.Sealer().seal(bytes(canonical.SALT_BYTES), said, public),
    )  # fmt: skip


def held(run: int) -> int:
    """How many calls of a run lie in it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_in_vault(%s)", [run])
        return int(cursor.fetchone()[0])


def ask(run: Run, reason: str) -> stepup.Ask:
    """What presence is asked for: this run, for this reason."""
    words = OPEN_IT % {"run": run.pk, "reason": reason}
    return stepup.Ask("vault", f"vault:{run.pk}", canonical.sha256_hex([run.pk, reason]), words, f"run {run.pk}")


def open_run(*, run: Run, person: int, reason: str, proof: stepup.Proof | None, now: datetime) -> tuple[Opened, ...]:
    """What lies in the vault of a run, with the entry that says who looked and why.

    Raises:
        NotAllowed, NoReason, stepup.StepUpError.
        envelopes.NoKey: VAULT_PRIVATE_KEY is not set.
    """
    if Role.AUDITOR not in roles.of(person, run.workspace_id):
        raise NotAllowed(_("Only auditors open the vault."))
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        raise NoReason(_("reason: say why you open it, in at most %(most)s characters") % {"most": LONGEST_REASON})
    used = stepup.use(workspace=run.workspace_id, person=person, proof=proof, ask=ask(run, reason), now=now)
    log.record(
        workspace=run.workspace_id, subject=f"vault:{run.pk}", event=Event.VAULT_OPENED, actor=f"person:{person}",
        now=now, case=f"case:{run.case_id}", trace_id=run.trace_id, body={"run": run.pk, "step_up": used.pk},
        personal={"reason": reason}, about=abouts.of_case(run.case),
    )  # fmt: skip
    rows = FullTranscript.objects.filter(workspace=run.workspace_id, run=run).select_related("key").order_by("pk")
    return tuple(_opened(row) for row in rows)


def _opened(row: FullTranscript) -> Opened:
    _salt, (prompt, answer) = envelopes.open_value(bytes(row.sealed), bytes(row.key.wrapped))
    return Opened(
        row.step, row.number, row.created_at, envelopes.open_from_vault(prompt), envelopes.open_from_vault(answer)
    )
