"""What somebody still has to do, as statements: shipments that have not arrived, offers that can still be taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, and_, cast, exists, false, func, literal, or_, type_coerce
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from ledger_node.readmodel.tables import DocumentRow, EntitlementRow, InvoiceRow, RecordRow

FUNDABLE = ("registered", "approved")


def shipments(dialect: str, state: str, parties: dict[str, str]) -> Any:
    """Shipments, narrowed.

    Args:
        dialect: of `Database.dialect`.
        state: "open" for those without a report of whole delivery that counts, "delivered" for those with one.
        parties: MSP ids by role; empty for any.
    """
    statement = select(RecordRow).where(RecordRow.kind == "shipment")
    for role, msp_id in parties.items():
        if msp_id:
            statement = statement.where(_field(dialect, RecordRow, role) == msp_id)
    if not state:
        return statement
    supplier = _field(dialect, RecordRow, "supplier")
    arrived = or_(*(_reported(RecordRow.key, supplier, prefix) for prefix in ("shipment_reports/", "shipment_event/")))
    return statement.where(arrived if state == "delivered" else ~arrived)


def _reported(shipment_key: Any, supplier: Any, prefix: str) -> ColumnElement[bool]:
    """Whether anything under a shipment's keys of that prefix says that all of it has arrived, and was not taken back.

    What its supplier says of its own delivery does not count, as for the contract.
    Records are written in canonical JSON, so that the fields of an event stand in the order of their names.
    """
    told = aliased(RecordRow)
    first = literal(prefix) + func.substr(shipment_key, len("shipment/") + 1)
    within = (col(told.key) >= first + "/", col(told.key) < first + "0")
    alone = '"partial":false,"party":"%","shipment_id":"%","type":"delivered",%"withdrawn_on":""'
    listed = '"partial":false,"type":"delivered","withdrawn_on":""'
    said = col(told.value).like(f"%{alone if prefix == 'shipment_event/' else listed}%")
    is_own = col(told.value).like(literal('%"party":"') + supplier + '",%')
    return exists().where(*within, said, ~is_own)


def requests(dialect: str, facility_ids: Sequence[str] | None, open_on: str) -> Any:
    """Offers of single invoices for early payment, narrowed.

    Args:
        dialect: of `Database.dialect`.
        facility_ids: to one of these; None for any.
        open_on: a day on which they stand and their invoice may be paid early; empty for any.
    """
    statement = select(RecordRow).where(RecordRow.kind == "request")
    if facility_ids is not None:
        statement = statement.where(
            or_(*(col(RecordRow.value).contains(f'"{each}"') for each in facility_ids), false())
        )
    if not open_on:
        return statement
    invoice = col(RecordRow.key) == literal("request/") + col(InvoiceRow.invoice_id)
    standing = _field(dialect, RecordRow, "valid_until") >= open_on
    return statement.join(InvoiceRow, invoice).where(col(InvoiceRow.status).in_(FUNDABLE), standing)


def documents_after(document_id: str, party: str) -> Any:
    """Documents that a party has submitted, or attested by now, after an id, by id."""
    own = aliased(EntitlementRow)
    own_id = col(DocumentRow.document_id)
    return (
        select(RecordRow)
        .join(DocumentRow, col(RecordRow.key) == literal("document/") + own_id)
        .outerjoin(own, and_(col(own.document_id) == own_id, col(own.party) == party))
        .where(or_(col(DocumentRow.submitter) == party, col(own.verdict) == "verified"))
        .where(own_id > document_id)
        .order_by(own_id)
    )


def _field(dialect: str, row: Any, name: str) -> ColumnElement[str]:
    """A field of a record, as text."""
    value: Any = cast(row.value, JSON) if dialect == "postgresql" else type_coerce(row.value, JSON)
    text: ColumnElement[str] = value[name].as_string()
    return text
