"""One organisation's vault with documents that are on its ledger, and a scrubber over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consortium import kept, new_document
from sender import Sender, now

from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.documents.findings import Findings
from ledger_node.documents.index import Documents, OwnDocument
from ledger_node.documents.scrub import Scrubber, ScrubLimits, Scrubs
from ledger_node.documents.vault import Vault
from ledger_node.hashing import Hashed, UnreadableError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.past_cache import past_cache
from ledger_node.readmodel import SCHEMA_VERSION, ReadModel
from ledger_node.readmodel.projector import Projector


class Safe:
    """The vault of organisation A. `time` stands still unless a test moves it; `read` is what was hashed, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sender = Sender(folder)
        self.vault = Vault(folder / "vault", 10_000_000)
        self.documents = Documents(self.sender.database)
        self.database = Database(f"sqlite:///{folder / 'readmodel.db'}")
        self.database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        self.findings = Findings(self.sender.database, now)
        self.time = 1_000_000_000.0
        self.read: list[Path] = []

    def scrubber(self, limits: ScrubLimits | None = None) -> Scrubber:
        """As a fresh process opens it."""
        return Scrubber(
            vault=self.vault,
            documents=self.documents,
            readmodel=ReadModel(self.database),
            findings=self.findings,
            scrubs=Scrubs(self.sender.database),
            now=lambda: self.time,
            folder=self.folder,
            limits=limits or ScrubLimits(1000, 0.0, 1000.0),
        )

    def hash_files(self, paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        self.read += paths
        return past_cache(HashlibBackend().hash_batch)(paths)

    def keep(self, *contents: bytes, register: bool = True) -> list[OwnDocument]:
        """Store documents, and register them on the ledger."""
        stored_documents = []
        for content in contents:
            stored = kept(self.vault, content)
            own = new_document(stored, media_type="application/xml", kind="invoice", filename="f")
            body = {
                "document_id": own.document_id,
                "kind": own.kind,
                "media_type": own.media_type,
                "size_bytes": own.size_bytes,
                "algorithm": "SHA-256",
                "commitment": own.commitment,
                "entitled": ["B"],
            }
            self.sender.outbox.put("RegisterDocument", body, beside=self.documents.insertion(own))
            stored_documents.append(own)
        if register:
            self.sender.drain()
            Projector(self.database, self.sender.ledger, 1000).catch_up()
        return stored_documents

    def path(self, document: OwnDocument) -> Path:
        return self.vault.path(document.digest)

    def open_findings(self) -> list[tuple[str, str]]:
        return sorted((row["kind"], row["document_id"]) for row in self.findings.list(state="open", per_page=500)[0])

    def close(self) -> None:
        self.sender.ledger.close()
        self.sender.database.close()
        self.database.close()
