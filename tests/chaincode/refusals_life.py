"""Refusals of the commands of an invoice's life before and after funding; see `refusal_table`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from life_worlds import (
    ID,
    REASON,
    after_due,
    claimed,
    credit_note,
    disputed,
    due,
    duplicate,
    frozen,
    funded,
    happening,
    offered,
    others_document,
    overdue,
    part,
    partly_settled,
    registered,
    reserved,
    settled_whole,
    two_steps,
    written_off,
)
from refusal_rows import ANY_PARTY, OTHER_BUYER, OTHER_SUPPLIER, Row, Table, did, enrolled, repeated, rest
from sealed_world import opening, sealed_offer
from world import World
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DUE,
    FINANCIER,
    SUPPLIER,
    approval,
    fingerprints,
    hexid,
    settlement,
    shipment,
)

from chaincode.records import Founding, decode, encode

BOTH = ("anna", "berta")


def split_parts(world: World) -> None:
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=parts)


def cleared(world: World) -> None:
    """A second invoice claims the fingerprints of the first one, and a person has cleared it."""
    world.must(SUPPLIER, "RegisterInvoice", **rest("twin") | {"fingerprints": fingerprints()})
    world.must(BUYER, "ClearDuplicate", invoice_id=hexid("twin"), **REASON)


def approved_by_both(world: World) -> None:
    enrolled(BUYER, OTHER_BUYER, persons=(*BOTH, "carl"))(world)
    world.must(BUYER, "ApproveInvoice", persons=BOTH, **approval("twin"))


def founded_sealed(world: World) -> None:
    """The consortium's terms are sealed, for parties of whom none has a key."""
    founding = decode(Founding, world.state["founding"])
    world.apply({"founding": encode(replace(founding, privacy="sealed"))})


def greedy(world: World) -> None:
    offer = {"rate_bps": 10_000, "day_count": "ACT/360", "valid_until": "2030-01-01"}
    world.must(SUPPLIER, "ExtendDueDate", **ID, due_date="2028-01-22")
    world.must(SUPPLIER, "OfferDiscount", **ID, **offer)


def spent(world: World) -> None:
    """The buyer has no money left but a little."""
    world.must(BUYER, "SettleInvoice", **settlement("other", amount_minor=999_999))


def parts_on(first: str, second: str) -> list[dict[str, Any]]:
    return [part("part 1", 400_000, first), part("part 2", 600_000, second)]


def paid_in_the_buyers_deposit(world: World) -> None:
    """The invoice was paid early out of a facility in the buyer's own deposit."""
    quoted = {"rate_bps": 0, "days": 1, "discount_minor": 0, "fee_minor": 0, "net_minor": 1_000_000}
    dates = {"maturity": DUE, "day": DAY, "transaction_id": "1"}
    whose = {"facility_id": hexid("facility"), "financier": FINANCIER, **OWN}
    key = f"invoice/{hexid('invoice')}"
    world.apply({key: json.dumps(world.read(key) | {"early_payment": quoted | dates | whose}).encode()})


def owing(world: World) -> None:
    """The supplier owes the buyer for a credit note from before it bought the invoice back."""
    key = f"invoice/{hexid('invoice')}"
    world.apply({key: json.dumps(world.read(key) | {"claims_minor": 1, "claimed_minor": 1}).encode()})


OWN = {"deposit": f"EUR@{BUYER}"}
UNKNOWN = {"invoice_id": hexid("no such invoice")}

