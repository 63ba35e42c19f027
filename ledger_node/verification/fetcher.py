"""Documents of others as files in one folder, for as long as they are looked at; a kill's leftovers are removed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.exchange import ExchangeError, Given

Fetch = Callable[[str, str, str, BinaryIO, int], Given]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document of another organisation as it came: its record, where its bytes are for now, how many, what else."""

    document: Record
    path: Path
    size_bytes: int
    given: Given

    @property
    def document_id(self) -> str:
        """The document's id."""
        return str(self.document["document_id"])


class Fetcher:
    """Fetches documents into one folder; may be used from any thread.

    Args:
        fetch: `Exchange.fetch`.
        readmodel: knows where a submitter's door is.
        folder: for the bytes while they are looked at.
        size_bytes_max: what this node takes, whatever the submitter announced: a file that has grown since then is a
            mismatch, which only hashing it can show.
    """

    def __init__(self, fetch: Fetch, readmodel: ReadModel, folder: Path, size_bytes_max: int) -> None:
        self._fetch = fetch
        self._readmodel = readmodel
        self._folder = folder
        self._size_bytes_max = size_bytes_max

    def clear(self) -> None:
        """Remove what a kill left behind."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self._folder.iterdir():
            left.unlink(missing_ok=True)

    def get(self, document: Record) -> Fetched:
        """Fetch one document.

        Raises: ExchangeError, OSError; nothing is kept then.
        """
        party = self._readmodel.party(document["submitter"])
        if party is None:
            raise ExchangeError(f"there is no party {document['submitter']}")
        handle, name = tempfile.mkstemp(dir=self._folder)
        path = Path(name)
        try:
            with os.fdopen(handle, "wb") as sink:
                given = self._fetch(
                    party["peer_url"], document["submitter"], document["document_id"], sink, self._size_bytes_max
                )
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Fetched(document, path, path.stat().st_size, given)
