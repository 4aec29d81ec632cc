"""Seals credentials for the apply process: web holds the public key and can put in, the private key alone opens.

`python -m portal.sealing` prints a fresh pair. Refuses what was sealed for another key, workspace, part or host.
"""

import base64
import binascii
import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from pydantic import SecretStr

from portal import env

KEY_BYTES = 32


class SealingError(Exception):
    """Base of what can be wrong with keys and seals; no message holds a key or a secret."""


class NoKey(SealingError):
    """This process was not given the key it needs."""


class BadKey(SealingError):
    """A key is not 32 bytes in Base64, or the two are no pair."""


class NotForUs(SealingError):
    """It was sealed for another key, or for another place than the one that it is opened for."""


def seal(secret: str, *, place: str) -> tuple[bytes, str]:
    """The sealed secret and the id of the key; `place` says where alone it may be used.

    Raises:
        NoKey, BadKey.
    """
    key = public_key()
    text = json.dumps({"place": place, "secret": secret})
    return SealedBox(key).encrypt(text.encode()), key_id(key)


def unseal(sealed: bytes, *, place: str) -> SecretStr:
    """The secret, where it was sealed for this key and place.

    Raises:
        NoKey, BadKey, NotForUs.
    """
    try:
        found = json.loads(SealedBox(private_key()).decrypt(sealed))
    except CryptoError:
        raise NotForUs("the credential was sealed for another key than CREDENTIALS_PRIVATE_KEY; set it anew") from None
    if found["place"] != place:
        raise NotForUs("the credential was set for another system or address; set it anew")
    return SecretStr(found["secret"])


def public_key() -> PublicKey:
    """The key to seal with; of the private one where only that is here."""
    given = env.read().credentials_public_key
    if given:
        return PublicKey(_bytes("CREDENTIALS_PUBLIC_KEY", given))
    if env.read().credentials_private_key is not None:
        return private_key().public_key
    raise NoKey("CREDENTIALS_PUBLIC_KEY is not set: no credential can be sealed; docs/operations.md tells how")


def private_key() -> PrivateKey:
    """The key to open with; the apply process alone has it."""
    given = env.read().credentials_private_key
    if given is None:
        raise NoKey("CREDENTIALS_PRIVATE_KEY is not set: only the apply process can open credentials")
    return PrivateKey(_bytes("CREDENTIALS_PRIVATE_KEY", given.get_secret_value()))


def refuse_a_mismatch() -> None:
    """Whether the keys of this process can be read and belong together.

    Raises:
        BadKey.
    """
    settings = env.read()
    if settings.credentials_public_key:
        public = public_key()
        if settings.credentials_private_key is not None and private_key().public_key != public:
            raise BadKey("CREDENTIALS_PUBLIC_KEY and CREDENTIALS_PRIVATE_KEY are no pair")
    elif settings.credentials_private_key is not None:
        private_key()


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
    pair = PrivateKey.generate()
    sys.stdout.write(f"CREDENTIALS_PUBLIC_KEY={_text(pair.public_key)}\nCREDENTIALS_PRIVATE_KEY={_text(pair)}\n")
