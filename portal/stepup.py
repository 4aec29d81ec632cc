"""Step-up: fresh proof that a person is there, before the few decisions that ask for it.

A challenge belongs to one purpose, one digest and amount, one person and one browser session. It is passed by a
one-time code or a passkey, at most five minutes old, and used once. By a password only where nobody in the workspace
has set up either, and never for high tier. Everything that counts stands in its row: no cache is asked.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit import log
from audit.events import Event
from portal import factors
from portal.models import Person, StepUp

FRESH = timedelta(minutes=5)
TRIES = 5
# Wrong tries of one person over all challenges: 15 in a quarter of an hour guess a code once in 22,000 times.
TRIES_IN_ALL, CHALLENGES = 15, 40
WINDOW = timedelta(minutes=15)
PASSWORD = "password"  # nosec B105  # the name of a method
MOST_STASHED = 32 * 1024


class StepUpError(Exception):
    """Base of why presence is not proved; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What presence is asked for. `subject` is `kind:id`, `digest` SHA-256 of what is decided, money in minor units.

    `words` and `target` are repeated to the person; with `high` a password is never enough.
    """

    purpose: str
    subject: str
    digest: str
    words: str
    target: str = ""
    amount_minor: int | None = None
    currency: str = ""
    high: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge that was passed, and the session that says so."""

    id: int
    session: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person gave, one of the three; `passkey` is WebAuthn's answer as JSON."""

    code: str = ""
    password: str = ""
    passkey: Any = None


