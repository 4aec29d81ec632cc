"""Pages outside any workspace."""

from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from portal import workspace
from portal.models import Workspace


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Straight to the queue of the one workspace, or the choice between several."""
    with workspace.within(None, request.user.pk):
        mine = list(Workspace.objects.order_by("name"))
    if len(mine) == 1:
        return redirect(f"{workspace.PREFIX}{mine[0].slug}/")
    return render(request, "portal/workspaces.html", {"workspaces": mine})


@require_GET
def health(_request: HttpRequest) -> JsonResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
