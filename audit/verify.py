"""Verifies an exported log. One file that stands alone: Python, PyNaCl and nothing of ours; no Django, no database.

    python verify.py BUNDLE --key VKEY [--key ...] [--anchor NOTE ...]

It streams: memory does not grow with the log. What other modules do with trees and notes is written here once more on
purpose: whoever checks us should have to read one file, and not trust the code that wrote the log.
"""

import argparse
import base64
import binascii
import hashlib
import json
import struct
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NoReturn

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

SOUND, TAMPERED, INCOMPLETE, FORK, UNKNOWN_KEY, WRONG_USE = 0, 1, 2, 3, 4, 64
BUCKETS = 64
RECORD = struct.Struct("<QQQ")
LARGEST = 2**53 - 1
Keys = dict[tuple[str, bytes], VerifyKey]


class Finding(Exception):
    """What is wrong, and the exit code it leads to."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def verify(bundle: Path, vkeys: list[str], anchors: list[Path]) -> str:
    """Check everything; what was found sound, in words.

    Raises:
        Finding: the first thing that is wrong.
    """
    keys = dict(_key(text) for text in vkeys)
    notes = sorted((_checkpoint(path, keys) for path in (bundle / "checkpoints").glob("*.note")), key=lambda n: n[1])
    if not notes:
        raise Finding(INCOMPLETE, "no checkpoint: nothing says what the log should be")
    origins = {origin for origin, _, _ in notes}
    if len(origins) > 1:
        raise Finding(TAMPERED, f"checkpoints of more than one log: {', '.join(sorted(origins))}")
    pinned = [_checkpoint(path, keys, named=False) for path in anchors]
    wanted = {size: root for _, size, root in notes}
    fixed = _anchored(pinned, wanted, notes[-1][1], origins)
    _entries(bundle / "entries.jsonl", wanted, fixed)
    return f"sound: {notes[-1][1]} entries under {len(wanted)} checkpoints of {notes[-1][0]}, {len(pinned)} anchors"


def _anchored(
    pinned: list[tuple[str, int, bytes]], wanted: dict[int, bytes], last: int, origins: set[str]
) -> dict[int, bytes]:
    """The roots that were seen before, by size; the log must pass through each of them."""
    for origin, size, root in pinned:
        if origin not in origins:
            raise Finding(FORK, f"an anchor is of another log: {origin}")
        if size > last:
            raise Finding(FORK, f"an anchor has seen {size} entries, the log ends at {last}")
        if wanted.get(size, root) != root:
            raise Finding(FORK, f"an anchor has seen another root of the first {size} entries")
    return {size: root for _, size, root in pinned}


def _entries(path: Path, wanted: dict[int, bytes], fixed: dict[int, bytes]) -> None:
    """Every line in its form, every root, every sequence."""
    last, checked = max(wanted), 0
    frontier: list[bytes] = []
    size = 0
    with ExitStack() as stack:
        buckets = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(BUCKETS)]
        _root_fits(0, frontier, wanted, fixed, 0)
        for size, line in enumerate(_lines(path), 1):
            if size > last:
                raise Finding(INCOMPLETE, f"entry {size - 1} is under no checkpoint")
            subject, version = _read(size - 1, line)
            digest = hashlib.blake2b(subject, digest_size=8).digest()
            buckets[digest[0] % BUCKETS].write(RECORD.pack(int.from_bytes(digest, "big"), version, size - 1))
            _append(frontier, size - 1, hashlib.sha256(b"\x00" + line).digest())
            checked = _root_fits(size, frontier, wanted, fixed, checked)
        if size < last:
            raise Finding(INCOMPLETE, f"the newest checkpoint is over {last} entries, there are {size}")
        _sequences(buckets)


def _lines(path: Path) -> Iterator[bytes]:
    """The leaf bytes, one after the other."""
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    raise Finding(INCOMPLETE, "the last line of entries.jsonl is cut off")
                yield line[:-1]
    except FileNotFoundError:
        raise Finding(INCOMPLETE, "there is no entries.jsonl") from None


def _read(index: int, line: bytes) -> tuple[bytes, int]:
    """Subject (with its workspace) and version of an entry in its one right form."""
    try:
        entry = json.loads(line, parse_float=_refuse, parse_constant=_refuse)
        right = json.dumps(_sorted(entry), ensure_ascii=False, separators=(",", ":")).encode()
        about = f"{entry['workspace']:d}/{entry['subject']}".encode()
        version = int(entry["version"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Finding(TAMPERED, f"entry {index} is no entry: {error}") from None
    if right != line:
        raise Finding(TAMPERED, f"entry {index} is not in canonical form (RFC 8785)")
    if not 0 < version < 2**63:
        raise Finding(TAMPERED, f"entry {index} has version {version}")
    return about, version


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _sorted(value: Any) -> Any:
    """Keys in the order of their UTF-16 code units, as RFC 8785 has them."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    if isinstance(value, list):
        return [_sorted(inner) for inner in value]
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"{value} is beyond 2**53")
    return value


