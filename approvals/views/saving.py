"""Posts that keep a search of the queue as a view, and drop it again."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from approvals import saving
from approvals.views import desk
from portal.htmx import WorkspaceRequest
from portal.retold import fault


@require_POST
def save(request: WorkspaceRequest) -> HttpResponse:
    """What the address asks for, under a name."""
    query, name, shared = request.GET.urlencode()[:400], request.POST.get("name", ""), "shared" in request.POST
    try:
        saving.save(
            workspace=request.workspace.pk, person=request.user.pk, name=name, query=query, shared=shared,
            now=request.now,
        )  # fmt: skip
    except saving.SavingError as error:
        text = fault(str(error)).partition(": ")[2]
        problem = desk.Problem(f"{text[:1].upper()}{text[1:]}.", request.POST, unsaved=(name[:400], shared))
        return desk.show(request, item="", status=422, problem=problem)
    return redirect(desk.address("", query))


@require_POST
def forget(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One of one's own."""
    if not saving.forget(workspace=request.workspace.pk, person=request.user.pk, view=pk):
        raise Http404
    return redirect("queue")
