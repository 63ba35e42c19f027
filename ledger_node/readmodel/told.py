"""The lists of what parties report of shipments, told apart: one write of a list as the events that it has changed.

The history keeps the very bytes of a list, which is written again with each event; what changed is told from the one
before, and what is the same in both is not read again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Any

from sqlmodel import Session, col, or_, select

from chaincode.records import ShipmentEvent, ShipmentReports, canonical, decode, encode, keys, plain
from chaincode.rules.reports import events_of
from ledger_node.readmodel.tables import HistoryRow


def shipment_ranges(shipment_id: str) -> list[tuple[str, str]]:
    """Where what was reported of a shipment stands: in lists, and in an older ledger under a key for each event."""
    return [keys.all_shipment_reports(shipment_id), keys.shipment_events(shipment_id)]


def ordered(rows: Iterable[HistoryRow]) -> list[HistoryRow]:
    """Writes in the order of the ledger."""
    return sorted(rows, key=lambda row: (row.block_number, row.transaction_index, row.write_index))


def told_apart(rows: Iterable[HistoryRow]) -> Iterator[HistoryRow]:
    """Writes as they are, and instead of each list's a write of every event that was not so before.

    Args:
        rows: in the order of the ledger.
    """
    lists: dict[str, list[Any]] = {}
    before: dict[str, ShipmentEvent] = {}
    for row in rows:
        if not row.key.startswith("shipment_reports/") or row.value is None:
            yield row
            continue
        value = json.loads(row.value)
        for event in _differing(value, lists.get(row.key, [])):
            key = f"shipment_event/{event.shipment_id}/{event.party}/{event.event_id}"
            if before.get(key) != event:
                before[key] = event
                yield HistoryRow(**row.model_dump() | {"key": key, "value": encode(event).decode()})
        lists[row.key] = value["events"]


def _differing(value: dict[str, Any], before: list[Any]) -> Iterable[ShipmentEvent]:
    """The events of a list, as plain data, that are not in the same place what they were in the list before.

    An event has its place for good: one more comes last.
    """
    events = [new for new, old in zip(value["events"], chain(before, repeat(None)), strict=False) if new != old]
    return events_of(decode(ShipmentReports, canonical(value | {"events": events, "retold": {}})))


def reported(session: Session, shipment_id: str) -> list[dict[str, object]]:
    """The events of a shipment as they stand, each with the block and transaction of its last write, in their order."""
    key = col(HistoryRow.key)
    within = or_(*((key >= start) & (key < end) for start, end in shipment_ranges(shipment_id)))
    last = {row.key: row for row in told_apart(ordered(session.exec(select(HistoryRow).where(within)).all()))}
    return [
        {
            **plain(decode(ShipmentEvent, (row.value or "").encode())),
            "block_number": row.block_number,
            "transaction_id": row.transaction_id,
        }
        for row in sorted(last.values(), key=lambda row: (row.block_number, row.key))
    ]
