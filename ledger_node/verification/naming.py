"""Names of documents that were read before names were kept: read once more, in the background, within bounds.

Own documents are read from the vault, those of others through `reading`, which fetches and hashes them anew. What the
verifier has not attested yet is left to it: it keeps the names as it reads. Nothing is attested here. What was read is
not fetched again, whether it had a name or not; what cannot be had is tried once in each pass, and after the last one
left alone for good: a document that is gone stays gone, and its names are for convenience.
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
PASSES, PASS_SECONDS, PAUSE_SECONDS = 3, 300.0, 0.02
"""Documents that come while the read model is folded may stand before the place that a pass has reached."""
FAILURES_MAX = 5
"""So many documents of one submitter, one after the other, that cannot be had, and no more of it are asked for."""
Read = Callable[[Record, Path, str], Recomputed]
log = structlog.get_logger(__name__)


@dataclass
class Namer:
    """Goes through all documents after an upgrade; what comes later is named as it comes.

    Args:
        msp_id: whose node this is.
        open_others: `Reader.open`.
        read: what a document says, as the verifier reads it.
        done: a file that is made after the last pass, and ends it for the next start.
    """

    msp_id: str
    readmodel: ReadModel
    documents: Documents
    vault: Vault
    names: Names
    state: Database
    open_others: Callable[[Record], BinaryIO]
    read: Read
    done: Path

    def __post_init__(self) -> None:
        self._failures: Counter[str] = Counter()
        self._read: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """A few passes over all documents, while the read model may still be folded; then never again."""
        for _ in range(0 if self.done.exists() else PASSES):
            self._failures.clear()
            self.name_all(stop)
            if stop.wait(PASS_SECONDS):
                return
        self._read.clear()
        self.done.touch()
        stop.wait()

    def name_all(self, stop: threading.Event) -> None:
        """One pass, in the order of ids, until `stop` is set."""
        last = ""
        while found := self.readmodel.documents_after(last, self.msp_id, DOCUMENTS_A_LOOK):
            known = self.names.of([each["document_id"] for each in found])
            for document in found:
                document_id = document["document_id"]
                if document_id not in known and document_id not in self._read and self._may_be_named(document):
                    self._name(document)
                    if stop.wait(PAUSE_SECONDS):
                        return
            last = found[-1]["document_id"]
            if stop.wait(PAUSE_SECONDS):
                return

    def _may_be_named(self, document: Record) -> bool:
        own = document["submitter"] == self.msp_id
        has_words = document["kind"] in KINDS_WITH_WORDS
        return own or (has_words and self._failures[document["submitter"]] < FAILURES_MAX)

    def _name(self, document: Record) -> None:
        try:
            said = self._read_anew(document)
        except Exception as error:  # whatever one file does to its reader, the others are named
            self._failures[document["submitter"]] += 1
            unforeseen = not isinstance(error, NodeError | OSError | UnreadableError)
            document_id, reason = document["document_id"], str(error) or type(error).__name__
            log.warning("a document is not named", document_id=document_id, reason=reason, exc_info=unforeseen)
            return
        del self._failures[document["submitter"]]
        self._read.add(document["document_id"])
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
