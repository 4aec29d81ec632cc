"""That one entry is on the log, as files which others can check: its leaf bytes and a C2SP tlog-proof.

Reads the tree from its tables and refuses to hand out a proof that does not hold.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from audit import notes, tree
from audit.models import Checkpoint, Entry, Leaf
from audit.tiles import Missing, Tiles

HEADER = "c2sp.org/tlog-proof@v1"
CHANGED = "The log does not bear this entry out any more: it, or the tree over it, was changed."


class ProofError(Exception):
    """Base of why there is no proof; the message is for the person."""


class NotSealed(ProofError):
    """The entry is in no signed checkpoint yet."""


class Broken(ProofError):
    """The tables do not bear out what was signed: the log was changed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where an entry stands in the tree, and the first checkpoint over it. `digest` is the leaf hash, in hex."""

    index: int
    digest: str
    origin: str
    size: int
    root: str
    at: datetime
    note: str
    anchors: tuple[tuple[str, datetime], ...] = ()


def digest(entry: Entry) -> str:
    """The leaf hash of an entry from its bytes, in hex, whether or not it is sealed."""
    return tree.leaf_hash(entry.canonical.encode()).hex()


def sealed(entries: Iterable[Entry]) -> dict[int, Sealed]:
    """Of those that are sealed, by id, the first checkpoint over each; three statements for all of them."""
    leaves = dict(Leaf.objects.filter(entry__in=[entry.pk for entry in entries]).values_list("entry_id", "index"))
    over = _first_over(leaves.values())
    known = {entry.pk: entry for entry in entries}
    return {pk: _sealed(known[pk], index, over[index]) for pk, index in leaves.items() if index in over}


def tlog_proof(entry: Entry) -> str:
    """The proof that the entry is a leaf of the first checkpoint over it (c2sp.org/tlog-proof).

    Raises:
        NotSealed, Broken.
    """
    found = sealed([entry]).get(entry.pk)
    if found is None:
        raise NotSealed("This entry is not under a signed checkpoint yet; that takes a second or two.")
    try:
        path = tree.inclusion(found.index, found.size, Tiles())
    except (tree.NoSuchProof, Missing) as error:
        raise Broken(CHANGED) from error
    if not tree.includes(bytes.fromhex(found.digest), found.index, found.size, path, bytes.fromhex(found.root)):
        raise Broken(CHANGED)
    hashes = "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
    return f"{HEADER}\nindex {found.index}\n{hashes}\n{found.note}"


def _first_over(indexes: Iterable[int]) -> Mapping[int, Checkpoint]:
    """For each leaf the first checkpoint over it."""
    wanted = sorted(set(indexes))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i, (SELECT id FROM audit_checkpoint WHERE size > i ORDER BY size, id LIMIT 1)"
            " FROM unnest(%s::bigint[]) AS i", [wanted]
        )  # fmt: skip
        first = dict(cursor.fetchall())
    found = Checkpoint.objects.in_bulk({pk for pk in first.values() if pk})
    return {index: found[pk] for index, pk in first.items() if pk}


def _sealed(entry: Entry, index: int, over: Checkpoint) -> Sealed:
    """As the signed note says it; the columns beside it are nobody's word."""
    said = notes.head(over.note.rpartition("\n\n")[0] + "\n")
    return Sealed(index, digest(entry), said.origin, said.size, said.root.hex(), over.at, over.note)
