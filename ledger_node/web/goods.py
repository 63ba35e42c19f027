"""One shipment: what was reported of it by whom; made so that a driver reports with one tap."""

from __future__ import annotations

from flask import Blueprint, g

from ledger_node.api.context import current_node
from ledger_node.web.asking import ask, fresh_key
from ledger_node.web.guard import Answered
from ledger_node.web.texts import page

routes = Blueprint("goods", __name__)


@routes.get("/shipments/<record_id>")
def show(record_id: str) -> Answered:
    """A shipment and its events."""
    shipment, own = ask(f"/v1/shipments/{record_id}"), current_node().msp_id
    is_ours = own in (shipment["supplier"], shipment["buyer"], shipment["carrier"])
    may_report = is_ours and "uploader" in g.login.roles
    may_accept = own == shipment["buyer"] and "approver" in g.login.roles and not shipment["carrier_accepted"]
    return page("shipment.html", shipment=shipment, may_report=may_report, may_accept=may_accept, key=fresh_key()), 200
