"""What seals personal values: whoever writes needs public keys alone and cannot read. Knows no table.

The key of a data subject is a pair. Its public half seals values (X25519, XSalsa20-Poly1305); its private half is kept
sealed for DATA_PUBLIC_KEY, so that only who holds DATA_PRIVATE_KEY opens anything, and nobody once it is deleted.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey, SealedBox

from audit.canonical import SALT_BYTES

KEY_BYTES = 32
# As many opened keys as a page shows; one that was erased must not stay in memory for long.
OPENED = 16


class EnvelopeError(Exception):
    """Base of what can go wrong; no message holds a key or a value."""


class NoKey(EnvelopeError):
    """This process was not given the key it needs."""


class NotForUs(EnvelopeError):
    """It was sealed for another key, or changed since."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A fresh key of a subject: the half that seals, and the half that opens, sealed for DATA_PRIVATE_KEY."""

    public: bytes
    wrapped: bytes


def fresh() -> Pair:
    """A new pair; its private half is nowhere in the open once this returns.

    Raises:
        NoKey: DATA_PUBLIC_KEY is not set.
    """
    private = PrivateKey.generate()
    return Pair(bytes(private.public_key), SealedBox(_master()).encrypt(bytes(private)))


class Sealer:
    """Seals values for several subjects; it agrees on a secret with each subject once."""

    def __init__(self) -> None:
        self._own = PrivateKey.generate()
        self._boxes: dict[bytes, Box] = {}

    def seal(self, salt: bytes, value: Any, public: bytes) -> bytes:
        """Salt and value as one sealed piece."""
        if public not in self._boxes:
            self._boxes[public] = Box(self._own, PublicKey(public))
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return bytes(self._own.public_key) + self._boxes[public].encrypt(salt + text)


def open_value(sealed: bytes, wrapped: bytes) -> tuple[bytes, Any]:
    """Salt and value.

    Raises:
        NoKey: DATA_PRIVATE_KEY is not set here.
        NotForUs.
    """
    theirs, piece = PublicKey(sealed[:KEY_BYTES]), sealed[KEY_BYTES:]
    try:
        text = Box(PrivateKey(_unwrapped(bytes(wrapped))), theirs).decrypt(piece)
    except CryptoError:
        raise NotForUs("a personal value was sealed for another key, or changed since") from None
    return text[:SALT_BYTES], json.loads(text[SALT_BYTES:])


def is_pair(public: bytes, wrapped: bytes) -> bool:
    """Whether what seals for a subject now is what its key opens.

    Raises:
        NoKey, NotForUs.
    """
    return bytes(PrivateKey(_unwrapped(bytes(wrapped))).public_key) == bytes(public)


def seal_for_vault(text: str) -> str:
    """Text that only the vault's private key opens, in Base64.

    Raises:
        NoKey: VAULT_PUBLIC_KEY is not set.
    """
    if not settings.VAULT_PUBLIC_KEY:
        raise NoKey("VAULT_PUBLIC_KEY is not set: no full transcript can be kept")
    public = PublicKey(_bytes("VAULT_PUBLIC_KEY", settings.VAULT_PUBLIC_KEY))
    return base64.b64encode(SealedBox(public).encrypt(text.encode("utf-8", "surrogatepass"))).decode()


def open_from_vault(coded: str) -> str:
    """The text again.

    Raises:
        NoKey: VAULT_PRIVATE_KEY is not set here.
        NotForUs.
    """
    if settings.VAULT_PRIVATE_KEY is None:
        raise NoKey(_("VAULT_PRIVATE_KEY is not set: nothing in the vault can be opened here"))
    private = PrivateKey(_bytes("VAULT_PRIVATE_KEY", settings.VAULT_PRIVATE_KEY.get_secret_value()))
    try:
        return SealedBox(private).decrypt(base64.b64decode(coded)).decode("utf-8", "surrogatepass")
    except CryptoError:
        raise NotForUs(_("this transcript was sealed for another VAULT_PRIVATE_KEY")) from None


@lru_cache(maxsize=OPENED)
def _unwrapped(wrapped: bytes) -> bytes:
    if settings.DATA_PRIVATE_KEY is None:
        raise NoKey("DATA_PRIVATE_KEY is not set: only the web process opens personal values of the log")
    private = PrivateKey(_bytes("DATA_PRIVATE_KEY", settings.DATA_PRIVATE_KEY.get_secret_value()))
    try:
        return SealedBox(private).decrypt(wrapped)
    except CryptoError:
        raise NotForUs("the key of this person was sealed for another DATA_PRIVATE_KEY") from None


@lru_cache(maxsize=1)
def _master_of(text: str) -> PublicKey:
    return PublicKey(_bytes("DATA_PUBLIC_KEY", text))


def _master() -> PublicKey:
    if not settings.DATA_PUBLIC_KEY:
        raise NoKey("DATA_PUBLIC_KEY is not set: no personal value can be kept; docs/operations.md tells how")
    return _master_of(settings.DATA_PUBLIC_KEY)


def _bytes(name: str, text: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise NoKey(f"{name} is not {KEY_BYTES} bytes in Base64; `python -m portal.sealing` makes a pair")
    return raw
