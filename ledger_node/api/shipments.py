"""Shipments: the supplier registers one, the buyer accepts its carrier, the parties report what happens."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint

from ledger_node import fingerprints
from ledger_node.api.answers import PageQuery, existing, listed, paged, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import ShipmentOut, ShipmentsOut
from ledger_node.api.shape import written
from ledger_node.api.wire import DateText, In, Msp, Nothing, RecordId, Text
from ledger_node.api.writes import Answer, fresh_id, submit, writes

routes = APIBlueprint("shipments", __name__, tag="Shipments")


class ShipmentIn(In):
    """Goods that go to a buyer with a carrier; `reference` is the despatch advice's number, as the invoice names it."""

    buyer: Msp
    carrier: Msp
    reference: Text


class EventIn(In):
    """What happened to a shipment; `document_id` may name the document that shows it."""

    type: Literal["picked_up", "in_transit", "delivered"]
    occurred_on: DateText
    partial: bool = False
    document_id: RecordId | Literal[""] = ""


@routes.post("/v1/shipments")
@writes(routes, "uploader", ShipmentIn, {"buyer": "BuyerMSP", "carrier": "CarrierMSP", "reference": "DESADV-4711"})
def register(body: ShipmentIn) -> Answer:
    """Register a shipment, as its supplier."""
    shipment_id, node = fresh_id("shipment"), current_node()
    command = {
        "shipment_id": shipment_id,
        "buyer": body.buyer,
        "carrier": body.carrier,
        "reference_fingerprint": fingerprints.reference(node.fingerprint_key, node.msp_id, body.buyer, body.reference),
    }
    return submit(
        "RegisterShipment", command, resource=f"/v1/shipments/{shipment_id}", record_id=shipment_id, created=True
    )


@routes.get("/v1/shipments")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(ShipmentsOut)
def show_all(query: PageQuery) -> dict[str, Any]:
    """Shipments, the latest first."""
    answer = seen()
    return {**answer, **paged(current_node().readmodel.shipments(page=query.page, per_page=query.per_page))}


@routes.get("/v1/shipments/<shipment_id>")
@routes.auth_required(bearer)
@routes.output(ShipmentOut)
def show(shipment_id: str) -> dict[str, Any]:
    """A shipment and what was reported of it."""
    readmodel, answer = current_node().readmodel, seen()
    record = written(existing(readmodel.shipment(shipment_id), "shipment", shipment_id))
    return {**record, "events": listed(readmodel.events(shipment_id))["items"], **answer}


@routes.post("/v1/shipments/<shipment_id>/carrier-acceptance")
@writes(routes, "approver", Nothing)
def accept_carrier(shipment_id: str, body: Nothing) -> Answer:
    """Take the word of the shipment's carrier, as its buyer."""
    resource = f"/v1/shipments/{shipment_id}"
    return submit("AcceptCarrier", {"shipment_id": shipment_id}, resource=resource, record_id=shipment_id)


@routes.post("/v1/shipments/<shipment_id>/events")
@writes(
    routes,
    "uploader",
    EventIn,
    {"type": "delivered", "occurred_on": "2026-11-22", "partial": False, "document_id": ""},
)
def record_event(shipment_id: str, body: EventIn) -> Answer:
    """Report what happened to a shipment, as its supplier, buyer or carrier; `event_id` of the result says it."""
    event_id = fresh_id("event")
    command = {"shipment_id": shipment_id, "event_id": event_id, **body.model_dump()}
    resource = f"/v1/shipments/{shipment_id}"
    return submit("RecordShipmentEvent", command, resource=resource, record_id=event_id, created=True)


@routes.post("/v1/shipments/<shipment_id>/events/<event_id>/withdrawal")
@writes(routes, "uploader", Nothing)
def withdraw_event(shipment_id: str, event_id: str, body: Nothing) -> Answer:
    """Take back what this organisation has reported of a shipment; the event stays and counts no more."""
    command = {"shipment_id": shipment_id, "event_id": event_id}
    return submit("WithdrawShipmentEvent", command, resource=f"/v1/shipments/{shipment_id}", record_id=event_id)
