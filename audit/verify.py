"""Verifies an exported log, or one report. One file that stands alone: Python, PyNaCl and nothing of ours.

    python verify.py BUNDLE --key VKEY [--anchors DIR] [--max-age SECONDS] [--replay]
    python verify.py report DIR --key VKEY

It streams: memory does not grow with the log. What other modules do with trees and notes is written here once more on
purpose: whoever checks us should have to read one file, and not trust the code that wrote the log.
"""

import argparse
import base64
import hashlib
import heapq
import hmac
import json
import struct
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, Protocol

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

Keys = dict[tuple[str, bytes], tuple[bytes, VerifyKey]]
Record = dict[str, Any]
Form = dict[str, type]
Pin = tuple[int, Path]

SOUND, TAMPERED, INCOMPLETE, FORK, UNKNOWN_KEY, WRONG_USE = 0, 1, 2, 3, 4, 64
TAIL, LONGEST, LARGEST = timedelta(seconds=10), 1 << 26, 2**53 - 1
PARTS, RECORD = 64, struct.Struct("<8sQQ")
KEPT, TOLD = "anchors kept elsewhere", "anchors told of"
# Signatures of a text (c2sp.org/signed-note), and of a text and a second (c2sp.org/tlog-cosignature, version 1).
PLAIN, TIMED, LAST_SECOND = b"\x01", b"\x04", 253_402_300_799
PROOF = "c2sp.org/tlog-proof@v1"
ENTRY: Form = dict.fromkeys(("actor", "at", "case", "event", "state", "subject", "trace_id"), str)
ENTRY |= {"body": dict, "commitments": dict, "version": int, "workspace": int}
ANCHOR: Form = {"size": int, "root": str}
VALUE: Form = {"index": int, "name": str, "salt": str}
# What may happen to a proposal and where it leads, by where it stands: + is a new revision, * a new round of votes.
LEGAL = {
    "": "proposed:pending+ allowed:approved+ denied:denied+",
    "pending": "edited:pending+ revised:pending+ rescheduled:pending rebased:pending approved:approved stale:stale"
    " unvoted:pending* rejected:rejected expired:expired withdrawn:withdrawn",
    "stale": "revised:pending+ redone:pending+ rescheduled:stale rejected:rejected expired:expired withdrawn:withdrawn",
    "approved": "applying:applying stale:stale stopped:pending* withdrawn:withdrawn",
    "applying": "applied:applied failed:failed unknown:unknown",
    "unknown": "applied:applied failed:failed cleared:approved",
    "rejected": "reopened:pending*",
    "failed": "redone:pending+",
}


class Finding(Exception):
    """What is wrong, and the exit code it leads to."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Head(NamedTuple):
    """What a checkpoint says, and where that lies."""

    size: int
    root: bytes
    origin: str
    time: datetime | None
    where: str
    kind: str = "checkpoints"

    @property
    def code(self) -> int:
        """What it means where the log says something else."""
        return FORK if self.kind == KEPT else TAMPERED


class Source(Protocol):
    """A log. Checkpoints are (name, note); anchors rise by `size`, opened values by `index`."""

    def newest(self) -> tuple[str, bytes] | None: ...
    def checkpoints(self) -> Iterator[tuple[str, bytes]]: ...
    def lines(self) -> Iterator[bytes]: ...
    def anchors(self) -> Iterator[Record]: ...
    def payloads(self) -> Iterator[Record]: ...


class Bundle:
    """The folder that audit_export wrote, as a `Source`."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._notes = folder, pins_in(folder / "checkpoints")

    def newest(self) -> tuple[str, bytes] | None:
        return next(self.checkpoints(-1), None)

    def checkpoints(self, start: int = 0) -> Iterator[tuple[str, bytes]]:
        return ((path.name, path.read_bytes()) for _, path in self._notes[start:])

    def lines(self) -> Iterator[bytes]:
        return _lines(self._folder / "entries.jsonl")

    def anchors(self) -> Iterator[Record]:
        return self._records("anchors.jsonl", ANCHOR)

    def payloads(self) -> Iterator[Record]:
        return self._records("payloads.jsonl", VALUE)

    def _records(self, name: str, form: Form) -> Iterator[Record]:
        path = self._folder / name
        for number, line in enumerate(_lines(path) if path.exists() else (), 1):
            yield record(line, form, f"line {number} of {name}")


