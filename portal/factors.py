"""Second factors of a person, kept by allauth.mfa: one-time codes (TOTP, RFC 6238) and passkeys (WebAuthn).

A code counts once, whatever it was used for: the newest time step that was spent is kept beside the secret and
compared under a row lock, so no cache is asked. Secrets lie sealed under a key made from SECRET_KEY.
"""

import base64
import hashlib
import hmac
import logging
import secrets
from datetime import datetime
from typing import Any

import nacl.exceptions
import nacl.secret
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from fido2.webauthn import UserVerificationRequirement

from portal.models import Person

STEP_SECONDS, DIGITS = 30, 6
# One step before and after: RFC 6238, 5.2 allows for the network and for a clock that is a little off.
TOLERANCE = 1
CODES, PASSKEY = Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN
PREFERRED = UserVerificationRequirement.PREFERRED
SEALED = "s1:"
logger = logging.getLogger(__name__)


class FactorError(Exception):
    """Base of why a second factor does not do; the message is for the person."""


class WrongCode(FactorError):
    """The code is not one of now, or there is no secret that it could be of."""


class SpentCode(FactorError):
    """The code was right and has been used already."""


class WrongPasskey(FactorError):
    """The answer of the passkey does not belong to this challenge, this site or this person."""


class Unreadable(FactorError):
    """The secret was sealed under another SECRET_KEY."""


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Seals the secrets that allauth stores: a copy of the database alone makes no codes."""

    def encrypt(self, text: str) -> str:
        """Sealed text (XSalsa20-Poly1305, random nonce)."""
        return SEALED + base64.b64encode(_box().encrypt(text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` sealed.

        Raises:
            Unreadable.
        """
        try:
            return _box().decrypt(base64.b64decode(encrypted_text.removeprefix(SEALED))).decode()
        except (nacl.exceptions.CryptoError, ValueError) as error:
            raise Unreadable("This secret does not open; was SECRET_KEY changed?") from error


def _box() -> nacl.secret.SecretBox:
    key = hmac.digest(settings.SECRET_KEY.encode(), b"countersign.portal.factors", "sha256")
    return nacl.secret.SecretBox(key)


def kinds(person: int) -> frozenset[str]:
    """Which factors a person has set up: `totp`, `webauthn`. Recovery codes are for signing in only."""
    rows = Authenticator.objects.filter(user_id=person, type__in=(CODES, PASSKEY))
    return frozenset(rows.values_list("type", flat=True))


def anybody(workspace: int) -> bool:
    """Whether any active member of the workspace has set up either."""
    return bool(
        Authenticator.objects.filter(
            type__in=(CODES, PASSKEY), user__is_active=True, user__memberships__workspace=workspace,
            user__memberships__active=True,
        ).exists()
    )  # fmt: skip


def step_of(at: datetime) -> int:
    """The time step of a moment (UTC): whole half minutes since 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def code_of(secret: str, step: int) -> str:
    """The one-time code of a base32 secret in a time step (RFC 4226, 5.3 over HMAC-SHA-1)."""
    mac = hmac.digest(base64.b32decode(secret, casefold=True), step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 0xF
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def new_secret() -> str:
    """A base32 secret of 160 random bits, as an authenticator app takes it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def give_codes(person: Person, secret: str = "") -> str:
    """Set up one-time codes for somebody who has none; returns their secret."""
    secret = secret or new_secret()
    Authenticator.objects.create(user=person, type=CODES, data={"secret": Adapter().encrypt(secret)})
    return secret


def spend_code(*, person: int, code: str, now: datetime) -> None:
    """Take a one-time code, once.

    Raises:
        WrongCode, SpentCode.
    """
    given = "".join(code.split())
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(user_id=person, type=CODES).first()
        step = _matching(row, given, step_of(now)) if row else None
        if row is None or step is None:
            raise WrongCode(_("This code is not right."))
        if step <= int(row.data.get("spent", 0)):
            raise SpentCode(_("This code was used already; wait for the next one."))
        row.data["spent"], row.last_used_at = step, now
        row.save(update_fields=["data", "last_used_at"])


def _matching(row: Any, given: str, present: int) -> int | None:
    try:
        secret = Adapter().decrypt(row.data["secret"])
    except Unreadable:
        logger.exception("the one-time codes of person %s cannot be checked", row.user_id)
        return None
    steps = range(present - TOLERANCE, present + TOLERANCE + 1)
    return next((step for step in steps if hmac.compare_digest(code_of(secret, step).encode(), given.encode())), None)


def passkey_options(person: Person, challenge: bytes) -> dict[str, Any]:
    """What the browser asks the person's passkeys to sign, as WebAuthn's JSON."""
    options, _state = webauthn.get_server().authenticate_begin(
        credentials=webauthn.get_credentials(person), user_verification=PREFERRED, challenge=challenge
    )
    return dict(options)


def check_passkey(*, person: Person, challenge: bytes, answer: Any) -> None:
    """Whether one of the person's passkeys signed exactly this challenge for this site.

    Raises:
        WrongPasskey.
    """
    state = {"challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(), "user_verification": PREFERRED}
    try:
        parsed = webauthn.parse_authentication_response(answer)
        webauthn.get_server().authenticate_complete(state, webauthn.get_credentials(person), parsed)
    except (ValueError, ValidationError, KeyError, AttributeError) as error:
        raise WrongPasskey(_("The passkey did not answer this question.")) from error


class _CodeOnce:
    """allauth's form of a code, with the memory of the table instead of the cache's."""

    user: Person
    cleaned_data: dict[str, Any]
    authenticator: Any

    def clean_code(self) -> str:
        """A one-time code, or a recovery code."""
        clear_limit = check_rate_limit(self.user)
        code = str(self.cleaned_data["code"])
        self.authenticator = self._taken(code)
        self.authenticator.user = self.user
        clear_limit()
        return code

    def _taken(self, code: str) -> Any:
        mine = {row.type: row for row in Authenticator.objects.filter(user=self.user)}
        spare = mine.get(Authenticator.Type.RECOVERY_CODES)
        try:
            spend_code(person=self.user.pk, code=code, now=timezone.now())
        except SpentCode as error:
            raise ValidationError(str(error)) from error
        except WrongCode as error:
            if spare is None or not spare.wrap().validate_code(code):
                raise ValidationError(str(error)) from error
            return spare
        return mine[CODES]


class SignInForm(_CodeOnce, AuthenticateForm):  # type: ignore[misc]  # as above
    """The code at sign-in."""


class AgainForm(_CodeOnce, ReauthenticateForm):  # type: ignore[misc]  # as above
    """The code where a step asks who it is once more."""
