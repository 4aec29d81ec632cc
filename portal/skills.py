"""Which team queues and languages a person works; who has none of a kind works all of them."""

import re
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from portal.models import Membership, Queue, Role, Skill

LANGUAGE = re.compile(r"[a-z]{2}\Z")


class SkillError(Exception):
    """What was asked for is not a team or a language; the message names it."""


def set_for(
    *, workspace: int, person: int, teams: Iterable[str], languages: Iterable[str], by: int, now: datetime
) -> None:
    """Put these skills in place of those the person had, with one entry.

    `teams` are names of queues, `languages` ISO 639-1 codes in small letters.

    Raises:
        SkillError: a queue that is not there, or no code of two letters.
    """
    wanted = {(Skill.Is.TEAM, value) for value in teams} | {(Skill.Is.LANGUAGE, value) for value in languages}
    _check(workspace, wanted)
    with transaction.atomic():
        had = {(Skill.Is(kind), value): key for key, kind, value in _rows(workspace, person)}
        if had.keys() == wanted:
            return
        log.attribute(f"skills:{person}")
        Skill.objects.filter(workspace_id=workspace, pk__in=[had[one] for one in had.keys() - wanted]).delete()
        Skill.objects.bulk_create(
            Skill(workspace_id=workspace, person_id=person, kind=kind, value=value)
            for kind, value in sorted(wanted - had.keys())
        )
        log.record(
            workspace=workspace, subject=f"skills:{person}", event=Event.SKILL_SET, actor=f"person:{by}", now=now,
            body={
                "person": person, "teams": sorted(v for kind, v in wanted if kind == Skill.Is.TEAM),
                "languages": sorted(v for kind, v in wanted if kind == Skill.Is.LANGUAGE),
            },
        )  # fmt: skip


def team(workspace: int) -> list[tuple[int, str, list[str], list[str]]]:
    """Who decides here by name: (person, name, team queues, languages)."""
    deciding = Membership.objects.filter(
        workspace_id=workspace, active=True, person__is_active=True, role__in=[Role.REVIEWER, Role.MANAGER]
    )
    people = sorted(set(deciding.values_list("person__name", "person_id")))
    found: dict[tuple[int, str], list[str]] = {}
    for person, kind, value in Skill.objects.filter(workspace_id=workspace).values_list("person", "kind", "value"):
        found.setdefault((person, kind), []).append(value)
    return [
        (key, name, sorted(found.get((key, Skill.Is.TEAM), [])), sorted(found.get((key, Skill.Is.LANGUAGE), [])))
        for name, key in people
    ]


def _rows(workspace: int, person: int) -> list[tuple[int, str, str]]:
    rows = Skill.objects.filter(workspace_id=workspace, person_id=person)
    return list(rows.values_list("pk", "kind", "value"))


def _check(workspace: int, wanted: Iterable[tuple[Skill.Is, str]]) -> None:
    queues = set(Queue.objects.filter(workspace_id=workspace).values_list("name", flat=True))
    for kind, value in wanted:
        if kind == Skill.Is.TEAM and value not in queues:
            raise SkillError("teams: " + _("there is no queue %(name)s") % {"name": repr(value)})
        if kind == Skill.Is.LANGUAGE and not LANGUAGE.match(value):
            said = {"code": repr(value)}
            raise SkillError("languages: " + _("%(code)s is no code of two letters such as en or de") % said)
