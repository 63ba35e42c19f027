"""Merkle trees: the RFC's own definition by halves gives the same roots and paths, and nothing else verifies."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest

from ledger_node.hashing.merkle import Tree, root_of_path

LEAVES = [hashlib.sha256(b"\x00" + bytes([number])).digest() for number in range(70)]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to that root."""
    return root_of_path(leaf, index, size, path) == root


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def half(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = half(len(leaves))
    return node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def path_of(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1, word for word."""
    if len(leaves) == 1:
        return []
    k = half(len(leaves))
    if index < k:
        return [*path_of(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*path_of(index - k, leaves[k:]), tree_hash(leaves[:k])]


@pytest.mark.parametrize("size", range(1, 71))
def test_roots_and_paths_are_those_of_the_rfc_and_every_leaf_verifies(size: int) -> None:
    leaves = LEAVES[:size]
    tree = Tree(leaves)
    assert tree.root == tree_hash(leaves)
    for index, leaf in enumerate(leaves):
        path = tree.inclusion_proof(index)
        assert path == path_of(index, leaves)
        assert verify_inclusion(leaf, index, size, path, tree.root)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_a_proof_with_one_thing_changed_does_not_verify(size: int) -> None:
    tree = Tree(LEAVES[:size])
    for index in range(size):
        leaf, path = LEAVES[index], tree.inclusion_proof(index)
        assert not verify_inclusion(LEAVES[-1], index, size, path, tree.root)
        assert not verify_inclusion(leaf, index, size, path, LEAVES[-1])
        assert not verify_inclusion(leaf, index, size, [*path, LEAVES[-1]], tree.root)
        assert not verify_inclusion(leaf, index + size, size, path, tree.root)
        assert not verify_inclusion(leaf, -1, size, path, tree.root)
        for other in set(range(size)) - {index}:
            assert not verify_inclusion(leaf, other, size, path, tree.root)
        for place in range(len(path)):
            assert not verify_inclusion(leaf, index, size, path[:place] + path[place + 1 :], tree.root)
            swapped = [*path[:place], LEAVES[-1], *path[place + 1 :]]
            assert not verify_inclusion(leaf, index, size, swapped, tree.root)


def test_an_inner_node_cannot_pass_for_a_leaf() -> None:
    """The attack that the two prefixes are for; its control is the leaf itself."""
    tree = Tree(LEAVES[:4])
    inner = node(LEAVES[0], LEAVES[1])
    assert root_of_path(inner, 0, 2, [node(LEAVES[2], LEAVES[3])]) == tree.root  # of a tree of two, never of four
    assert not verify_inclusion(inner, 0, 4, tree.inclusion_proof(0)[1:], tree.root)
    assert verify_inclusion(LEAVES[0], 0, 4, tree.inclusion_proof(0), tree.root)


@pytest.mark.parametrize("leaves", [[], [b"short"], [LEAVES[0], b""]])
def test_a_tree_needs_leaves_of_32_bytes(leaves: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tree(leaves)


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError, match="of 3"):
            Tree(LEAVES[:3]).inclusion_proof(index)
