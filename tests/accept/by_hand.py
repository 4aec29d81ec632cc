"""A bundle checked with nothing of ours: python -m tests.accept.by_hand BUNDLE VKEY, a program of its own.

The signature of each note and its form by tlog-scales, every root from the lines of entries.jsonl by pymerkle. Prints
how many of each. `proof` does the same for the `.tlog-proof` of one entry.
"""

import base64
import hashlib
import sys
from pathlib import Path

from pymerkle import InmemoryTree
from tlog_scales import signing, tlog


def main(bundle: Path, vkey: str) -> int:
    """Raises where anything does not fit."""
    key = signing.Vkey.from_string(vkey)
    grown = InmemoryTree(algorithm="sha256")
    for line in (bundle / "entries.jsonl").read_bytes().splitlines():
        grown.append_entry(line)
    notes = sorted((bundle / "checkpoints").glob("*.note"), key=lambda path: int(path.stem))
    for path in notes:
        said = tlog.Checkpoint.from_text(path.read_text())
        said.verify(key)
        if (path.name, said.root_hash) != (f"{said.size}.note", grown.get_state(said.size)):
            raise SystemExit(f"{path.name}: {base64.b64encode(said.root_hash).decode()} is not the root of its lines")
    print(f"{len(notes)} notes signed, {len(notes)} roots from {grown.get_size()} lines")
    return 0


def proof(entry: bytes, text: str, vkey: str) -> None:
    """One entry and its proof in the form of c2sp.org/tlog-proof, by tlog-scales; raises where they do not fit."""
    top, _, note = text.partition("\n\n")
    form, index, *path = top.splitlines()
    said = tlog.Checkpoint.from_text(note)
    said.verify(signing.Vkey.from_string(vkey))
    if form != "c2sp.org/tlog-proof@v1":
        raise ValueError(f"{form} is another form")
    leads = tlog.InclusionProof(int(index.removeprefix("index ")), said.size, [base64.b64decode(one) for one in path])
    leads.check(hashlib.sha256(b"\x00" + entry).digest(), said.root_hash)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2]))
