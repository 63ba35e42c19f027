"""Shipments: the supplier registers one, the buyer accepts its carrier, the parties report what happens."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ledger_node.api.answers import PageQuery, answers, as_of_block, existing, listed, paged
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import ShipmentOut, ShipmentsOut
from ledger_node.api.shape import written

routes = APIBlueprint("shipments", __name__, tag="Shipments")


@routes.get("/v1/shipments")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@answers(routes, ShipmentsOut)
def show_all(query: PageQuery) -> dict[str, Any]:
    """Shipments, the latest first."""
    answer = as_of_block()
    return {**answer, **paged(current_node().readmodel.shipments(page=query.page, per_page=query.per_page))}


@routes.get("/v1/shipments/<shipment_id>")
@routes.auth_required(bearer)
@answers(routes, ShipmentOut)
def show(shipment_id: str) -> dict[str, Any]:
    """A shipment and what was reported of it."""
    readmodel, answer = current_node().readmodel, as_of_block()
    record = written(existing(readmodel.shipment(shipment_id), "shipment", shipment_id))
    return {**record, "events": listed(readmodel.events(shipment_id))["items"], **answer}