def verify(
    source: Source, keys: Keys, pins: list[Pin], *, now: datetime, max_age: float | None = None, replay: bool = False
) -> str:
    """Check everything; what was found sound, in words. `pins` are checkpoints that were kept elsewhere, by size.

    Raises:
        Finding: the first thing that is wrong.
    """
    if (newest := source.newest()) is None:
        raise Finding(INCOMPLETE, "no checkpoint: nothing says what the log should be")
    last = checkpoint(*newest, keys)
    _in_force(source, keys, last.origin)
    if max_age is not None and (last.time is None or abs((now - last.time).total_seconds()) > max_age):
        said = f"of {last.time:%Y-%m-%dT%H:%M:%SZ}" if last.time else "of no time that it says"
        raise Finding(INCOMPLETE, f"the newest checkpoint is {said}, more than {max_age:.0f} s from now")
    if pins and pins[-1][0] > last.size:
        raise Finding(FORK, f"an anchor has seen {pins[-1][0]} entries, the log ends at {last.size}")
    notes = (checkpoint(name, note, keys, sized=True) for name, note in source.checkpoints())
    kept = (checkpoint(path.name, path.read_bytes(), keys)._replace(kind=KEPT) for _, path in pins)
    told = (Head(one["size"], _bytes(one["root"]), last.origin, None, TOLD, TOLD) for one in source.anchors())
    counts = Counter[str]()
    tree = _Tree(heapq.merge(notes, kept, told, key=lambda head: head.size), last, counts)
    with ExitStack() as stack:
        versions, moves, opened = _Parts(stack), _Parts(stack), _Opened(source.payloads(), counts)
        for index, line in enumerate(source.lines()):
            entry = record(line, ENTRY, f"entry {index}")
            tree.append(line)
            if index >= last.size:
                _still_young(index, entry, now)
            about = f"{entry['workspace']}/{entry['subject']}".encode()
            digest = hashlib.blake2b(about, digest_size=8).digest()
            versions.of(digest).write(RECORD.pack(digest, max(0, entry["version"]), index))
            opened.fit(index, entry)
            if replay and (key := _proposal(entry)):
                moves.of(key.encode()).write(json.dumps([index, key, entry]).encode() + b"\n")
        tree.end()
        opened.end()
        _first(message for part in versions.read() for message in _gaps(part))
        _first(message for part in moves.read() if replay for message in _illegal(part, counts))
    said = "".join(f", {number} {what}" for what, number in counts.items())
    return f"sound: {last.size} entries of {last.origin}{said}"


def _in_force(source: Source, keys: Keys, origin: str) -> None:
    """Keys count in the order in which they were given: what two sign hands over, and the older one signs no more."""
    order = [key for key, (algorithm, _) in keys.items() if algorithm != TIMED and key[0] == origin]
    place = -1
    for where, note in source.checkpoints() if len(order) > 1 else ():
        checkpoint(where, note, keys)
        lines = [line.split(" ") for line in note.decode().rpartition("\n\n")[2].splitlines()]
        by = {order.index(key) for _, name, coded in lines if (key := (name, _bytes(coded)[:4])) in order}
        place = min(by) if place < 0 else place
        if place not in by:
            raise Finding(TAMPERED, f"{where} is signed by none but a key that is not in force there")
        place += place + 1 in by
    if 0 <= place < len(order) - 1:
        raise Finding(TAMPERED, "the newest checkpoint is not under the last key given: cut off before its hand-over?")


def _still_young(index: int, entry: Record, now: datetime) -> None:
    try:
        is_old = now - datetime.fromisoformat(entry["at"]) > TAIL
    except (ValueError, TypeError):
        is_old = True
    if is_old:
        raise Finding(INCOMPLETE, f"entry {index} is under no checkpoint since {entry['at']}")


def _first(found: Iterable[tuple[int, str]]) -> None:
    if worst := min(found, default=None):
        raise Finding(TAMPERED, worst[1])


