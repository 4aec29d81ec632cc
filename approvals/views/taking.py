"""The post that takes along what the queue shows, as a file."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from approvals import searching, tabular, taking
from portal.htmx import WorkspaceRequest
from portal.retold import say


@require_POST
def export(request: WorkspaceRequest) -> HttpResponse | StreamingHttpResponse:
    """All that the filters in the address ask for, as it streams; who took what along is on the log."""
    if not taking.TAKERS & request.roles:
        raise PermissionDenied(_("Managers, admins and auditors take the queue along."))
    filters, form = searching.read(request.GET), request.POST.get("format", "")
    if form not in tabular.FORMS:
        raise Http404
    if filters.search.fault:
        return HttpResponse(say(filters.search.fault), status=422, content_type="text/plain; charset=utf-8")
    ws, person = request.workspace.pk, request.user.pk
    with transaction.atomic():
        taking.note(workspace=ws, person=person, form=form, query=filters.lasting, now=request.now)
    answer = StreamingHttpResponse(
        taking.stream(workspace=ws, person=person, filters=filters, form=form, now=request.now),
        content_type=tabular.FORMS[form],
    )
    answer["Content-Disposition"] = f'attachment; filename="queue-{request.workspace.slug}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer
