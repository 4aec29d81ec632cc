"""Short ways for tests of the tree: the key they sign with, and what must hold of all that was sealed."""

import time
from typing import NamedTuple

from django.db import connection, transaction

from audit import notes, sealing, tree
from audit.models import Checkpoint, Leaf
from tests.conftest import KEYS, signed_in

SIGNER = notes.Signer.parse((KEYS / "log-signing").read_text())


class Sealed(NamedTuple):
    """The whole tree as it lies in the tables."""

    size: int
    root: bytes
    missed: int


def seal(seconds: float = 30) -> None:
    """Seal all that is committed, as the sealer does: with its key, signed in as its role; or wait for one that leads.

    What goes out waits for it; a test that sends something calls this where a sealer would have been at work.
    """
    until = time.monotonic() + seconds
    with signed_in("sealer"):
        sealer = sealing.Sealer(SIGNER)
        while (made := sealer.step()) != 0:
            assert time.monotonic() < until, "another sealer leads and does not seal"
            if made is None:
                time.sleep(0.05)
                if not _unsealed():
                    return


def _unsealed() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM audit_entry e WHERE NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id)"
        )
        return int(cursor.fetchone()[0])


def prove(*signers: notes.Signer) -> Sealed:
    """No gap, no double, each leaf its entry's, the root made anew from the entries equal to every checkpoint's.

    Signed in as a role that sees all entries; of one moment, since sealers may be at work.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return prove_here(*signers)


def prove_here(*signers: notes.Signer) -> Sealed:
    """The same within a transaction that has begun; each checkpoint signed by one of them."""
    trusted = [signer.verifier for signer in signers or (SIGNER,)]
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
        head = notes.head(notes.read(seal.note, trusted))
        assert head == notes.Head(trusted[0].name, seal.size, roots[seal.size])
        assert bytes(seal.root) == head.root
    assert [seal.size for seal in seals] == sorted(seal.size for seal in seals)
    assert seals[-1].size == len(leaves)
    return Sealed(len(leaves), roots[len(leaves)], missed)