class _Tree:
    """The log as it grows, held against all that was signed or seen of it (`due`, by rising size)."""

    def __init__(self, due: Iterator[Head], last: Head, counts: Counter[str]) -> None:
        self._due, self._last, self._counts, self._next = due, last, counts, next(due, None)
        self._frontier: list[bytes] = []
        self._size = self._sound = 0
        self._compare()

    def append(self, line: bytes) -> None:
        node, index = hashlib.sha256(b"\x00" + line).digest(), self._size
        while index & 1:
            node, index = hashlib.sha256(b"\x01" + self._frontier.pop() + node).digest(), index >> 1
        self._frontier.append(node)
        self._size += 1
        if self._next is not None and self._next.size <= self._size:
            self._compare()

    def _compare(self) -> None:
        root = self._frontier[-1] if self._frontier else hashlib.sha256().digest()
        for left in reversed(self._frontier[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        while (head := self._next) is not None and head.size <= self._size:
            if head.origin != self._last.origin or head.size < self._size:
                raise Finding(head.code, f"{head.where} is of another log, {head.origin}, or not in its place")
            if head.root != root and head.code == FORK:
                raise Finding(FORK, f"{head.where}: an anchor has seen another root of the first {head.size} entries")
            if head.root != root:
                span = f"{self._sound} to {max(0, self._size - 1)}"
                raise Finding(TAMPERED, f"one of the entries {span} is not what was signed ({head.where})")
            self._counts[head.kind] += 1
            self._next = next(self._due, None)
        self._sound = self._size

    def end(self) -> None:
        if self._size < self._last.size:
            raise Finding(
                INCOMPLETE, f"the newest checkpoint is over {self._last.size} entries, there are {self._size}"
            )
        if (head := self._next) is not None:
            raise Finding(head.code, f"{head.where} has seen {head.size} entries, the log ends at {self._size}")


class _Parts:
    """Records by what they are about, in files that are gone at the end: each part fits in memory."""

    def __init__(self, stack: ExitStack) -> None:
        self._files: list[IO[bytes]] = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(PARTS)]  # noqa: SIM115

    def of(self, about: bytes) -> IO[bytes]:
        return self._files[zlib.crc32(about) % PARTS]

    def read(self) -> Iterator[IO[bytes]]:
        for file in self._files:
            file.seek(0)
            yield file


def _gaps(part: IO[bytes]) -> Iterator[tuple[int, str]]:
    """The entries of each subject are numbered from 1 without gap, in the order of the log."""
    seen: dict[bytes, int] = {}
    while raw := part.read(RECORD.size * 4096):
        for subject, version, index in RECORD.iter_unpack(raw):
            if version != (due := seen.get(subject, 0) + 1):
                yield index, f"entry {index} has version {version} of its subject, {due} is due"
            seen[subject] = version


# Opened values, and what became of each proposal -----------------------------------------------------------------


class _Opened:
    """Holds each opened value against the commitment of its entry; counts those that stay closed or were erased."""

    def __init__(self, records: Iterator[Record], counts: Counter[str]) -> None:
        self._records, self._counts, self._next = records, counts, next(records, None)
        if self._next is not None:
            counts.update({"values opened": 0, "closed or erased": 0})

    def fit(self, index: int, entry: Record) -> None:
        closed = len(entry["commitments"])
        while (one := self._next) is not None and one["index"] == index:
            said = _canonical([one["name"], one.get("value")])
            if entry["commitments"].get(one["name"]) != hmac.new(_bytes(one["salt"]), said, hashlib.sha256).hexdigest():
                raise Finding(TAMPERED, f"entry {index}: the opened {one['name']} is not what it committed to")
            closed -= 1
            self._counts["values opened"] += 1
            self._next = next(self._records, None)
        if "closed or erased" in self._counts:
            self._counts["closed or erased"] += closed

    def end(self) -> None:
        if self._next is not None:
            raise Finding(TAMPERED, f"a value is opened of entry {self._next['index']}, which is not in its place")


def _proposal(entry: Record) -> str:
    """Which proposal an entry moves or votes on; nothing where it does neither."""
    if entry["event"] == "decision.recorded":
        return f"{entry['workspace']}/proposal:{entry['body'].get('proposal')}"
    return f"{entry['workspace']}/{entry['subject']}" if entry["event"].startswith("proposal.") else ""


def _illegal(part: IO[bytes], counts: Counter[str]) -> Iterator[tuple[int, str]]:
    """Every move is in the table; what is approved and applied is the bytes that enough people voted for."""
    stand: dict[str, Record] = {}
    for line in part:
        index, key, entry = json.loads(line)
        one = stand.setdefault(key, {"state": "", "revision": 0, "round": 1, "votes": set()})
        why = _vote(one, entry) if entry["event"] == "decision.recorded" else _move(one, entry)
        if why:
            yield index, f"entry {index}: {key.partition('/')[2]} {why}"
    counts["proposals replayed"] += len(stand)


def _vote(one: Record, entry: Record) -> str:
    on = ("revision", "round", "digest")
    if any(entry["body"].get(name) != one.get(name) for name in on):
        return "is decided on in a form that it does not have"
    if entry["body"].get("kind") == "approve":
        one["votes"].add((entry["actor"], *(one[name] for name in on)))
    return ""


def _move(one: Record, entry: Record) -> str:
    """Make the move; why it is none that may be made, or nothing."""
    legal = dict(move.split(":") for move in LEGAL[one["state"]].split()) if one["state"] in LEGAL else {}
    after, event = legal.get(entry["event"].removeprefix("proposal."), ""), entry["event"]
    if not after or after.rstrip("+*") != entry["state"]:
        return f"is {one['state'] or 'not there yet'}: {event} cannot make it {entry['state']}"
    said = {name: entry["body"].get(name) for name in ("revision", "digest", "people")}
    if after.endswith("+"):
        one |= {**said, "revision": one["revision"] + 1}
    one |= {"state": entry["state"], "round": one["round"] + after.count("*")}
    if any(one[name] != said[name] for name in said) or type(said["people"]) is not int:
        return f"is not its revision {one['revision']}: other bytes, or other people are asked"
    votes = sum(on == [one[name] for name in ("revision", "round", "digest")] for _, *on in one["votes"])
    if one["state"] in ("approved", "applying", "applied") and votes < max(one["people"], event == "proposal.approved"):
        return f"is {one['state']} with {votes} of {one['people']} votes on these bytes"
    return ""


# One report ------------------------------------------------------------------------------------------------------


def verify_report(entry: Path, proof: Path, keys: Keys) -> str:
    """Check one entry and its proof in the form of C2SP tlog-proof v1; what was found sound, in words.

    Raises:
        Finding.
    """
    leaf, (top, _, note) = entry.read_bytes(), proof.read_bytes().partition(b"\n\n")
    said = record(leaf, ENTRY, entry.name)
    first, *lines = top.decode(errors="replace").split("\n")
    if lines and lines[0].startswith("extra "):
        del lines[0]
    word, _, index = lines[0].partition(" ") if lines else ("", "", "")
    path = [_bytes(line) for line in lines[1:]]
    if first != PROOF or word != "index" or _number(index) < 0 or any(len(step) != 32 for step in path):
        raise Finding(TAMPERED, f"{proof.name} is not in the form {PROOF}")
    head = checkpoint(proof.name, note, keys)
    if not _includes(hashlib.sha256(b"\x00" + leaf).digest(), int(index), path, head):
        raise Finding(TAMPERED, f"{entry.name} is not entry {index} of what was signed: it or {proof.name} was changed")
    return f"sound: {said['event']} of {said['subject']} is entry {index} of the {head.size} of {head.origin}"


def _includes(found: bytes, index: int, path: list[bytes], head: Head) -> bool:
    """Whether the path leads from this leaf to the root (RFC 9162, 2.1.3.2)."""
    last = head.size - 1
    if index > last:
        return False
    for step in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + step + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + step).digest()
        index, last = index >> 1, last >> 1
    return last == 0 and found == head.root


