"""The story of one invoice: every write that touched it, or what it rests on, in the order of the ledger."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select

from chaincode.records import keys
from ledger_node.database import Database
from ledger_node.readmodel.tables import EntryRow, HistoryRow

Record = dict[str, Any]


def timeline(database: Database, invoice: Record) -> list[Record]:
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
