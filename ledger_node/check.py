"""Checking one node's databases and vault against what they must agree with; reads only, mends nothing.

1. The read model equals a fresh fold of the ledger's blocks up to its checkpoint.
2. Both books sum to zero, cash by deposit kind, obligations by invoice.
3. Every own document's file is in the vault and has the digest that its name says.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func
from sqlmodel import col, select

from ledger_node.config import SQLITE_PREFIX
from ledger_node.database import Database, ReadModelSchema, ReadModelTable
from ledger_node.documents.index import OwnDocument
from ledger_node.hashing import UnreadableError
from ledger_node.node import Node
from ledger_node.readmodel import SCHEMA_VERSION
from ledger_node.readmodel.projector import Projector
from ledger_node.readmodel.tables import AccountRow, Checkpoint, dump

DOCUMENTS_A_BATCH = 200


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found. `tables_differing`, `books_unbalanced` and `documents_bad` are empty when all is well."""

    blocks: int
    documents: int
    tables_differing: list[str]
    books_unbalanced: list[str]
    documents_bad: list[str]

    @property
    def well(self) -> bool:
        """Whether nothing false was found."""
        return not (self.tables_differing or self.books_unbalanced or self.documents_bad)


def check_node(node: Node) -> CheckReport:
    """Check one node, which may be running.

    Args:
        node: with its ledger reachable.

    Raises: ProjectionError when the ledger's blocks cannot be folded; LedgerError.
    """
    with node.readmodel_database.read() as session:
        checkpoint = session.get(Checkpoint, 0)
        blocks = 0 if checkpoint is None else checkpoint.next_block
        tables = dump(session)
        balance = func.sum(AccountRow.balance_minor)
        unbalanced = session.exec(
            select(AccountRow.book, AccountRow.unit, AccountRow.invoice_id)
            .group_by(col(AccountRow.book), col(AccountRow.unit), col(AccountRow.invoice_id))
            .having(balance != 0)
        ).all()
    fresh = _fresh_fold(node, blocks)
    documents, bad = _documents(node)
    return CheckReport(
        blocks=blocks,
        documents=documents,
        tables_differing=[name for name, rows in tables.items() if rows != fresh[name]],
        books_unbalanced=[" ".join(filter(None, book)) for book in unbalanced],
        documents_bad=bad,
    )


def _fresh_fold(node: Node, blocks: int) -> dict[str, list[tuple[object, ...]]]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"{SQLITE_PREFIX}{Path(folder) / 'check.db'}")
        try:
            database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
            Projector(database, node.ledger, node.settings.limits.projection_writes_max).catch_up(blocks)
            with database.read() as session:
                return dump(session)
        finally:
            database.close()


def _documents(node: Node) -> tuple[int, list[str]]:
    """How many own documents there are, and the ids of those whose file is missing or another one."""
    count, page, bad = 0, 1, []
    while documents := node.documents.list(page=page, per_page=DOCUMENTS_A_BATCH):
        bad += _bad_documents(node, documents)
        count, page = count + len(documents), page + 1
    return count, bad


def _bad_documents(node: Node, documents: list[OwnDocument]) -> list[str]:
    answers = node.hasher.hash_batch([node.vault.path(document.digest) for document in documents])
    return [
        document.document_id
        for document, answer in zip(documents, answers, strict=True)
        if isinstance(answer, UnreadableError) or answer.digest != document.digest
    ]
