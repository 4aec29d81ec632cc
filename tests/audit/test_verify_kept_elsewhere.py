"""The verifier against what was kept outside: anchors, the age of the newest checkpoint, opened values, one report."""

import base64
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit import canonical, notes, tree, verify
from tests.audit.seals import SIGNER
from tests.audit.test_verify import LINES, SIZES, check, entry, lay

NOW = datetime.now(UTC)
SALT = bytes(range(32))


def sign_at(bundle: Path, size: int, when: datetime) -> None:
    """The checkpoint of a bundle once more, with the time it was signed."""
    head = notes.Head(SIGNER.name, size, tree.root([tree.leaf_hash(line) for line in LINES[:size]]))
    (bundle / f"checkpoints/{size}.note").write_text(notes.sign(head.text(), SIGNER, at=when))


def write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_bytes(b"".join(canonical.encode(record) + b"\n" for record in records))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return lay(tmp_path / "bundle", LINES)


@pytest.fixture
def anchors(bundle: Path, tmp_path: Path) -> Path:
    """A folder elsewhere that saw the log at 5 and at 12 entries."""
    (tmp_path / "anchors").mkdir()
    for size in (5, 12):
        shutil.copy(bundle / f"checkpoints/{size}.note", tmp_path / "anchors")
    return tmp_path / "anchors"


def test_a_folder_of_anchors_is_held_against_the_log(bundle: Path, anchors: Path, tmp_path: Path) -> None:
    code, said = check(bundle, "--anchors", str(anchors))
    assert (code, "2 anchors kept elsewhere" in said) == (0, True), said
    other = [*LINES[:7], entry(7, actor="system:else"), *LINES[8:]]
    code, said = check(lay(tmp_path / "rewritten", other), "--anchors", str(anchors))
    assert (code, "12.note: an anchor has seen another root of the first 12" in said) == (3, True), said
    code, said = check(lay(tmp_path / "older", LINES[:5], sizes=(1, 5)), "--anchors", str(anchors))
    assert (code, "has seen 12 entries" in said) == (3, True), said


def test_an_empty_folder_of_anchors_is_no_proof(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert check(bundle, "--anchors", str(tmp_path / "nothing")) == (
        2, f"verify: {tmp_path / 'nothing'} holds no anchor\n"
    )  # fmt: skip


def test_what_the_house_says_it_anchored_must_be_of_this_log(bundle: Path) -> None:
    roots = {
        size: base64.b64encode(tree.root([tree.leaf_hash(one) for one in LINES[:size]])).decode() for size in SIZES
    }
    told = [{"size": size, "root": roots[size], "where": "git:elsewhere", "at": "x"} for size in (5, 5, 12)]
    write_lines(bundle / "anchors.jsonl", told)
    code, said = check(bundle)
    assert (code, "3 anchors told of" in said) == (0, True), said
    write_lines(bundle / "anchors.jsonl", [*told, {"size": 20, "root": roots[12]}])
    assert check(bundle)[0] == 1
    write_lines(bundle / "anchors.jsonl", [*told, {"size": 21, "root": roots[12]}])
    code, said = check(bundle)
    assert (code, "has seen 21 entries, the log ends at 20" in said) == (1, True), said


def test_a_log_whose_newest_checkpoint_is_old_is_incomplete(bundle: Path) -> None:
    """A database that was rolled back is sound in itself; its age gives it away."""
    code, said = check(bundle, "--max-age", "900")
    assert (code, "of no time that it says" in said) == (2, True), said
    for age, expected in ((timedelta(seconds=30), 0), (timedelta(hours=1), 2), (-timedelta(hours=1), 2)):
        sign_at(bundle, 20, datetime.now(UTC) - age)
        assert check(bundle, "--max-age", "900")[0] == expected
    assert check(bundle)[0] == 0
    whole = (bundle / "checkpoints/20.note").read_text().splitlines()
    later = notes.sign(whole[0] + "\n", SIGNER, at=NOW).splitlines()  # the time of another text
    (bundle / "checkpoints/20.note").write_text("\n".join([*whole[:-1], later[-1], ""]))
    code, said = check(bundle)
    assert (code, "20.note: the signature" in said) == (1, True), said


def test_a_tail_that_is_not_sealed_yet_is_no_fault_while_it_is_young(tmp_path: Path) -> None:
    young = entry(20, at=(datetime.now(UTC) + timedelta(seconds=20)).isoformat())
    assert check(lay(tmp_path / "young", [*LINES, young]))[0] == 0
    for name, when in (("old", NOW - timedelta(seconds=11)), ("zoneless", datetime(2026, 1, 1)), ("none", "soon")):
        at = when.isoformat() if isinstance(when, datetime) else when
        code, said = check(lay(tmp_path / name, [*LINES, entry(20, at=at)]))
        assert (code, "entry 20 is under no checkpoint" in said) == (2, True), said


# Opened values -----------------------------------------------------------------------------------------------------

VALUES = {"note": "Ängstlich, 3 €", "who": {"\ue000": 1, "\U0001f600": [None, True]}, "more": "x"}


def committed() -> list[bytes]:
    made = {name: canonical.commit(name, value, SALT) for name, value in VALUES.items()}
    return [*LINES[:3], entry(3, commitments=made), *LINES[4:]]


def opened(*names: str, **changed: Any) -> list[dict[str, Any]]:
    salt = base64.b64encode(SALT).decode()
    return [{"index": 3, "name": name, "salt": salt, "value": VALUES[name], **changed} for name in names]


def test_opened_values_fit_their_commitments_and_erased_ones_are_counted(tmp_path: Path) -> None:
    bundle = lay(tmp_path / "bundle", committed())
    write_lines(bundle / "payloads.jsonl", opened("note", "who"))
    code, said = check(bundle)
    assert (code, "2 values opened, 1 closed or erased" in said) == (0, True), said


@pytest.mark.parametrize(
    ("records", "named"),
    [
        (opened("note", value="Another"), "entry 3: the opened note"),
        (opened("note", salt=base64.b64encode(bytes(32)).decode()), "entry 3: the opened note"),
        (opened("note", name="who"), "entry 3: the opened who"),
        (opened("note", name="unheard-of"), "entry 3: the opened unheard-of"),
        (opened("note", index=4), "entry 4: the opened note"),
        (opened("note", index=99), "entry 99, which is not in its place"),
        ([*opened("note"), *opened("who", index=2)], "entry 2, which is not in its place"),
        (opened("note", salt=5), "line 1 of payloads.jsonl is not in the form"),
    ],
)
def test_a_value_that_was_never_committed_to_is_found(tmp_path: Path, records: Any, named: str) -> None:
    bundle = lay(tmp_path / "bundle", committed())
    write_lines(bundle / "payloads.jsonl", records)
    code, said = check(bundle)
    assert (code, named in said, said.count("\n")) == (1, True, 1), said


# One report --------------------------------------------------------------------------------------------------------


def report(folder: Path, index: int, size: int = 20, extra: str = "") -> Path:
    """As C2SP tlog-proof v1 has it."""
    folder.mkdir()
    leaves = [tree.leaf_hash(line) for line in LINES[:size]]
    path = tree.inclusion(index, size, tree.nodes_over(leaves))
    note = notes.sign(notes.Head(SIGNER.name, size, tree.root(leaves)).text(), SIGNER)
    steps = "".join(base64.b64encode(step).decode() + "\n" for step in path)
    (folder / "entry.json").write_bytes(LINES[index])
    (folder / "entry.tlog-proof").write_text(f"c2sp.org/tlog-proof@v1\n{extra}index {index}\n{steps}\n{note}")
    return folder


def alone(*words: str) -> tuple[int, str]:
    command = [sys.executable, "-I", verify.__file__, *words, "--key", str(SIGNER.verifier)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 20), (7, 13), (19, 20), (16, 17)])
