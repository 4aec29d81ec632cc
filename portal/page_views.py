"""The policy pages for people: all that one may read, a search, and a page as it stood, opened at a clause."""

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from portal import pages
from portal.htmx import WorkspaceRequest, respond
from portal.models import Clause, Page

MOST_FOUND = 20


@require_GET
def policy(request: WorkspaceRequest) -> HttpResponse:
    """The pages in force, or the clauses that share words with `q`."""
    rows = pages.readable(pages.in_force(request.workspace.pk), pages.readers_of(request.roles))
    asked = request.GET.get("q", "").strip()
    found = pages.search(rows, asked, limit=MOST_FOUND) if asked else []
    shelf: dict[int, dict[str, object]] = {}
    for clause in () if asked else rows.order_by("page__title", "position", "pk"):
        shelf.setdefault(clause.page_id, {"page": clause.page, "clauses": []})["clauses"].append(clause)  # type: ignore[attr-defined]
    context = {"asked": asked, "found": [one.clause for one in found], "shelf": list(shelf.values())}
    return respond(request, "portal/policy.html", {}, context)


@require_GET
def clause(request: WorkspaceRequest, clause: str, version: int) -> HttpResponse:
    """The page on which a clause stood in this version, with it marked; 404 for who may not read it."""
    cited = Clause.objects.filter(workspace=request.workspace, clause_id=clause, version=version)
    cited = pages.readable(cited, pages.readers_of(request.roles))
    row = cited.select_related("page").order_by("-page__version").first()
    if row is None:
        raise Http404
    page = row.page
    newer = Page.objects.filter(workspace=request.workspace, slug=page.slug, effective_from__lte=request.now)
    context = {
        "page": page,
        "cited": row,
        "clauses": list(page.clauses.order_by("position", "pk")),
        "over": page.effective_until is not None and page.effective_until <= request.now,
        "now": _today(newer.order_by("-version").first(), row, request),
    }
    return respond(request, "portal/page.html", {}, context)


def _today(newest: Page | None, cited: Clause, request: WorkspaceRequest) -> Clause | None:
    """The same clause as it is in force now, where that is another text that one may read."""
    if newest is None or newest.pk == cited.page_id or not set(newest.readers) & set(pages.readers_of(request.roles)):
        return None
    return newest.clauses.filter(clause_id=cited.clause_id).exclude(version=cited.version).first()


urlpatterns = [
    path("", policy, name="policy"),
    path("<str:clause>/<int:version>/", clause, name="policy-clause"),
]
