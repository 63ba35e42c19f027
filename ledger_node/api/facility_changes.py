"""What a financier changes of its facilities, and whom it holds back from: terms, suspension, limits, holds."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.money import deposit_currency
from ledger_node.api.answers import existing
from ledger_node.api.context import current_node
from ledger_node.api.facilities import Days
from ledger_node.api.wire import AmountText, Currency, DateText, In, Msp, Nothing, RecordId
from ledger_node.api.writes import (
    REASON_EXAMPLE,
    Answer,
    ReasonIn,
    in_minor,
    submit,
    submit_reasoned,
    writes,
)

routes = APIBlueprint("facility_changes", __name__, tag="Facilities")


class TermsIn(In):
    """The whole of a facility's terms, nothing of which has a default: what is not repeated is not kept by chance."""

    suppliers: list[Msp] = Field(min_length=1, max_length=50)
    limit: AmountText
    supplier_limit: AmountText
    rate_bps: int = Field(ge=0, le=10_000)
    fee: AmountText
    tenor_days_min: Days
    tenor_days_max: Days
    grace_days: int = Field(ge=0, le=365)
    holidays: list[DateText] = Field(max_length=400)
    mode: Literal["automatic", "manual"]
    recourse: Literal["none", "dilution", "full"]
    attestations_min: int = Field(ge=2, le=50)
    both_delivery: AmountText
    overdue_days_max: Days
    ack_days: Days
    insured_until: DateText | Literal[""]
    two_step_above: AmountText = Field(description="A funding above it takes two steps by two persons.")
    manual_first: int = Field(ge=0, le=1_000_000_000, description="So many invoices are decided by a person first.")
    reserve_days: int = Field(ge=0, le=30, description="How long what is set aside stays so.")


class HoldIn(ReasonIn):
    """On whom, and why."""

    msp_id: Msp


class BuyerLimitIn(In):
    """The most open face on one buyer over all own facilities on it, of which at least one is named."""

    buyer: Msp
    currency: Currency
    limit: AmountText
    facility_ids: list[RecordId] = Field(min_length=1, max_length=20)


TERMS_EXAMPLE = {
    "suppliers": ["SupplierMSP"],
    "limit": "1000000.00",
    "supplier_limit": "500000.00",
    "rate_bps": 600,
    "fee": "0.00",
    "tenor_days_min": 1,
    "tenor_days_max": 180,
    "grace_days": 0,
    "holidays": [],
    "mode": "automatic",
    "recourse": "dilution",
    "attestations_min": 2,
    "both_delivery": "0.00",
    "overdue_days_max": 30,
    "ack_days": 10,
    "insured_until": "",
    "two_step_above": "100000.00",
    "manual_first": 3,
    "reserve_days": 2,
}


@routes.post("/v1/facilities/<facility_id>/terms")
@writes(routes, "funder", TermsIn, TERMS_EXAMPLE)
def change_terms(facility_id: str, body: TermsIn) -> Answer:
    """Give a facility other terms from the next day on, as its financier."""
    facility = existing(current_node().readmodel.facility(facility_id), "facility", facility_id)
    terms = in_minor(body.model_dump(), deposit_currency(facility["deposit"]))
    return submit("ChangeFacility", {"facility_id": facility_id, "terms": terms}, **_about(facility_id))


@routes.post("/v1/facilities/<facility_id>/suspension")
@writes(routes, "funder", ReasonIn, REASON_EXAMPLE)
def suspend(facility_id: str, body: ReasonIn) -> Answer:
    """Fund nothing more out of a facility until it is resumed."""
    return submit_reasoned("SuspendFacility", {"facility_id": facility_id}, body.reason, **_about(facility_id))


@routes.post("/v1/facilities/<facility_id>/resumption")
@writes(routes, "funder", Nothing)
def resume(facility_id: str, body: Nothing) -> Answer:
    """End a facility's suspension."""
    return submit("ResumeFacility", {"facility_id": facility_id}, **_about(facility_id))


@routes.post("/v1/facilities/<facility_id>/closure")
@writes(routes, "funder", Nothing)
def close(facility_id: str, body: Nothing) -> Answer:
    """Fund nothing more out of a facility, for good; what is funded lives on."""
    return submit("CloseFacility", {"facility_id": facility_id}, **_about(facility_id))


@routes.post("/v1/holds")
@writes(routes, "funder", HoldIn, {"msp_id": "BuyerMSP", "reason": "insolvency proceedings"})
def hold(body: HoldIn) -> Answer:
    """Stop, at once, all own funding that a party has a part in."""
    return submit_reasoned("HoldFunding", {"msp_id": body.msp_id}, body.reason, record_id=body.msp_id)


@routes.post("/v1/holds/<msp_id>/lifting")
@writes(routes, "funder", Nothing)
def lift_hold(msp_id: str, body: Nothing) -> Answer:
    """End the own hold on a party; waiting invoices are checked by POST /v1/release-checks."""
    return submit("LiftHold", {"msp_id": msp_id}, record_id=msp_id)


@routes.post("/v1/buyer-limits")
@writes(
    routes,
    "funder",
    BuyerLimitIn,
    {
        "buyer": "BuyerMSP",
        "currency": "EUR",
        "limit": "2000000.00",
        "facility_ids": ["c0ffee00c0ffee00c0ffee00c0ffee00"],
    },
)
def set_buyer_limit(body: BuyerLimitIn) -> Answer:
    """Bound the open face on a buyer over all own facilities; a higher limit counts from the next day on."""
    return submit("SetBuyerLimit", in_minor(body.model_dump(), body.currency))


def _about(facility_id: str) -> dict[str, Any]:
    return {"resource": f"/v1/facilities/{facility_id}", "record_id": facility_id}
