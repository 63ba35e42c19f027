"""The vault: documents on this organisation's disk, under the name of their content.

A document is spooled beside the vault, hashed while it passes, flushed to disk and moved into place in one step, so a
file under `aa/bb/<digest>` is whole and is what its name says, or is not there; its bytes are written once. The vault
knows no ledger, no salt and no reader; who may read is decided elsewhere.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger_node.documents.spool import SpooledDocument
from ledger_node.errors import BadRequest, NotFound


class TooLarge(BadRequest):
    """The document has more bytes than the node takes."""


class EmptyFile(BadRequest):
    """The document has no bytes."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What was stored: SHA-256 digest (32 bytes) and size in bytes."""

    digest: bytes
    size_bytes: int


class Vault:
    """Content-addressed documents in one folder; may be used from any thread and process.

    Args:
        folder: made when missing, readable by the owner only.
        size_bytes_max: a larger document is refused.
    """

    def __init__(self, folder: Path, size_bytes_max: int) -> None:
        self._folder = folder
        self._size_bytes_max = size_bytes_max
        self._incoming = folder / "incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._incoming.mkdir(exist_ok=True, mode=0o700)

    def spool(self) -> SpooledDocument:
        """Where a document may be written that is perhaps to be kept; closed without that, it is gone."""
        return SpooledDocument(self._incoming)

    def keep(self, document: SpooledDocument) -> StoredDocument:
        """Keep a document that `spool` gave; the same content is kept once.

        Returns: its digest and size, once it is safely on disk.

        Raises: TooLarge, EmptyFile; nothing is kept then.
        """
        if document.size_bytes > self._size_bytes_max:
            raise TooLarge(
                f"the document is larger than {self._size_bytes_max} bytes",
                "Send a smaller one, or raise limits.document_size_bytes_max in node.toml.",
            )
        if document.size_bytes == 0:
            raise EmptyFile("the document is empty", "Choose the file again.")
        place = self.path(document.digest)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        document.take_name().replace(place)  # also over a file that is there: that one may be damaged
        for folder in (place.parent, place.parent.parent, self._folder):
            _sync_folder(folder)
        return StoredDocument(document.digest, document.size_bytes)

    def open(self, digest: bytes) -> BinaryIO:
        """The content of a document, to read.

        Raises: NotFound when the vault does not have it.
        """
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise NotFound(
                f"the vault does not have the document {digest.hex()}", "Restore the vault from a backup."
            ) from None

    def path(self, digest: bytes) -> Path:
        """Where a document of that digest lies, or would lie."""
        name = digest.hex()
        return self._folder / name[:2] / name[2:4] / name

    def place_of(self, digest: bytes) -> str:
        """Where a document of that digest lies within the vault, parts joined by slashes."""
        return self.path(digest).relative_to(self._folder).as_posix()

    def files(self) -> Iterator[str]:
        """The places of all files; but not of uploads that are still coming in."""
        for folder, folders, names in os.walk(self._folder):
            here = Path(folder)
            if here == self._folder:
                folders.remove(self._incoming.name)
            folders.sort()
            inside = here.relative_to(self._folder)
            yield from ((inside / name).as_posix() for name in sorted(names))

    def changed_at(self, place: str) -> float:
        """When the file at that place was last written, in seconds since 1970; infinite when it is gone."""
        try:
            return (self._folder / place).lstat().st_mtime
        except FileNotFoundError:
            return math.inf

    def delete(self, digest: bytes) -> None:
        """Erase a document; nothing happens when it is not there."""
        self.path(digest).unlink(missing_ok=True)

    def clear_incoming(self, age_seconds_min: float) -> None:
        """Remove what an upload left behind that a kill interrupted: temporary files at least that old."""
        for left in self._incoming.iterdir():
            if abs(time.time() - left.stat().st_mtime) >= age_seconds_min:
                left.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
