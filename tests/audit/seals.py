"""Short ways for tests of the tree: the key they sign with, and what must hold of all that was sealed."""

from typing import NamedTuple

from django.db import connection, transaction

from audit import notes, tree
from audit.models import Checkpoint, Leaf
from tests.conftest import KEYS

SIGNER = notes.Signer.parse((KEYS / "log-signing").read_text())


class Sealed(NamedTuple):
    """The whole tree as it lies in the tables."""

    size: int
    root: bytes
    missed: int


def prove(signer: notes.Signer = SIGNER) -> Sealed:
    """No gap, no double, each leaf its entry's, the root made anew from the entries equal to every checkpoint's.

    Signed in as a role that sees all entries; of one moment, since sealers may be at work.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return _prove(signer)


def _prove(signer: notes.Signer) -> Sealed:
    with connection.cursor() as cursor:
        cursor.execute("SELECT canonical FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id ORDER BY index")
        leaves = [tree.leaf_hash(row[0].encode()) for row in cursor.fetchall()]
        cursor.execute("SELECT count(*) FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf)")
        missed = cursor.fetchone()[0]
    kept = list(Leaf.objects.order_by("index").values_list("index", "entry_id", "hash"))
    assert [index for index, _, _ in kept] == list(range(len(leaves)))
    assert len({entry for _, entry, _ in kept}) == len(kept)
    assert [bytes(found) for _, _, found in kept] == leaves
    roots = {0: tree.EMPTY}
    grown = tree.Frontier()
    for leaf in leaves:
        grown.append(leaf)
        roots[grown.size] = grown.root()
    seals = list(Checkpoint.objects.order_by("pk"))
    for seal in seals:
        head = notes.head(notes.read(seal.note, [signer.verifier]))
        assert head == notes.Head(signer.name, seal.size, roots[seal.size])
        assert bytes(seal.root) == head.root
    assert [seal.size for seal in seals] == sorted(seal.size for seal in seals)
    assert seals[-1].size == len(leaves)
    return Sealed(len(leaves), roots[len(leaves)], missed)
