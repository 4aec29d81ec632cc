"""The page of switches: what is thrown, and throwing and restoring it. Everybody may read why nothing moves."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import queries, recalling, standing, switches, wording
from approvals.actions import ACTIONS
from approvals.models import Switch, SwitchEverywhere
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role
from portal.retold import fault, say
from portal.templatetags import notices

HISTORY = 50


@require_GET
def banner(request: WorkspaceRequest) -> HttpResponse:
    """The banner and the counter of notices again where they say something else than the page; 204 where not."""
    if f"{standing.of(request).key}-{notices.count(request)}" == request.GET.get("key"):
        return HttpResponse(status=204)
    return render(request, "approvals/_banner.html")


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """What is thrown, the form to throw, and the history."""
    return _show(request)


@require_POST
def throw(request: WorkspaceRequest) -> HttpResponse:
    """Throw one; the form's `switch` is `kind:subject`."""
    return _set(request, switches.throw)


@require_POST
def restore(request: WorkspaceRequest) -> HttpResponse:
    """Take one back."""
    return _set(request, switches.restore)


@require_POST
def recall(request: WorkspaceRequest) -> HttpResponse:
    """Withdraw what is approved and waits for a thrown switch."""
    kind, _colon, subject = request.POST.get("switch", "").partition(":")
    try:
        recalled = recalling.withdraw_waiting(
            workspace=request.workspace.pk, kind=kind, subject=subject, person=request.user.pk, now=request.now
        )
    except recalling.NotAllowed as error:
        raise PermissionDenied(say(str(error))) from error
    except recalling.RecallError as error:
        return _show(request, problem=say(str(error)), status=409)
    return _show(request, recalled=recalled)


def _set(request: WorkspaceRequest, act: Callable[..., Switch]) -> HttpResponse:
    kind, _colon, subject = request.POST.get("switch", "").partition(":")
    try:
        with transaction.atomic():
            act(
                workspace=request.workspace.pk, kind=kind, subject=subject, reason=request.POST.get("reason", ""),
                actor=f"person:{request.user.pk}", now=request.now,
            )  # fmt: skip
    except switches.NotAllowed as error:
        raise PermissionDenied(say(str(error))) from error
    except switches.SwitchError as error:
        status = 422 if isinstance(error, switches.BadInput) else 409
        written, problem = request.POST, _words(fault(str(error)))
        if act is switches.restore:
            return _show(request, problem=problem, status=status, restoring=written)
        return _show(request, problem=problem, status=status, kept=written)
    return redirect("switches")


def _show(
    request: WorkspaceRequest, *, problem: str = "", recalled: recalling.Recalled | None = None, status: int = 200,
    **written: Any,
) -> HttpResponse:  # fmt: skip
    ws = request.workspace.pk
    thrown = standing.of(request).notices
    context = {
        "thrown": [(one, *_waiting(ws, one.switch)) for one in thrown],
        "choices": _choices(ws),
        "history": _history(ws),
        "may": switches.may_throw(request.roles),
        "may_recall": Role.MANAGER in request.roles,
        "problem": problem,
        "recalled": recalled,
        **written,
    }
    return respond(request, "approvals/switches.html", {}, context, status=status)


def _waiting(workspace: int, switch: switches.Thrown) -> tuple[int, str]:
    """How much of what is approved waits for it, and that in words."""
    found = recalling.waiting(workspace=workspace, switch=switch)
    return found, _("More than %(most)s") % {"most": recalling.MOST} if found > recalling.MOST else str(found)


def _choices(workspace: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """What can be switched off, in groups: value of the form and words."""
    agents = switches.agents(workspace)
    return [
        (_("Everything"), [("autonomy_off:", _("Agents: none of them works, and nothing of theirs is sent")),
                           ("force_approval:", _("Nothing passes by itself: a person decides everything"))]),
        (_("Freeze an action"), [(f"freeze:{name}", say(action.title)) for name, action in ACTIONS.items()]),
        (_("Halt an agent"), [(f"halt:{name}", wording.actor(f"agent:{name}", {})) for name in agents]),
    ]  # fmt: skip


def _history(workspace: int) -> list[dict[str, Any]]:
    """What was thrown and restored here and everywhere, newest first."""
    rows: list[Switch | SwitchEverywhere] = [
        *Switch.objects.filter(workspace_id=workspace).order_by("-pk")[:HISTORY],
        *SwitchEverywhere.objects.order_by("-pk")[:HISTORY],
    ]
    rows.sort(key=lambda row: row.created_at, reverse=True)
    people = queries.names(row.made_by for row in rows)
    return [
        {
            "row": row,
            "meaning": switches.meaning(row.kind, row.subject),
            "everywhere": isinstance(row, SwitchEverywhere),
            "who": standing.who(row.made_by, people),
        }
        for row in rows[:HISTORY]
    ]


def _words(text: str) -> str:
    """A refusal of the service without the name of the field."""
    field, colon, rest = text.partition(": ")
    return f"{rest[:1].upper()}{rest[1:]}." if colon and field in ("kind", "subject", "reason") else text
