"""Some blocks as changes of the read model: pure in `add`, one set of statements in `write`.

Each record is decoded by the contract's own strict codec, and kept in the newest version of its kind, whichever version
wrote it; the history keeps the very bytes. The tables beside `record` and `history` are derived from
the records alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import Session, SQLModel

from chaincode import records
from chaincode.errors import RecordError
from ledger_node.database import ROWS_A_STATEMENT_MAX, table_of, upsert, write_rows
from ledger_node.errors import ProjectionError
from ledger_node.ledger.interface import VALID, Block, Transaction, Write
from ledger_node.readmodel.counts import count_invoices
from ledger_node.readmodel.naming import KEYS, name_keys
from ledger_node.readmodel.tables import (
    AccountRow,
    DocumentRow,
    EntitlementRow,
    EntryRow,
    HistoryRow,
    InvoiceRow,
    NameLinkRow,
    RecordRow,
)

KINDS: dict[str, type[Any]] = {
    "acceptance": records.SupplierAcceptance,
    "account": records.Account,
    "attestation": records.Attestation,
    "bank_entry": records.Mark,
    "booked_credit": records.BookedCredit,
    "buyer_limit": records.BuyerLimit,
    "buyer_reference": records.Mark,
    "command": records.Command,
    "credit_note": records.CreditNote,
    "day": records.Day,
    "day_word": records.DayWord,
    "decline": records.Decline,
    "delivery_report": records.Reported,
    "discount_offer": records.DiscountOffer,
    "document": records.Document,
    "entry": records.Entry,
    "event_count": records.EventCount,
    "facility": records.Facility,
    "facility_on": records.Mark,
    "fingerprint": records.Fingerprint,
    "founding": records.Founding,
    "hold": records.Hold,
    "invoice": records.Invoice,
    "link": records.Mark,
    "membership": records.MembershipChange,
    "misdirected": records.MisdirectedPayment,
    "open": records.Mark,
    "party": records.Party,
    "person": records.Person,
    "redemption": records.Redemption,
    "request": records.Request,
    "seal": records.Seal,
    "shipment": records.Shipment,
    "shipment_event": records.ShipmentEvent,
    "shipment_reports": records.ShipmentReports,
    "standing_request": records.Request,
    "unacknowledged": records.Mark,
    "unwind": records.Consent,
}
DELETED = {kind for kind, record in KINDS.items() if record is records.Mark} | {
    "decline",
    "delivery_report",
    "hold",
    "party",
    "unwind",
}
"""What commands delete: index keys, and the parties of a proposed founding that is replaced by another one."""

ASKED_OF_THE_HISTORY = {"command"}
"""What is written once and asked for by its place in the ledger alone: it stands in the history and nowhere else."""
Row = dict[str, Any]


class Fold:
    """Changes gathered from blocks, in their order; the last write of a key wins."""

    def __init__(self) -> None:
        self.next_block = 0
        self.timestamp = ""
        self._history: list[Row] = []
        self._records: dict[str, Row | None] = {}
        self._typed: dict[type[SQLModel], dict[tuple[str, ...], Row]] = {}
        self._verdicts: dict[tuple[str, ...], Row] = {}

    def add(self, block: Block) -> None:
        """Take in one block.

        Raises: ProjectionError when a record of it cannot be read.
        """
        for index, transaction in enumerate(block.transactions):
            if transaction.code == VALID:
                for position, write in enumerate(transaction.writes):
                    self._add_write(block.number, index, position, transaction, write)
                self.timestamp = transaction.timestamp
        self.next_block = block.number + 1

    @property
    def has_documents(self) -> bool:
        """Whether somebody is entitled to a document that it has not seen."""
        return EntitlementRow in self._typed

    def write(self, session: Session) -> None:
        """Run the statements; the caller commits them together with the checkpoint."""
        connection = session.connection()
        write_rows(connection, insert(table_of(HistoryRow)), self._history)
        upsert(connection, table_of(RecordRow), [row for row in self._records.values() if row is not None])
        gone = [key for key, row in self._records.items() if row is None]
        for start in range(0, len(gone), ROWS_A_STATEMENT_MAX):
            table = table_of(RecordRow)
            connection.execute(delete(table).where(table.c.key.in_(gone[start : start + ROWS_A_STATEMENT_MAX])))
        count_invoices(connection, self._typed.get(InvoiceRow, {}))
        for model, rows in self._typed.items():
            # A document that is written again keeps what was attested of it, and its place in the order.
            keep = model is EntitlementRow
            upsert(connection, table_of(model), list(rows.values()), keep=keep)
        if self._verdicts:
            table = table_of(EntitlementRow)
            same = (table.c.document_id == bindparam("of_document"), table.c.party == bindparam("of_party"))
            connection.execute(update(table).where(*same), list(self._verdicts.values()))

    def _add_write(self, block: int, index: int, position: int, transaction: Transaction, write: Write) -> None:
        kind = write.key.partition("/")[0]
        text = None if write.value is None else write.value.decode("utf-8", "replace")
        place = {"block_number": block, "transaction_index": index, "write_index": position}
        self._history.append(
            {
                **place,
                "key": write.key,
                "value": text,
                "transaction_id": transaction.id,
                "msp_id": transaction.msp_id,
                "timestamp": transaction.timestamp,
            }
        )
        if write.value is None:
            if kind not in DELETED:
                raise ProjectionError(f"block {block} deletes {write.key}, which no command does")
            self._records[write.key] = None
            return
        record, newest = _decode(block, write.key, kind, write.value)
        if kind in ASKED_OF_THE_HISTORY:
            return
        self._records[write.key] = {
            "key": write.key,
            "kind": kind,
            "value": newest.decode("utf-8"),
            "block_number": block,
            "transaction_id": transaction.id,
        }
        if kind in KEYS:
            self._link(write.key, kind, records.plain(record))
        if kind == "attestation":
            self._attested(record)
        elif derive := DERIVED.get(kind):
            for model, identity, row in derive(record, {"key": write.key, **place}):
                rows = self._typed.setdefault(model, {})
                rows[identity] = rows.get(identity, row) if model is EntitlementRow else row

    def _link(self, key: str, kind: str, record: Row) -> None:
        """A record is found by the names under these keys from now on."""
        rows = self._typed.setdefault(NameLinkRow, {})
        rows |= {(key, name): {"record": key, "name_key": name} for name in name_keys(kind, record)}

    def _attested(self, attestation: records.Attestation) -> None:
        """Change the verdict of an entitlement, which stands there since its document was registered."""
        identity = (attestation.document_id, attestation.party)
        verdict = {"verdict": attestation.verdict, "open": attestation.verdict == "unavailable"}
        self._verdicts[identity] = {"of_document": identity[0], "of_party": identity[1], **verdict}


def _decode(block: int, key: str, kind: str, value: bytes) -> tuple[Any, bytes]:
    """The record, and its bytes in the newest version of its kind."""
    if kind not in KINDS:
        raise ProjectionError(f"block {block} writes {key}, a kind this program does not know", "Update the node.")
    try:
        return records.decode_newest(KINDS[kind], value)
    except RecordError as error:
        raise ProjectionError(
            f"block {block} writes {key}, which cannot be read: {error}", "Update the node."
        ) from error


Derived = list[tuple[type[SQLModel], tuple[str, ...], Row]]


def _invoice(invoice: records.Invoice, _place: Row) -> Derived:
    payment = invoice.early_payment
    row = {
        "invoice_id": invoice.invoice_id,
        "supplier": invoice.supplier,
        "buyer": invoice.buyer,
        "holder": invoice.holder,
        "financier": payment.financier if payment else "",
        "status": invoice.status,
        "currency": invoice.facts.currency,
        "amount_minor": invoice.facts.amount_minor,
        "face_minor": invoice.face_minor,
        "open_face_minor": invoice.open_face_minor,
        "net_minor": payment.net_minor if payment else 0,
        "discount_minor": payment.discount_minor if payment else 0,
        "issue_date": invoice.facts.issue_date,
        "due_date": invoice.first_due_date,
        "day": invoice.day,
        "duplicate_of": invoice.duplicate_of,
    }
    return [(InvoiceRow, (invoice.invoice_id,), row)]


def _document(document: records.Document, place: Row) -> Derived:
    identity, submitter = document.document_id, document.submitter
    row = {"document_id": identity, "submitter": submitter, "kind": document.kind, "day": document.day}
    entitlement = {
        "document_id": identity,
        "submitter": submitter,
        "block_number": place["block_number"],
        "verdict": "",
        "open": True,
    }
    return [
        (DocumentRow, (identity,), row),
        *(
            (EntitlementRow, (identity, party), entitlement | {"party": party})
            for party in document.entitled
            if party != submitter
        ),
    ]


def _account(account: records.Account, place: Row) -> Derived:
    row = {"key": place["key"], **records.plain(account)}
    del row["guard_parties"]  # what the peers need to know, and nobody who reads balances
    return [(AccountRow, (place["key"],), row)]


def _entry(entry: records.Entry, place: Row) -> Derived:
    return [(EntryRow, (place["key"],), {**place, **records.plain(entry)})]


DERIVED: dict[str, Callable[[Any, Row], Derived]] = {
    "account": _account,
    "document": _document,
    "entry": _entry,
    "invoice": _invoice,
}
