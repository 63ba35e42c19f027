"""Merkle trees: one root for any number of leaves, and for each leaf a short proof that it is under that root.

A leaf is 32 bytes that are a leaf hash already: a commitment, SHA-256(0x00 ‖ salt ‖ digest), has the leaf form. A node
is SHA-256(0x01 ‖ left ‖ right), so no leaf can pass for a node. Pairing level by level, a last one without partner
rising as it is, gives the very tree that the RFC defines by halves. This module reads no file and knows no ledger.
Source: RFC 9162 sections 2.1.1 (tree hash), 2.1.3.1 and 2.1.3.2 (inclusion proofs and their verification).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

LEAF_BYTES = 32


class Tree:
    """A tree over leaves, kept whole so that every proof costs only its own length.

    Args:
        leaves: at least one, 32 bytes each.

    Raises: ValueError.
    """

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves or any(len(leaf) != LEAF_BYTES for leaf in leaves):
            raise ValueError(f"a tree has at least one leaf, and each has {LEAF_BYTES} bytes")
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            paired = [_node(left, right) for left, right in zip(below[::2], below[1::2], strict=False)]
            self._levels.append(paired + below[len(paired) * 2 :])

    @property
    def root(self) -> bytes:
        """The tree head, 32 bytes."""
        return self._levels[-1][0]

    def inclusion_proof(self, index: int) -> list[bytes]:
        """The audit path of a leaf: what it is hashed with on the way up, from the bottom.

        Args:
            index: of the leaf, from 0.

        Raises: IndexError when there is no such leaf.
        """
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(f"there is no leaf {index} of {len(self._levels[0])}")
        path = []
        for level in self._levels[:-1]:
            if (index ^ 1) < len(level):
                path.append(level[index ^ 1])
            index //= 2
        return path


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its audit path lead to.

    Args:
        leaf: 32 bytes.
        index: of the leaf, from 0.
        size: how many leaves the tree has.
        path: 32 bytes each, from the bottom.

    Returns: 32 bytes; None when a tree of that size has no such leaf, or the path has another length than its own.
    """
    if not 0 <= index < size:
        return None
    place, last, node, used = index, size - 1, leaf, 0
    while last:
        if place % 2 or place < last:  # it has a partner at this level; else it rises as it is
            if used == len(path):
                return None
            node = _node(path[used], node) if place % 2 else _node(node, path[used])
            used += 1
        place, last = place // 2, last // 2
    return node if used == len(path) else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
