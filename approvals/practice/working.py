"""Dealing and answering practice items, and how well it goes. Nothing here can propose, decide or apply anything.

How somebody does is shown to themselves; of a team only the whole, and nothing of fewer than three people.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.translation import gettext as _

from approvals.models import PracticeItem
from approvals.practice import catalogue, drills
from audit import log
from audit.events import Event

NEWEST, TEAM_DAYS = 100, timedelta(days=90)


class BadAnswer(ValueError):
    """The answer is neither; the message names the field."""


class Answered(Exception):
    """It was answered before; the first answer counts."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Of `planted` items `caught` were rejected; of `sound` ones `doubted` were."""

    planted: int = 0
    caught: int = 0
    sound: int = 0
    doubted: int = 0

    @property
    def catch_pct(self) -> int | None:
        """Share of the planted ones that were rejected."""
        return round(100 * self.caught / self.planted) if self.planted else None

    @property
    def passed_pct(self) -> int | None:
        """Share of the sound ones that were approved."""
        return round(100 * (self.sound - self.doubted) / self.sound) if self.sound else None


def deal(*, workspace: int, person: int, now: datetime, seed: int | None = None) -> list[PracticeItem]:
    """A new hand, or what is left of the last one."""
    if left := waiting(workspace, person):
        return left
    dealt = drills.hand(secrets.randbits(31) if seed is None else seed, list(catalogue.DRILLS))
    return PracticeItem.objects.bulk_create(
        PracticeItem(workspace_id=workspace, person_id=person, drill=name, seed=one, planted=planted, dealt_at=now)
        for name, one, planted in dealt
    )


def waiting(workspace: int, person: int) -> list[PracticeItem]:
    """What this person was dealt and has not answered; what there is no drill for any more is left out."""
    rows = PracticeItem.objects.filter(workspace_id=workspace, person_id=person, answer="").order_by("pk")
    return [row for row in rows if row.drill in catalogue.DRILLS]


def answer(*, workspace: int, person: int, item: int, said: str, now: datetime) -> PracticeItem:
    """Keep a person's answer. That they practised is on the log; how well is not.

    Raises:
        BadAnswer, Answered, PracticeItem.DoesNotExist: not theirs, or there is none.
    """
    with transaction.atomic():
        row = PracticeItem.objects.select_for_update().get(workspace_id=workspace, person_id=person, pk=item)
        if said not in PracticeItem.Answer.values:
            raise BadAnswer("answer: " + _("say whether you would approve or reject it."))
        if row.answer:
            raise Answered(_("You have answered this one."))
        log.record(
            workspace=workspace, subject=f"practice:{row.pk}", event=Event.PRACTICE_ANSWERED, actor=f"person:{person}",
            now=now, body={"drill": row.drill},
        )  # fmt: skip
        row.answer, row.answered_at = said, now
        row.save(update_fields=["answer", "answered_at"])
    return row


def own(workspace: int, person: int) -> tuple[Rates, list[PracticeItem]]:
    """How this person did in the newest hundred, and these."""
    rows = PracticeItem.objects.filter(workspace_id=workspace, person_id=person).exclude(answer="").order_by("-pk")
    newest = list(rows[:NEWEST])
    rejected = [row.planted for row in newest if row.answer == PracticeItem.Answer.REJECT]
    planted = sum(row.planted for row in newest)
    return Rates(planted, sum(rejected), len(newest) - planted, len(rejected) - sum(rejected)), newest


def team(now: datetime) -> Rates | None:
    """How everybody here did within 90 days, together; None before three people have practised."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT planted, caught, sound, doubted FROM approvals_practised(%s)", [now - TEAM_DAYS])
        row = cursor.fetchone()
    return Rates(*row) if row else None
