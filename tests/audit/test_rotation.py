"""A new key: the log goes on under it, both sign where it begins, and nobody signs on with the old one."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from agents.demo.processes import Processes
from audit import notes, sealing
from audit.events import Event
from audit.models import Checkpoint, Entry
from portal import log_key
from tests.audit.seals import SIGNER, prove_here, seal
from tests.audit.test_audit_seal import seal as run
from tests.audit.test_sealing_entries import write
from tests.cast import Cast, gather
from tests.conftest import signed_in

NEW = notes.Signer(SIGNER.name, secrets.token_bytes(32))


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@contextmanager
def for_now(role: str = "sealer") -> Iterator[None]:
    """In a transaction of which nothing stays: all other tests go on under the first key."""
    with signed_in(role), transaction.atomic():
        yield
        transaction.set_rollback(True)


def signers(note: str) -> list[notes.Signer]:
    return [one for one in (SIGNER, NEW) if _signed(note, one)]


def _signed(note: str, signer: notes.Signer) -> bool:
    try:
        return bool(notes.read(note, [signer.verifier]))
    except notes.UnknownKey:
        return False


def grow() -> None:
    """One more entry, the only one the sealer may write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('countersign.workspace', '0', true)")
        cursor.execute(INSERT, [0, "log:key", 2, "key.rotated", CANONICAL])


INSERT = (
    'INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at, canonical)'
    " VALUES (%s, %s, %s, %s, '', 'system:sealer', '', '', now(), %s)"
)
CANONICAL = json.dumps({"body": {"new": str(NEW.verifier)}})


def steps(sealer: sealing.Sealer, batch: int = 100) -> list[list[notes.Signer]]:
    """Who signed each checkpoint until nothing is left to seal."""
    before = Checkpoint.objects.latest("pk").pk
    while sealer.step(batch=batch):
        pass
    return [signers(one.note) for one in Checkpoint.objects.filter(pk__gt=before).order_by("pk")]


def test_the_log_goes_on_under_the_new_key_and_both_sign_where_it_begins(cast: Cast) -> None:
    seal()
    write(cast.ws, "before", 250)
    with for_now():
        sealer = sealing.Sealer(NEW, old=SIGNER)
        assert steps(sealer) == [[SIGNER], [SIGNER], [SIGNER, NEW]]
        entry = Entry.objects.get(subject="log:key")
        assert (entry.event, entry.workspace_id, entry.version) == (Event.KEY_ROTATED, 0, 1)
        assert json.loads(entry.canonical)["body"] == {"old": str(SIGNER.verifier), "new": str(NEW.verifier)}
        size = Checkpoint.objects.latest("pk").size
        assert entry.leaf.index == size - 1  # the checkpoint that both signed covers it
        for beats in (
            sealing.Sealer(NEW, old=SIGNER, heartbeat=timedelta(0)),
            sealing.Sealer(NEW, heartbeat=timedelta(0)),
        ):
            assert steps(beats) == [[SIGNER, NEW]]  # of the same tree: what both signed stays in its note
            assert notes.signed_at(Checkpoint.objects.latest("pk").note, [SIGNER.verifier]) is None
        grow()
        assert steps(sealing.Sealer(NEW)) == [[NEW]]
        with pytest.raises(sealing.TreeDiffers, match="went on under another key"):
            sealing.Sealer(SIGNER, heartbeat=timedelta(0)).step()
        assert prove_here(SIGNER, NEW).missed == 0


def test_a_key_rotated_while_nothing_happens_signs_at_once(cast: Cast) -> None:
    seal()
    with for_now():
        assert steps(sealing.Sealer(NEW, old=SIGNER)) == [[SIGNER, NEW]]
        assert Entry.objects.filter(subject="log:key").count() == 1


def test_neither_of_two_keys_that_signed_nothing_takes_the_log_over(cast: Cast) -> None:
    seal()
    write(cast.ws, "after")
    stranger = log_key.fresh(SIGNER.name)
    with for_now(), pytest.raises(sealing.TreeDiffers, match="this key"), transaction.atomic():
        sealing.Sealer(NEW, old=stranger).step()
    with pytest.raises(sealing.AnotherName, match="keeps the name"):
        sealing.Sealer(log_key.fresh("another/log"), old=SIGNER)


def test_the_process_names_what_is_wrong_with_the_old_key(cast: Cast) -> None:
    for old, code, said in (
        ("rubbish", 2, "LOG_SIGNING_KEY_OLD: a private key"), (log_key.fresh("another/log").text(), 1, "keeps the name")
    ):  # fmt: skip
        done = run("--once", LOG_SIGNING_KEY_OLD=old)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
        assert old not in done.stderr or old == "rubbish"


def test_the_sealer_writes_no_other_entry(cast: Cast) -> None:
    said = {"workspace": 0, "subject": "log:key", "event": "key.rotated"}
    assert insert(**said) == ""
    for other in ({"workspace": cast.ws}, {"subject": f"person:{cast.id('rosa')}"}, {"event": "token.made"}):
        assert insert(**{**said, **other}) == "42501", other
    for role in ("web", "apply", "agents"):
        assert insert(role=role, **said) == "42501", role


def insert(*, workspace: int, subject: str, event: str, role: str = "sealer") -> str:
    """The SQLSTATE with which the entry is refused, or ""."""
    try:
        with for_now(role), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('countersign.workspace', %s, true)", [str(workspace)])
            cursor.execute(INSERT, [workspace, subject, 1, event, "{}"])
    except DatabaseError as error:
        return str(error.__cause__.sqlstate)  # type: ignore[union-attr]
    return ""


def test_the_embedded_key_is_put_beside_a_new_one_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with pytest.raises(log_key.NotOurs, match="nothing was signed"):
        log_key.rotate(folder)
    first = notes.Signer.parse(log_key.keep(folder))
    made = log_key.rotate(folder)
    second = notes.Signer.parse(log_key.keep(folder))
    assert (second.name, second.verifier, log_key.kept_old(folder)) == (first.name, made, first.text())
    assert second.seed != first.seed
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("log-signing", "log.vkey", "log-signing-old", "log-old.vkey"), 0o600
    )
    assert [(folder / name).read_text() for name in ("log-old.vkey", "log.vkey")] == [str(first.verifier), str(made)]
    with pytest.raises(log_key.NotOurs, match="log-signing-old is there"):
        log_key.rotate(folder)
    environment = {"VAR_DIR": str(tmp_path), "LOG_SIGNING_KEY_OLD": "of-the-parent"}
    for name, given in (("sealer", first.text()), ("web", None), ("worker-apply", None)):
        assert Processes(tmp_path / "log", 1, environment)._environment(name).get("LOG_SIGNING_KEY_OLD") == given
