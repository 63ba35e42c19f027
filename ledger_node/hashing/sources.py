"""What can be hashed, and what comes out: the nouns that every backend of this room shares.

This module reads nothing. A path is opened by whoever hashes it; a descriptor was opened by somebody else and stays
theirs; a buffer must not change until its digest is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ledger_node.errors import NodeError

DIGEST_BYTES = 32


class UnreadableError(NodeError):
    """A document's bytes could not be read to their end, so it has no digest; nothing is said about its content."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A regular file that is open for reading: read from its first byte by pread, never moved, never closed."""

    fd: int


Source = Path | Descriptor | bytes | bytearray | memoryview | BinaryIO


class Hashed(NamedTuple):
    """The digest of one document, and what computed it.

    Fields: 32 bytes; how many bytes were hashed; the name of the backend that really ran, such as `hashlib`,
    `native:avx512`, `native:sha-ni` or `gpu:NVIDIA H200`. A tuple, because a million of them are made at a time.
    """

    digest: bytes
    size_bytes: int
    backend: str


def describe(source: Source) -> str:
    """How an error names a source: the path, or what kind of thing it was."""
    if isinstance(source, Path):
        return str(source)
    if isinstance(source, Descriptor):
        return f"descriptor {source.fd}"
    return "a buffer" if isinstance(source, bytes | bytearray | memoryview) else "a stream"