# Forms -----------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[bytes]:
    if not path.exists():
        raise Finding(INCOMPLETE, f"there is no {path.name}")
    with path.open("rb") as file:
        while line := file.readline(LONGEST):
            if not line.endswith(b"\n"):
                raise Finding(INCOMPLETE, f"the last line of {path.name} is cut off")
            yield line[:-1]


def record(line: bytes, form: Form, where: str) -> Record:
    """What a line says, in its one right spelling (RFC 8785) and with these fields.

    Raises:
        Finding.
    """
    try:
        found = _DECODE(line.decode())
        # Below U+E000 the order of code points, which is what sorting by text is, is that of UTF-16.
        right = _SORTED(found).encode() if line.isascii() or max(line) < 0xEE else _canonical(found)
    except (ValueError, TypeError, RecursionError) as error:
        raise Finding(TAMPERED, f"{where} is no JSON of ours: {error}") from None
    if right != line:
        raise Finding(TAMPERED, f"{where} is not in canonical form (RFC 8785)")
    if not isinstance(found, dict) or any(type(found.get(name)) is not kind for name, kind in form.items()):
        raise Finding(TAMPERED, f"{where} is not in the form of one")
    return found


def _whole(text: str) -> int:
    if abs(found := int(text)) > LARGEST:
        raise ValueError(f"{text} is beyond 2**53")
    return found


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text} is no whole number")


