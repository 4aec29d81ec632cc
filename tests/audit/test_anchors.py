"""Anchors: what was kept outside is never overwritten, and a database that says something else is not signed on."""

import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from audit import anchors, notes, sealing
from audit.anchoring import Anchoring, RolledBack
from audit.models import Anchor, Checkpoint
from tests.audit.seals import SIGNER, seal
from tests.audit.test_audit_seal import seal as run
from tests.audit.test_sealing_entries import write
from tests.cast import Cast, gather
from tests.conftest import signed_in

KEYS = [SIGNER.verifier]
ROOT, OTHER_ROOT = bytes(32), b"1" * 32


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def note(size: int, root: bytes = ROOT, signer: notes.Signer = SIGNER) -> str:
    return notes.sign(notes.Head(signer.name, size, root).text(), signer)


def newest() -> Checkpoint:
    return Checkpoint.objects.latest("pk")


# Files ----------------------------------------------------------------------------------------------------------


def test_a_note_is_written_once_and_stays_as_it_is(tmp_path: Path) -> None:
    place = anchors.Directory(tmp_path / "made", KEYS)
    assert place.newest() is None
    for size in (9, 10):
        place.keep(note(size))
    kept = tmp_path / "made" / "10.note"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (note(10), 0o444)
    assert place.newest() == (notes.Head(SIGNER.name, 10, ROOT), kept)
    head = notes.Head(SIGNER.name, 10, ROOT)
    place.keep(notes.sign(head.text(), SIGNER, at=datetime.now(UTC)))  # the same tree, signed again later
    assert kept.read_text() == note(10)
    with pytest.raises(anchors.Fork, match=r"10\.note holds another tree"):
        place.keep(note(10, OTHER_ROOT))
    assert kept.read_text() == note(10)
    assert sorted(path.name for path in kept.parent.iterdir()) == ["10.note", "9.note"]


@pytest.mark.parametrize("text", ["", "rubbish", note(11, signer=notes.Signer(SIGNER.name, bytes(32))), note(11)[:-9]])
def test_what_lies_there_and_was_not_signed_by_this_log_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "11.note").write_text(text)
    (tmp_path / "012.note").write_text("of no such size")
    with pytest.raises(anchors.Fork, match=r"11\.note is no checkpoint of this log"):
        anchors.Directory(tmp_path, KEYS).newest()


