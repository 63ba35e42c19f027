"""SHA-256 of documents, of JSON values and of commitments, by the standard library.

A document is read in pieces and never held in memory; what cannot be read is an answer of its own and never spoils
the batch that it came in. Source: FIPS 180-4, RFC 8785, RFC 9162 section 2.1.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import rfc8785

from ledger_node.errors import NodeError

DIGEST_BYTES = 32
SALT_BYTES = 32
READ_BYTES = 1 << 20

Source = Path | bytes | BinaryIO


class UnreadableError(NodeError):
    """A document's bytes could not be read to their end, so it has no digest; nothing is said about its content."""


def digest(source: Source) -> bytes:
    """The SHA-256 digest of one document.

    Args:
        source: a path, the bytes themselves, or a binary stream, which is read from where it stands to its end.

    Returns: 32 bytes.

    Raises: UnreadableError.
    """
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    try:
        if isinstance(source, Path):
            with source.open("rb", buffering=0) as stream:
                return _digest_stream(stream)
        return _digest_stream(source)
    except (OSError, ValueError) as error:
        name = str(source) if isinstance(source, Path) else "a stream"
        raise UnreadableError(f"cannot read {name}: {error}", "look at the disk, then hash it again") from error


def digest_batch(sources: Sequence[Source]) -> list[bytes | UnreadableError]:
    """The SHA-256 digests of many documents, in their order; a failure stands in the place of its own document.

    Args:
        sources: as in `digest`.

    Returns: for each source 32 bytes, or the error that kept it from being read.
    """
    answers: list[bytes | UnreadableError] = []
    for source in sources:
        try:
            answers.append(digest(source))
        except UnreadableError as error:
            answers.append(error)
    return answers


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


def _digest_stream(stream: BinaryIO) -> bytes:
    sha256 = hashlib.sha256()
    while piece := stream.read(READ_BYTES):
        sha256.update(piece)
    return sha256.digest()
