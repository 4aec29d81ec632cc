"""What any request may bring: so many bytes, and no character that nothing can keep. Refused before a view sees it.

The API's bodies have a reader of their own, which says more (`portal.api.bodies`).
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from portal.api.problems import MEDIA_TYPE, Problem

TOO_LARGE, UNFIT = 413, 422
NUL = "\x00"


class BoundsMiddleware:
    """413 by what a request announces, without reading it; 422 naming the field that holds a NUL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if not announced.isdecimal() or len(announced) > 12 or int(announced) > most:
            said = _("This is too large: a request holds at most %(most)s bytes.") % {"most": most}
            return _refuse(request, TOO_LARGE, said, "body")
        if field := _unfit(request.GET):
            return _refuse(request, UNFIT, _("It holds a character that nothing can keep (NUL)."), field)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_rest: Any) -> HttpResponse | None:
        """The form, once the token has been looked at."""
        if "/api/" not in request.path and request.method == "POST" and (field := _unfit(request.POST)):
            return _refuse(request, UNFIT, _("It holds a character that nothing can keep (NUL)."), field)
        return None


def _unfit(values: QueryDict) -> str:
    """The first field with a NUL in its name or in one of its values."""
    for name, given in values.lists():
        if NUL in name or any(isinstance(value, str) and NUL in value for value in given):
            return name.replace(NUL, "")[:60] or _("a field")
    return ""


def _refuse(request: HttpRequest, code: int, detail: str, field: str) -> HttpResponse:
    title = {TOO_LARGE: "Content Too Large", UNFIT: "Unprocessable Content"}[code]
    if "/api/" in request.path:
        body = Problem(title=title, status=code, detail=detail, field=field).model_dump_json()
        return HttpResponse(body, status=code, content_type=MEDIA_TYPE)
    return render(request, "422.html", {"detail": detail, "field": "" if field == "body" else field}, status=code)
