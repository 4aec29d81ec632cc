"""Posts that say whether a case waits for its customer."""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from approvals import waiting
from approvals.models import Case
from approvals.views import deciding, desk
from portal.htmx import WorkspaceRequest
from portal.retold import kept

BY_HAND = kept("said by hand")


@require_POST
def wait(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Stop the clocks of a case until the customer writes."""
    return _say(request, pk, waiting.pause)


@require_POST
def go_on(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """It does not wait any more, though no message came."""
    return _say(request, pk, waiting.end)


def _say(request: WorkspaceRequest, pk: int, act: Any) -> HttpResponse:
    deciding.require_deciding(request)
    try:
        with transaction.atomic():
            act(
                workspace=request.workspace.pk, case=pk, actor=f"person:{request.user.pk}", now=request.now,
                because=BY_HAND,
            )  # fmt: skip
    except Case.DoesNotExist as missing:
        raise Http404 from missing
    except waiting.JustAnswered:
        pass  # the page that follows shows it
    return redirect(_back(request, pk))


def _back(request: WorkspaceRequest, pk: int) -> str:
    """To the item that led here, or to the case; an address of ours whatever was posted."""
    kind, _, key = request.POST.get("item", "").partition(":")
    if kind in ("proposal", "handoff") and key.isdecimal() and len(key) < 19:
        return desk.address(f"{kind}:{key}")
    return reverse("case", args=[pk])
