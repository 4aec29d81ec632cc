"""RFC 6962 Merkle trees: hashes, a root that grows without all leaves, both kinds of proof and their check. Pure.

Holds no tree: whoever asks for a proof brings `node(level, index)`, the hash over the 2**level leaves from
index * 2**level on. Refuses sizes and indexes that are no tree's.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

HASH_BYTES = 32
EMPTY = hashlib.sha256().digest()
Node = Callable[[int, int], bytes]
Range = tuple[int, int]


class NoSuchProof(ValueError):
    """No tree of this size holds this leaf, or no smaller tree has this size."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


class Frontier:
    """The perfect subtrees of a tree from left to right: all that is needed to append and to know the root."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        if len(hashes) != size.bit_count():
            raise ValueError(f"{len(hashes)} hashes are not the frontier of {size} leaves")
        self.size, self._hashes = size, list(hashes)

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; the nodes that are whole by it, as (level, index, hash) from level 1 up."""
        index, level, made = self.size, 0, []
        self.size += 1
        while index & 1:
            leaf = node_hash(self._hashes.pop(), leaf)
            index, level = index >> 1, level + 1
            made.append((level, index, leaf))
        self._hashes.append(leaf)
        return made

    def root(self) -> bytes:
        """The root; SHA-256 of nothing for no leaves."""
        return _fold(self._hashes)


def frontier(size: int, node: Node) -> Frontier:
    """The frontier of the first `size` leaves of a tree."""
    return Frontier(size, [node(level, index) for level, index in _perfect((0, size))])


def nodes_over(leaves: Sequence[bytes]) -> Node:
    """`node` of a tree whose leaf hashes lie in memory."""

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return leaves[index]
        return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))

    return node


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The path from leaf `index` to the root of the first `size` leaves (RFC 6962, 2.1.1).

    Raises:
        NoSuchProof: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise NoSuchProof(f"a tree of {size} has no leaf {index}")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return [_over(part, node) for part in reversed(path)]


def consistency(first: int, second: int, node: Node) -> list[bytes]:
    """The proof that the tree of `first` leaves is the beginning of that of `second` (RFC 6962, 2.1.2).

    Empty where nothing is to prove: equal sizes, or an empty first one.

    Raises:
        NoSuchProof: `first` is not from 0 to `second`.
    """
    if not 0 <= first <= second:
        raise NoSuchProof(f"a tree of {second} does not begin with one of {first}")
    if first in (0, second):
        return []
    start, end, path = 0, second, []
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    known = [] if start == 0 else [(start, end)]  # from 0 on it is the first tree itself
    return [_over(part, node) for part in (*known, *reversed(path))]


def includes(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether the path leads from this leaf hash to this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0 or len(step) != HASH_BYTES:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def extends(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the first tree is the beginning of the second (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first in (0, second):
        return not proof and first_root == (EMPTY if first == 0 else second_root)
    steps = list(proof) if first & (first - 1) else [first_root, *proof]
    if not proof or any(len(step) != HASH_BYTES for step in steps):
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(width: int) -> int:
    """The largest power of two below a width of at least 2."""
    return 1 << ((width - 1).bit_length() - 1)


def _perfect(part: Range) -> Iterator[tuple[int, int]]:
    """(level, index) of the perfect subtrees of a range whose start fits its width, left to right."""
    start, end = part
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _over(part: Range, node: Node) -> bytes:
    return _fold([node(level, index) for level, index in _perfect(part)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    if not hashes:
        return EMPTY
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found