def _canonical(value: Any) -> bytes:
    return _PLAIN(_by_units(value)).encode()


def _by_units(value: Any) -> Any:
    """Keys in the order of their UTF-16 code units, as RFC 8785 has them."""
    if isinstance(value, dict):
        return {key: _by_units(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_by_units(inner) for inner in value] if isinstance(value, list) else value


_DECODE = json.JSONDecoder(parse_int=_whole, parse_float=_refuse, parse_constant=_refuse).decode
_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


# Notes -----------------------------------------------------------------------------------------------------------


def keys_of(texts: Iterable[str]) -> Keys:
    """The keys of `name+id+key`, or of files that hold them.

    Raises:
        Finding.
    """
    found: Keys = {}
    for text in texts:
        path = Path(text)
        if "+" not in text and path.is_file():
            text = path.read_text()
        name, _, rest = text.strip().partition("+")
        key_id, _, coded = rest.partition("+")
        raw = _bytes(coded)
        if raw[:1] != PLAIN or len(raw) != 33:
            raise Finding(WRONG_USE, f"no Ed25519 key in the form name+id+key: {text.strip()[:80]!r}")
        for algorithm in (PLAIN, TIMED):
            said = name.encode() + b"\n" + algorithm + raw[1:]
            found[name, hashlib.sha256(said).digest()[:4]] = algorithm, VerifyKey(raw[1:])
        if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
            raise Finding(WRONG_USE, f"the id of the key of {name} does not fit it")
    return found


def pins_in(folder: Path) -> list[Pin]:
    """The notes of a folder of SIZE.note, by size.

    Raises:
        Finding: one has another name.
    """
    found = [(_number(path.stem), path) for path in folder.glob("*.note")]
    if odd := [path.name for size, path in found if size < 0]:
        raise Finding(TAMPERED, f"{odd[0]} is no checkpoint: it is not named by its size")
    return sorted(found)


def checkpoint(where: str, note: bytes, keys: Keys, *, sized: bool = False) -> Head:
    """What a checkpoint says that a pinned key of its log signed; `sized` where its size is its name.

    Raises:
        Finding.
    """
    text, gap, signatures = note.decode(errors="replace").rpartition("\n\n")
    origin, size, root = [*text.split("\n"), "", ""][:3]
    if not gap or _number(size) < 0 or len(_bytes(root)) != 32:
        raise Finding(TAMPERED, f"{where} is no checkpoint")
    by = [_signed(where, origin, (text + "\n").encode(), line, keys) for line in signatures.split("\n")]
    if 0 not in by:
        raise Finding(UNKNOWN_KEY, f"{where} is signed by no key that was given with --key")
    if sized and where != f"{size}.note":
        raise Finding(TAMPERED, f"{where} is the checkpoint of {size} entries")
    second = max((at for at in by if at), default=0)
    time = datetime.fromtimestamp(min(second, LAST_SECOND), UTC) if second else None
    return Head(int(size), _bytes(root), origin, time, where)


def _signed(where: str, origin: str, text: bytes, line: str, keys: Keys) -> int | None:
    """The second that this signature of a pinned key says, 0 where it says none; None where it is of another key."""
    dash, name, coded = [*line.split(" "), "", ""][:3]
    blob = _bytes(coded)
    if dash != "\u2014" or name != origin or (name, blob[:4]) not in keys:
        return None
    algorithm, pinned = keys[name, blob[:4]]
    second = int.from_bytes(blob[4:12], "big") if algorithm == TIMED else 0
    said = b"cosignature/v1\ntime %d\n%b" % (second, text) if algorithm == TIMED else text
    try:
        pinned.verify(said, blob[12 if algorithm == TIMED else 4 :])
    except (BadSignatureError, ValueError):
        raise Finding(TAMPERED, f"{where}: the signature of {name} does not fit") from None
    return second


def _number(text: str) -> int:
    """Of decimal digits in their one right spelling; -1 where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 and str(int(text)) == text else -1


def _bytes(text: str) -> bytes:
    """Of Base64 in its one right spelling; nothing where it is none."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """2 means incomplete here."""
        self.print_usage(sys.stderr)
        self.exit(WRONG_USE, f"{self.prog}: {message}\n")


def main(words: list[str]) -> int:
    """0 sound, 1 tampered, 2 incomplete, 3 fork against an anchor, 4 unknown key, 64 wrong use."""
    parser = _Parser(prog="verify", description="Verify an exported log or a report. " + (main.__doc__ or ""))
    parser.add_argument("what", nargs="*", help="the folder that audit_export wrote; or: report, and its folder")
    parser.add_argument("--key", action="append", required=True, help="a verification key, or a file that holds it")
    parser.add_argument("--anchor", action="append", default=[], type=Path, help="a checkpoint that was kept elsewhere")
    parser.add_argument("--anchors", action="append", default=[], type=Path, help="a folder of them, SIZE.note each")
    parser.add_argument("--max-age", type=float, metavar="SECONDS", help="how old the newest checkpoint may be")
    parser.add_argument("--replay", action="store_true", help="follow each proposal: legal moves, votes on its bytes")
    parser.add_argument("--proof", type=Path, help="a .tlog-proof, beside --entry: one entry alone")
    parser.add_argument("--entry", type=Path, help="its entry.json")
    given = parser.parse_args(words)
    try:
        sys.stdout.write(_asked(given, parser) + "\n")
    except (Finding, OSError) as finding:
        sys.stderr.write(f"verify: {finding}\n")
        return finding.code if isinstance(finding, Finding) else WRONG_USE
    return SOUND


def _asked(given: argparse.Namespace, parser: _Parser) -> str:
    keys = keys_of(given.key)
    if given.what[:1] == ["report"] and len(given.what) == 2:
        proofs = sorted(Path(given.what[1]).glob("*.tlog-proof"))
        if len(proofs) != 1:
            raise Finding(INCOMPLETE, f"{given.what[1]} holds {len(proofs)} files *.tlog-proof, not one")
        return verify_report(Path(given.what[1]) / "entry.json", proofs[0], keys)
    if given.proof and given.entry and not given.what:
        return verify_report(given.entry, given.proof, keys)
    if len(given.what) != 1 or given.proof or given.entry:
        parser.error("name one bundle, or: report DIR, or: --proof FILE --entry FILE")
    return verify(
        Bundle(Path(given.what[0])), keys, kept(given.anchor, given.anchors, keys), now=datetime.now(UTC),
        max_age=given.max_age, replay=given.replay,
    )  # fmt: skip


def kept(files: list[Path], folders: list[Path], keys: Keys) -> list[Pin]:
    """The checkpoints that were kept elsewhere, by size.

    Raises:
        Finding: a folder that should hold some holds none.
    """
    found = [(checkpoint(path.name, path.read_bytes(), keys).size, path) for path in files]
    for folder in folders:
        there = pins_in(folder)
        if not there:
            raise Finding(INCOMPLETE, f"{folder} holds no anchor")
        found += there
    return sorted(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
