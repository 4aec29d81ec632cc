"""Keeps what a model was asked and answered, without personal data and secrets. Refuses nothing: it cuts and scrubs."""

from collections.abc import Sequence

from agents.models import Run, Transcript
from audit import redaction
from audit.recognisers import Known

LONGEST = 60_000
"""Characters kept of either side; of a longer one the beginning and the end."""


def keep(*, run: Run, step: str, number: int, prompt: str, answer: str, known: Sequence[Known] = ()) -> None:
    """Store one call of a run's step, its `number`-th, inside the caller's transaction.

    `known` are the values of the record at hand, as `agents.marking.known_of` gives them: a step may have been sent
    what it needs in the open, and what is kept is redacted all the same.
    """
    Transcript.objects.create(
        workspace_id=run.workspace_id, run=run, step=step[:20], number=number, prompt=_kept(prompt, known),
        answer=_kept(answer, known),
    )  # fmt: skip


def _kept(text: str, known: Sequence[Known]) -> str:
    """Scrubbed before it is cut: half a number is recognised by nobody. What PostgreSQL cannot store is named."""
    storable = "".join(
        "\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in redaction.scrub(text, known)
    )
    if len(storable) <= LONGEST:
        return storable
    half = LONGEST // 2
    return f"{storable[:half]}\n[… {len(storable) - LONGEST} characters left out …]\n{storable[-half:]}"
