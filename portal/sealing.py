"""Seals credentials for one kind of process: web holds the public key and can put in, the private key alone opens.

`python -m portal.sealing [DATA]` prints a fresh pair. Refuses what was sealed for another key, workspace, part or host.
"""

import base64
import binascii
import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from pydantic import SecretStr

from portal import env

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """A pair of keys by the names of its settings; `opens` is the kind of process that alone has the private one."""

    name: str
    opens: str

    @property
    def public(self) -> str:
        """The setting with the key to seal with."""
        return f"{self.name}_PUBLIC_KEY"

    @property
    def private(self) -> str:
        """The setting with the key to open with."""
        return f"{self.name}_PRIVATE_KEY"


CREDENTIALS = Keys("CREDENTIALS", "apply")
MODELS = Keys("MODELS", "agents")
DATA = Keys("DATA", "web")
VAULT = Keys("VAULT", "web")


class SealingError(Exception):
    """Base of what can be wrong with keys and seals; no message holds a key or a secret."""


class NoKey(SealingError):
    """This process was not given the key it needs."""


class BadKey(SealingError):
    """A key is not 32 bytes in Base64, or the two are no pair."""


class NotForUs(SealingError):
    """It was sealed for another key, or for another place than the one that it is opened for."""


def seal(secret: str, *, place: str, keys: Keys = CREDENTIALS) -> tuple[bytes, str]:
    """The sealed secret and the id of the key; `place` says where alone it may be used.

    Raises:
        NoKey, BadKey.
    """
    key = public_key(keys)
    text = json.dumps({"place": place, "secret": secret})
    return SealedBox(key).encrypt(text.encode()), key_id(key)


def unseal(sealed: bytes, *, place: str, keys: Keys = CREDENTIALS) -> SecretStr:
    """The secret, where it was sealed for this key and place.

    Raises:
        NoKey, BadKey, NotForUs.
    """
    try:
        found = json.loads(SealedBox(private_key(keys)).decrypt(sealed))
    except CryptoError:
        raise NotForUs(f"the credential was sealed for another key than {keys.private}; set it anew") from None
    if found["place"] != place:
        raise NotForUs("the credential was set for another system or address; set it anew")
    return SecretStr(found["secret"])


def public_key(keys: Keys = CREDENTIALS) -> PublicKey:
    """The key to seal with; of the private one where only that is here."""
    given = getattr(env.read(), keys.public.lower())
    if given:
        return PublicKey(_bytes(keys.public, given))
    if given_private(keys) is not None:
        return private_key(keys).public_key
    raise NoKey(f"{keys.public} is not set: no credential can be sealed; docs/operations.md tells how")


def private_key(keys: Keys = CREDENTIALS) -> PrivateKey:
    """The key to open with; one kind of process alone has it."""
    given = given_private(keys)
    if given is None:
        raise NoKey(f"{keys.private} is not set: only the {keys.opens} process can open credentials")
    return PrivateKey(_bytes(keys.private, given.get_secret_value()))


def given_private(keys: Keys) -> SecretStr | None:
    """What this process was given as the private key, unread."""
    given: SecretStr | None = getattr(env.read(), keys.private.lower())
    return given


def refuse_a_mismatch() -> None:
    """Whether the keys of this process can be read and belong together.

    Raises:
        BadKey.
    """
    for keys in (CREDENTIALS, MODELS, DATA, VAULT):
        if getattr(env.read(), keys.public.lower()):
            public = public_key(keys)
            if given_private(keys) is not None and private_key(keys).public_key != public:
                raise BadKey(f"{keys.public} and {keys.private} are no pair")
        elif given_private(keys) is not None:
            private_key(keys)


def key_id(key: PublicKey) -> str:
    """16 hexadecimal digits that name a key."""
    return hashlib.sha256(bytes(key)).hexdigest()[:16]


def keep_pair(folder: Path) -> str:
    """Make a pair once, in `private` and `public`, mode 0600; returns the public one.

    Raises:
        BadKey: `private` holds something else.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / "private").exists():
        keep_once(folder / "private", _text(PrivateKey.generate()))
    public = PrivateKey(_bytes(str(folder / "private"), (folder / "private").read_text())).public_key
    if not (folder / "public").exists():
        keep_once(folder / "public", _text(public))
    return _text(public)


def kept(path: Path) -> str:
    """One half of a pair that was made here, or "": on an installation of one's own it comes by its setting."""
    return path.read_text() if os.access(path, os.R_OK) else ""


def kept_private(path: Path, *, given: bool) -> SecretStr | None:
    """The other half, for a kind of process that may have it."""
    text = kept(path) if given else ""
    return SecretStr(text) if text else None


def keep_once(path: Path, text: str) -> None:
    """A file of mode 0600, whole or not at all; the first of two that start at once wins."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=f"{path.name}.") as draft:  # mode 0600
        draft.write(text)
        draft.flush()
        with suppress(FileExistsError):
            os.link(draft.name, path)


def _bytes(name: str, text: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise BadKey(f"{name} is not {KEY_BYTES} bytes in Base64; `python -m portal.sealing` makes a pair")
    return raw


def _text(key: PublicKey | PrivateKey) -> str:
    return base64.b64encode(bytes(key)).decode()


if __name__ == "__main__":
    pair, wanted = PrivateKey.generate(), (sys.argv[1:] or [CREDENTIALS.name])[0]
    sys.stdout.write(f"{wanted}_PUBLIC_KEY={_text(pair.public_key)}\n{wanted}_PRIVATE_KEY={_text(pair)}\n")
