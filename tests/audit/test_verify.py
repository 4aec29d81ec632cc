"""The verifier alone against bundles: sound ones pass, and each way to tamper has its exit code and is named."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.evals import throwaway
from audit import canonical, notes, tree, verify
from tests.audit.seals import SIGNER
from tests.audit.test_audit_seal import ROOT, environment, seal
from tests.audit.test_sealing_entries import write
from tests.cast import gather
from tests.conftest import sign_in

OTHER = notes.Signer(SIGNER.name, hashlib.sha256(b"another key").digest())
SIZES = (0, 1, 5, 12, 20)


def entry(number: int, **changed: Any) -> bytes:
    """Entries of five subjects in turn."""
    made = {
        "actor": "system:test", "at": "2026-01-01T00:00:00+00:00", "body": {"é": number, "a": [True, None]}, "case": "",
        "commitments": {}, "event": "books.imported", "state": "", "subject": f"books:{number % 5}", "trace_id": "",
        "version": number // 5 + 1, "workspace": 1,
    }  # fmt: skip
    return canonical.encode({**made, **changed})


LINES = [entry(number) for number in range(SIZES[-1])]


def lay(out: Path, lines: list[bytes], *, sizes: tuple[int, ...] = SIZES, signer: notes.Signer = SIGNER) -> Path:
    """A bundle of these lines, signed at these sizes."""
    (out / "checkpoints").mkdir(parents=True)
    (out / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    leaves = [tree.leaf_hash(line) for line in lines]
    for size in sizes:
        head = notes.Head(signer.name, size, tree.root(leaves[:size]))
        (out / "checkpoints" / f"{size}.note").write_text(notes.sign(head.text(), signer))
    return out


def check(bundle: Path, *options: str, key: str = str(SIGNER.verifier)) -> tuple[int, str]:
    """By a copy that lies alone, in a process that cannot see ours."""
    alone = bundle.parent / "verify.py"
    shutil.copy(verify.__file__, alone)
    command = [sys.executable, "-I", str(alone), str(bundle), "--key", key, *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=bundle.parent)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return lay(tmp_path / "bundle", LINES)


def test_a_sound_bundle_is_sound(bundle: Path) -> None:
    code, said = check(bundle)
    assert (code, said) == (0, f"sound: 20 entries of {SIGNER.name}, 5 checkpoints\n"), said


def rewrite(change: Callable[[list[bytes]], object]) -> Callable[[Path], None]:
    def does(bundle: Path) -> None:
        lines = (bundle / "entries.jsonl").read_bytes().split(b"\n")[:-1]
        change(lines)
        (bundle / "entries.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))

    return does


def replace(size: int, note: str) -> Callable[[Path], None]:
    return lambda bundle: (bundle / "checkpoints" / f"{size}.note").write_text(note) and None


FORGED = notes.sign(notes.Head(SIGNER.name, 12, bytes(32)).text(), OTHER)
FORGED_BODY = (
    notes.Head(SIGNER.name, 12, bytes(32)).text()
    + "\n"
    + notes.sign(notes.Head(SIGNER.name, 12, tree.root([tree.leaf_hash(one) for one in LINES[:12]])).text(), SIGNER)
    .rpartition("\n\n")[2]
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (rewrite(lambda lines: lines.__setitem__(0, entry(0, actor="system:else"))), 1, "entries 0 to 0"),
        (rewrite(lambda lines: lines.__setitem__(7, entry(7, actor="system:else"))), 1, "entries 5 to 11"),
        (rewrite(lambda lines: lines.__setitem__(19, entry(19, body={}))), 1, "entries 12 to 19"),
        (rewrite(lambda lines: lines.pop(0)), 1, "entries 0 to 0"),
        (rewrite(lambda lines: lines.pop(8)), 1, "entries 5 to 11"),
        (rewrite(lambda lines: lines.insert(3, entry(100))), 1, "entries 1 to 4"),
        (rewrite(lambda lines: lines.__setitem__(slice(6, 8), [lines[7], lines[6]])), 1, "entries 5 to 11"),
        (rewrite(lambda lines: lines.__setitem__(4, lines[4].replace(b":", b": "))), 1, "entry 4 is not in canonical"),
        (rewrite(lambda lines: lines.__setitem__(4, b"{}")), 1, "entry 4 is not in the form of one"),
        (rewrite(lambda lines: lines.__setitem__(4, b'{"a":1.5}')), 1, "entry 4 is no JSON of ours"),
        (rewrite(lambda lines: lines.__setitem__(4, b"[" * 100_000)), 1, "entry 4 is no JSON of ours"),
        (rewrite(lambda lines: lines.__setitem__(4, b"\xff")), 1, "entry 4 is no JSON of ours"),
        (rewrite(lambda lines: lines.pop()), 2, "there are 19"),
        (rewrite(lambda lines: lines.append(entry(20))), 2, "entry 20 is under no checkpoint"),
        (rewrite(lambda lines: lines.clear()), 2, "there are 0"),
        (lambda bundle: (bundle / "entries.jsonl").unlink(), 2, "no entries.jsonl"),
        (lambda bundle: (bundle / "entries.jsonl").write_bytes(b"".join(LINES)), 2, "cut off"),
        (lambda bundle: shutil.rmtree(bundle / "checkpoints"), 2, "no checkpoint"),
        (replace(12, FORGED), 4, "12.note"),
        (replace(12, FORGED_BODY), 1, "12.note: the signature"),
        (replace(12, "nothing"), 1, "12.note is no checkpoint"),
        (lambda bundle: (bundle / "checkpoints/12.note").rename(bundle / "checkpoints/13.note"), 1, "13.note"),
        (
            lambda bundle: (bundle / "checkpoints/9.note").write_text(
                notes.sign(notes.Head(SIGNER.name, 9, bytes(32)).text(), SIGNER)
            ),
            1,
            "entries 5 to 8",
        ),
    ],
)
def test_each_way_to_tamper_is_found_and_named(
    bundle: Path, change: Callable[[Path], object], code: int, named: str
) -> None:
    change(bundle)
    found, said = check(bundle)
    assert (found, named in said, said.count("\n")) == (code, True, 1), said


def test_a_gap_in_a_subjects_versions_is_found_though_all_is_signed(tmp_path: Path) -> None:
    lines = [*LINES[:5], *LINES[10:]]
    code, said = check(lay(tmp_path / "gap", lines, sizes=(15,)))
    assert (code, "entry 5 has version 3 of its subject, 2 is due" in said) == (1, True), said


def test_a_log_that_was_rewritten_and_signed_anew_is_a_fork_against_an_anchor(bundle: Path, tmp_path: Path) -> None:
    """The one thing that signatures alone do not show: the owner of the key signs another history."""
    anchor = tmp_path / "kept-elsewhere.note"
    shutil.copy(bundle / "checkpoints/12.note", anchor)
    assert check(bundle, "--anchor", str(anchor))[0] == 0
    other = [*LINES[:7], entry(7, actor="system:else"), *LINES[8:]]
    rewritten = lay(tmp_path / "rewritten", other)
    assert check(rewritten)[0] == 0
    for sizes in (SIZES, (20,)):  # also where the checkpoint itself was left out
        code, said = check(lay(tmp_path / f"at-{len(sizes)}", other, sizes=sizes), "--anchor", str(anchor))
        assert (code, "another root of the first 12" in said) == (3, True), said
    code, said = check(lay(tmp_path / "older", LINES[:5], sizes=(1, 5)), "--anchor", str(anchor))
    assert (code, "has seen 12 entries" in said) == (3, True), said


def test_only_keys_that_are_given_count(bundle: Path, tmp_path: Path) -> None:
    (bundle / "log.vkey").write_text(str(SIGNER.verifier))
    assert check(bundle, key=str(OTHER.verifier))[0] == 4
    assert check(bundle, "--key", str(SIGNER.verifier), key=str(OTHER.verifier))[0] == 0  # the last of two
    assert check(bundle, "--key", str(OTHER.verifier))[0] == 1  # nothing was handed over to it
    (tmp_path / "pinned").write_text(f"{SIGNER.verifier}\n")
    assert check(bundle, key=str(tmp_path / "pinned"))[0] == 0
    assert check(bundle, key="no key")[0] == 64
    assert check(bundle, "--nonsense")[0] == 64


def test_what_is_exported_verifies_alone(live: None, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    with throwaway.database():  # other tests forge and skip entries
        throwaway.sign_in("web")
        write(gather().ws, "exported", 300)
        assert seal("--once", ANCHOR_DIR=str(tmp_path / "anchors")).returncode == 0
        for code in (0, 2):  # the second time something lies there
            done = subprocess.run(
                [sys.executable, "manage.py", "audit_export", "--out", str(out)],
                cwd=ROOT, env=environment(), capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == code, done.stderr
    sign_in("web")
    assert (out / "log.vkey").read_text() == f"{SIGNER.verifier}\n"
    code, said = check(out)
    assert code == 0, said
    assert int(said.split()[1]) > 300
