"""What parties have reported of shipments, read: a list of each party, and in an older ledger a key for each event."""

from __future__ import annotations

from collections.abc import Iterator

from chaincode.commands.context import Context
from chaincode.records import Shipment, ShipmentEvent, ShipmentReports, keys
from chaincode.rules.reports import Told, events_of


def reports_keys(shipment: Shipment) -> Iterator[str]:
    """The keys of what its parties have reported: nobody else may report anything."""
    for party in dict.fromkeys((shipment.supplier, shipment.buyer, shipment.carrier)):
        yield keys.shipment_reports(shipment.shipment_id, party)


async def told_by_sender(context: Context, shipment: Shipment) -> Told:
    """What the sender has reported of a shipment."""
    shipment_id = shipment.shipment_id
    found = await context.read(ShipmentReports, keys.shipment_reports(shipment_id, context.sender))
    older = await _older(context, shipment)
    return Told(
        found or ShipmentReports(shipment_id, context.sender, (), {}),
        tuple(event for event in older if event.party == context.sender),
    )


async def all_events(context: Context, shipment: Shipment) -> tuple[ShipmentEvent, ...]:
    """All that was reported of a shipment, by whom ever: no more than three times what one party may report."""
    found = await context.read_many(ShipmentReports, list(reports_keys(shipment)))
    listed = [event for reports in found if reports for event in events_of(reports)]
    return (*await _older(context, shipment), *listed)


async def _older(context: Context, shipment: Shipment) -> list[ShipmentEvent]:
    if shipment.events_listed:
        return []
    return await context.read_range(ShipmentEvent, keys.shipment_events(shipment.shipment_id))
