"""The read model: the ledger's records as tables, and the named questions that pages and the API ask of them.

It is a fold over the committed writes and nothing else: it may be deleted at any time and comes back the same. This
room only reads; `projector` writes. Answers are plain data: a record is its fields, together with `block_number` and
`transaction_id` of the transaction that wrote it last.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, func, literal, or_
from sqlmodel import Field, Session, SQLModel, col, select

from chaincode.records import keys
from ledger_node.database import Database, KeyText, ReadModelTable
from ledger_node.errors import BadRequest

SCHEMA_VERSION = 1
PER_PAGE_MAX = 500

Record = dict[str, Any]


class Checkpoint(ReadModelTable, table=True):
    """One row: the number of the block to be projected next, and the time of the last one (RFC 3339)."""

    __tablename__ = "checkpoint"
    id: int = Field(primary_key=True)
    next_block: int = Field(sa_type=BigInteger)
    timestamp: str


class RecordRow(ReadModelTable, table=True):
    """The current value of every key."""

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
    """What invoices are filtered and sorted by; amounts in minor units of `currency`, net and discount 0 until paid."""

    __tablename__ = "invoice"
    invoice_id: str = Field(primary_key=True, sa_type=KeyText)
    supplier: str = Field(index=True)
    buyer: str = Field(index=True)
    holder: str = Field(index=True)
    financier: str
    status: str = Field(index=True)
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


class DocumentRow(ReadModelTable, table=True):
    """What documents are filtered by."""

    __tablename__ = "document"
    document_id: str = Field(primary_key=True, sa_type=KeyText)
    submitter: str = Field(index=True)
    kind: str
    day: str


class EntitlementRow(ReadModelTable, table=True):
    """Who may fetch and attest a document, and its latest verdict; empty before the first."""

    __tablename__ = "entitlement"
    document_id: str = Field(primary_key=True, sa_type=KeyText)
    party: str = Field(primary_key=True, index=True, sa_type=KeyText)
    verdict: str = Field(index=True)


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
    """Movements between accounts, in the order of the ledger."""

    __tablename__ = "entry"
    key: str = Field(primary_key=True, sa_type=KeyText)
    block_number: int = Field(sa_type=BigInteger, index=True)
    transaction_index: int
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


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer; `total` counts all pages' items."""

    items: list[Record]
    total: int
    page: int
    per_page: int


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


