"""One shipment, with what the parties reported of it."""

from __future__ import annotations

from apiflask import APIBlueprint

from ledger_node.api.answers import existing, listed, reads
from ledger_node.api.context import current_node
from ledger_node.api.naming import with_names
from ledger_node.api.records import ShipmentOut, TimelineOut
from ledger_node.api.shape import written
from ledger_node.api.waits_besides import waits_of
from ledger_node.api.wire import Plain

MOMENT_FIELDS = ("what", "key", "msp_id", "transaction_id", "block_number", "timestamp")
routes = APIBlueprint("shipments", __name__, tag="Shipments")


@reads(routes, "/v1/shipments/<shipment_id>", ShipmentOut)
def show_shipment(shipment_id: str) -> Plain:
    """A shipment and what was reported of it."""
    readmodel = current_node().readmodel
    found = existing(readmodel.shipment(shipment_id), "shipment", shipment_id)
    (record,) = with_names("shipment", [found], waits_of("shipment")([found], [written(found)]))
    return {**record, "events": listed(readmodel.events(shipment_id))["items"]}


@reads(routes, "/v1/shipments/<shipment_id>/timeline", TimelineOut)
def show_shipment_timeline(shipment_id: str) -> Plain:
    """What happened to a shipment, in the order of the ledger: who registered, accepted, reported, attested."""
    readmodel = current_node().readmodel
    existing(readmodel.shipment(shipment_id), "shipment", shipment_id)
    moments = readmodel.shipment_timeline(shipment_id)
    return {"items": [{name: moment[name] for name in MOMENT_FIELDS} for moment in moments]}
