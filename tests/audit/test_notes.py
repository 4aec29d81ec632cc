"""Signed notes and checkpoints: as the specification's own examples have them, and as other tools read them."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from tlog_scales import signing, tlog

from audit import notes

SIGNER = notes.Signer("example.com/log", hashlib.sha256(b"a seed for tests").digest())
KEY = SIGNER.verifier
OTHER = notes.Signer("example.com/log", hashlib.sha256(b"another seed").digest())
HEAD = notes.Head("example.com/log", 20852163, hashlib.sha256(b"root").digest())
NOTE = notes.sign(HEAD.text(), SIGNER)

# From golang.org/x/mod/sumdb/note, whose form the specification took over.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)  # fmt: skip
GO_NOTE = (
    GO_TEXT + "\n\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)  # fmt: skip


def test_a_note_of_the_reference_implementation_verifies() -> None:
    assert notes.read(GO_NOTE, [notes.Verifier.parse(GO_KEY)]) == GO_TEXT


def test_another_tool_reads_our_checkpoint_and_key() -> None:
    theirs = tlog.Checkpoint.from_text(NOTE)
    theirs.verify(signing.Vkey.from_string(str(KEY)))
    assert (theirs.origin, theirs.size, theirs.root_hash) == (HEAD.origin, HEAD.size, HEAD.root)


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    origin, size, root, gap, signature, end = NOTE.split("\n")
    assert (origin, size, gap, end) == ("example.com/log", "20852163", "", "")
    assert base64.b64decode(root) == HEAD.root
    assert signature.startswith("\u2014 example.com/log ")
    assert base64.b64decode(signature.split(" ")[2])[:4] == KEY.key_id
    assert notes.head(notes.read(NOTE, [KEY])) == HEAD


def test_keys_survive_the_way_through_text() -> None:
    assert notes.Signer.parse(SIGNER.text() + "\n") == SIGNER
    assert notes.Verifier.parse(str(KEY)) == KEY
    assert SIGNER.seed.hex() not in repr(SIGNER)
    assert SIGNER.text() not in f"{SIGNER!r} {SIGNER}"


def test_every_changed_byte_of_a_note_is_found() -> None:
    raw = NOTE.encode()
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        try:
            text = changed.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(notes.NoteError):
            notes.read(text, [KEY])


def test_a_signature_of_a_key_that_is_not_trusted_counts_nothing() -> None:
    with pytest.raises(notes.UnknownKey, match="by no key that is trusted"):
        notes.read(notes.sign(HEAD.text(), OTHER), [KEY])
    with pytest.raises(notes.UnknownKey):
        notes.read(NOTE, [])


def test_a_stranger_beside_a_trusted_signature_does_no_harm() -> None:
    stranger = notes.sign(HEAD.text(), OTHER).rsplit("\n\n", 1)[1]
    assert notes.read(NOTE + stranger, [KEY]) == HEAD.text()


def test_a_forged_signature_beside_a_true_one_refuses_the_note() -> None:
    line = NOTE.rsplit("\n\n", 1)[1]
    forged = f"\u2014 {KEY.name} {base64.b64encode(KEY.key_id + bytes(64)).decode()}\n"
    for both in (line + forged, forged + line):
        with pytest.raises(notes.BadSignature):
            notes.read(f"{HEAD.text()}\n{both}", [KEY])


@pytest.mark.parametrize(
    "note",
    [
        "", "\n", "text\n", "text\n\n", "text\n\n\u2014 name\n", "text\n\n- name AAAAAAAA\n", NOTE[:-1], NOTE + "\n",
        NOTE.replace("\u2014 ", "\u2014"), NOTE.replace("log\n", "log\r\n"), NOTE.replace("=\n", "\n"),
        HEAD.text() + "\n" + NOTE.rsplit("\n\n", 1)[1] * 101, "\ud800" + NOTE,
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(notes.BadNote):
        notes.read(note, [KEY])


ROOT_LINE = HEAD.text().split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "", "log\n1\n", f"log\n01\n{ROOT_LINE}\n", f"log\n-1\n{ROOT_LINE}\n", f"log\n\u0661\n{ROOT_LINE}\n",
        f"log\n1\n{ROOT_LINE}", f"\n1\n{ROOT_LINE}\n", f"log\n1\n{ROOT_LINE[:-4]}\n", f"log\n1\n{ROOT_LINE}\n\n",
        f"log\n1\n{ROOT_LINE[:-2]}9=\n", f"log\n{'9' * 30}\n{ROOT_LINE}\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(notes.BadNote):
        notes.head(text)


def test_further_lines_of_a_checkpoint_are_left_to_others() -> None:
    assert notes.head(HEAD.text() + "more\n") == HEAD


AT = datetime(2026, 11, 22, 0, 50, 7, tzinfo=UTC)
TIMED = notes.sign(HEAD.text(), SIGNER, at=AT.replace(microsecond=900_000))


def test_the_second_of_signing_is_signed_in_a_form_that_others_check() -> None:
    assert notes.signed_at(TIMED, [KEY]) == AT
    assert notes.signed_at(NOTE, [KEY]) is None
    assert notes.signed_at(TIMED, [OTHER.verifier]) is None
    theirs = tlog.Checkpoint.from_text(TIMED)
    theirs.verify(signing.Vkey.from_string(str(KEY)))
    theirs.verify(signing.Vkey(KEY.name, None, 4, KEY.public))
    assert signing.Ed25519CosignatureVerifier.get_timestamp(theirs.signatures[1].payload) == AT.timestamp()


def test_another_second_or_another_tree_is_not_what_was_signed() -> None:
    *_, line, _ = TIMED.split("\n")
    blob = base64.b64decode(line.split(" ")[2])
    later = base64.b64encode(blob[:4] + (int(AT.timestamp()) + 1).to_bytes(8) + blob[12:]).decode()
    with pytest.raises(notes.BadSignature):
        notes.signed_at(TIMED.replace(line.split(" ")[2], later), [KEY])
    grown = notes.Head(HEAD.origin, HEAD.size + 1, HEAD.root)
    with pytest.raises(notes.BadSignature):
        notes.signed_at(notes.sign(grown.text(), SIGNER) + line + "\n", [KEY])


def test_each_of_two_keys_signs_and_either_is_enough() -> None:
    note = notes.sign(HEAD.text(), SIGNER, OTHER, at=AT)
    for key in (KEY, OTHER.verifier):
        assert notes.read(note, [key]) == HEAD.text()
        assert notes.signed_at(note, [key]) == AT
        tlog.Checkpoint.from_text(note).verify(signing.Vkey.from_string(str(key)))


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+0+", str(KEY).replace("example", "exemple"), str(KEY)[:-4], "a b" + str(KEY)[15:],
        "name+00000000+AgAA",
        SIGNER.text(),
    ],
)  # fmt: skip
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(notes.BadKey):
        notes.Verifier.parse(text)


@pytest.mark.parametrize("text", ["", str(KEY), SIGNER.text().replace("log", "lag"), SIGNER.text()[:-8]])
def test_what_is_no_private_key_is_refused(text: str) -> None:
    with pytest.raises(notes.BadKey):
        notes.Signer.parse(text)


@pytest.mark.parametrize("text", ["", "\n", "no end", "tab\t\n"])
def test_what_cannot_be_a_notes_text_is_not_signed(text: str) -> None:
    with pytest.raises(notes.BadNote):
        notes.sign(text, SIGNER)
