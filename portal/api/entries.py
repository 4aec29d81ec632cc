"""The API of the log: entries as they were hashed. Shows no payload: what may be erased is not handed out.

Stands here and not in `audit`, which knows no other app.
"""

import json
from typing import Any, ClassVar

from django.urls import path
from pydantic import Field
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Entry
from portal.api import pages
from portal.api.views import Answer, View


class EntryShown(Answer):
    """`leaf` is the value of the canonical bytes; RFC 8785 of it is what was hashed."""

    id: int
    leaf: dict[str, Any]


class EntryPage(pages.Page[EntryShown]):
    """Entries, newest first."""


class EntryQuery(pages.PageQuery):
    """Filters; each narrows."""

    subject: str = Field("", max_length=120, pattern="^[^\x00]*$", description="Like `proposal:12`.")
    case: int = Field(0, ge=0, lt=2**63, description="The id of a case; 0 is any.")


class ListEntries(View):
    """The log of the workspace, newest first."""

    scope = "cases:read"
    query = EntryQuery
    answers: ClassVar = {200: EntryPage}

    def get(self, request: Request) -> Response:
        asked = self.asked(EntryQuery)
        wanted = {"subject": asked.subject, "case": f"case:{asked.case}" if asked.case else ""}
        rows = Entry.objects.filter(
            workspace_id=self.workspace, **{name: value for name, value in wanted.items() if value}
        )
        results, following = pages.cut(rows, asked, request, _show)
        return self.say(EntryPage(results=results, next=following))


class ReadEntry(View):
    """One entry."""

    scope = "cases:read"
    answers: ClassVar = {200: EntryShown}

    def get(self, request: Request, pk: int) -> Response:
        return self.say(_show(Entry.objects.get(workspace_id=self.workspace, pk=pk)))


def _show(entry: Entry) -> EntryShown:
    return EntryShown(id=entry.pk, leaf=json.loads(entry.canonical))


urlpatterns = [
    path("entries/", ListEntries.as_view()),
    path("entries/<int:pk>/", ReadEntry.as_view()),
]
