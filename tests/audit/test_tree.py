"""Trees of 0 to 64 leaves: every root and proof against implementations of others, and mutated ones refused."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tlog_scales import signing, tlog
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from audit import tree

LARGEST = 64
LEAVES = [tree.leaf_hash(f"leaf {index}".encode()) for index in range(LARGEST)]
ROOTS = [tree.root(LEAVES[:size]) for size in range(LARGEST + 1)]
NODE = tree.nodes_over(LEAVES)
INCLUSIONS = [(index, size) for size in range(1, LARGEST + 1) for index in range(size)]
CONSISTENCIES = [(first, second) for second in range(LARGEST + 1) for first in range(second + 1)]


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    """pymerkle's table, from a process of its own."""
    program = Path(__file__).with_name("pymerkle_table.py")
    done = subprocess.run([sys.executable, str(program), str(LARGEST)], capture_output=True, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def mutations(proof: list[bytes]) -> list[list[bytes]]:
    """Each hash with one bit turned, left out, doubled, cut short; neighbours swapped; one more at either end."""
    found = [[*proof, ROOTS[3]], [ROOTS[3], *proof]]
    for at, step in enumerate(proof):
        before, after = proof[:at], proof[at + 1 :]
        turned = bytes([step[0] ^ 1]) + step[1:]
        found += [[*before, turned, *after], [*before, *after], [*before, step, step, *after]]
        found += [[*before, step[:-1], *after]]
    found += [[*proof[:at], proof[at + 1], proof[at], *proof[at + 2 :]] for at in range(len(proof) - 1)]
    return found


def subproof(first: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962, 2.1.2, word by word."""
    if first == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = half(leaves)
    if first <= k:
        return [*subproof(first, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*subproof(first - k, leaves[k:], whole=False), naive_root(leaves[:k])]


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    k = half(leaves)
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def half(leaves: list[bytes]) -> int:
    return max(2**power for power in range(8) if 2**power < len(leaves))


def test_known_hashes_are_those_of_the_standard() -> None:
    assert tree.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert tree.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


def test_roots_are_those_of_another_implementation(others: dict[str, Any]) -> None:
    assert [found.hex() for found in ROOTS] == others["roots"]


def test_every_inclusion_proof_is_that_of_another_implementation(others: dict[str, Any]) -> None:
    ours = {f"{i} {size}": [step.hex() for step in tree.inclusion(i, size, NODE)] for i, size in INCLUSIONS}
    assert len(ours) == 2080
    assert ours == others["inclusion"]


def test_every_consistency_proof_is_that_of_the_standards_own_definition() -> None:
    real = [(first, second) for first, second in CONSISTENCIES if 0 < first < second]
    assert len(real) == 2016
    for first, second in real:
        assert tree.consistency(first, second, NODE) == subproof(first, LEAVES[:second], whole=True)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> TilesReader:
    """A log of the same leaves that tlog-scales wrote as tiles, and makes proofs from."""
    folder = tmp_path_factory.mktemp("tiles") / "log"
    writer = TilesWriter.create(folder, "example.com/tiles")
    for index in range(LARGEST):
        writer.add_leaf(f"leaf {index}".encode())
    writer.commit([signing.DummySigner()])
    found = TilesReader(LocalBackend(folder))
    found.set_size(LARGEST)
    return found


def test_every_proof_of_both_kinds_is_that_of_another_implementation(reader: TilesReader) -> None:
    for index, size in INCLUSIONS:
        assert tree.inclusion(index, size, NODE) == reader.get_inclusion_proof(index, size).node_hashes
    real = [(first, second) for first, second in CONSISTENCIES if first]
    assert len(real) == 2080
    for first, second in real:
        assert tree.consistency(first, second, NODE) == reader.get_consistency_proof(first, second).node_hashes


def test_every_proof_convinces_another_verifier() -> None:
    for index, size in INCLUSIONS:
        tlog.InclusionProof(index, size, tree.inclusion(index, size, NODE)).check(LEAVES[index], ROOTS[size])
    for first, second in CONSISTENCIES:
        proof = tlog.ConsistencyProof(first, second, tree.consistency(first, second, NODE))
        proof.check(ROOTS[first], ROOTS[second])


def test_every_inclusion_proof_holds_and_no_mutated_one_does() -> None:
    for index, size in INCLUSIONS:
        path = tree.inclusion(index, size, NODE)
        assert tree.includes(LEAVES[index], index, size, path, ROOTS[size])
        wrong = [other for other in mutations(path) if other != path]
        assert not any(tree.includes(LEAVES[index], index, size, other, ROOTS[size]) for other in wrong)
        assert not tree.includes(LEAVES[index - 1], index, size, path, ROOTS[size]) or size == 1
        assert not tree.includes(LEAVES[index], index, size, path, ROOTS[size - 1])
        assert not any(tree.includes(LEAVES[index], i, size, path, ROOTS[size]) for i in range(-1, 66) if i != index)


def test_every_consistency_proof_holds_and_no_mutated_one_does() -> None:
    for first, second in CONSISTENCIES:
        proof = tree.consistency(first, second, NODE)
        old, new = ROOTS[first], ROOTS[second]
        assert tree.extends(first, second, old, new, proof)
        assert not any(tree.extends(first, second, old, new, other) for other in mutations(proof) if other != proof)
        assert not tree.extends(first, second, ROOTS[first - 1], new, proof)
        if first:  # whatever comes after an empty tree extends it
            assert not tree.extends(first, second, old, ROOTS[second - 1], proof)


def test_another_size_is_another_proof() -> None:
    """A proof says nothing about sizes; the checkpoint does. Where the shape differs it is refused."""
    assert not tree.includes(LEAVES[3], 3, 9, tree.inclusion(3, 8, NODE), ROOTS[8])
    assert not tree.extends(6, 9, ROOTS[6], ROOTS[7], tree.consistency(6, 7, NODE))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_path_is_made_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(tree.NoSuchProof):
        tree.inclusion(index, size, NODE)
    assert not tree.includes(LEAVES[0], index, size, [], LEAVES[0])


@pytest.mark.parametrize(("first", "second"), [(-1, 3), (4, 3)])
def test_no_proof_is_made_from_a_larger_to_a_smaller_tree(first: int, second: int) -> None:
    with pytest.raises(tree.NoSuchProof):
        tree.consistency(first, second, NODE)
    assert not tree.extends(first, second, ROOTS[0], ROOTS[3], [])


def test_a_tree_grows_from_its_frontier_as_if_from_all_its_leaves() -> None:
    for start in range(LARGEST + 1):
        grown = tree.frontier(start, NODE)
        assert grown.root() == ROOTS[start]
        for index in range(start, LARGEST):
            made = grown.append(LEAVES[index])
            assert made == [(level, at, NODE(level, at)) for level, at, _ in made]
            assert len(made) == (index + 1 & -(index + 1)).bit_length() - 1
            assert (grown.size, grown.root()) == (index + 1, ROOTS[index + 1])


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="frontier"):
        tree.Frontier(3, [LEAVES[0]])
