"""Documents of others to be read by people here: fetched over the peer door, hashed, and kept for a while.

Bytes are shown only when their commitment is the ledger's, hashed anew each time, whether they come from the other
node or lie here since before. What lies here is disposable and bounded: the one that was read the longest ago goes
first. Nothing is attested here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ledger_node.errors import NodeError
from ledger_node.hashing import UnreadableError, commitment
from ledger_node.hashing.digest import hash_one
from ledger_node.hashing.sources import Descriptor
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.exchange import ExchangeError, Unavailable
from ledger_node.verification.fetcher import Fetch

ARRIVING = "."
ARRIVING_SECONDS_MAX = 3600.0
FETCHES_AT_ONCE = 4
"""So that submitters that answer slowly hold up a few requests of people, never all of them."""


class Differs(NodeError):
    """The other node gave other bytes than those that the ledger has a commitment to."""


class Reader:
    """Documents of others, one at a time; may be used from any thread and process.

    Args:
        fetch: `Exchange.fetch`.
        readmodel: knows where a submitter's door is.
        folder: for what was read; made when needed.
        size_bytes_max: of one document.
        bytes_max: of all that is kept.
    """

    def __init__(self, fetch: Fetch, readmodel: ReadModel, folder: Path, size_bytes_max: int, bytes_max: int) -> None:
        self._fetch = fetch
        self._readmodel = readmodel
        self._folder = folder
        self._size_bytes_max = size_bytes_max
        self._bytes_max = bytes_max
        self._room = threading.BoundedSemaphore(FETCHES_AT_ONCE)

    def open(self, document: Record) -> BinaryIO:
        """The content of a document that this organisation is entitled to.

        Args:
            document: the ledger's record of it.

        Raises: Unavailable, NotEntitled, Differs, ExchangeError.
        """
        for path in self._kept(document["document_id"]):
            stream = _checked(path, document)
            if stream is not None:
                os.utime(path)
                return stream
            path.unlink(missing_ok=True)  # the disk has changed it
        if not self._room.acquire(blocking=False):
            raise Unavailable(f"{FETCHES_AT_ONCE} documents are being fetched already", "Try again in a moment.")
        try:
            return self._fetched(document)
        finally:
            self._room.release()

    def kept(self, document: Record) -> BinaryIO | None:
        """The content of a document that lies here and is what the ledger commits to; None when none does."""
        for path in self._kept(document["document_id"]):
            if (stream := _checked(path, document)) is not None:
                return stream
        return None

    def keep(self, document: Record, salt: bytes, path: Path) -> None:
        """Keep what was fetched and verified already, for those who read it later.

        Args:
            document: the ledger's record of it.
            salt: of its commitment.
            path: its whole content; it may lie on another disk.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=ARRIVING)
        arriving = Path(name)
        try:
            with os.fdopen(handle, "wb") as sink, path.open("rb") as source:
                shutil.copyfileobj(source, sink)
            arriving.replace(self._folder / f"{document['document_id']}-{salt.hex()}")
        finally:
            arriving.unlink(missing_ok=True)
        self._make_room()

    def _fetched(self, document: Record) -> BinaryIO:
        party = self._readmodel.party(document["submitter"])
        if party is None:
            raise ExchangeError(f"there is no party {document['submitter']}")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=ARRIVING)
        path, document_id = Path(name), document["document_id"]
        try:
            with os.fdopen(handle, "wb") as sink:
                given = self._fetch(party["peer_url"], document["submitter"], document_id, sink, self._size_bytes_max)
            place = self._folder / f"{document_id}-{given.salt.hex()}"
            path.replace(place)
        finally:
            path.unlink(missing_ok=True)
        stream = _checked(place, document)
        if stream is None:
            place.unlink(missing_ok=True)
            text = f"what {document['submitter']} gave as the document {document_id} is not what the ledger commits to"
            raise Differs(text, "Ask that organisation; this node's verifier tells the ledger: GET /v1/findings")
        self._make_room()
        return stream

    def _kept(self, document_id: str) -> Iterator[Path]:
        yield from self._folder.glob(f"{document_id}-*")

    def _make_room(self) -> None:
        """Remove what was read the longest ago, until the rest fits; whoever has one of them open reads on."""
        found = []
        for path in self._folder.iterdir():
            try:
                status = path.stat()
            except FileNotFoundError:  # another request was here
                continue
            if path.name.startswith(ARRIVING) and abs(time.time() - status.st_mtime) < ARRIVING_SECONDS_MAX:
                continue
            found.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._bytes_max:
                return
            path.unlink(missing_ok=True)
            total -= size


def _checked(path: Path, document: Record) -> BinaryIO | None:
    """The file, open, if it is what the ledger commits to; its name ends with the salt."""
    try:
        stream = path.open("rb")
        digest = hash_one(Descriptor(stream.fileno())).digest
    except (OSError, UnreadableError):
        return None
    if commitment(bytes.fromhex(path.name.partition("-")[2]), digest).hex() == document["commitment"]:
        return stream
    stream.close()
    return None