def _sequences(buckets: Sequence[IO[bytes]]) -> None:
    """The entries of each subject are numbered from 1 without gap, in the order of the log."""
    worst: tuple[int, str] | None = None
    for bucket in buckets:
        seen: dict[int, int] = {}
        bucket.seek(0)
        while raw := bucket.read(RECORD.size * 4096):
            for subject, version, index in RECORD.iter_unpack(raw):
                expected = seen.get(subject, 0) + 1
                if version != expected and (worst is None or index < worst[0]):
                    worst = index, f"entry {index} has version {version} of its subject, {expected} is due"
                seen[subject] = version
    if worst is not None:
        raise Finding(TAMPERED, worst[1])


def _append(frontier: list[bytes], index: int, node: bytes) -> None:
    while index & 1:
        node, index = hashlib.sha256(b"\x01" + frontier.pop() + node).digest(), index >> 1
    frontier.append(node)


def _root_fits(size: int, frontier: list[bytes], wanted: dict[int, bytes], fixed: dict[int, bytes], since: int) -> int:
    """Compare where there is something to compare; the size up to which all is known to fit."""
    if size not in wanted and size not in fixed:
        return since
    root = frontier[-1] if frontier else hashlib.sha256().digest()
    for left in reversed(frontier[:-1]):
        root = hashlib.sha256(b"\x01" + left + root).digest()
    if wanted.get(size, root) != root:
        raise Finding(TAMPERED, f"one of the entries {since} to {size - 1} is not what was signed (root of {size})")
    if fixed.get(size, root) != root:
        raise Finding(FORK, f"an anchor has seen another root of the first {size} entries")
    return size


# Notes --------------------------------------------------------------------------------------------------------


def _key(text: str) -> tuple[tuple[str, bytes], VerifyKey]:
    """`name+id+key`, or a file that holds it."""
    path = Path(text)
    if "+" not in text and path.is_file():
        text = path.read_text()
    name, _, rest = text.strip().partition("+")
    key_id, _, coded = rest.partition("+")
    raw = _bytes(coded)
    if raw[:1] != b"\x01" or len(raw) != 33:
        raise Finding(WRONG_USE, f"no Ed25519 key in the form name+id+key: {text.strip()[:80]!r}")
    found = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if found.hex() != key_id:
        raise Finding(WRONG_USE, f"the id of the key of {name} does not fit it")
    return (name, found), VerifyKey(raw[1:])


def _checkpoint(path: Path, keys: Keys, *, named: bool = True) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that a pinned key signed; `named` by its size."""
    where = path.name
    try:
        text, gap, rest = path.read_bytes().decode().rpartition("\n\n")
        origin, size, root, *_ = text.split("\n")
        found = origin, int(size), _bytes(root)
    except (ValueError, OSError) as error:
        raise Finding(TAMPERED, f"{where} is no checkpoint: {error}") from None
    if not gap or len(found[2]) != 32 or str(found[1]) != size or found[1] < 0:
        raise Finding(TAMPERED, f"{where} is no checkpoint")
    _signed(where, (text + "\n").encode(), rest, keys)
    if named and path.stem != size:
        raise Finding(TAMPERED, f"{where} is the checkpoint of {size} entries")
    return found


def _signed(where: str, text: bytes, lines: str, keys: Keys) -> None:
    known = False
    for line in lines.splitlines():
        dash, _, rest = line.partition(" ")
        name, _, coded = rest.partition(" ")
        blob = _bytes(coded)
        key = keys.get((name, blob[:4])) if dash == "\u2014" else None
        if key is None:
            continue
        try:
            key.verify(text, blob[4:])
        except (BadSignatureError, ValueError):
            raise Finding(TAMPERED, f"{where}: the signature of {name} does not fit") from None
        known = True
    if not known:
        raise Finding(UNKNOWN_KEY, f"{where} is signed by no key that was given with --key")


def _bytes(text: str) -> bytes:
    """Of Base64; nothing where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """2 means incomplete here."""
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def main(words: list[str]) -> int:
    """0 sound, 1 tampered, 2 incomplete, 3 fork against an anchor, 4 unknown key, 64 wrong use."""
    parser = _Parser(prog="verify", description="Verify an exported log. " + (main.__doc__ or ""))
    parser.add_argument("bundle", type=Path, help="the folder that audit_export wrote")
    parser.add_argument("--key", action="append", required=True, help="a verification key, or a file that holds it")
    parser.add_argument("--anchor", action="append", default=[], type=Path, help="a checkpoint that was kept elsewhere")
    given = parser.parse_args(words)
    try:
        sys.stdout.write(verify(given.bundle, given.key, given.anchor) + "\n")
    except Finding as finding:
        sys.stderr.write(f"verify: {finding}\n")
        return finding.code
    return SOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
