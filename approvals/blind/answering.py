"""Who may take a second look at what, and the answer: once, by somebody who had no part in it. It moves nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils.translation import gettext as _

from approvals import abouts, decisions
from approvals.models import Decision, Revision, SecondLook
from approvals.state import Kind
from audit import log
from audit.events import Event

# What nobody looked at by then falls out: a small team never has a pile of these.
OFFERED, OFFERED_AT_ONCE, COUNTED = timedelta(days=14), 10, timedelta(days=56)
SHOWN = 10


class BadAnswer(ValueError):
    """The answer is not one; the message names the field."""


class NotYours(Exception):
    """This person had a part in it, or somebody answered it before."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `answered` second looks `agreed` said the same as was decided; the newest `differing` ones did not."""

    answered: int
    agreed: int
    differing: tuple[SecondLook, ...]

    @property
    def pct(self) -> int | None:
        """Share that said the same."""
        return round(100 * self.agreed / self.answered) if self.answered else None


def waiting(workspace: int, person: int, now: datetime) -> list[SecondLook]:
    """What this person may look at, oldest first, a few at most."""
    rows = _free(workspace, person).filter(drawn_at__gt=now - OFFERED)
    return list(rows.select_related("proposal").order_by("drawn_at", "pk")[:OFFERED_AT_ONCE])


def _free(workspace: int, person: int) -> QuerySet[SecondLook]:
    """Unanswered, of what this person neither proposed nor edited nor decided on."""
    me = f"person:{person}"
    decided = Decision.objects.filter(proposal=OuterRef("proposal"), person_id=person)
    edited = Revision.objects.filter(proposal=OuterRef("proposal"), made_by=me)
    rows = SecondLook.objects.filter(~Exists(decided), ~Exists(edited), workspace_id=workspace, verdict="")
    return rows.exclude(proposal__proposer=me)


def find(workspace: int, person: int, look: int) -> SecondLook:
    """One that this person may look at, or has answered.

    Raises:
        SecondLook.DoesNotExist, NotYours.
    """
    row = SecondLook.objects.select_related("proposal__case", "proposal__submission").get(
        workspace_id=workspace, pk=look
    )
    if row.person_id != person and not _free(workspace, person).filter(pk=look).exists():
        raise NotYours(_("You had a part in this, or somebody else has looked at it."))
    return row


def answer(
    *, workspace: int, person: int, look: int, verdict: str, reason: str, note: str, now: datetime
) -> SecondLook:
    """What this person would have done. The proposal stays as it is.

    Raises:
        BadAnswer, NotYours, SecondLook.DoesNotExist.
    """
    if verdict not in (Kind.APPROVE, Kind.REJECT):
        raise BadAnswer("verdict: " + _("say whether you would approve or reject it."))
    if verdict == Kind.REJECT and reason not in decisions.REJECT_REASONS:
        raise BadAnswer("reason: " + _("choose why you would reject it."))
    note = "".join(c for c in note if c.isprintable() or c.isspace()).strip()[:1000]
    with transaction.atomic():
        SecondLook.objects.select_for_update().get(workspace_id=workspace, pk=look)
        row = find(workspace, person, look)
        if row.verdict:
            raise NotYours(_("You have answered this one."))
        row.person_id, row.verdict, row.note, row.answered_at = person, verdict, note, now
        row.reason = reason if verdict == Kind.REJECT else ""
        proposal = row.proposal
        log.record(
            workspace=workspace, subject=f"second-look:{look}", event=Event.SECOND_LOOK_ANSWERED, now=now,
            actor=f"person:{person}", case=f"case:{proposal.case_id}", trace_id=proposal.submission.trace_id,
            body={
                "proposal": proposal.pk, "revision": row.revision, "verdict": verdict, "reason": row.reason,
                "decided": row.decided, "why": row.why,
            },
            personal={"note": note} if note else None, about=abouts.of(proposal),
        )  # fmt: skip
        row.save(update_fields=["person", "verdict", "reason", "note", "answered_at"])
    return row


def agreement(workspace: int, now: datetime) -> Agreement:
    """Over eight weeks."""
    rows = SecondLook.objects.filter(workspace_id=workspace, answered_at__gt=now - COUNTED)
    said = list(rows.values_list("decided", "verdict"))
    differ = rows.exclude(verdict=F("decided")).select_related("proposal").order_by("-answered_at")[:SHOWN]
    return Agreement(len(said), sum(decided == verdict for decided, verdict in said), tuple(differ))
