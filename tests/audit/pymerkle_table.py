"""Run as a program of its own: roots and inclusion paths of trees of 0 to `sys.argv[1]` leaves by pymerkle, as JSON.

pymerkle puts the leaf itself before a path, RFC 6962 leaves it out. Its consistency proofs have a form of their own.
"""

import json
import sys

from pymerkle import InmemoryTree


def table(largest: int) -> dict[str, object]:
    """Leaf i is the text `leaf i`."""
    tree = InmemoryTree(algorithm="sha256")
    for index in range(largest):
        tree.append_entry(f"leaf {index}".encode())
    return {
        "roots": [tree.get_state(size).hex() for size in range(largest + 1)],
        "inclusion": {
            f"{index} {size}": [step.hex() for step in tree.prove_inclusion(index + 1, size).path[1:]]
            for size in range(1, largest + 1)
            for index in range(size)
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(table(int(sys.argv[1]))))
