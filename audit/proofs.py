"""That one entry is on the log, as files which others can check: its leaf bytes and a C2SP tlog-proof.

Reads the tree from its tables and refuses to hand out a proof that does not hold.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from audit import notes, tree
from audit.models import Anchor, Checkpoint, Entry, Leaf
from audit.tiles import Missing, Tiles

HEADER = "c2sp.org/tlog-proof@v1"
PLACES = {"directory": noop("a directory outside the database"), "git": noop("a git remote")}
ELSEWHERE = noop("another place")
CHANGED = noop("The log does not bear this entry out any more: it, or the tree over it, was changed.")


class ProofError(Exception):
    """Base of why there is no proof; the message is for the person."""


class NotSealed(ProofError):
    """The entry is in no signed checkpoint yet."""


class Broken(ProofError):
    """The tables do not bear out what was signed: the log was changed."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where an entry stands in the tree, and the checkpoint its proof leads to. `digest` is the leaf hash, in hex.

    `anchors` are where that checkpoint is kept outside the database, each since when (UTC).
    """

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
    """Of those that are sealed, by id: under the first checkpoint over each that is kept outside, else the first at
    all. Four statements for all of them.
    """
    known = {entry.pk: entry for entry in entries}
    leaves = dict(Leaf.objects.filter(entry__in=list(known)).values_list("entry_id", "index"))
    over = _over(leaves.values())
    kept = _kept({one.pk for one in over.values()})
    return {pk: _sealed(known[pk], at, over[at], kept) for pk, at in leaves.items() if at in over}


def tlog_proof(entry: Entry) -> str:
    """The proof that the entry is a leaf of the first checkpoint over it (c2sp.org/tlog-proof).

    Raises:
        NotSealed, Broken.
    """
    found = sealed([entry]).get(entry.pk)
    if found is None:
        raise NotSealed(_("This entry is not under a signed checkpoint yet; that takes a second or two."))
    try:
        path = tree.inclusion(found.index, found.size, Tiles())
    except (tree.NoSuchProof, Missing) as error:
        raise Broken(_(CHANGED)) from error
    if not tree.includes(bytes.fromhex(found.digest), found.index, found.size, path, bytes.fromhex(found.root)):
        raise Broken(_(CHANGED))
    hashes = "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
    return f"{HEADER}\nindex {found.index}\n{hashes}\n{found.note}"


def _over(indexes: Iterable[int]) -> Mapping[int, Checkpoint]:
    """For each leaf the checkpoint its proof leads to. Ids of checkpoints grow with their sizes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i, coalesce((SELECT checkpoint_id FROM audit_anchor WHERE checkpoint_id >= first"
            " AND outcome = 'kept' ORDER BY checkpoint_id LIMIT 1), first) FROM (SELECT i, (SELECT id"
            " FROM audit_checkpoint WHERE size > i ORDER BY size, id LIMIT 1) AS first"
            " FROM unnest(%s::bigint[]) AS i) AS leaves", [sorted(set(indexes))]
        )  # fmt: skip
        chosen = dict(cursor.fetchall())
    found = Checkpoint.objects.in_bulk({pk for pk in chosen.values() if pk})
    return {index: found[pk] for index, pk in chosen.items() if pk}


def _kept(checkpoints: Iterable[int]) -> Mapping[int, tuple[tuple[str, datetime], ...]]:
    """Where else each checkpoint lies, since when; the place itself, which may hold a path or a key, is not told."""
    found: dict[int, dict[str, datetime]] = {}
    rows = Anchor.objects.filter(checkpoint__in=list(checkpoints), outcome=Anchor.Outcome.KEPT).order_by("pk")
    for checkpoint, where, at in rows.values_list("checkpoint_id", "where", "at"):
        found.setdefault(checkpoint, {}).setdefault(_(PLACES.get(where.partition(":")[0], ELSEWHERE)), at)
    return {checkpoint: tuple(places.items()) for checkpoint, places in found.items()}


def _sealed(entry: Entry, index: int, over: Checkpoint, kept: Mapping[int, tuple[tuple[str, datetime], ...]]) -> Sealed:
    """As the signed note says it; the columns beside it are nobody's word."""
    said = notes.head(over.note.rpartition("\n\n")[0] + "\n")
    anchors = kept.get(over.pk, ())
    return Sealed(index, digest(entry), said.origin, said.size, said.root.hex(), over.at, over.note, anchors)
