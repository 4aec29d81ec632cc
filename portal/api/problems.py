"""Errors of the API in one form, RFC 9457: `type, title, status, detail, field`."""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError
from rest_framework import exceptions
from rest_framework.response import Response

MEDIA_TYPE = "application/problem+json"
UNPROCESSABLE = 422


class Problem(BaseModel):
    """What went wrong, for people in `detail`; `field` names the part of the request, or is empty."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    field: str = ""


class Refused(exceptions.APIException):
    """A request refused by the trade; `detail` may name its field as `field: what is off`."""

    def __init__(self, code: int, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status_code, self.field = code, field


def named(detail: str) -> tuple[str, str]:
    """(field, detail) out of a message of the form `field: what is off`."""
    field, colon, rest = detail.partition(": ")
    return (field, rest) if colon and field.replace(".", "").replace("_", "").isalnum() else ("", detail)


def unfit(message: str) -> Refused:
    """A body or query that does not fit, 422; the message names the field."""
    field, detail = named(message)
    return Refused(UNPROCESSABLE, detail, field)


def of_validation(error: ValidationError, whole: str) -> Refused:
    """The first thing Pydantic found off; `whole` names the request's part where it is not one field."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part)[:60] for part in first["loc"]) or whole
    return Refused(UNPROCESSABLE, first["msg"].removeprefix("Value error, "), where)


def _problem(code: int, detail: str, field: str = "") -> dict[str, Any]:
    return Problem(title=HTTPStatus(code).phrase, status=code, detail=detail, field=field).model_dump()


def handle(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Django REST framework's exception handler; what is not anticipated stays an error of ours (500)."""
    if isinstance(error, Http404 | ObjectDoesNotExist):
        error = exceptions.NotFound("There is nothing here.")
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    body = _problem(error.status_code, str(error.detail), getattr(error, "field", ""))
    return Response(body, status=error.status_code, headers=headers, content_type=MEDIA_TYPE)


@csrf_exempt
def nowhere(_request: HttpRequest, **_: str) -> JsonResponse:
    """Any address below `api/` that is none."""
    return JsonResponse(_problem(404, "There is nothing here."), status=404, content_type=MEDIA_TYPE)
