"""Proof of presence for tests: codes from a known secret, and challenges that were passed already."""

from datetime import datetime, timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from approvals import presence
from approvals.models import Proposal
from portal import factors, stepup
from portal.models import StepUp
from tests.cast import Cast

SESSION = stepup.session_of("a-session")


class Codes:
    """Somebody's authenticator app."""

    def __init__(self, cast: Cast, name: str) -> None:
        self.person = cast.people[name]
        self.secret = factors.give_codes(self.person)

    def at(self, now: datetime, *, away: int = 0) -> str:
        """The code of the time step that is `away` from now."""
        return factors.code_of(self.secret, factors.step_of(now) + away)

    def fresh(self, now: datetime) -> str:
        """A code that counts now and was not used; as if time had gone by since the last one."""
        row = Authenticator.objects.get(user=self.person, type="totp")
        row.data.pop("spent", None)
        row.save()
        return self.at(now)


def confirm(client: Client, asked: HttpResponse, codes: Codes) -> HttpResponse:
    """Answer the challenge a post was sent to; what the post itself would have answered."""
    assert asked.status_code == 303, asked.content.decode()[:2000]
    return client.post(asked["Location"], {"code": codes.fresh(timezone.now())})


def passed(
    cast: Cast, ask: stepup.Ask, name: str, now: datetime, *, method: str = "totp", session: str = SESSION,
    ago: timedelta = timedelta(),
) -> stepup.Proof:  # fmt: skip
    """A challenge that was passed `ago`, written as web writes it, without the way that leads to it."""
    row = stepup.challenge(workspace=cast.ws, person=cast.id(name), ask=ask, session=session, now=now - ago)
    StepUp.objects.filter(pk=row.pk).update(method=method, passed_at=now - ago)
    return stepup.Proof(row.pk, session)


def used(cast: Cast, row: Proposal, name: str, now: datetime, **more: Any) -> int:
    """The id of a proof for approving what stands there, used already: what the trigger on decisions asks for."""
    proof = passed(cast, presence.ask(row, "approve"), name, now, **more)
    StepUp.objects.filter(pk=proof.id).update(used_at=now)
    return proof.id
