"""What a process says while the database is away, full or too busy: 503 and "try again", never half an answer.

Also which errors are worth one more try of the whole transaction: a deadlock's victim and a serialization failure.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error as our_fault

from portal.api.problems import MEDIA_TYPE, Problem

RETRY_SECONDS = 5
# Deadlock detected, serialization failure (PostgreSQL, Appendix A).
WORTH_ANOTHER_TRY = frozenset({"40P01", "40001"})
# Classes of connections lost, resources used up, the operator's intervention; and a lock that could not be had.
AWAY = ("08", "53", "57", "40", "55P03")
DEEPEST_CHAIN = 10
TITLE = "Service Unavailable"
DETAIL = "The database does not answer now. Nothing was half done; try again in a few seconds."
_API = re.compile(r"^/(w/[^/]+/)?api/")
logger = logging.getLogger(__name__)
T = TypeVar("T")


def sqlstate(error: BaseException) -> str:
    """The database's own code behind an error, or "" where the connection was gone before it could say one."""
    return next((state for one in _chain(error) if (state := getattr(one, "sqlstate", None))), "")


def is_outage(error: BaseException | None) -> bool:
    """Whether this came of a database that is away, full, starting or too busy, and passes by itself."""
    for one in _chain(error):
        if isinstance(one, InterfaceError):
            return True
        # A server that dies in the middle of a statement is a plain DatabaseError to psycopg, without any code.
        if isinstance(one, OperationalError) or type(one) is DatabaseError:
            state = sqlstate(one)
            return not state or state.startswith(AWAY)
    return False


def worth_another_try(error: BaseException) -> bool:
    """Whether the same transaction, begun anew, would most likely go through."""
    return sqlstate(error) in WORTH_ANOTHER_TRY


def once_more(act: Callable[[], T]) -> T:
    """Do it, and where it was a deadlock's victim do the whole of it once more. Outside of any transaction."""
    try:
        return act()
    except OperationalError as error:
        if not worth_another_try(error):
            raise
        logger.warning("once more after %s", sqlstate(error))
        return act()


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: 503 where the database is away, else the page that says it was our fault.

    Leaves the error on the request for `WorkspaceMiddleware`, which may try again.
    """
    error = sys.exc_info()[1]
    request.broken_by = error  # type: ignore[attr-defined]  # read by the middleware, which sets it to None first
    if not is_outage(error):
        return our_fault(request)
    return unavailable(request)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 for people or programs, without one question to the database."""
    headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
    if _API.match(request.path):
        body = Problem(title=TITLE, status=503, detail=DETAIL).model_dump_json()
        return HttpResponse(body, status=503, content_type=MEDIA_TYPE, headers=headers)
    return HttpResponse(loader.render_to_string("503.html"), status=503, headers=headers)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it came of, nearest first."""
    for _depth in range(DEEPEST_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
