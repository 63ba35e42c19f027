"""The story of one invoice or shipment: every write that touched it, or what it rests on, in the order of the ledger.

Told from the history alone, as it is asked for: so it holds for all that was ever folded.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from chaincode import records
from chaincode.records import keys
from ledger_node.database import Database
from ledger_node.readmodel.fold import KINDS
from ledger_node.readmodel.tables import EntryRow, HistoryRow
from ledger_node.readmodel.told import ordered, shipment_ranges, told_apart
from ledger_node.readmodel.words import Beside, Change, decision_digest, words

Record = dict[str, Any]
Place = tuple[int, int]
"""A transaction: the number of its block, and its index there."""


def timeline(database: Database, invoice: Record) -> list[Record]:
    """History of the exact keys, and of all keys below the prefixes, that belong to an invoice.

    Args:
        invoice: its record, as it stands.
    """
    invoice_id = invoice["invoice_id"]
    with database.read() as session:
        rows = list(told_apart(ordered([*_own(session, invoice), *_beside(session, invoice)])))
    values = [_record(row) for row in rows]
    return _moments(rows, values, invoice_id, _transactions(rows, values, invoice_id))


def shipment_timeline(database: Database, shipment_id: str, document_ids: Sequence[str]) -> list[Record]:
    """History of a shipment: itself, all events of it, and the documents that those name with what was attested.

    Args:
        document_ids: of the papers that its events name.
    """
    exact = [keys.shipment(shipment_id), *map(keys.document, document_ids)]
    ranges = shipment_ranges(shipment_id)
    ranges += [keys.prefix_range(f"attestation/{document_id}/") for document_id in document_ids]
    with database.read() as session:
        rows = list(told_apart(ordered(_history(session, exact, ranges))))
    values = [_record(row) for row in rows]
    return _moments(rows, values, "", defaultdict(Beside))


def invoice_writes(database: Database, invoice: Record) -> list[Record]:
    """Every write of what the story of an invoice is told from, in the order of the ledger.

    Of each key all that the transactions of the story have written, told or not.

    Args:
        invoice: its record, as it stands.

    Returns: `{key, value, transaction_id, block_number}` each; `value` is empty where a key was deleted.
    """
    with database.read() as session:
        return _written(session, [*_own(session, invoice), *_beside(session, invoice)])


def document_writes(database: Database, document_id: str) -> list[Record]:
    """Every write of a document and of what was attested of it; as `invoice_writes`."""
    ranges = [keys.prefix_range(f"attestation/{document_id}/")]
    with database.read() as session:
        return _written(session, _history(session, [keys.document(document_id)], ranges))


def _written(session: Session, told: Sequence[HistoryRow]) -> list[Record]:
    transactions, names = {row.transaction_id for row in told}, {row.key for row in told}
    wanted = col(HistoryRow.transaction_id).in_(transactions), col(HistoryRow.key).in_(names)
    return [
        {
            "key": row.key,
            "value": row.value or "",
            "transaction_id": row.transaction_id,
            "block_number": row.block_number,
        }
        for row in ordered(session.exec(select(HistoryRow).where(*wanted)).all())
    ]


def _moments(
    rows: Sequence[HistoryRow], values: Sequence[Any], invoice_id: str, beside: Mapping[Place, Beside]
) -> list[Record]:
    """Each write in words, by what it changed."""
    before: dict[str, Any] = {}
    moments = []
    for row, value in zip(rows, values, strict=True):
        kind = _kind(row)
        if kind != "command":
            change = Change(kind, invoice_id, before.get(row.key), value, beside[_place(row)])
            moments.append(_moment(row, words(change)))
            before[row.key] = value
    return [moment for moment in moments if moment["what"]]


def _own(session: Session, invoice: Record) -> Sequence[HistoryRow]:
    """What is found by keys that are made of the ids of the invoice and of what it rests on."""
    invoice_id, documents = invoice["invoice_id"], (*invoice["document_ids"], *invoice["proof_ids"])
    exact = [keys.invoice(invoice_id), keys.request(invoice_id), keys.discount_offer(invoice_id)]
    exact += [keys.unwind(invoice_id), *map(keys.document, documents), *map(keys.shipment, invoice["shipment_ids"])]
    exact += [keys.invoice(invoice["split_from"])] if invoice["split_from"] else []
    exact += session.exec(select(EntryRow.key).where(EntryRow.invoice_id == invoice_id)).all()
    ranges = [keys.prefix_range(f"attestation/{document_id}/") for document_id in documents]
    ranges += [each for shipment_id in invoice["shipment_ids"] for each in shipment_ranges(shipment_id)]
    ranges += [keys.prefix_range(f"decline/{invoice_id}/")]
    return _history(session, exact, ranges)


def _history(session: Session, exact: Sequence[str], ranges: Sequence[tuple[str, str]]) -> Sequence[HistoryRow]:
    key = col(HistoryRow.key)
    within = [and_(key >= start, key < end) for start, end in ranges]
    return session.exec(select(HistoryRow).where(or_(key.in_(exact), *within))).all()


def _beside(session: Session, invoice: Record) -> Sequence[HistoryRow]:
    """What the invoice's own transactions wrote of it under ids of their own.

    That is credit notes, reports of misdirected payments and parts, all of which change the invoice as well, and the
    financier's decision.
    """
    invoice_id = invoice["invoice_id"]
    wanted = [
        _holding("credit_note/", "invoice_id", invoice_id),
        _holding("misdirected/", "invoice_id", invoice_id),
        _holding("invoice/", "split_from", invoice_id),
    ]
    if plain := invoice["early_payment"] or invoice["taken_back"]:  # it is paid early once at most
        payment = records.from_plain(records.EarlyPayment, plain)
        wanted.append(_holding("command/", "digest", decision_digest(payment, invoice_id)))
    own = select(HistoryRow.block_number, HistoryRow.transaction_index)
    own_places = own.where(HistoryRow.key == keys.invoice(invoice_id)).subquery()
    in_own = and_(
        col(HistoryRow.block_number) == own_places.c.block_number,
        col(HistoryRow.transaction_index) == own_places.c.transaction_index,
    )
    return session.exec(select(HistoryRow).join(own_places, in_own).where(or_(*wanted))).all()


def _holding(prefix: str, field: str, text: str) -> ColumnElement[bool]:
    """Keys below a prefix whose value has that text in a field; records are written in canonical JSON."""
    start, end = keys.prefix_range(prefix)
    key = col(HistoryRow.key)
    return and_(key >= start, key < end, col(HistoryRow.value).contains(f'"{field}":"{text}"', autoescape=True))


def _transactions(rows: Sequence[HistoryRow], values: Sequence[Any], invoice_id: str) -> dict[Place, Beside]:
    """What each transaction did to the invoice."""
    written: dict[Place, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for row, value in zip(rows, values, strict=True):
        written[_place(row)][_kind(row)].append(value)
    first = min(_place(row) for row in rows if row.key == keys.invoice(invoice_id))
    return {
        place: Beside(
            steps=frozenset(entry.step for entry in kinds["entry"]),
            out_of_reserve=any(
                entry.step == "early_payment" and entry.credit.startswith("reserved:") for entry in kinds["entry"]
            ),
            by_decision=bool(kinds["command"]),
            wholes=frozenset(invoice.split_from for invoice in kinds["invoice"]),
            registered=first < place,
        )
        for place, kinds in written.items()
    }


def _place(row: HistoryRow) -> Place:
    return row.block_number, row.transaction_index


def _kind(row: HistoryRow) -> str:
    return row.key.partition("/")[0]


def _record(row: HistoryRow) -> Any:
    """The record that was written, None for a deletion; each was decoded as strictly when it was folded."""
    return None if row.value is None else records.decode(KINDS[_kind(row)], row.value.encode())


def _moment(row: HistoryRow, what: str) -> Record:
    return {
        "what": what,
        "key": row.key,
        "msp_id": row.msp_id,
        "transaction_id": row.transaction_id,
        "block_number": row.block_number,
        "timestamp": row.timestamp,
        "value": {} if row.value is None else json.loads(row.value),
    }
