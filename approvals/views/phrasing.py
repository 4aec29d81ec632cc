"""Reusable texts in the form of a reply: which are offered, and the form with one put in. Nothing typed is lost."""

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from approvals import background, gaps, texts
from approvals.models import Case, Handoff
from portal.htmx import WorkspaceRequest

REPLY = "ticket.reply"
Groups = list[tuple[str, list[texts.Text]]]


@dataclass(frozen=True, slots=True)
class Phrases:
    """`data` is what was posted with the text put in, None without one; `start` is the text that an address names."""

    groups: Groups
    inserting: bool = False
    data: QueryDict | None = None
    start: str = ""


def on(
    request: WorkspaceRequest, case: Case, action: str, facts: background.Facts, handoff: Handoff | None = None
) -> Phrases:
    """What is offered where this is a reply: put in where its button was pressed, or where the address names one."""
    if action != REPLY:
        return Phrases([])
    found, language = texts.offered(request.workspace.pk), texts.language_of(case)
    posted = request.method == "POST"
    inserting = posted and "insert" in request.POST
    asked = request.POST.get("text", "") if inserting else "" if posted else request.GET.get("text", "")
    chosen = texts.best(found, asked, language) if asked else None
    said = gaps.fill(chosen.body, texts.values(case, facts, handoff)) if chosen else ""
    data = _put(request.POST, said, chosen) if inserting and chosen else None
    return Phrases(_groups(found, language), inserting, data, "" if posted else said)


def _put(posted: QueryDict, said: str, chosen: texts.Text) -> QueryDict:
    data = posted.copy()
    data["body"] = gaps.behind(posted.get("body", ""), said)
    if chosen.used_for == texts.For.QUESTION:
        data["asks"] = "1"
    return data


def _groups(found: list[texts.Text], language: str) -> Groups:
    """By use, the case's language first."""
    titles: dict[Any, str] = {use.value: str(use.label) for use in texts.For}
    ranked = sorted(found, key=lambda one: one.language != language)
    groups = [(titles[use], [one for one in ranked if one.used_for == use]) for use in titles]
    return [(title, members) for title, members in groups if members]
