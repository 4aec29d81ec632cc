"""Who calls the API, and what their token lets them: the two classes every API view stands on."""

from rest_framework import authentication, permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from portal.models import Person


class TokenAuthentication(authentication.BaseAuthentication):
    """What the middleware found; the API takes no session, so no page can be tricked into calling it."""

    def authenticate(self, request: Request) -> tuple[Person, None] | None:
        """The person of the token, if the middleware let them into this workspace."""
        http = request._request
        if getattr(http, "workspace", None) is None or not hasattr(http, "token_scopes"):
            return None
        assert isinstance(http.user, Person)  # noqa: S101  # set by the middleware together with the workspace
        return http.user, None

    def authenticate_header(self, request: Request) -> str:
        """Makes a missing token 401, not 403."""
        return "Bearer"


class HasScope(permissions.BasePermission):
    """A view names the scope it takes in `scope`; the token must hold it."""

    message = "This token does not hold the scope that the request needs."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the token holds the view's scope."""
        scopes: frozenset[str] = getattr(request._request, "token_scopes", frozenset())
        return getattr(view, "scope", "") in scopes