TABLES: dict[str, Table] = {
    "SettleInvoice": Table(
        BUYER,
        settlement(),
        world=two_steps,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=settled_whole),
            Row("RESERVED", before=reserved),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("SETTLEMENT_EXCEEDS", {"amount_minor": 1_000_001}),
            Row("DEPOSIT_DIFFERS", {"deposit": f"USD@{FINANCIER}"}),
            Row("DEPOSIT_DIFFERS", OWN),
            Row("FROZEN", before=frozen(BUYER)),
            Row("FUNDS_MISSING", {"deposit": "EUR@BankTwoMSP"}),
            Row("ISSUE_LIMIT_EXCEEDED", OWN, before=paid_in_the_buyers_deposit),
        ),
    ),
    "WithdrawApproval": Table(
        BUYER,
        {**ID, **REASON},
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=disputed),
            Row("STATUS_WRONG", before=did(BUYER, "WithdrawApproval", **ID, **REASON)),
            Row("RESERVED", before=reserved),
            Row("PARTLY_SETTLED", before=partly_settled),
            Row("DUE_DATE_PASSED", before=after_due),
        ),
    ),
    "DisputeInvoice": Table(
        BUYER,
        {**ID, **REASON},
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("PARTLY_SETTLED", before=partly_settled),
            Row("DUE_DATE_PASSED", before=after_due),
        ),
    ),
    "ResolveDispute": Table(
        BUYER,
        {**ID, "outcome": "registered"},
        world=lambda: happening(registered, disputed),
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=did(BUYER, "ResolveDispute", **ID, outcome="cancelled")),
            Row("CLAIMS_OPEN", {"outcome": "cancelled"}, before=owing),
        ),
    ),
    "CancelInvoice": Table(
        SUPPLIER,
        {**ID, **REASON},
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("PARTLY_SETTLED", before=partly_settled),
            Row("CLAIMS_OPEN", before=owing),
        ),
    ),
    "SplitInvoice": Table(
        SUPPLIER,
        {**ID, "parts": [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]},
        world=registered,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("STATUS_WRONG", before=did(BUYER, "ApproveInvoice", **approval())),
            Row("ALREADY_SPLIT", {"invoice_id": hexid("part 1")}, before=split_parts),
            Row("ALREADY_SPLIT", {"invoice_id": hexid("twin")}, before=cleared),
            Row("ID_TAKEN", {"parts": [part("invoice", 400_000, "shipment"), part("part 2", 600_000)]}),
            Row("SPLIT_INVALID", {"parts": [part("part 1", 400_000, "shipment"), part("part 1", 600_000)]}),
            Row("SPLIT_INVALID", {"parts": [part("part 1", 400_000, "shipment"), part("part 2", 600_001)]}),
            Row("SPLIT_INVALID", {"parts": [part("part 1", 1_000_000, "shipment"), part("part 2", 0)]}),
            Row("SPLIT_INVALID", {"parts": [part("part 1", 400_000), part("part 2", 600_000)]}),
            Row("SPLIT_INVALID", {"parts": parts_on("shipment", "shipment")}),
            Row("SHIPMENT_UNKNOWN", {"parts": parts_on("shipment", "no such shipment")}),
            Row(
                "NOT_YOUR_SHIPMENT",
                {"parts": parts_on("shipment", "theirs")},
                before=did(OTHER_SUPPLIER, "RegisterShipment", **shipment("theirs")),
            ),
            Row(
                "SHIPMENT_DIFFERS",
                {"parts": parts_on("shipment", "elsewhere")},
                before=did(SUPPLIER, "RegisterShipment", **shipment("elsewhere", buyer=OTHER_BUYER)),
            ),
            Row("LINKS_EXHAUSTED", before=repeated(19, SUPPLIER, "RegisterInvoice", lambda number: rest(f"{number}"))),
        ),
    ),
    "ClearDuplicate": Table(
        BUYER,
        {"invoice_id": hexid("twin"), **REASON},
        world=duplicate,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(BUYER, OTHER_BUYER)),
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("NOT_A_DUPLICATE", {**ID}),
            Row("STATUS_WRONG", before=did(BUYER, "DisputeInvoice", invoice_id=hexid("twin"), **REASON)),
            Row("APPROVER_CANNOT_CLEAR", {"persons": ("anna", "carl")}, before=approved_by_both),
        ),
    ),
    "RecordCreditNote": Table(
        SUPPLIER,
        credit_note(),
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("ID_TAKEN", before=did(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=1))),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("PARTLY_SETTLED", before=partly_settled),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("CREDIT_EXCEEDS", {"amount_minor": 1_000_000}),
            Row("DOCUMENT_UNKNOWN", {"document_id": hexid("no such document")}),
            Row("DOCUMENT_NOT_YOURS", {"document_id": hexid("theirs")}, before=others_document),
            Row("SHIPMENT_DIFFERS", {"shipment_ids": [hexid("no shipment of this invoice")]}),
        ),
    ),
    "PayClaim": Table(
        SUPPLIER,
        {"credit_note_id": hexid("credit note"), "deposit": settlement()["deposit"]},
        world=claimed,
        common=ANY_PARTY,
        rows=(
            Row("CREDIT_NOTE_UNKNOWN", {"credit_note_id": hexid("no such credit note")}),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row(
                "NOT_CLAIMED",
                before=did(SUPPLIER, "PayClaim", credit_note_id=hexid("credit note"), deposit=settlement()["deposit"]),
            ),
            Row("DEPOSIT_DIFFERS", {"deposit": f"USD@{FINANCIER}"}),
            Row("DEPOSIT_DIFFERS", {"deposit": f"EUR@{SUPPLIER}"}),
            Row("FROZEN", before=frozen(SUPPLIER)),
            Row("FUNDS_MISSING", {"deposit": "EUR@BankTwoMSP"}),
        ),
    ),
    "ReportMisdirectedPayment": Table(
        BUYER,
        {"report_id": hexid("report"), **ID, "amount_minor": 1},
        world=funded,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row(
                "ID_TAKEN",
                before=did(SUPPLIER, "ReportMisdirectedPayment", report_id=hexid("report"), **ID, amount_minor=2),
            ),
            Row("NOT_YOUR_INVOICE", sender=CARRIER),
            Row("STATUS_WRONG", before=settled_whole),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
        ),
    ),
    "RecordPaidOutside": Table(
        SUPPLIER,
        {**ID, "amount_minor": 400_000, **REASON},
        world=two_steps,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_HOLDER", sender=FINANCIER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("AMOUNT_INVALID", {"amount_minor": -1}),
            Row("SETTLEMENT_EXCEEDS", {"amount_minor": 1_000_001}),
            Row("TWO_PERSONS_REQUIRED", before=enrolled(SUPPLIER)),
        ),
    ),
    "OfferDiscount": Table(
        SUPPLIER,
        {**ID, "rate_bps": 600, "day_count": "ACT/365F", "valid_until": "2026-12-31"},
        world=two_steps,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_SUPPLIER", sender=OTHER_SUPPLIER),
            Row("VALIDITY_PASSED", {"valid_until": "2026-11-23"}),
            Row("STATUS_WRONG", before=disputed),
            Row("PRIVACY_DIFFERS", {"rate_bps": None}),
            Row("WRAPS_INVALID", sealed_offer(), before=founded_sealed),
        ),
    ),
    "PayEarly": Table(
        BUYER,
        {**ID, "deposit": settlement()["deposit"]},
        world=offered,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("NO_OFFER", before=lambda world: world.open_day("2027-07-01")),
            Row("OPENING_DIFFERS", {"opening": opening()}),
            Row("DUE_DATE_PASSED", before=due),
            Row("DEPOSIT_DIFFERS", {"deposit": f"USD@{FINANCIER}"}),
            Row("DEPOSIT_DIFFERS", OWN),
            Row("NET_BELOW_ONE", before=greedy),
            Row("FROZEN", before=frozen(BUYER)),
            Row("FUNDS_MISSING", {"deposit": "EUR@BankTwoMSP"}),
        ),
    ),
    "ExtendDueDate": Table(
        SUPPLIER,
        {**ID, "due_date": "2027-02-22"},
        world=two_steps,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_HOLDER", sender=FINANCIER),
            Row("STATUS_WRONG", before=disputed),
            Row("RESERVED", before=reserved),
            Row("EXTENSION_INVALID", {"due_date": "2027-01-22"}),
            Row("EXTENSION_INVALID", {"due_date": "2028-01-23"}),
        ),
    ),
    "MarkOverdue": Table(
        CARRIER,
        {"invoice_ids": [hexid("invoice")]},
        world=lambda: happening(funded, after_due),
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", {"invoice_ids": [hexid("invoice"), hexid("no such invoice")]}),
            Row("STATUS_WRONG", before=settled_whole),
            Row("NOT_DUE", before=did(FINANCIER, "ExtendDueDate", **ID, due_date="2027-02-22")),
        ),
    ),
    "WriteOff": Table(
        FINANCIER,
        {**ID, "amount_minor": 400_000},
        world=overdue,
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER, SUPPLIER)),
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_HOLDER", sender=SUPPLIER),
            Row("STATUS_WRONG", before=settled_whole),
            Row("STATUS_WRONG", before=did(FINANCIER, "ExtendDueDate", **ID, due_date="2027-02-22")),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("SETTLEMENT_EXCEEDS", {"amount_minor": 1_000_001}),
        ),
    ),
    "RecordRecovery": Table(
        BUYER,
        settlement(amount_minor=300_000),
        world=written_off,
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", UNKNOWN),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("RECOVERY_EXCEEDS", {"amount_minor": 1_000_001}),
            Row("DEPOSIT_DIFFERS", {"deposit": f"EUR@{BUYER}"}),
            Row("FROZEN", before=frozen(BUYER)),
            Row("FUNDS_MISSING", before=spent),
        ),
    ),
}
