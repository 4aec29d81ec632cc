"""The verifier's part of a key's rotation: the order of the keys given is the order in which they were in force."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from audit import canonical, notes, tree, verify

OLD, NEW, LATER = (notes.Signer("desk.example.com/log", hashlib.sha256(bytes([n])).digest()) for n in range(3))
SIZE = 9


def lines() -> list[bytes]:
    common = {"actor": "system:test", "at": "2026-11-22T00:00:00+00:00", "body": {}, "case": "", "commitments": {}}
    common |= {"event": "books.imported", "state": "", "trace_id": "", "workspace": 1}
    return [canonical.encode({**common, "subject": f"books:{n}", "version": 1}) for n in range(SIZE)]


def bundle(folder: Path, signed: dict[int, Sequence[notes.Signer]]) -> Path:
    """A log of nine entries; who signed its checkpoints, by size."""
    leaves = lines()
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in leaves))
    for size, signers in signed.items():
        head = notes.Head(OLD.name, size, tree.root([tree.leaf_hash(line) for line in leaves[:size]]))
        note = notes.sign(head.text(), *signers, at=datetime.now(UTC))
        (folder / "checkpoints" / f"{size}.note").write_text(note)
    return folder


def verified(folder: Path, *keys: notes.Signer) -> int:
    return verify.main([str(folder), *(word for key in keys for word in ("--key", str(key.verifier)))])


def test_a_rotated_log_is_sound_by_its_keys_in_order(tmp_path: Path) -> None:
    once = bundle(tmp_path / "once", {3: [OLD], 5: [OLD, NEW], 7: [NEW], 9: [NEW]})
    assert verified(once, OLD, NEW) == verify.SOUND
    assert verified(once, OLD) == verified(once, NEW) == verify.UNKNOWN_KEY
    assert verified(once, NEW, OLD) == verify.TAMPERED
    twice = bundle(tmp_path / "twice", {3: [OLD], 5: [OLD, NEW], 7: [NEW, LATER], 9: [LATER]})
    assert verified(twice, OLD, NEW, LATER) == verify.SOUND
    at_its_end = bundle(tmp_path / "end", {3: [OLD], 9: [OLD, NEW]})
    assert verified(at_its_end, OLD, NEW) == verify.SOUND


@pytest.mark.parametrize(
    ("signed", "said"),
    [
        ({3: [OLD], 5: [OLD, NEW], 7: [NEW], 9: [OLD]}, "9.note is signed by none but a key that is not in force"),
        ({3: [OLD], 5: [OLD, NEW], 7: [OLD], 9: [NEW]}, "7.note is signed by none but a key that is not in force"),
        ({3: [OLD], 5: [OLD], 9: [NEW]}, "9.note is signed by none but a key that is not in force"),
        ({3: [OLD], 9: [OLD]}, "not under the last key given"),
    ],
)
def test_what_a_retired_key_signs_on_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], signed: dict[int, Sequence[notes.Signer]], said: str
) -> None:
    assert verified(bundle(tmp_path / "b", signed), OLD, NEW) == verify.TAMPERED
    assert said in capsys.readouterr().err


def test_a_stranger_beside_the_old_key_takes_nothing_over(tmp_path: Path) -> None:
    assert verified(bundle(tmp_path / "b", {3: [OLD], 5: [OLD, LATER], 9: [LATER]}), OLD) == verify.UNKNOWN_KEY
