"""Reads the tree from its tables: leaves, and the nodes kept at every eighth level. What lies between is computed."""

from audit import tree
from audit.models import Leaf, Node

BITS = 8
WIDTH = 1 << BITS


class Missing(LookupError):
    """The tables hold no such part of the tree."""


class Tiles:
    """`tree.Node` over the tables. A group of 256 is read once and kept: make a new one for each question."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, int], list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The hash over the 2**level leaves from index * 2**level on.

        Raises:
            Missing: there are not so many leaves.
        """
        kept = level - level % BITS
        width = 1 << (level - kept)
        group, start = divmod(index * width, WIDTH)
        hashes = self._group(kept, group)[start : start + width]
        if len(hashes) < width:
            raise Missing(f"the tree has no whole node {level}/{index}")
        return tree.root(hashes)

    def _group(self, level: int, group: int) -> list[bytes]:
        if (level, group) not in self._read:
            rows = Leaf.objects.all() if level == 0 else Node.objects.filter(level=level)
            rows = rows.filter(index__gte=group * WIDTH, index__lt=(group + 1) * WIDTH).order_by("index")
            self._read[level, group] = [bytes(found) for found in rows.values_list("hash", flat=True)]
        return self._read[level, group]
