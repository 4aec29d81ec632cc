"""Calls the API as one of the cast, with a token of their own."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from portal import tokens, workspace
from tests.approvals import steps
from tests.cast import Cast


@dataclass(frozen=True)
class Caller:
    """Calls `/w/<slug>/api/<path>` with a bearer token."""

    slug: str
    secret: str

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"} if self.secret else {}

    def get(self, path: str, **query: Any) -> HttpResponse:
        return Client(raise_request_exception=False).get(f"/w/{self.slug}/api/{path}", query, headers=self._headers())

    def post(self, path: str, body: Any) -> HttpResponse:
        """A JSON value, or bytes as they are."""
        return Client(raise_request_exception=False).post(
            f"/w/{self.slug}/api/{path}", body, content_type="application/json", headers=self._headers()
        )


def make_token(cast: Cast, name: str, scopes: tuple[str, ...]) -> tuple[Any, str]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return tokens.make(workspace=cast.workspace, person=cast.people[name], name="For tests", scopes=scopes, now=now)


def proposed(cast: Cast) -> Any:
    """A pending change of a ticket, by the triage agent."""
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"queue": "refunds_returns"})


def browser(cast: Cast, name: str) -> Client:
    """A browser in which somebody has signed in."""
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client
