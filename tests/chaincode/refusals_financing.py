"""Refusals of the commands of financing; see `refusal_table`."""

from __future__ import annotations

from life_worlds import NEXT_DAY, reserved, terms
from refusal_rows import (
    COMMON,
    FINANCING,
    INVOICE,
    OTHER_BANK,
    OTHER_SUPPLIER,
    Row,
    Table,
    did,
    enrolled,
    facilities_opened,
    settle_directly,
    settled,
    waits_for_decision,
)
from world import World
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    SUPPLIER,
    acceptance,
    event,
    facility,
    hexid,
    request,
)


def reserved_meanwhile(world: World) -> None:
    """The facility takes two steps from the next day on, and the first one is done."""
    two_steps = terms(mode="manual", two_step_above_minor=0)
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=two_steps)
    world.open_day(NEXT_DAY)
    reserved(world)


TABLES: dict[str, Table] = {
    "AcceptSupplier": Table(
        FINANCIER,
        acceptance(),
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER)),
            Row("SAME_PARTY", {"supplier": FINANCIER}),
            Row("PARTY_UNKNOWN", {"supplier": BUYER}),
            Row("SCREENING_PASSED", {"screened_until": "2026-11-22"}),
        ),
    ),
    "OpenFacility": Table(
        FINANCIER,
        facility(),
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER)),
            Row("ID_TAKEN", before=did(OTHER_BANK, "OpenFacility", **facility())),
            Row("SAME_PARTY", {"suppliers": [SUPPLIER, FINANCIER]}),
            Row("PARTY_UNKNOWN", {"buyer": CARRIER}),
            Row("PARTY_UNKNOWN", {"suppliers": [CARRIER]}),
            Row("PARTY_UNKNOWN", {"deposit": f"EUR@{CARRIER}"}),
            Row("CURRENCY_UNKNOWN", {"deposit": f"QQQ@{FINANCIER}"}),
            Row("TERMS_INVALID", {"attestations_min": 1}),
            Row("TERMS_INVALID", {"tenor_days_min": 121}),
            Row("TERMS_INVALID", {"supplier_limit_minor": 10_000_001}),
            Row("FACILITIES_EXHAUSTED", before=facilities_opened(20, limited=True)),
        ),
    ),
    "RequestEarlyPayment": Table(
        SUPPLIER,
        request(),
        FINANCING,
        rows=(
            Row("INVOICE_UNKNOWN", {"invoice_id": hexid("no such invoice")}),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("FACILITY_UNKNOWN", {"facility_ids": [hexid("facility"), hexid("no such facility")]}),
            Row("VALIDITY_PASSED", {"valid_until": "2026-11-22"}),
            Row("STATUS_WRONG", before=settled),
        ),
    ),
    "CheckRelease": Table(
        CARRIER,
        {"invoice_ids": [hexid("invoice")]},
        INVOICE,
        common=(*COMMON[:4], "DAY_NOT_OPEN"),
        rows=(Row("INVOICE_UNKNOWN", {"invoice_ids": [hexid("invoice"), hexid("no such invoice")]}),),
    ),
    "FundInvoice": Table(
        FINANCIER,
        {"invoice_id": hexid("invoice"), "facility_id": hexid("facility")},
        world=lambda: waits_for_decision(),
        rows=(
            Row("INVOICE_UNKNOWN", {"invoice_id": hexid("no such invoice")}),
            Row("FACILITY_UNKNOWN", {"facility_id": hexid("no such facility")}),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("STATUS_WRONG", before=lambda world: settle_directly(world)),
            Row(
                "FACILITY_NOT_REQUESTED",
                {"facility_id": hexid("second")},
                before=did(FINANCIER, "OpenFacility", **facility("second", mode="manual")),
            ),
            Row("RESERVED", before=lambda world: reserved_meanwhile(world)),
            Row("NOT_RELEASABLE", before=did(BUYER, "RecordShipmentEvent", **event("in part", partial=True))),
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER)),
        ),
    ),
}