class Needed(StepUpError):
    """Nothing was wrong but that nobody has shown they are there; `ask` says for what."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(_("This asks for a fresh proof that it is you: do it in the browser, where it is asked."))
        self.ask = ask


class Missing(StepUpError):
    """There is no such challenge of this person."""


class OtherSession(StepUpError):
    """It was asked in another browser session."""


class Expired(StepUpError):
    """More than five minutes went by."""


class Used(StepUpError):
    """It was passed or used already."""


class NotPassed(StepUpError):
    """It was asked, and nobody has answered."""


class WrongDigest(StepUpError):
    """It was passed for something else."""


class NotEnough(StepUpError):
    """The method is not one that counts here."""


class Wrong(StepUpError):
    """The answer is not right."""


class Dead(StepUpError):
    """Too many wrong answers."""


class TooMany(StepUpError):
    """Too many wrong answers, or challenges, of this person within a quarter of an hour."""


def session_of(key: str | None) -> str:
    """What of a session is kept: SHA-256 of its key."""
    return hashlib.sha256((key or "").encode()).hexdigest()


def challenge(
    *, workspace: int, person: int, ask: Ask, session: str, now: datetime, path: str = "", back: str = "",
    post: Mapping[str, str] | None = None,
) -> StepUp:  # fmt: skip
    """Ask. `path` and `post` are what waits for the answer, `back` where to go without; `session` as `session_of`.

    Raises:
        TooMany.
    """
    _one_at_a_time(person)
    recent = StepUp.objects.filter(workspace_id=workspace, person_id=person, created_at__gt=now - WINDOW)
    if recent.count() >= CHALLENGES or len(str(post)) > MOST_STASHED:
        raise TooMany(_("That is too much at once; try again in a quarter of an hour."))
    kept = {"target": ask.target, "high": ask.high, "back": back, "nonce": secrets.token_hex(32)}
    return StepUp.objects.create(
        workspace_id=workspace, person_id=person, purpose=ask.purpose, subject=ask.subject, digest=ask.digest,
        amount_minor=ask.amount_minor, currency=ask.currency, words=ask.words[:300], path=path[:300],
        stash={**kept, "post": dict(post or {})}, session_sha256=session, created_at=now,
    )  # fmt: skip


def offered(row: StepUp) -> frozenset[str]:
    """By which methods this one may be passed: `totp`, `webauthn`, `password`; none until a factor is set up."""
    mine = factors.kinds(row.person_id)
    if mine or row.stash.get("high", True) or factors.anybody(row.workspace_id):
        return mine
    return frozenset({PASSWORD})


def open_one(*, workspace: int, person: int, step_up: int, session: str, now: datetime) -> StepUp:
    """A challenge that can still be answered.

    Raises:
        Missing, OtherSession, Used, Expired, Dead.
    """
    row = _locked(workspace, person, step_up, session)
    if row.passed_at is not None or row.used_at is not None:
        raise Used(_("This was answered already. Look at the item again."))
    if now - row.created_at > FRESH:
        raise Expired(_("More than five minutes went by. Nothing was done; start it again."))
    if row.failures >= TRIES:
        raise Dead(_("%(tries)s wrong answers. Nothing was done; start it again.") % {"tries": TRIES})
    return row


def verify(
    *, workspace: int, person: Person, step_up: int, session: str, answer: Answer, now: datetime
) -> tuple[StepUp, dict[str, str]]:
    """Pass a challenge; returns it with the post that waited, which is kept no longer.

    A wrong answer is counted in the row before it is raised: call it outside of a savepoint.

    Raises:
        Wrong, NotEnough, TooMany, and all that `open_one` raises.
    """
    _one_at_a_time(person.pk)
    row = open_one(workspace=workspace, person=person.pk, step_up=step_up, session=session, now=now)
    recent = StepUp.objects.filter(workspace_id=workspace, person=person, created_at__gt=now - WINDOW)
    if (recent.aggregate(n=Sum("failures"))["n"] or 0) >= TRIES_IN_ALL:
        raise TooMany(_("Too many wrong answers; try again in a quarter of an hour."))
    method = _method(row, answer)
    try:
        _check(row, person, method, answer, now)
    except factors.SpentCode as error:
        raise Wrong(str(error)) from error  # it was right once: no guess
    except (factors.FactorError, Wrong) as error:
        row.failures += 1
        row.save(update_fields=["failures"])
        raise Wrong(f"{error} {_left(row)}") from error
    return _passed(row, method, now)


def _method(row: StepUp, answer: Answer) -> str:
    method = "totp" if answer.code else "webauthn" if answer.passkey is not None else PASSWORD
    if method not in offered(row):
        raise NotEnough(_("This does not do here; set up one-time codes or a passkey first."))
    return method


def _check(row: StepUp, person: Person, method: str, answer: Answer, now: datetime) -> None:
    if method == "totp":
        factors.spend_code(person=person.pk, code=answer.code, now=now)
    elif method == "webauthn":
        factors.check_passkey(person=person, challenge=bytes.fromhex(row.stash["nonce"]), answer=answer.passkey)
    elif not person.check_password(answer.password):
        raise Wrong(_("The password is not right."))


def _left(row: StepUp) -> str:
    left = TRIES - row.failures
    if not left:
        return _("That was the last try; start it again.")
    return ngettext("%(left)s try is left.", "%(left)s tries are left.", left) % {"left": left}


def _passed(row: StepUp, method: str, now: datetime) -> tuple[StepUp, dict[str, str]]:
    waiting = dict(row.stash["post"])
    row.method, row.passed_at = method, now
    row.stash = {name: value for name, value in row.stash.items() if name not in ("post", "nonce")}
    row.save(update_fields=["method", "passed_at", "stash"])
    log.record(
        workspace=row.workspace_id, subject=f"stepup:{row.pk}", version=1, event=Event.STEPUP_PASSED,
        actor=f"person:{row.person_id}", now=now,
        body={"purpose": row.purpose, "subject": row.subject, "digest": row.digest, "method": method},
    )  # fmt: skip
    return row, waiting


def use(*, workspace: int, person: int, proof: Proof | None, ask: Ask, now: datetime) -> StepUp:
    """Take the proof for exactly this; a second time it is refused. The row goes into `Decision.step_up`.

    Raises:
        Needed (there is no proof), Missing, OtherSession, NotPassed, Used, Expired, WrongDigest, NotEnough.
    """
    if proof is None:
        raise Needed(ask)
    row = _locked(workspace, person, proof.id, proof.session)
    if row.passed_at is None:
        raise NotPassed(_("Nobody has answered this yet."))
    if row.used_at is not None:
        raise Used(_("This proof was used already."))
    if now - row.passed_at > FRESH:
        raise Expired(_("The proof is more than five minutes old; start it again."))
    if _bound(row) != (ask.purpose, ask.subject, ask.digest, ask.amount_minor, ask.currency):
        raise WrongDigest(_("This was confirmed for something else; look at it again."))
    if ask.high and row.method == PASSWORD:
        raise NotEnough(_("A password does not do on high tier; set up one-time codes or a passkey first."))
    row.used_at = now
    row.save(update_fields=["used_at"])
    return row


def _bound(row: StepUp) -> tuple[Any, ...]:
    return row.purpose, row.subject, row.digest, row.amount_minor, row.currency


def rebind(*, workspace: int, person: int, before: str, after: str) -> None:
    """The session got another key: what it asked goes on under that."""
    mine = StepUp.objects.filter(workspace_id=workspace, person_id=person, session_sha256=before)
    mine.update(session_sha256=after)


def _locked(workspace: int, person: int, step_up: int, session: str) -> StepUp:
    rows = StepUp.objects.select_for_update().filter(workspace_id=workspace, person_id=person)
    row = rows.filter(pk=step_up).first()
    if row is None:
        raise Missing(_("There is nothing to confirm here."))
    if not secrets.compare_digest(row.session_sha256, session):
        raise OtherSession(_("This was asked in another session. Nothing was done; start it again here."))
    return row


def _one_at_a_time(person: int) -> None:
    """Answers in parallel must not be more tries than were allowed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [f"stepup:{person}"])