class ReadModel:
    """The named questions; may be asked from any thread.

    Args:
        database: the read-model database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    # Where it stands

    def block_number(self) -> int:
        """The number of the last block that is in here; -1 before the first."""
        with self._database.read() as session:
            row = session.get(Checkpoint, 0)
        return -1 if row is None else row.next_block - 1

    def day(self) -> str:
        """The ledger's day, YYYY-MM-DD; empty before the first."""
        record = self.record(keys.DAY)
        return "" if record is None else str(record["date"])

    def founding(self) -> Record | None:
        """The founding of the consortium."""
        return self.record(keys.FOUNDING)

    # Records

    def record(self, key: str) -> Record | None:
        """The record under any key of the ledger; None when there is none."""
        with self._database.read() as session:
            row = session.get(RecordRow, key)
        return None if row is None else _record(row)

    def party(self, msp_id: str) -> Record | None:
        """The party of that MSP id."""
        return self.record(keys.party(msp_id))

    def parties(self) -> list[Record]:
        """All parties, by MSP id."""
        return self._kind("party")

    def facility(self, facility_id: str) -> Record | None:
        """The facility of that id."""
        return self.record(keys.facility(facility_id))

    def facilities(self) -> list[Record]:
        """All facilities, by id."""
        return self._kind("facility")

    def acceptances(self) -> list[Record]:
        """All acceptances of suppliers by financiers."""
        return self._kind("acceptance")

    def request(self, invoice_id: str) -> Record | None:
        """The request for early payment of that invoice."""
        return self.record(keys.request(invoice_id))

    def standing_request(self, supplier: str) -> Record | None:
        """The supplier's standing request."""
        return self.record(keys.standing_request(supplier))

    def shipment(self, shipment_id: str) -> Record | None:
        """The shipment of that id."""
        return self.record(keys.shipment(shipment_id))

    def shipments(self, *, page: int = 1, per_page: int = 50) -> Page:
        """Shipments, the latest first."""
        return self._kind_page("shipment", page, per_page)

    def events(self, shipment_id: str) -> list[Record]:
        """What was reported about a shipment, in the order of the ledger."""
        return self._range(*keys.shipment_events(shipment_id))

    # Documents

    def document(self, document_id: str) -> Record | None:
        """The document of that id, whoever submitted it."""
        return self.record(keys.document(document_id))

    def documents(self, *, submitter: str = "", kind: str = "", page: int = 1, per_page: int = 50) -> Page:
        """Documents, the latest first."""
        statement = select(RecordRow).join(
            DocumentRow, col(RecordRow.key) == literal("document/") + col(DocumentRow.document_id)
        )
        if submitter:
            statement = statement.where(DocumentRow.submitter == submitter)
        if kind:
            statement = statement.where(DocumentRow.kind == kind)
        return self._page(statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page)

    def attestations(self, document_id: str) -> list[Record]:
        """The latest attestation of each party, in the order of the ledger."""
        return self._range(*keys.prefix_range(f"attestation/{document_id}/"))

    def unattested(self, msp_id: str) -> list[Record]:
        """Documents that a party is entitled to and has not attested, or could not get; the oldest first."""
        statement = (
            select(RecordRow)
            .join(EntitlementRow, col(RecordRow.key) == literal("document/") + col(EntitlementRow.document_id))
            .where(EntitlementRow.party == msp_id, col(EntitlementRow.verdict).in_(["", "unavailable"]))
            .order_by(col(RecordRow.block_number), col(RecordRow.key))
        )
        with self._database.read() as session:
            return [_record(row) for row in session.exec(statement).all()]

    def verdicts(self, msp_id: str) -> dict[str, int]:
        """How many documents a party is entitled to, by its latest verdict; "pending" before the first."""
        statement = (
            select(EntitlementRow.verdict, func.count())
            .where(EntitlementRow.party == msp_id)
            .group_by(EntitlementRow.verdict)
        )
        with self._database.read() as session:
            return {verdict or "pending": count for verdict, count in session.exec(statement).all()}

    # Invoices

    def invoice(self, invoice_id: str) -> Record | None:
        """The invoice of that id."""
        return self.record(keys.invoice(invoice_id))

    def invoices(
        self,
        *,
        status: str = "",
        supplier: str = "",
        buyer: str = "",
        holder: str = "",
        sort: str = "-day",
        page: int = 1,
        per_page: int = 50,
    ) -> Page:
        """Invoices that fit all that is given.

        Args:
            status, supplier, buyer, holder: empty for any.
            sort: one of INVOICE_SORTS, with a minus before it for the greatest first.
            page: from 1.
            per_page: 1 to PER_PAGE_MAX.

        Raises: BadRequest.
        """
        name = sort.removeprefix("-")
        if name not in INVOICE_SORTS:
            raise BadRequest(f"invoices are not sorted by {name!r}", f"Use one of: {', '.join(INVOICE_SORTS)}.")
        statement = select(RecordRow).join(
            InvoiceRow, col(RecordRow.key) == literal("invoice/") + col(InvoiceRow.invoice_id)
        )
        for column, wanted in (("status", status), ("supplier", supplier), ("buyer", buyer), ("holder", holder)):
            if wanted:
                statement = statement.where(getattr(InvoiceRow, column) == wanted)
        order = getattr(InvoiceRow, name)
        return self._page(
            statement, [order.desc() if sort.startswith("-") else order, col(InvoiceRow.invoice_id)], page, per_page
        )

    def timeline(self, invoice_id: str) -> list[Record]:
        """Every write that touched the invoice, its documents, shipments, request or entries, in order.

        Returns: `{what, key, msp_id, transaction_id, block_number, timestamp, value}` each; empty when unknown.
        """
        invoice = self.invoice(invoice_id)
        if invoice is None:
            return []
        return _timeline(self._database, invoice)

    # Money

    def accounts(self, *, party: str = "", book: str = "", invoice_id: str = "") -> list[Record]:
        """Balances that fit all that is given, by key."""
        statement = select(AccountRow).order_by(col(AccountRow.key))
        for column, wanted in (("party", party), ("book", book), ("invoice_id", invoice_id)):
            if wanted:
                statement = statement.where(getattr(AccountRow, column) == wanted)
        with self._database.read() as session:
            return [_plain(row) for row in session.exec(statement).all()]

    def entries(
        self, *, invoice_id: str = "", unit: str = "", account: str = "", page: int = 1, per_page: int = 50
    ) -> Page:
        """Movements that fit all that is given, in the order of the ledger.

        Args:
            account: a name such as "cash:BuyerMSP", on either side.
        """
        statement = select(EntryRow)
        if invoice_id:
            statement = statement.where(EntryRow.invoice_id == invoice_id)
        if unit:
            statement = statement.where(EntryRow.unit == unit)
        if account:
            statement = statement.where(or_(col(EntryRow.debit) == account, col(EntryRow.credit) == account))
        order = [col(EntryRow.block_number), col(EntryRow.transaction_index), col(EntryRow.write_index)]
        return self._page(statement, order, page, per_page)

    # Shared

    def _kind(self, kind: str) -> list[Record]:
        statement = select(RecordRow).where(RecordRow.kind == kind).order_by(col(RecordRow.key))
        with self._database.read() as session:
            return [_record(row) for row in session.exec(statement).all()]

    def _kind_page(self, kind: str, page: int, per_page: int) -> Page:
        statement = select(RecordRow).where(RecordRow.kind == kind)
        return self._page(statement, [col(RecordRow.block_number).desc(), col(RecordRow.key)], page, per_page)

    def _range(self, start: str, end: str) -> list[Record]:
        statement = (
            select(RecordRow)
            .where(col(RecordRow.key) >= start, col(RecordRow.key) < end)
            .order_by(col(RecordRow.block_number), col(RecordRow.key))
        )
        with self._database.read() as session:
            return [_record(row) for row in session.exec(statement).all()]

    def _page(self, statement: Any, order: list[Any], page: int, per_page: int) -> Page:
        if page < 1 or not 1 <= per_page <= PER_PAGE_MAX:
            raise BadRequest(f"page {page} with {per_page} items does not exist", f"At most {PER_PAGE_MAX} a page.")
        with self._database.read() as session:
            total = session.exec(select(func.count()).select_from(statement.subquery())).one()
            rows = session.exec(statement.order_by(*order).offset((page - 1) * per_page).limit(per_page)).all()
        return Page(
            [_record(row) if isinstance(row, RecordRow) else _plain(row) for row in rows], total, page, per_page
        )


