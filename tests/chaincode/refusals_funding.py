"""Refusals of the commands by which a financier decides and bounds its risk, and funding is taken back."""

from __future__ import annotations

from life_worlds import (
    ID,
    REASON,
    claim_paid,
    credit_note,
    disputed,
    frozen,
    funded,
    happening,
    is_overdue,
    partly_settled,
    reservation,
    reserved,
    settled_whole,
    supplier_has_money,
    terms,
    two_steps,
)
from refusal_rows import (
    ANY_PARTY,
    FINANCING,
    OTHER_BANK,
    OTHER_BUYER,
    OTHER_SUPPLIER,
    Row,
    Table,
    did,
    enrolled,
    everybody,
    facilities_opened,
)
from world import World
from world_bodies import BUYER, CARRIER, DEPOSIT, FINANCIER, SUPPLIER, facility, hexid

UNKNOWN = {"invoice_id": hexid("no such invoice")}
FACILITY = {"facility_id": hexid("facility")}
NO_FACILITY = {"facility_id": hexid("no such facility")}
CLOSED = did(FINANCIER, "CloseFacility", **FACILITY)
LIMIT = {"buyer": BUYER, "currency": "EUR", "limit_minor": 5_000_000, "facility_ids": [hexid("facility")]}


def reserved_by_a_person() -> World:
    """Anna has set the money aside, at a bank under four eyes."""
    world = two_steps()
    enrolled(FINANCIER)(world)
    world.must(FINANCIER, "FundInvoice", persons=("anna",), **ID, **FACILITY)
    return world


def expired() -> World:
    """What was set aside has not been paid in time."""
    world = reservation()
    world.open_day("2026-11-26")
    return world


def suspended() -> World:
    """The financier has suspended its facility."""
    world = two_steps()
    world.must(FINANCIER, "SuspendFacility", **FACILITY, **REASON)
    return world


def reserved_anew(world: World) -> None:
    world.must(FINANCIER, "VoidFunding", **ID)
    reserved(world)


def without_recourse(world: World) -> None:
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms(recourse="none"))
    world.open_day("2026-11-24")


def written_off_in_part(world: World) -> None:
    is_overdue(world)
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=400_000)


def without_money(world: World) -> None:
    """What the supplier has goes to the buyer for a credit note of the whole face."""
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=1_000_000))
    world.must(SUPPLIER, "PayClaim", credit_note_id=hexid("credit note"), deposit=DEPOSIT)


def consented_and_poorer(world: World) -> None:
    world.must(SUPPLIER, "Unwind", **ID)
    claim_paid(world)


def consented_and_frozen(world: World) -> None:
    world.must(SUPPLIER, "Unwind", **ID)
    frozen(SUPPLIER)(world)


