"""Writes the log as a bundle that tools of others can check. Refuses a folder that holds something already.

Each time something leaves the house, every workspace that is in it has an entry of that first.
"""

import base64
import heapq
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.db import connection, transaction

from audit import canonical, log, notes, values
from audit.events import Event
from audit.models import Anchor, Checkpoint, Leaf

CHUNK = 2_000


class ExportError(Exception):
    """Base of what can go wrong with an export."""


class NotEmpty(ExportError):
    """What lies there would be mixed with the bundle."""


class NoBundle(ExportError):
    """Values are opened beside the entries that committed to them."""


def write(out: Path, keys: list[notes.Verifier]) -> int:
    """`entries.jsonl`, `checkpoints/SIZE.note`, `anchors.jsonl` and `log.vkey`; how many entries.

    All of one moment; only what is sealed. Signed in as a role that sees every entry.

    Raises:
        NotEmpty.
    """
    if out.exists() and any(out.iterdir()):
        raise NotEmpty(f"{out} is not empty; name a folder that is new")
    _note(what="entries")
    (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
        for size, note in Checkpoint.objects.order_by("pk").values_list("size", "note").iterator(CHUNK):
            (out / "checkpoints" / f"{size}.note").write_bytes(note.encode())
        leaves = Leaf.objects.order_by("index").values_list("entry__canonical", flat=True)
        with (out / "anchors.jsonl").open("wb") as file:
            file.writelines(canonical.encode(one) + b"\n" for one in anchors())
        count = 0
        with (out / "entries.jsonl").open("wb") as file:
            for line in leaves.iterator(CHUNK):
                file.write(line.encode() + b"\n")
                count += 1
    (out / "log.vkey").write_text("".join(f"{key}\n" for key in keys))
    return count


def anchors() -> Iterator[dict[str, Any]]:
    """What was anchored where and when, in the order of the log."""
    rows = Anchor.objects.filter(outcome=Anchor.Outcome.KEPT).order_by("checkpoint__size", "pk")
    for size, root, where, at in rows.values_list(
        "checkpoint__size", "checkpoint__root", "where", "at"
    ).iterator(CHUNK):  # fmt: skip
        yield {"at": at.isoformat(), "root": base64.b64encode(root).decode(), "size": size, "where": where}


def write_values(out: Path) -> int:
    """`payloads.jsonl` beside a bundle: every value that is not erased, with its salt; how many.

    Signed in as a role that may open them, one workspace after the other.

    Raises:
        NoBundle, NotEmpty, verify.Finding: a value does not fit its commitment.
    """
    sizes = [int(path.stem) for path in (out / "checkpoints").glob("*.note") if path.stem.isdecimal()]
    if not sizes:
        raise NoBundle(f"{out} holds no bundle: export the entries first, then the values beside them")
    if (out / "payloads.jsonl").exists():
        raise NotEmpty(f"{out} holds values already")
    _note(what="values")
    with ExitStack() as stack:
        parts = [stack.enter_context(_opened(workspace, max(sizes))) for workspace in values.workspaces()]
        count = 0
        with (out / "payloads.jsonl").open("wb") as file:
            for _, line in heapq.merge(*map(_numbered, parts), key=lambda one: one[0]):
                file.write(line)
                count += 1
    return count


def _opened(workspace: int, before: int) -> IO[bytes]:
    """The lines of one workspace, each behind the number of its leaf, in a file that goes with its handle."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the stack of whoever called closes it
    with transaction.atomic():
        values.enter(workspace)
        for one in values.opened(workspace, before=before):
            file.write(b"%d " % one["index"] + canonical.encode(one) + b"\n")
    file.seek(0)
    return file


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    for line in file:
        index, _, rest = line.partition(b" ")
        yield int(index), rest


def _note(*, what: str) -> None:
    """An entry on the log of each workspace, before anything of it leaves."""
    for workspace in values.workspaces():
        with transaction.atomic():
            values.enter(workspace)
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                now = cursor.fetchone()[0]
            log.record(
                workspace=workspace, subject="log:export", event=Event.LOG_EXPORTED, actor="system:operator", now=now,
                body={"what": what},
            )  # fmt: skip