def test_one_entry_is_proved_alone(tmp_path: Path, index: int, size: int) -> None:
    folder = report(tmp_path / "one", index, size, extra="extra c29tZXRoaW5n\n" if index else "")
    code, said = alone("report", str(folder))
    assert (code, f"is entry {index} of the {size} of" in said) == (0, True), said
    assert alone("--proof", str(folder / "entry.tlog-proof"), "--entry", str(folder / "entry.json"))[0] == 0


def swap(name: str, old: str, new: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text((folder / name).read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (swap("entry.json", "system:test", "system:else"), 1, "is not entry 7"),
        (swap("entry.json", "}", "}\n"), 1, "canonical"),
        (swap("entry.tlog-proof", "index 7", "index 6"), 1, "is not entry 6"),
        (swap("entry.tlog-proof", "index 7", "index 07"), 1, "not in the form"),
        (swap("entry.tlog-proof", "index 7", "index 99"), 1, "is not entry 99"),
        (swap("entry.tlog-proof", "@v1", "@v2"), 1, "not in the form"),
        (swap("entry.tlog-proof", "\n20\n", "\n21\n"), 1, "signature"),
        (lambda folder: (folder / "entry.tlog-proof").write_text("c2sp.org/tlog-proof@v1"), 1, "not in the form"),
        (lambda folder: (folder / "entry.tlog-proof").unlink(), 2, "holds 0 files"),
    ],
)
def test_a_report_that_was_changed_is_found(
    tmp_path: Path, change: Callable[[Path], object], code: int, named: str
) -> None:
    folder = report(tmp_path / "one", 7)
    change(folder)
    found, said = alone("report", str(folder))
    assert (found, named in said, said.count("\n")) == (code, True, 1), said


def test_each_step_of_a_path_counts(tmp_path: Path) -> None:
    folder = report(tmp_path / "one", 7)
    whole = (folder / "entry.tlog-proof").read_text().split("\n")
    for at in range(2, whole.index("")):
        (folder / "entry.tlog-proof").write_text("\n".join([*whole[:at], *whole[at + 1 :]]))
        assert alone("report", str(folder))[0] == 1
        (folder / "entry.tlog-proof").write_text("\n".join([*whole[:at], whole[at], *whole[at:]]))
        assert alone("report", str(folder))[0] == 1


def test_words_that_make_no_sense_are_wrong_use(bundle: Path) -> None:
    for words in ((), ("report",), (str(bundle), "report"), ("--proof", "x")):
        assert alone(*words)[0] == (2 if words == ("report",) else 64), words
