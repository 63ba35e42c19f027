"""Composite keys: several parts in one key that sorts by them, in a namespace that simple keys do not reach.

Source: `shim/stub.go` of fabric-chaincode-go; the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

NAMESPACE = "\x00"
SEPARATOR = "\x00"
LAST = "\U0010ffff"
FIRST_SIMPLE = "\x01"
"""Where a range without a start begins: behind all composite keys."""


def create_composite_key(object_type: str, attributes: Sequence[str]) -> str:
    """Combine a type and attributes into one key.

    Raises:
        ValueError: a part is no valid text or holds U+0000 or U+10FFFF.
    """
    parts = (object_type, *attributes)
    for part in parts:
        if SEPARATOR in part or LAST in part:
            raise ValueError(f"{part!r} holds U+0000 or U+10FFFF, which no part of a composite key may")
        part.encode()  # raises for lone surrogates, which no peer can read
    return NAMESPACE + "".join(part + SEPARATOR for part in parts)


def split_composite_key(key: str) -> tuple[str, list[str]]:
    """The type and the attributes of a composite key.

    Raises:
        ValueError: the key is none.
    """
    if len(key) < 2 or key[0] != NAMESPACE or key[-1] != SEPARATOR:
        raise ValueError(f"{key!r} is no composite key")
    object_type, *attributes = key[1:-1].split(SEPARATOR)
    return object_type, attributes


def partial_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """First and last bound of all composite keys that begin with these parts and have more."""
    prefix = create_composite_key(object_type, attributes)
    return prefix, prefix + LAST


def check_simple(*keys: str) -> None:
    """Raise ValueError for a key in the composite keys' namespace."""
    for key in keys:
        if key.startswith(NAMESPACE):
            raise ValueError(f"{key!r} begins with U+0000, which is for composite keys")
