"""Writes the log as a bundle that tools of others can check. Refuses a folder that holds something already."""

from pathlib import Path

from django.db import connection, transaction

from audit import notes
from audit.models import Checkpoint, Leaf

CHUNK = 2_000


class ExportError(Exception):
    """Base of what can go wrong with an export."""


class NotEmpty(ExportError):
    """What lies there would be mixed with the bundle."""


def write(out: Path, verifier: notes.Verifier | None) -> int:
    """`entries.jsonl`, `checkpoints/SIZE.note` and, where the key is known, `log.vkey`; how many entries.

    All of one moment; only what is sealed. Signed in as a role that sees every entry.

    Raises:
        NotEmpty.
    """
    if out.exists() and any(out.iterdir()):
        raise NotEmpty(f"{out} is not empty; name a folder that is new")
    (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for size, note in Checkpoint.objects.order_by("pk").values_list("size", "note").iterator(CHUNK):
            (out / "checkpoints" / f"{size}.note").write_bytes(note.encode())
        leaves = Leaf.objects.order_by("index").values_list("entry__canonical", flat=True)
        count = 0
        with (out / "entries.jsonl").open("wb") as file:
            for line in leaves.iterator(CHUNK):
                file.write(line.encode() + b"\n")
                count += 1
    if verifier is not None:
        (out / "log.vkey").write_text(f"{verifier}\n")
    return count
