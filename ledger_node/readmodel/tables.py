"""The tables of the read model. Written by the projector only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, desc
from sqlmodel import Field, Session

from ledger_node.database import KeyText, ReadModelTable

SCHEMA_VERSION = 13
INVOICE_SORTS = (
    "invoice_id",
    "status",
    "amount_minor",
    "face_minor",
    "issue_date",
    "due_date",
    "day",
    "supplier",
    "buyer",
)
INVOICE_FILTERS = ("supplier", "buyer", "holder", "status")


class Checkpoint(ReadModelTable, table=True):
    """One row: the number of the block to be projected next, the time of the last one (RFC 3339), and of which ledger.

    That is the hashes of block 0 and of the last one, 64 hex digits.
    """

    __tablename__ = "checkpoint"
    id: int = Field(primary_key=True)
    next_block: int = Field(sa_type=BigInteger)
    timestamp: str
    genesis_hash: str = ""
    last_hash: str = ""


class RecordRow(ReadModelTable, table=True):
    """The current value of every key but those of commands, which the history alone has."""

    __tablename__ = "record"
    key: str = Field(primary_key=True, sa_type=KeyText)
    kind: str = Field(index=True)
    value: str
    block_number: int = Field(sa_type=BigInteger)
    transaction_id: str


class HistoryRow(ReadModelTable, table=True):
    """Every write that took effect; `value` is None when the key was deleted."""

    __tablename__ = "history"
    block_number: int = Field(primary_key=True, sa_type=BigInteger)
    transaction_index: int = Field(primary_key=True)
    write_index: int = Field(primary_key=True)
    key: str = Field(index=True, sa_type=KeyText)
    value: str | None
    transaction_id: str
    msp_id: str
    timestamp: str


class InvoiceRow(ReadModelTable, table=True):
    """What invoices are filtered and sorted by; amounts in minor units of `currency`, net and discount 0 until paid.

    The indexes give the latest first, of all or of those that fit one filter, so that a first page looks at no others.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        Index("ix_invoice_day", desc("day"), "invoice_id"),
        *(Index(f"ix_invoice_{name}_day", name, desc("day"), "invoice_id") for name in INVOICE_FILTERS),
    )
    invoice_id: str = Field(primary_key=True, sa_type=KeyText)
    supplier: str
    buyer: str
    holder: str
    financier: str
    status: str
    currency: str
    amount_minor: int = Field(sa_type=BigInteger)
    face_minor: int = Field(sa_type=BigInteger)
    open_face_minor: int = Field(sa_type=BigInteger)
    net_minor: int = Field(sa_type=BigInteger)
    discount_minor: int = Field(sa_type=BigInteger)
    issue_date: str
    due_date: str
    day: str
    duplicate_of: str


class InvoiceCountRow(ReadModelTable, table=True):
    """How many invoices have these values in what invoices are filtered by; no row where there is none."""

    __tablename__ = "invoice_count"
    supplier: str = Field(primary_key=True, sa_type=KeyText)
    buyer: str = Field(primary_key=True, sa_type=KeyText)
    holder: str = Field(primary_key=True, sa_type=KeyText)
    status: str = Field(primary_key=True, sa_type=KeyText)
    number: int = Field(sa_type=BigInteger)


class DocumentRow(ReadModelTable, table=True):
    """What documents are filtered by."""

    __tablename__ = "document"
    document_id: str = Field(primary_key=True, sa_type=KeyText)
    submitter: str = Field(index=True)
    kind: str
    day: str


class EntitlementRow(ReadModelTable, table=True):
    """Who may fetch and attest a document, and its latest verdict; empty before the first.

    `open` says that it has not verified or contradicted the document yet; the index gives those, oldest first, by the
    document's submitter and block.
    """

    __tablename__ = "entitlement"
    __table_args__ = (
        Index("ix_entitlement_open", "party", "submitter", "open", "block_number", "document_id"),
        Index("ix_entitlement_verdict", "party", "verdict"),
    )
    document_id: str = Field(primary_key=True, sa_type=KeyText)
    party: str = Field(primary_key=True, sa_type=KeyText)
    submitter: str = Field(sa_type=KeyText)
    block_number: int = Field(sa_type=BigInteger)
    verdict: str
    open: bool


class NameLinkRow(ReadModelTable, table=True):
    """Which records have names under which keys (`naming`); of what a record says no more, too."""

    __tablename__ = "name_link"
    __table_args__ = (Index("ix_name_link_name_key", "name_key", "record"),)
    record: str = Field(primary_key=True, sa_type=KeyText)
    name_key: str = Field(primary_key=True, sa_type=KeyText)


class AccountRow(ReadModelTable, table=True):
    """Balances: debit minus credit, in minor units of the unit's currency."""

    __tablename__ = "account"
    key: str = Field(primary_key=True, sa_type=KeyText)
    book: str
    unit: str
    invoice_id: str
    name: str
    party: str = Field(index=True)
    balance_minor: int = Field(sa_type=BigInteger)


class EntryRow(ReadModelTable, table=True):
    """Movements between accounts; in the order of the ledger by block, transaction, command and write."""

    __tablename__ = "entry"
    key: str = Field(primary_key=True, sa_type=KeyText)
    block_number: int = Field(sa_type=BigInteger, index=True)
    transaction_index: int
    command_number: int
    write_index: int
    book: str
    unit: str = Field(index=True)
    invoice_id: str = Field(index=True)
    debit: str = Field(index=True)
    credit: str = Field(index=True)
    amount_minor: int = Field(sa_type=BigInteger)
    step: str
    command_id: str
    transaction_id: str
    day: str


def dump(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the order of their primary keys: equal dumps are equal read models."""
    tables = ReadModelTable.metadata.sorted_tables
    return {
        table.name: [tuple(row) for row in session.connection().execute(table.select().order_by(*table.primary_key))]
        for table in tables
    }
