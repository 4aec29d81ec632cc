"""Personal tokens: a person's key to the API, shown once, kept as SHA-256, revocable, on the log."""

import hashlib
import json
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from audit import log
from audit.events import Event
from portal import roles
from portal.models import Person, PersonalToken, Workspace

PREFIX = "cs_"
SCOPES = {
    "tickets:write": noop("Send tickets in"),
    "cases:read": noop("Read cases, proposals, runs and entries"),
    "decide": noop("Decide on proposals as yourself"),
}


DECIDE = "decide"
LISTED = 100


class TokenError(Exception):
    """A token that cannot be made; the message names the field."""


def offered(person: Person, workspace: Workspace) -> dict[str, str]:
    """The scopes a person may give away: nobody lends a right to decide that they do not hold."""
    may_decide = bool(roles.deciding(roles.of(person.pk, workspace.pk)))
    return {scope: _(words) for scope, words in SCOPES.items() if scope != DECIDE or may_decide}


def of_person(person: Person, workspace: Workspace) -> list[PersonalToken]:
    """A person's own tokens, newest first, the revoked ones too."""
    return list(PersonalToken.objects.filter(workspace=workspace, person=person).order_by("-pk")[:LISTED])


def make(
    *, workspace: Workspace, person: Person, name: str, scopes: Sequence[str], now: datetime
) -> tuple[PersonalToken, str]:
    """A new token and its secret, which is nowhere kept.

    Raises:
        TokenError: no name, a scope there is not, or one that the person has no role for.
    """
    unknown = sorted(set(scopes) - set(offered(person, workspace)))
    if unknown or not scopes:
        if not unknown:
            raise TokenError("scopes: " + _("choose among those offered"))
        raise TokenError("scopes: " + _("choose among those offered; not %(scope)s") % {"scope": repr(unknown[0][:40])})
    if not name.strip() or len(name) > 60 or not name.isprintable():
        raise TokenError("name: " + _("between 1 and 60 printable characters"))
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = PersonalToken.objects.create(
            workspace=workspace, person=person, name=name.strip(), scopes=sorted(set(scopes)),
            secret_sha256=_sha256(secret), created_at=now,
        )  # fmt: skip
        log.record(
            workspace=workspace.pk, subject=f"token:{token.pk}", event=Event.TOKEN_MADE, now=now,
            actor=f"person:{person.pk}", body={"scopes": token.scopes}, personal={"name": token.name},
        )  # fmt: skip
    return token, secret


def revoke(*, token: PersonalToken, person: Person, now: datetime) -> None:
    """End a token of one's own; a second time is a no-op."""
    with transaction.atomic():
        changed = PersonalToken.objects.filter(
            workspace=token.workspace_id, pk=token.pk, person=person, revoked_at=None
        ).update(revoked_at=now)
        if changed:
            log.record(
                workspace=token.workspace_id, subject=f"token:{token.pk}", event=Event.TOKEN_REVOKED,
                actor=f"person:{person.pk}", now=now,
            )  # fmt: skip


def bearer(request: HttpRequest) -> Person | None:
    """The person behind `Authorization: Bearer ...`; notes the token's workspace and scopes."""
    scheme, _blank, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace, person, scopes FROM portal_token_holder(%s)", [_sha256(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    request.token_workspace = row[0]  # type: ignore[attr-defined]  # read by WorkspaceMiddleware and HasScope
    request.token_scopes = frozenset(json.loads(row[2]))  # type: ignore[attr-defined]  # as above
    return Person.objects.filter(pk=row[1], is_active=True).first()


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
