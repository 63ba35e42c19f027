"""Facilities and the acceptance of suppliers: what a financier offers, and to whom."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.money import deposit_currency
from ledger_node.api.answers import existing, listed, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.parties import GroupId
from ledger_node.api.records import AcceptancesOut, FacilitiesOut, FacilityOut
from ledger_node.api.shape import written
from ledger_node.api.wire import AmountText, DateText, Deposit, In, Msp, Text, to_minor
from ledger_node.api.writes import Answer, fresh_id, submit, writes
from ledger_node.hashing import commitment

routes = APIBlueprint("facilities", __name__, tag="Facilities")

Days = Annotated[int, Field(ge=0, le=3650)]
AMOUNTS = ("limit", "supplier_limit", "fee", "both_delivery")
FACILITY_EXAMPLE = {
    "buyer": "BuyerMSP",
    "suppliers": ["SupplierMSP"],
    "deposit": "EUR@FinancierMSP",
    "limit": "1000000.00",
    "supplier_limit": "500000.00",
    "rate_bps": 600,
    "day_count": "ACT/360",
    "fee": "0.00",
    "mode": "automatic",
}


class AcceptanceIn(In):
    """A supplier taken on. `agreement` names the agreement; the ledger gets a commitment to it only."""

    supplier: Msp
    agreement: Text
    screened_until: DateText
    group_id: GroupId


class FacilityIn(In):
    """A standing offer on one buyer; a face above `both_delivery` (0: none) needs the word of carrier and buyer."""

    buyer: Msp
    suppliers: list[Msp] = Field(min_length=1, max_length=50)
    deposit: Deposit
    limit: AmountText
    supplier_limit: AmountText
    rate_bps: int = Field(ge=0, le=10_000, description="Yearly rate in basis points on the face amount.")
    day_count: Literal["ACT/360", "ACT/365F"] = "ACT/360"
    fee: AmountText = "0"
    tenor_days_min: Days = 1
    tenor_days_max: Days = 180
    grace_days: int = Field(0, ge=0, le=365)
    holidays: list[DateText] = Field(default_factory=list, max_length=400)
    mode: Literal["automatic", "manual"] = "automatic"
    recourse: Literal["none", "dilution", "full"] = "none"
    attestations_min: int = Field(2, ge=2, le=50)
    both_delivery: AmountText = "0"
    overdue_days_max: Days = 30
    ack_days: Days = 10
    insured_until: DateText | Literal[""] = ""


@routes.post("/v1/supplier-acceptances")
@writes(
    routes,
    "funder",
    AcceptanceIn,
    {"supplier": "SupplierMSP", "agreement": "RPA-2026-17", "screened_until": "2027-11-22", "group_id": "supplier"},
)
def accept_supplier(body: AcceptanceIn) -> Answer:
    """Take a supplier on, or renew it, as a financier."""
    command = body.model_dump(exclude={"agreement"})
    # Salted with the consortium's key, since an agreement's number can be guessed: outsiders learn nothing.
    agreed = commitment(current_node().fingerprint_key, hashlib.sha256(body.agreement.encode()).digest())
    return submit("AcceptSupplier", command | {"agreement_commitment": agreed.hex()})


@routes.get("/v1/supplier-acceptances")
@routes.auth_required(bearer)
@routes.output(AcceptancesOut)
def show_acceptances() -> dict[str, Any]:
    """All acceptances of suppliers."""
    answer = seen()
    return {**answer, **listed(current_node().readmodel.acceptances())}


@routes.post("/v1/facilities")
@writes(routes, "funder", FacilityIn, FACILITY_EXAMPLE)
def open_facility(body: FacilityIn) -> Answer:
    """Open a facility, as a financier."""
    facility_id, currency = fresh_id("facility"), deposit_currency(body.deposit)
    amounts = {f"{name}_minor": to_minor(getattr(body, name), currency, name) for name in AMOUNTS}
    command = body.model_dump(exclude=set(AMOUNTS)) | amounts | {"facility_id": facility_id}
    resource = f"/v1/facilities/{facility_id}"
    return submit("OpenFacility", command, resource=resource, record_id=facility_id, created=True)


@routes.get("/v1/facilities")
@routes.auth_required(bearer)
@routes.output(FacilitiesOut)
def show_all() -> dict[str, Any]:
    """All facilities."""
    answer = seen()
    return {**answer, **listed(current_node().readmodel.facilities())}


@routes.get("/v1/facilities/<facility_id>")
@routes.auth_required(bearer)
@routes.output(FacilityOut)
def show(facility_id: str) -> dict[str, Any]:
    """One facility and what of it is used."""
    answer = seen()
    return {**written(existing(current_node().readmodel.facility(facility_id), "facility", facility_id)), **answer}
