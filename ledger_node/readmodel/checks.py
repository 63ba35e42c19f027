"""What the contract itself says of many invoices, asked of the read model: one snapshot, no way to a peer.

The read model has the ledger's records under the ledger's own keys, so the contract's queries run over it as they run
over a peer. Nothing is decided here, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Sequence
from typing import Any, Never

from sqlalchemy import Connection, and_, or_, select

from chaincode.batch import Overlay
from chaincode.contract import run_query
from chaincode.records import keys
from ledger_node.database import Database, table_of
from ledger_node.readmodel.tables import HistoryRow, RecordRow

KEYS_A_QUERY_MAX = 500
Record = dict[str, Any]
Touched = tuple[list[str], list[tuple[str, str]]]
_RECORD, _HISTORY = table_of(RecordRow).c, table_of(HistoryRow).c
_KEYS_AND_VALUES = select(_RECORD.key, _RECORD.value)


class _Stub:
    """The committed state of one snapshot, as the contract's queries read it; it never waits."""

    tx_id = channel_id = msp_id = ""
    timestamp = 0
    creator_certificate = b""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_state(self, key: str) -> bytes | None:
        (value,) = await self.get_states([key])
        return value

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        found: dict[str, str] = {}
        for start in range(0, len(keys), KEYS_A_QUERY_MAX):
            some = _RECORD.key.in_(keys[start : start + KEYS_A_QUERY_MAX])
            found.update((key, value) for key, value in self._connection.execute(_KEYS_AND_VALUES.where(some)))
        return [found[key].encode() if key in found else None for key in keys]

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        statement = _KEYS_AND_VALUES.where(_RECORD.key >= start, _RECORD.key < end).order_by(_RECORD.key)
        rows = self._connection.execute(statement.limit(limit) if limit else statement)
        return [(key, value.encode()) for key, value in rows]

    def put_state(self, key: str, value: bytes) -> Never:
        raise AssertionError("a query writes nothing")

    def del_state(self, key: str) -> Never:
        raise AssertionError("a query writes nothing")

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> Never:
        raise AssertionError("a query writes nothing")


def release_checks(database: Database, invoice_ids: Collection[str]) -> dict[str, Record]:
    """The contract's release check of each of some invoices that are there, as `ReleaseCheck` answers it."""
    with database.read() as session:
        overlay = Overlay(_Stub(session.connection()))  # what several of them rest on is read once
        found = {
            each: _at_once(run_query(overlay, {"type": "ReleaseCheck", "invoice_id": each})) for each in invoice_ids
        }
    return {each: check for each, check in found.items() if check is not None}


def last_touched(database: Database, kind: str, records: Sequence[Record]) -> list[str]:
    """When something was last written to each record, or to what it rests on: RFC 3339, of the last transaction.

    Args:
        database: the read model's.
        kind: a key of `TOUCHED`.
        records: of that kind.
    """
    # An expression, since SQLite takes the order of a plain column from the primary key as soon as some keys are asked
    # for: it would walk the history of the whole ledger backwards instead of looking a few keys up.
    newest = (_HISTORY.block_number + 0).desc(), (_HISTORY.transaction_index + 0).desc()
    latest = select(_HISTORY.timestamp).order_by(*newest).limit(1)
    with database.read() as session:
        connection = session.connection()
        return [str(connection.execute(latest.where(_touching(kind, each))).scalar_one()) for each in records]


def _touching(kind: str, record: Record) -> Any:
    """History of a record's own key, and of the keys that are made of the ids of what it rests on."""
    exact, ranges = TOUCHED[kind](record)
    key = _HISTORY.key
    return or_(key.in_(exact), *(and_(key >= start, key < end) for start, end in ranges))


def _of_invoice(invoice: Record) -> Touched:
    invoice_id, documents = invoice["invoice_id"], (*invoice["document_ids"], *invoice["proof_ids"])
    exact = [keys.invoice(invoice_id), keys.request(invoice_id), keys.discount_offer(invoice_id)]
    exact += [*map(keys.document, documents), *map(keys.shipment, invoice["shipment_ids"])]
    ranges = [keys.prefix_range(f"attestation/{document_id}/") for document_id in documents]
    ranges += [each for shipment_id in invoice["shipment_ids"] for each in _reports(shipment_id)]
    return exact, [*ranges, keys.prefix_range(f"decline/{invoice_id}/")]


def _reports(shipment_id: str) -> list[tuple[str, str]]:
    return [keys.all_shipment_reports(shipment_id), keys.shipment_events(shipment_id)]


TOUCHED: dict[str, Callable[[Record], Touched]] = {
    "credit_note": lambda record: ([keys.credit_note(record["credit_note_id"])], []),
    "hold": lambda record: ([keys.hold(record["financier"], record["msp_id"])], []),
    "invoice": _of_invoice,
    "membership": lambda record: ([keys.membership(record["change_id"])], []),
    "redemption": lambda record: ([keys.redemption(record["redemption_id"])], []),
    "shipment": lambda record: ([keys.shipment(record["shipment_id"])], _reports(record["shipment_id"])),
}
"""By kind, the keys and the ranges of keys that are written when something happens to a record."""


def _at_once(query: Coroutine[Any, Any, Record | None]) -> Record | None:
    """What a coroutine that never waits returns."""
    try:
        query.send(None)
    except StopIteration as done:
        result: Record | None = done.value
        return result
    raise AssertionError("a query of the read model waits for nothing")
