"""A stranger who was given `entry.json`, a `.tlog-proof` and a public key: checks them with nothing of ours.

Written from RFC 6962, section 2.1.1, and the texts of C2SP; only SHA-256 and Ed25519 come from a library.
"""

import base64
import hashlib
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey


@dataclass(frozen=True)
class Accepted:
    """What the proof says once it holds."""

    index: int
    origin: str
    size: int
    root: bytes


class Refused(Exception):
    """Why it does not hold."""


def check(entry: bytes, proof: str, vkey: str) -> Accepted:
    """Whether these very bytes are the leaf that the proof leads from, to a root which this key signed."""
    top, _, note = proof.partition("\n\n")
    first, place, *steps = top.split("\n")
    if first != "c2sp.org/tlog-proof@v1" or not place.startswith("index "):
        raise Refused("not a tlog-proof")
    index = int(place.removeprefix("index "))
    origin, size, root = signed(note, vkey)
    if not index < size:
        raise Refused("the checkpoint is not over this leaf")
    found, left = climb(hashlib.sha256(b"\x00" + entry).digest(), index, size, [base64.b64decode(s) for s in steps])
    if left:
        raise Refused("the path is longer than the tree is high")
    if found != root:
        raise Refused("the path leads to another root")
    return Accepted(index, origin, size, root)


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> tuple[bytes, list[bytes]]:
    """PATH(m, D[n]) of RFC 6962 read backwards: split at the largest power of two below n, the sibling comes last."""
    if size == 1:
        return leaf, path
    if not path:
        raise Refused("the path is shorter than the tree is high")
    half = 1
    while half * 2 < size:
        half *= 2
    *inner, sibling = path
    if index < half:
        found, left = climb(leaf, index, half, inner)
        return hashlib.sha256(b"\x01" + found + sibling).digest(), left
    found, left = climb(leaf, index - half, size - half, inner)
    return hashlib.sha256(b"\x01" + sibling + found).digest(), left


def signed(note: str, vkey: str) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that this key signed."""
    name, key_id, coded = vkey.split("+", 2)
    key = base64.b64decode(coded)
    if key[:1] != b"\x01" or hashlib.sha256(name.encode() + b"\n" + key).digest()[:4].hex() != key_id:
        raise Refused("not an Ed25519 key")
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        who, _, blob = line.removeprefix("\u2014 ").partition(" ")
        raw = base64.b64decode(blob)
        if who == name and raw[:4].hex() == key_id:
            try:
                VerifyKey(key[1:]).verify(text.encode() + b"\n", raw[4:])
            except BadSignatureError as error:
                raise Refused("the signature does not fit") from error
            origin, size, root = text.split("\n")[:3]
            return origin, int(size), base64.b64decode(root)
    raise Refused("not signed by this key")
