"""Names of documents that were read before names were kept: read once more, in the background, within bounds.

Own documents are read from the vault, those of others through `reading`, which fetches and hashes them anew. What the
verifier has not attested yet is left to it: it keeps the names as it reads. Nothing is attested here, and what cannot
be read now is tried again when the node starts anew.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from ledger_node.database import Database
from ledger_node.documents.index import Documents
from ledger_node.documents.vault import Vault
from ledger_node.errors import NodeError
from ledger_node.hashing import UnreadableError
from ledger_node.hashing.digest import hash_one
from ledger_node.people.names import Names
from ledger_node.readmodel import ReadModel, Record
from ledger_node.verification.recompute import Recomputed

KINDS_WITH_WORDS = ("invoice", "transport_events")
DOCUMENTS_A_LOOK = 200
LOOK_SECONDS, PAUSE_SECONDS = 60.0, 0.02
FAILURES_MAX = 5
"""So many documents of one submitter that cannot be had, and no more of it are asked for."""
Place = tuple[int, str]
"""A document: the block that wrote it, and its id."""
START: Place = (-1, "")
Read = Callable[[Record, Path, str], Recomputed]
log = structlog.get_logger(__name__)


@dataclass
class Namer:
    """Goes through all documents once, in the ledger's order, and goes on with those that come.

    Args:
        msp_id: whose node this is.
        open_others: `Reader.open`.
        read: what a document says, as the verifier reads it.
    """

    msp_id: str
    readmodel: ReadModel
    documents: Documents
    vault: Vault
    names: Names
    state: Database
    open_others: Callable[[Record], BinaryIO]
    read: Read

    def __post_init__(self) -> None:
        self._failures: Counter[str] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what is new is looked at once a minute."""
        self._failures.clear()
        place = START
        while not stop.is_set():
            before, place = place, self.look(place, stop)
            if place == before:
                stop.wait(LOOK_SECONDS)

    def look(self, place: Place, stop: threading.Event) -> Place:
        """Name the next documents after a place. Returns: where it got to; the same place when there is none."""
        found = self.readmodel.documents_after(place, self.msp_id, DOCUMENTS_A_LOOK)
        known = self.names.of([each["document_id"] for each in found])
        for document in found:
            if document["document_id"] not in known and self._may_be_named(document):
                self._name(document)
                if stop.wait(PAUSE_SECONDS):
                    break
            place = document["block_number"], document["document_id"]
        return place

    def _may_be_named(self, document: Record) -> bool:
        own = document["submitter"] == self.msp_id
        has_words = document["kind"] in KINDS_WITH_WORDS
        return own or (has_words and self._failures[document["submitter"]] < FAILURES_MAX)

    def _name(self, document: Record) -> None:
        try:
            said = self._read_anew(document)
        except (NodeError, OSError, UnreadableError) as error:
            self._failures[document["submitter"]] += 1
            log.warning("a document is not named", document_id=document["document_id"], reason=str(error))
            return
        with self.state.write() as session:
            for statement in (
                *self.names.insertion(said.names, keep=True),
                *self.names.insertion(said.shipment_names, keep=True),
            ):
                session.connection().execute(statement)

    def _read_anew(self, document: Record) -> Recomputed:
        own = self.documents.get(document["document_id"])
        if own is not None:
            path = self.vault.path(own.digest)
            if hash_one(path).digest != own.digest:  # the scrubber tells people
                raise NodeError(f"{path} is not what was stored there")
            return self.read(document, path, own.filename)
        with closing(self.open_others(document)) as stream, tempfile.NamedTemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.flush()
            return self.read(document, Path(copy.name), "")
