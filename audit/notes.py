"""C2SP signed notes and checkpoints: sign, verify, and keys as text. Pure.

A note says who signed a text (c2sp.org/signed-note), a checkpoint is the text that names a tree
(c2sp.org/tlog-checkpoint), and a cosignature says when (c2sp.org/tlog-cosignature). Only Ed25519, algorithm bytes 1
and 4. Refuses every note that no trusted key signed.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

ED25519, TIMED = b"\x01", b"\x04"
PRIVATE = "PRIVATE+KEY+"
KEY_BYTES, SIGNATURE_BYTES, ID_BYTES, ROOT_BYTES, TIME_BYTES = 32, 64, 4, 32, 8
MOST_BYTES, MOST_SIGNATURES = 1_000_000, 100
DASH = "\u2014 "


class NoteError(ValueError):
    """Base of what can be wrong with keys and notes; no message holds a private key."""


class BadKey(NoteError):
    """The text is no key of this form, or its name is none."""


class BadNote(NoteError):
    """The text is no note or checkpoint of this form."""


class UnknownKey(NoteError):
    """No key that is trusted signed it."""


class BadSignature(NoteError):
    """A trusted key is named, and its signature does not fit."""


@dataclass(frozen=True)
class Verifier:
    """A name and its public key; as text `name+id+key`, the vkey of other tools."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() or c < " " for c in self.name):
            raise BadKey(f"{self.name!r} is no name of a key: not empty, no space, no +")
        if len(self.public) != KEY_BYTES:
            raise BadKey(f"a public key has {KEY_BYTES} bytes")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return self._id(ED25519)

    @property
    def timed_id(self) -> bytes:
        """The same of its signatures that say when."""
        return self._id(TIMED)

    def _id(self, algorithm: bytes) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + algorithm + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_text(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Read `name+id+key`.

        Raises:
            BadKey.
        """
        name, key_id, key = _parts(text)
        found = cls(name, key)
        if found.key_id.hex() != key_id:
            raise BadKey(f"the id of the key of {name} does not fit it")
        return found

    def holds(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed these bytes."""
        try:
            VerifyKey(self.public).verify(text, signature)
        except (BadSignatureError, ValueError):
            return False
        return True


@dataclass(frozen=True, repr=False)
class Signer:
    """A name and its private key (the seed of Ed25519); as text `PRIVATE+KEY+name+id+seed`."""

    name: str
    seed: bytes

    @property
    def verifier(self) -> Verifier:
        """Its public side."""
        return Verifier(self.name, bytes(SigningKey(self.seed).verify_key))

    def text(self) -> str:
        """The private key itself: for a file that nobody else reads."""
        return f"{PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{_text(ED25519 + self.seed)}"

    @classmethod
    def parse(cls, text: str) -> "Signer":
        """Read `PRIVATE+KEY+name+id+seed`.

        Raises:
            BadKey.
        """
        if not text.startswith(PRIVATE):
            raise BadKey(f"a private key begins with {PRIVATE}")
        name, key_id, seed = _parts(text.removeprefix(PRIVATE))
        if len(seed) != KEY_BYTES:
            raise BadKey(f"a private key has {KEY_BYTES} bytes")
        found = cls(name, seed)
        if found.verifier.key_id.hex() != key_id:
            raise BadKey(f"the id of the private key of {name} does not fit it")
        return found


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: whose log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_text(self.root)}\n"


def sign(text: str, *signers: Signer, at: datetime | None = None) -> str:
    """The text as a note signed by each; with `at`, each also says that it did so at that second (UTC).

    Raises:
        BadNote: the text does not end its last line, or holds a control character.
    """
    _refuse_odd(text)
    if not text.endswith("\n") or text == "\n":
        raise BadNote("the text of a note ends with a line feed")
    lines = [_sign(text, signer) for signer in signers]
    lines += [_cosign(text, signer, int(at.timestamp())) for signer in signers if at is not None]
    return f"{text}\n" + "".join(lines)


def carried(note: str, earlier: str) -> str:
    """The note, and what other keys had signed of the same text: a signature without a time does not age.

    Raises:
        BadNote.
    """
    text, mine = _split(note)
    before, theirs = _split(earlier)
    known = {(name, blob[:ID_BYTES]) for name, blob in mine}
    kept = [(name, blob) for name, blob in theirs if len(blob) == ID_BYTES + SIGNATURE_BYTES]
    lines = [f"{DASH}{name} {_text(blob)}\n" for name, blob in kept if (name, blob[:ID_BYTES]) not in known]
    return note + "".join(lines) if text == before else note