TABLES: dict[str, Table] = {
    "ChangeFacility": Table(
        FINANCIER,
        {**FACILITY, "terms": terms(rate_bps=600)},
        FINANCING,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER, OTHER_BANK)),
            Row("FACILITY_UNKNOWN", NO_FACILITY),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("FACILITY_CLOSED", before=CLOSED),
            Row("SAME_PARTY", {"terms": terms(suppliers=[SUPPLIER, BUYER])}),
            Row("PARTY_UNKNOWN", {"terms": terms(suppliers=[CARRIER])}),
            Row("TERMS_INVALID", {"terms": terms(tenor_days_min=121)}),
            Row("TERMS_INVALID", {"terms": terms(supplier_limit_minor=10_000_001)}),
        ),
    ),
    "SuspendFacility": Table(
        FINANCIER,
        {**FACILITY, **REASON},
        FINANCING,
        rows=(
            Row("FACILITY_UNKNOWN", NO_FACILITY),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("FACILITY_CLOSED", before=CLOSED),
            Row("STATUS_WRONG", before=did(FINANCIER, "SuspendFacility", **FACILITY, **REASON)),
        ),
    ),
    "ResumeFacility": Table(
        FINANCIER,
        FACILITY,
        world=suspended,
        rows=(
            Row("FACILITY_UNKNOWN", NO_FACILITY),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("FACILITY_CLOSED", before=CLOSED),
            Row("STATUS_WRONG", before=did(FINANCIER, "ResumeFacility", **FACILITY)),
        ),
    ),
    "CloseFacility": Table(
        FINANCIER,
        FACILITY,
        FINANCING,
        rows=(
            Row("FACILITY_UNKNOWN", NO_FACILITY),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("FACILITY_CLOSED", before=CLOSED),
        ),
    ),
    "HoldFunding": Table(
        FINANCIER,
        {"msp_id": BUYER, **REASON},
        rows=(
            Row("SAME_PARTY", {"msp_id": FINANCIER}),
            Row("PARTY_UNKNOWN", {"msp_id": "StrangerMSP"}),
            Row("ALREADY_HELD", before=did(FINANCIER, "HoldFunding", msp_id=BUYER, **REASON)),
        ),
    ),
    "LiftHold": Table(
        FINANCIER,
        {"msp_id": BUYER},
        world=lambda: happening(everybody, did(FINANCIER, "HoldFunding", msp_id=BUYER, **REASON)),
        rows=(Row("NOT_HELD", {"msp_id": SUPPLIER}),),
    ),
    "SetBuyerLimit": Table(
        FINANCIER,
        LIMIT,
        FINANCING,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER, OTHER_BANK)),
            Row("CURRENCY_UNKNOWN", {"currency": "QQQ"}),
            Row("FACILITY_UNKNOWN", {"facility_ids": [hexid("facility"), hexid("no such facility")]}),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("FACILITY_DIFFERS", {"buyer": OTHER_BUYER}),
            Row("FACILITY_DIFFERS", {"currency": "USD"}),
            Row("FACILITIES_EXHAUSTED", before=facilities_opened(20)),
            Row("FACILITIES_EXHAUSTED", before=facilities_opened(20)),
        ),
    ),
    "PostFunding": Table(
        FINANCIER,
        {**ID, "persons": ("berta",)},
        world=reserved_by_a_person,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_RESERVED", before=did(FINANCIER, "VoidFunding", **ID)),
            Row("NOT_THE_FINANCIER", {"persons": ()}, OTHER_BANK),
            Row("RESERVATION_EXPIRED", before=lambda world: world.open_day("2026-11-26")),
            Row("TWO_PERSONS_REQUIRED", {"persons": ("anna",)}),
            Row("TWO_PERSONS_REQUIRED", {"persons": ()}),
            Row("NOT_RELEASABLE", before=did(FINANCIER, "HoldFunding", msp_id=BUYER, **REASON)),
        ),
    ),
    "VoidFunding": Table(
        FINANCIER,
        ID,
        world=reservation,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_RESERVED", before=did(FINANCIER, "VoidFunding", **ID)),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
        ),
    ),
    "ExpireFunding": Table(
        CARRIER,
        {"invoice_ids": [hexid("invoice")]},
        world=expired,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", {"invoice_ids": [hexid("no such invoice")]}),
            Row("NOT_RESERVED", before=did(FINANCIER, "VoidFunding", **ID)),
            Row("NOT_EXPIRED", before=lambda world: reserved_anew(world)),
        ),
    ),
    "DeclineEarlyPayment": Table(
        FINANCIER,
        {**ID, **FACILITY, **REASON},
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("FACILITY_UNKNOWN", NO_FACILITY),
            Row("NOT_THE_FINANCIER", sender=OTHER_BANK),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row(
                "FACILITY_NOT_REQUESTED",
                {"facility_id": hexid("second")},
                before=did(FINANCIER, "OpenFacility", **facility("second")),
            ),
        ),
    ),
    "Repurchase": Table(
        SUPPLIER,
        {**ID, "deposit": DEPOSIT},
        world=lambda: happening(funded, supplier_has_money),
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("STATUS_WRONG", before=did(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)),
            Row("STATUS_WRONG", before=settled_whole),
            Row("STATUS_WRONG", before=lambda world: written_off_in_part(world)),
            Row("DEPOSIT_DIFFERS", {"deposit": f"EUR@{OTHER_BANK}"}),
            Row("RECOURSE_MISSING", before=lambda world: without_recourse(world)),
            Row("FROZEN", before=frozen(SUPPLIER)),
            Row("FUNDS_MISSING", before=without_money),
        ),
    ),
    "Unwind": Table(
        FINANCIER,
        ID,
        world=funded,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_YOUR_INVOICE", sender=BUYER),
            Row("STATUS_WRONG", before=is_overdue),
            Row("PARTLY_SETTLED", before=partly_settled),
            Row("ALREADY_CONFIRMED", before=did(FINANCIER, "Unwind", **ID)),
            Row("FROZEN", before=lambda world: consented_and_frozen(world)),
            Row("FUNDS_MISSING", before=consented_and_poorer),
        ),
    ),
}
