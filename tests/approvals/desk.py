"""A browser at the review desk, without scripts: who is signed in, and what they get."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from approvals.models import Proposal
from tests.cast import Cast


@dataclass
class Desk:
    """One person's browser in the workspace of the cast."""

    cast: Cast
    client: Client

    def get(self, path: str = "/", **headers: Any) -> HttpResponse:
        return self.client.get(f"/w/{self.cast.workspace.slug}{path}", headers=headers)

    def post(self, path: str, data: dict[str, Any] | None = None, **headers: Any) -> HttpResponse:
        return self.client.post(f"/w/{self.cast.workspace.slug}{path}", data or {}, headers=headers)

    def decide(self, proposal: Proposal, verb: str, query: str = "", **said: Any) -> HttpResponse:
        """Post what a page showing `proposal` would post."""
        seen = {"revision": proposal.revision, "digest": proposal.digest}
        return self.post(f"/proposals/{proposal.pk}/{verb}/{query}", {**seen, **said})


def sit_down(cast: Cast, name: str) -> Desk:
    """Sign in."""
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return Desk(cast, client)


def text(response: HttpResponse) -> str:
    """The page as text."""
    return response.content.decode()
