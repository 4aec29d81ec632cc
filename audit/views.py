"""A plain page of the entries of a case, for whoever may read the log. Changes nothing."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.models import Entry

PAGE = 100


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """The entries of one case, oldest first, `PAGE` at a time behind the id in `after`."""
    workspace: Any = getattr(request, "workspace", None)
    if workspace is None or not request.user.has_perm("audit.read", workspace):
        raise PermissionDenied("Only people of this workspace read its log.")
    after = request.GET.get("after", "")
    rows = Entry.objects.filter(workspace_id=workspace.pk, case=f"case:{pk}").prefetch_related("payloads")
    start = int(after) if after.isdecimal() and len(after) < 19 else 0
    found = list(rows.filter(pk__gt=start).order_by("pk")[: PAGE + 1])
    if not found and not start:
        raise Http404
    people = _people(entry.actor for entry in found)
    lines = [_line(entry, people) for entry in found[:PAGE]]
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return render(request, "audit/case.html", {"lines": lines, "case": pk, "more": more, "start": start})


def _line(entry: Entry, people: Mapping[str, str]) -> dict[str, Any]:
    body = json.loads(entry.canonical)["body"]
    return {
        "entry": entry,
        "actor": people.get(entry.actor, entry.actor),
        "event": entry.event.replace(".", " ").replace("_", " ").capitalize(),
        "body": sorted((name, _text(value)) for name, value in body.items() if value not in ("", [], {})),
        "personal": [(payload.name, _text(payload.value)) for payload in entry.payloads.all()],
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _people(actors: Iterable[str]) -> dict[str, str]:
    keys = {
        int(key) for kind, _, key in (actor.partition(":") for actor in actors) if kind == "person" and key.isdecimal()
    }
    return {f"person:{person.pk}": str(person) for person in get_user_model().objects.filter(pk__in=keys)}
