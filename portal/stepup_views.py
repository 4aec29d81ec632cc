"""The page of a challenge, and the post that waited for it: kept on the server, replayed in full once it is passed.

The replayed post goes through its own view from the start, so that everything is asked again.
"""

import copy
import json
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import get_script_prefix, path, resolve, reverse
from django.utils.datastructures import MultiValueDict
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from portal import factors, money, stepup
from portal.htmx import WorkspaceRequest
from portal.models import StepUp

PAGE = "portal/step_up.html"
# What somebody wrote by hand in a post that waits: all else of it is chosen, or known.
WRITTEN = ("overwrite_reason", "reason", "evidence", "note", "why", "text")
METHODS = ("totp", "webauthn", stepup.PASSWORD)


def ask(request: WorkspaceRequest, needed: stepup.Needed, *, back: str) -> HttpResponse:
    """Keep the post and send the browser to the challenge; `back` is where to go without it.

    Raises:
        stepup.TooMany.
    """
    waiting = {"query": request.GET.urlencode(), "post": _without_token(request.POST)}
    row = stepup.challenge(
        workspace=request.workspace.pk, person=request.user.pk, ask=needed.ask, session=_session(request),
        now=request.now, path=request.path_info, back=back, post=waiting,
    )  # fmt: skip
    where = reverse("step-up", args=[row.pk])
    if request.htmx:
        return HttpResponse(headers={"HX-Redirect": where})
    return HttpResponseRedirect(where, status=303)


def proof(request: WorkspaceRequest) -> stepup.Proof | None:
    """The proof that a replayed post brings along; a post of its own has none."""
    return getattr(request, "proof", None)


@require_http_methods(["GET", "POST"])
@never_cache
@sensitive_post_parameters()
def page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What is asked, and the answer to it."""
    mine = get_object_or_404(StepUp, workspace=request.workspace, person=request.user, pk=pk)
    asked: dict[str, Any] = {
        "step_up": pk,
        "session": _session(request),
        "now": request.now,
        "workspace": request.workspace.pk,
    }
    try:
        if request.method == "GET":
            return _show(request, stepup.open_one(person=request.user.pk, **asked))
        row, waiting = stepup.verify(person=request.user, answer=_answer(request), **asked)
    except (stepup.Wrong, stepup.NotEnough) as error:
        mine.refresh_from_db()
        again = mine.failures < stepup.TRIES
        return _show(request, mine, problem=str(error) if again else "", over="" if again else str(error), status=422)
    except stepup.StepUpError as error:
        return _show(request, mine, over=str(error), status=409)
    try:
        return replay(request, row, waiting)
    finally:
        if not connection.needs_rollback:
            _new_session_key(request)


def replay(request: WorkspaceRequest, row: StepUp, waiting: dict[str, str]) -> HttpResponse:
    """The post that waited, as if it came just now with the proof."""
    again = copy.copy(request)
    again.method, again.path_info = "POST", row.path
    again.path = get_script_prefix().removesuffix("/") + row.path
    again.META = {**request.META, "QUERY_STRING": waiting["query"], "PATH_INFO": again.path}
    again.GET, again.POST = QueryDict(waiting["query"]), QueryDict(waiting["post"])
    again._files = MultiValueDict()  # type: ignore[attr-defined]  # nothing was uploaded
    again.htmx = HtmxDetails(again)
    again.proof = stepup.Proof(row.pk, row.session_sha256)  # type: ignore[attr-defined]  # read by `proof`
    match = resolve(row.path, settings.WORKSPACE_URLCONF)
    again.resolver_match = match
    answer: HttpResponse = match.func(again, *match.args, **match.kwargs)
    return answer


def _new_session_key(request: WorkspaceRequest) -> None:
    """As after a sign-in; what this session asked goes on under the new key."""
    before = _session(request)
    request.session.cycle_key()
    stepup.rebind(
        workspace=request.workspace.pk, person=request.user.pk, before=before, after=_session(request)
    )  # fmt: skip


def _session(request: WorkspaceRequest) -> str:
    return stepup.session_of(request.session.session_key)


def _without_token(post: QueryDict) -> str:
    kept = post.copy()
    kept.pop("csrfmiddlewaretoken", None)
    return kept.urlencode()


def _answer(request: WorkspaceRequest) -> stepup.Answer:
    given = request.POST.get("passkey", "")
    if not given:
        return stepup.Answer(code=request.POST.get("code", "")[:20], password=request.POST.get("password", "")[:200])
    try:
        return stepup.Answer(passkey=json.loads(given))
    except (ValueError, RecursionError) as error:
        raise Http404 from error  # no browser sends that


def _written(row: StepUp) -> list[str]:
    post = QueryDict(row.stash.get("post", {}).get("post", ""))
    return [text for name in WRITTEN if (text := post.get(name, "").strip())]


def _show(
    request: WorkspaceRequest, row: StepUp, *, problem: str = "", over: str = "", status: int = 200
) -> HttpResponse:
    methods = frozenset() if over else stepup.offered(row)
    context = {
        "row": row, "problem": problem, "over": over, "methods": [m for m in METHODS if m in methods],
        "until": row.created_at + stepup.FRESH, "back": row.stash.get("back") or reverse("queue"),
        "amount": money.shown(row.amount_minor, row.currency) if row.amount_minor is not None else "",
    }  # fmt: skip
    if over and row.session_sha256 == _session(request):
        context["written"] = _written(row)
    if factors.PASSKEY in methods:
        nonce = bytes.fromhex(row.stash["nonce"])
        context["passkey"] = {"request_options": factors.passkey_options(request.user, nonce)}
    return render(request, PAGE, context, status=status)


urlpatterns = [path("<int:pk>/", page, name="step-up")]