def _record(row: RecordRow) -> Record:
    value: Record = json.loads(row.value)
    return {**value, "block_number": row.block_number, "transaction_id": row.transaction_id}


def _plain(row: SQLModel) -> Record:
    return row.model_dump()


def _timeline(database: Database, invoice: Record) -> list[Record]:
    """History of the exact keys, and of all keys below the prefixes, that belong to an invoice."""
    invoice_id, documents, shipments = invoice["invoice_id"], invoice["document_ids"], invoice["shipment_ids"]
    exact = [keys.invoice(invoice_id), keys.request(invoice_id)]
    exact += [keys.document(each) for each in (*documents, *invoice["proof_ids"])]
    exact += [keys.shipment(each) for each in shipments]
    ranges = [keys.prefix_range(f"attestation/{each}/") for each in (*documents, *invoice["proof_ids"])]
    ranges += [keys.shipment_events(each) for each in shipments]
    with database.read() as session:
        exact += session.exec(select(EntryRow.key).where(EntryRow.invoice_id == invoice_id)).all()
        key = col(HistoryRow.key)
        statement = (
            select(HistoryRow)
            .where(or_(key.in_(exact), *((key >= start) & (key < end) for start, end in ranges)))
            .order_by(col(HistoryRow.block_number), col(HistoryRow.transaction_index), col(HistoryRow.write_index))
        )
        rows = session.exec(statement).all()
    return [_moment(row) for row in rows]


def _moment(row: HistoryRow) -> Record:
    value = {} if row.value is None else json.loads(row.value)
    return {
        "what": _what(row.key.partition("/")[0], value),
        "key": row.key,
        "msp_id": row.msp_id,
        "transaction_id": row.transaction_id,
        "block_number": row.block_number,
        "timestamp": row.timestamp,
        "value": value,
    }


def _what(kind: str, value: Record) -> str:
    """A few words for a write, in the product's vocabulary."""
    match kind:
        case "invoice":
            noticed = (value["notice"] or {}).get("acknowledged_on") and value["status"] == "early-paid"
            return "assignment acknowledged" if noticed else f"invoice {value['status']}"
        case "document":
            return f"document registered ({value['kind']})"
        case "attestation":
            return f"attested {value['verdict']}"
        case "shipment":
            return "carrier accepted" if value["carrier_accepted"] else "shipment registered"
        case "shipment_event":
            return f"shipment {value['type']}"
        case "request":
            return "early payment requested"
        case _:
            return f"entry {value['step']}"


def dump(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, in the order of their primary keys: equal dumps are equal read models."""
    tables = ReadModelTable.metadata.sorted_tables
    return {
        table.name: [tuple(row) for row in session.connection().execute(table.select().order_by(*table.primary_key))]
        for table in tables
    }