def test_a_place_that_takes_nothing_is_no_fork(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = anchors.Directory(tmp_path / "file" / "below", KEYS)
    for act in (place.newest, lambda: place.keep(note(1))):
        with pytest.raises(anchors.NotKept):
            act()


# With the tables ------------------------------------------------------------------------------------------------


def test_the_sealer_anchors_and_says_so_and_nobody_else_does(cast: Cast, tmp_path: Path) -> None:
    seal()
    where = f"directory:{tmp_path}"
    with signed_in("sealer"):
        anchoring = Anchoring(anchors.Directory(tmp_path, KEYS), every=0)
        anchoring.step()
        anchoring.step()  # nothing is new
        (row,) = Anchor.objects.filter(where=where)
        last = newest()
        assert (row.checkpoint_id, row.outcome, row.because) == (last.pk, "kept", "")
        assert notes.head(notes.read((tmp_path / f"{last.size}.note").read_text(), KEYS)).root == bytes(last.root)
        insert = 'INSERT INTO audit_anchor (checkpoint_id, "where", outcome, because) VALUES (%s, %s, %s, %s)'
        said = [last.pk, where, "kept", "by hand"]
        changes = ("UPDATE audit_anchor SET outcome = 'kept'", "DELETE FROM audit_anchor", "TRUNCATE audit_anchor")
        assert [refused(change) for change in changes] == ["42501"] * 3
        assert refused(insert, said) == ""
    for role, wanted in (("web", "42501"), ("apply", "42501"), ("agents", "42501"), ("owner", "")):
        with signed_in(role):
            assert refused(insert, said) == wanted, role
    with signed_in("owner"):
        assert [refused(change) for change in changes] == ["CS001"] * 3


def refused(statement: str, values: list[object] | None = None) -> str:
    """The SQLSTATE with which it is refused, "" where it is not; nothing of it stays."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error.__cause__.sqlstate)  # type: ignore[union-attr]
    return ""


def test_a_database_that_was_rolled_back_is_not_signed_on(cast: Cast, tmp_path: Path) -> None:
    seal()
    with signed_in("sealer"):
        size = newest().size
    (tmp_path / f"{size + 1}.note").write_text(note(size + 1))
    write(cast.ws, "after-the-restore")
    done = run("--once", ANCHOR_DIR=str(tmp_path))
    assert done.returncode == 1
    assert f"{size + 1}.note has seen {size + 1} entries, the database holds {size}" in done.stderr
    with signed_in("sealer"):
        assert newest().size == size
    (tmp_path / f"{size + 1}.note").unlink()
    assert run("--once", ANCHOR_DIR=str(tmp_path)).returncode == 0
    with signed_in("sealer"):
        assert newest().size > size


def test_another_history_is_found_at_whatever_size_it_was_anchored(cast: Cast, tmp_path: Path) -> None:
    write(cast.ws, "some", 5)
    seal()
    with signed_in("sealer"):
        anchoring = Anchoring(anchors.Directory(tmp_path, KEYS))
        size = newest().size
        (tmp_path / f"{size - 3}.note").write_text(note(size - 3, OTHER_ROOT))
        with pytest.raises(anchors.Fork, match=f"{size - 3}.note has seen other first {size - 3} entries"):
            anchoring.look(size)
        with pytest.raises(anchors.Fork):
            sealing.Sealer(SIGNER, look=anchoring.look).step()
        (tmp_path / f"{size - 3}.note").unlink()
        anchoring.step()
        anchoring.look(size)
        with pytest.raises(RolledBack):
            anchoring.look(size - 1)


# A git remote ---------------------------------------------------------------------------------------------------


def git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    return tmp_path / "remote.git"


def files(bare: Path) -> list[str]:
    return git("-C", str(bare), "ls-tree", "--name-only", anchors.BRANCH).split()


def test_a_remote_gets_each_note_as_a_commit_upon_what_others_pushed(bare: Path, tmp_path: Path) -> None:
    here, there = (anchors.GitRemote(str(bare), tmp_path / name, KEYS) for name in ("here", "there"))
    here.keep(note(1))
    there.keep(note(2))  # another machine, which has no clone yet
    here.keep(note(3))
    here.keep(note(3))
    assert files(bare) == ["1.note", "2.note", "3.note"]
    assert git("-C", str(bare), "log", "--format=%s", anchors.BRANCH).split("\n")[:2] == [
        "Checkpoint of 3", "Checkpoint of 2"
    ]  # fmt: skip
    assert git("-C", str(bare), "show", f"{anchors.BRANCH}:3.note") == note(3)
    with pytest.raises(anchors.Fork, match=r"2\.note"):
        here.keep(note(2, OTHER_ROOT))
    there.keep(note(4))
    assert here.newest() == (notes.Head(SIGNER.name, 3, ROOT), tmp_path / "here" / "3.note")


def test_a_remote_that_never_answers_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        remote = anchors.GitRemote(f"git://127.0.0.1:{silent.getsockname()[1]}/x", tmp_path / "clone", KEYS)
        with pytest.raises(anchors.NotKept, match="took too long"):
            remote.keep(note(1), seconds=1)


def test_a_remote_that_fails_holds_nothing_up_and_is_tried_again(cast: Cast, bare: Path, tmp_path: Path) -> None:
    away = bare.with_name("away.git")
    bare.rename(away)
    seal()
    with signed_in("sealer"):
        remote = anchors.GitRemote(f"file://a-secret@{bare}", tmp_path / "clone", KEYS)
        anchoring = Anchoring(anchors.Directory(tmp_path / "kept", KEYS), remote)
        anchoring.finish(20)
        failed = Anchor.objects.filter(where=remote.name).latest("pk")
        assert (failed.outcome, failed.because != "", "a-secret" in failed.where + failed.because) == (
            "failed", True, False
        )  # fmt: skip
        away.rename(bare)
        anchoring.finish(20)
        assert Anchor.objects.filter(where=remote.name).latest("pk").outcome == "kept"
        assert files(bare) == [f"{newest().size}.note"]


def test_the_process_anchors_in_both_places(cast: Cast, bare: Path, tmp_path: Path) -> None:
    write(cast.ws, "anchored")
    set_ = {"ANCHOR_DIR": str(tmp_path / "kept"), "ANCHOR_GIT": str(bare), "VAR_DIR": str(tmp_path / "var")}
    done = run("--once", **set_)
    assert done.returncode == 0, done.stderr
    with signed_in("sealer"):
        size = newest().size
    assert files(bare) == [f"{size}.note"] == os.listdir(tmp_path / "kept")
