"""Who calls the API, and what their token lets them. Takes no session: no page can be tricked into a call."""

from typing import Any

from rest_framework import authentication, permissions
from rest_framework.request import Request

from portal.models import Person


class TokenAuthentication(authentication.BaseAuthentication):
    """Whom the middleware found behind the bearer token and let into this workspace."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        """The person of the token; None where there is none."""
        http: Any = request._request
        if getattr(http, "workspace", None) is None or not hasattr(http, "token_scopes"):
            return None
        person: Person = http.user
        return person, None

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing token 401, not 403."""
        return "Bearer"


class HasScope(permissions.BasePermission):
    """A view names the scope it takes in `scope`; the token must hold it."""

    message = "This token does not hold the scope that the request needs."

    def has_permission(self, request: Request, view: object) -> bool:
        """Whether the token holds the view's scope."""
        scopes: frozenset[str] = getattr(request._request, "token_scopes", frozenset())
        return getattr(view, "scope", "") in scopes
