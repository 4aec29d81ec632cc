"""A log of 600 entries in a throwaway database, and a superuser who changes it with every trigger off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from agents.evals import throwaway
from audit import holds, log, notes, periods, sealing, tree, verifications, watch
from audit.events import Event
from audit.models import Checkpoint, Leaf
from audit.tiles import BITS
from portal import workspace
from tests.audit.seals import SIGNER
from tests.cast import gather

SUBJECTS, ROUNDS, BATCH = 20, 30, 100
TABLES = ("audit_entry", "audit_payload", "audit_unattributed", "audit_leaf", "audit_node", "audit_checkpoint",
          "audit_anchor", "audit_verification", "audit_hold", "audit_retention", "audit_subjectkey")  # fmt: skip


@contextmanager
def filled() -> Iterator[int]:
    """The workspace of a log with values, staged writes, anchors and a verification; then signed in as superuser."""
    with throwaway.database():
        throwaway.sign_in("web")
        ws = gather().ws
        write(ws)
        with workspace.within(ws) as now:
            holds.place(workspace=ws, about="", reason="A court asked", actor="person:1", now=now)
            periods.set_days(workspace=ws, kind="transcripts", days=60, actor="person:1", now=now)
        throwaway.sign_in("owner")
        with workspace.within(ws), connection.cursor() as cursor:  # no action is named: the triggers note it
            for name in "abc":
                cursor.execute("UPDATE portal_workspace SET name = %s WHERE id = %s", [name, ws])
        throwaway.sign_in("apply")
        with workspace.within(ws) as now:
            assert watch.report(workspace=ws, now=now) >= 3
        throwaway.sign_in("sealer")
        seal()
        with connection.cursor() as cursor:
            cursor.execute(
                'INSERT INTO audit_anchor (checkpoint_id, "where", outcome, because) SELECT id, %s, %s, %s'
                " FROM audit_checkpoint WHERE size > 0 ORDER BY id LIMIT 3", ["directory:elsewhere", "kept", ""]
            )  # fmt: skip
        for _ in range(3):
            verifications.keep(verifications.Result(0, 1, "sound"), who="system:test")
        become_superuser()
        yield ws


def become_superuser() -> None:
    connection.close()
    connection.settings_dict["USER"] = "postgres"
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (True,)


def write(ws: int, *, first: int = 1, rounds: int = ROUNDS) -> None:
    """`rounds` entries of each of twenty subjects; the first of each commits to two values."""
    with workspace.within(ws) as now:
        log.record_all(
            [
                log.draft(
                    workspace=ws, subject=f"books:{number}", event=Event.BOOKS_IMPORTED, actor="system:test", now=now,
                    version=version, state="", case="case:1", trace_id="0" * 32, body={"é": number},
                    personal={"note": f"Anna {number}", "more": "x"} if version == 1 else None,
                )
                for version in range(first, first + rounds)
                for number in range(SUBJECTS)
            ]
        )  # fmt: skip


def seal(signer: notes.Signer = SIGNER) -> None:
    """Everything, in batches, and a checkpoint of nothing new at the end."""
    sealer = sealing.Sealer(signer, heartbeat=timedelta(0))
    while sealer.step(batch=BATCH):
        pass


@contextmanager
def changed(*statements: str, also: Callable[[], None] | None = None) -> Iterator[None]:
    """As superuser, triggers off meanwhile and ALWAYS on again after; gone when the block ends."""
    with transaction.atomic():
        untriggered(*statements, also=also)
        yield
        transaction.set_rollback(True)


def untriggered(*statements: str, also: Callable[[], None] | None = None) -> None:
    """Each statement must change something, or a case would try nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
                       " AND tgrelid::regclass::text LIKE 'audit_%'")  # fmt: skip
        ours = cursor.fetchall()
        for table, name in ours:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        for statement in statements:
            cursor.execute(statement)
            assert cursor.rowcount > 0, statement
        if also is not None:
            also()
        for table, name in ours:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def verified(**more: Any) -> tuple[int, str]:
    """Exit code and words of audit_verify, in the transaction that is open."""
    found = verifications.here([SIGNER.verifier], **more)
    return found.code, found.message


def sign_anew(signer: notes.Signer = SIGNER) -> None:
    """All leaves, nodes and checkpoints made anew from what the entries say now: what the key's owner can do."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_leaf l SET hash = sha256('\\x00'::bytea || convert_to(e.canonical, 'UTF8'))"
                       " FROM audit_entry e WHERE e.id = l.entry_id")  # fmt: skip
        grown, roots = tree.Frontier(), {0: tree.EMPTY}
        for digest in Leaf.objects.order_by("index").values_list("hash", flat=True):
            for level, index, node in grown.append(bytes(digest)):
                if level % BITS == 0:
                    cursor.execute(
                        "UPDATE audit_node SET hash = %s WHERE level = %s AND index = %s", [node, level, index]
                    )
            roots[grown.size] = grown.root()
        for row in Checkpoint.objects.order_by("pk"):
            head = notes.Head(signer.name, row.size, roots[row.size])
            cursor.execute("UPDATE audit_checkpoint SET root = %s, note = %s WHERE id = %s",
                           [head.root, notes.sign(head.text(), signer, at=row.at), row.pk])  # fmt: skip


def anchor(folder: Path, size: int) -> Path:
    """The checkpoint of a size, kept elsewhere."""
    folder.mkdir(exist_ok=True)
    row = Checkpoint.objects.filter(size=size).first()
    assert row is not None
    (folder / f"{size}.note").write_text(row.note)
    return folder
