"""Facilities and the acceptance of suppliers: what a financier offers, and to whom."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ledger_node.api.answers import answers, as_of_block, existing, listed
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import AcceptancesOut, FacilitiesOut, FacilityOut
from ledger_node.api.shape import written

routes = APIBlueprint("facilities", __name__, tag="Facilities")


@routes.get("/v1/supplier-acceptances")
@routes.auth_required(bearer)
@answers(routes, AcceptancesOut)
def show_acceptances() -> dict[str, Any]:
    """All acceptances of suppliers."""
    answer = as_of_block()
    return {**answer, **listed(current_node().readmodel.acceptances())}


@routes.get("/v1/facilities")
@routes.auth_required(bearer)
@answers(routes, FacilitiesOut)
def show_all() -> dict[str, Any]:
    """All facilities."""
    answer = as_of_block()
    return {**answer, **listed(current_node().readmodel.facilities())}


@routes.get("/v1/facilities/<facility_id>")
@routes.auth_required(bearer)
@answers(routes, FacilityOut)
def show(facility_id: str) -> dict[str, Any]:
    """One facility and what of it is used."""
    answer = as_of_block()
    return {**written(existing(current_node().readmodel.facility(facility_id), "facility", facility_id)), **answer}