def _sign(text: str, signer: Signer) -> str:
    signature = SigningKey(signer.seed).sign(text.encode()).signature
    return f"{DASH}{signer.name} {_text(signer.verifier.key_id + signature)}\n"


def _cosign(text: str, signer: Signer, second: int) -> str:
    signature = SigningKey(signer.seed).sign(_timed(text, second)).signature
    return f"{DASH}{signer.name} {_text(signer.verifier.timed_id + second.to_bytes(TIME_BYTES) + signature)}\n"


def _timed(text: str, second: int) -> bytes:
    """What a cosignature of version 1 signs; no checkpoint begins like this."""
    return f"cosignature/v1\ntime {second}\n{text}".encode()


def read(note: str, trusted: Iterable[Verifier]) -> str:
    """The text of a note that at least one trusted key signed.

    Raises:
        BadNote, UnknownKey, BadSignature.
    """
    keys = {(key.name, key.key_id): key for key in trusted}
    text, signatures = _split(note)
    known = [(keys[name, blob[:ID_BYTES]], blob) for name, blob in signatures if (name, blob[:ID_BYTES]) in keys]
    for key, blob in known:
        if not key.holds(text.encode(), blob[ID_BYTES:]):
            raise BadSignature(f"the signature of {key.name}+{key.key_id.hex()} does not fit")
    if not known:
        names = ", ".join(f"{name}+{blob[:ID_BYTES].hex()}" for name, blob in signatures)
        raise UnknownKey(f"signed by no key that is trusted, but by {names}")
    return text


def signed_at(note: str, trusted: Iterable[Verifier]) -> datetime | None:
    """The latest second (UTC) at which a trusted key says that it signed; None where none says so.

    Raises:
        BadNote, BadSignature.
    """
    keys = {(key.name, key.timed_id): key for key in trusted}
    text, signatures = _split(note)
    found = [_second(keys[name, blob[:ID_BYTES]], text, blob[ID_BYTES:]) for name, blob in signatures
             if (name, blob[:ID_BYTES]) in keys]  # fmt: skip
    return max(found, default=None)


def _second(key: Verifier, text: str, blob: bytes) -> datetime:
    second = int.from_bytes(blob[:TIME_BYTES])
    if not key.holds(_timed(text, second), blob[TIME_BYTES:]):
        raise BadSignature(f"the time that {key.name}+{key.timed_id.hex()} signed does not fit")
    try:
        return datetime.fromtimestamp(second, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadNote(f"no moment: {second} seconds after 1970") from error


def head(text: str) -> Head:
    """What the text of a checkpoint says; lines after the third are others' matter.

    Raises:
        BadNote.
    """
    lines = text.removesuffix("\n").split("\n")
    if not text.endswith("\n") or len(lines) < 3 or not all(lines):
        raise BadNote("a checkpoint has three lines or more, none of them empty")
    origin, size, root = lines[:3]
    if not (size.isascii() and size.isdecimal()) or len(size) > 18 or str(int(size)) != size:
        raise BadNote("the second line of a checkpoint is its size, in decimal")
    found = _bytes(root)
    if found is None or len(found) != ROOT_BYTES:
        raise BadNote(f"the third line of a checkpoint is its root, {ROOT_BYTES} bytes in Base64")
    return Head(origin, int(size), found)


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and name and bytes of each signature."""
    _refuse_odd(note)
    text, gap, rest = note.rpartition("\n\n")
    if not gap or not rest.endswith("\n"):
        raise BadNote("a note is a text, an empty line and lines of signatures")
    lines = rest.removesuffix("\n").split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote(f"more than {MOST_SIGNATURES} signatures")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, gap, coded = line.removeprefix(DASH).partition(" ")
    blob = _bytes(coded)
    if not line.startswith(DASH) or not gap or not name or "+" in name or blob is None or len(blob) <= ID_BYTES:
        raise BadNote("a signature is a dash, a name and Base64")
    return name, blob


def _refuse_odd(text: str) -> None:
    if len(text) > MOST_BYTES or any(c < " " and c != "\n" for c in text):
        raise BadNote("a note holds no control characters and at most a million characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadNote("a note is UTF-8") from error


def _parts(text: str) -> tuple[str, str, bytes]:
    """Name, id and key of `name+id+key`; Base64 may hold a + of its own."""
    name, _, rest = text.strip().partition("+")
    key_id, _, coded = rest.partition("+")
    key = _bytes(coded)
    if key is None or key[:1] != ED25519:
        raise BadKey("a key is name+id+key, of an Ed25519 key (algorithm byte 1)")
    return name, key_id, key[1:]


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes | None:
    """Of Base64 in its one right spelling; else None."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if _text(raw) == text else None
