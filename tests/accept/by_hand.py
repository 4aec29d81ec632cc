"""A bundle checked with nothing of ours: python -m tests.accept.by_hand BUNDLE VKEY, a program of its own.

The signature of each note and its form by tlog-scales, every root from the lines of entries.jsonl by pymerkle. Prints
how many of each.
"""

import base64
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


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), sys.argv[2]))
