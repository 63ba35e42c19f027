"""SHA-256 of documents, of JSON values and of commitments, by the standard library: the reference of this room.

A document is read in pieces and never held in memory. A file is looked at before and after it is read: one that
changed meanwhile has no digest, since no moment may have existed at which it held the bytes that were read.
Source: FIPS 180-4, RFC 8785, RFC 9162 section 2.1.1.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

import rfc8785

from ledger_node.hashing.sources import DIGEST_BYTES, Descriptor, Hashed, Source, UnreadableError, describe

SALT_BYTES = 32
READ_BYTES = 1 << 20
# A named pipe in the place of a document must not hold up the batch, so nothing waits for its other end.
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK


def digest(source: Source) -> bytes:
    """The SHA-256 digest of one document.

    Args:
        source: a path, an open descriptor, a contiguous buffer, or a binary stream, which is read from where it
            stands to its end.

    Returns: 32 bytes.

    Raises: UnreadableError.
    """
    return hash_one(source).digest


def hash_one(source: Source) -> Hashed:
    """One document's digest and size by hashlib.

    Args:
        source: as in `digest`.

    Returns: what was hashed, by the backend `hashlib`.

    Raises: UnreadableError for what cannot be read, is no regular file, changed while it was read, or is a
        memoryview whose bytes do not lie side by side.
    """
    try:
        if isinstance(source, bytes | bytearray | memoryview):
            return Hashed(hashlib.sha256(source).digest(), memoryview(source).nbytes, "hashlib")
        if isinstance(source, Descriptor):
            return _hash_file(source.fd, source)
        if isinstance(source, Path):
            fd = os.open(source, OPEN_FLAGS)
            try:
                return _hash_file(fd, source)
            finally:
                os.close(fd)
        return _hash_stream(source)
    except (OSError, ValueError, BufferError) as error:
        raise unreadable(source, getattr(error, "strerror", None) or error) from error


def unreadable(source: Source, cause: object) -> UnreadableError:
    """The error for one source that every backend answers with."""
    return UnreadableError(f"cannot read {describe(source)}: {cause}", "look at the disk, then hash it again")


def changed(source: Source) -> UnreadableError:
    """The error for a file that was another one after it was read than before."""
    return UnreadableError(f"{describe(source)} changed while it was read", "wait for whoever writes it, then hash it")


def digest_json(value: object) -> bytes:
    """The SHA-256 digest of a JSON value in its canonical form (RFC 8785).

    Args:
        value: strings, booleans, None, lists, dicts with string keys, integers within 2^53.

    Returns: 32 bytes.

    Raises: ValueError for a value that has no canonical form.
    """
    try:
        return hashlib.sha256(rfc8785.dumps(value)).digest()
    except UnicodeEncodeError as error:
        raise ValueError(f"text that is not Unicode: {error}") from error


def commitment(salt: bytes, digest: bytes) -> bytes:
    """The salted digest that the ledger holds: SHA-256(0x00 ‖ salt ‖ digest), the leaf form of RFC 9162.

    Args:
        salt: 32 random bytes, which travel to the parties with the document and are deleted to erase it.
        digest: 32 bytes.

    Returns: 32 bytes.

    Raises: ValueError when either has another length, since two lengths could make the same bytes.
    """
    if len(salt) != SALT_BYTES or len(digest) != DIGEST_BYTES:
        raise ValueError(f"a commitment takes {SALT_BYTES} and {DIGEST_BYTES} bytes, not {len(salt)} and {len(digest)}")
    return hashlib.sha256(b"\x00" + salt + digest).digest()


def _hash_file(fd: int, source: Source) -> Hashed:
    before = os.fstat(fd)
    if not stat.S_ISREG(before.st_mode):
        raise unreadable(source, "it is not a regular file")
    sha256, size = hashlib.sha256(), 0
    # One that grows as fast as it is read would never end: beyond its first size it has changed anyway.
    while size <= before.st_size and (piece := os.pread(fd, READ_BYTES, size)):
        sha256.update(piece)
        size += len(piece)
    after = os.fstat(fd)
    if (size, after.st_size, after.st_mtime_ns) != (before.st_size, before.st_size, before.st_mtime_ns):
        raise changed(source)
    return Hashed(sha256.digest(), size, "hashlib")


def _hash_stream(stream: BinaryIO) -> Hashed:
    sha256, size = hashlib.sha256(), 0
    while piece := stream.read(READ_BYTES):
        sha256.update(piece)
        size += len(piece)
    return Hashed(sha256.digest(), size, "hashlib")
