"""What was on whose screen, and for how long: a signed mark in the page, which comes back with a decision or a beacon.

To look writes nothing by itself. A mark says which revision was shown to whom and when; nobody can make one for
somebody else, and one that does not fit counts for nothing.
"""

from datetime import datetime

from django.core import signing

from approvals.models import Proposal
from audit import log
from audit.events import Event
from audit.models import Entry

SALT = "countersign.looks"
LONGEST_SECONDS = 12 * 60 * 60
SHORTEST_SECONDS = 2
MOST_OPENED = 99


class LookError(ValueError):
    """The mark is of no page of this person."""


def mark(*, proposal: int, revision: int, digest: str, person: int, now: datetime) -> str:
    """For the page that shows this revision to this person now."""
    return signing.dumps([proposal, revision, digest, person, int(now.timestamp())], salt=SALT)


def seconds(
    text: str, *, proposal: int, revision: int, digest: str, person: int, now: datetime, visible: str = ""
) -> int | None:
    """How long this revision has been on the person's screen; None where the mark does not say.

    A page that was loaded ahead was made before it was `visible`, so what it says itself counts where that is less.
    """
    try:
        *shown, since = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if shown != [proposal, revision, digest, person]:
        return None
    said = int(visible) if visible.isdecimal() and len(visible) < 9 else LONGEST_SECONDS
    return max(0, min(LONGEST_SECONDS, said, int(now.timestamp()) - int(since)))


def opened(text: str) -> int | None:
    """How many pieces of evidence a page says were opened on it; None where it does not say."""
    return min(int(text), MOST_OPENED) if text.isdecimal() and len(text) < 9 else None


def record(*, workspace: int, text: str, visible: int, person: int, now: datetime) -> Entry | None:
    """Put on the log that a page was looked at for `visible` seconds; None where that was no look.

    Never more than went by since the page was made.

    Raises:
        LookError: no mark of this person. Proposal.DoesNotExist: not in this workspace.
    """
    try:
        proposal, revision, digest, whose, since = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise LookError("The page does not say what was on it.") from error
    if whose != person:
        raise LookError("The page was somebody else's.")
    case = Proposal.objects.values_list("case_id", flat=True).get(workspace_id=workspace, pk=proposal)
    looked = min(visible, LONGEST_SECONDS, int(now.timestamp()) - int(since))
    if looked < SHORTEST_SECONDS:
        return None
    item = f"proposal:{proposal}"
    return log.record(
        workspace=workspace, subject=f"look:{item}", event=Event.ITEM_SEEN, actor=f"person:{person}", now=now,
        case=f"case:{case}", body={"item": item, "revision": revision, "digest": digest, "seconds": looked},
    )  # fmt: skip
