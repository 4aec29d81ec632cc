"""In which language a page or a mail is written, numbers and times: the person's own choice, else the browser's.

Programs read English, whoever's token they carry, and all that is kept is English: only what is shown is translated.
"""

from collections.abc import Callable
from datetime import UTC, tzinfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers

from portal import figures
from portal.models import Person
from portal.templatetags.clock import zone


class LanguageMiddleware:
    """Before anything is looked up or said; what the thread does next is said in its own language again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with (
            translation.override(_asked_for(request)),
            figures.written(_numbers(request)),
            timezone.override(_zone(request)),
        ):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _numbers(request: HttpRequest) -> str:
    if "/api/" in request.path_info:
        return figures.PLAIN
    return request.user.number_format if isinstance(request.user, Person) else figures.AS_THE_LANGUAGE


def _zone(request: HttpRequest) -> tzinfo:
    if "/api/" in request.path_info:
        return UTC
    return zone(request.user.time_zone) if isinstance(request.user, Person) else UTC


def of(person: Person | None) -> str:
    """The language somebody is written to in, where no browser asks."""
    return (person.language if person else "") or settings.LANGUAGE_CODE


def _asked_for(request: HttpRequest) -> str:
    if "/api/" in request.path_info:
        return settings.LANGUAGE_CODE
    chosen = request.user.language if isinstance(request.user, Person) else ""
    return chosen or translation.get_language_from_request(request)
