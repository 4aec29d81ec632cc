"""The old address of a case's log leads to the explorer, which others build on this app."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from audit.models import Entry


@require_GET
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """The entries of one case; 404 where this workspace's log knows none."""
    workspace: Any = getattr(request, "workspace", None)
    if workspace is None or not Entry.objects.filter(workspace_id=workspace.pk, case=f"case:{pk}").exists():
        raise Http404
    return redirect(f"{reverse('explorer')}?case={pk}", permanent=True)
