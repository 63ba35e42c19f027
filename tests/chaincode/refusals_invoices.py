"""Refusals of the commands of invoices; see `refusal_table`."""

from __future__ import annotations

from refusal_rows import (
    ANY_PARTY,
    EVIDENCE,
    INVOICE,
    OTHER_BUYER,
    OTHER_SUPPLIER,
    Row,
    Table,
    claims_exhausted,
    did,
    enrolled,
    happened,
    reference_used,
    repeated,
    rest,
    shipment_exhausted,
)
from world import World
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DUE,
    SUPPLIER,
    agreement_key,
    approval,
    document,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    shipment,
    story,
)


def cleared_by_anna(world: World) -> None:
    """Another invoice looks like the first one, and a person has said that it is none."""
    world.must(SUPPLIER, "RegisterInvoice", **rest("twin") | {"fingerprints": fingerprints("invoice")})
    enrolled(BUYER, persons=("anna",))(world)
    cleared = {"invoice_id": hexid("twin"), "reason_commitment": hex64("reason")}
    world.must(BUYER, "ClearDuplicate", persons=("anna",), **cleared)


NAMED = {"agreement_key": agreement_key("the buyer's")}

TABLES: dict[str, Table] = {
    "RegisterInvoice": Table(
        SUPPLIER,
        invoice(),
        EVIDENCE,
        rows=(
            Row("ID_TAKEN", before=happened("invoice")),
            Row("SAME_PARTY", {"buyer": SUPPLIER}),
            Row("PARTY_UNKNOWN", {"buyer": CARRIER}),
            Row("AMOUNT_INVALID", {"facts": facts(amount_minor=0)}),
            Row("AMOUNT_INVALID", {"facts": facts(amount_minor=-1)}),
            Row("CURRENCY_UNKNOWN", {"facts": facts(currency="XAU")}),
            Row("DUE_DATE_MISSING", {"facts": facts(due_date="")}),
            Row("DUE_DATE_MISSING", {"facts": facts(due_date=""), "stated_due_date": ""}),
            Row("DUE_DATE_IN_DOCUMENT", {"stated_due_date": DUE}),
            Row("DUE_DATE_IN_DOCUMENT", {"stated_due_date": "2027-01-23"}),
            Row("DUE_BEFORE_ISSUE", {"facts": facts(issue_date="2027-01-23")}),
            Row("DUE_BEFORE_ISSUE", {"facts": facts(due_date=""), "stated_due_date": "2026-11-19"}),
            Row("DUE_DATE_PASSED", {"facts": facts(due_date=DAY)}),
            Row("DUE_DATE_PASSED", {"facts": facts(due_date=""), "stated_due_date": DAY}),
            Row("DOCUMENT_UNKNOWN", {"document_ids": [hexid("no such document")]}),
            Row("DOCUMENT_UNKNOWN", {"proof_ids": [hexid("no such document")]}),
            Row(
                "DOCUMENT_NOT_YOURS",
                {"document_ids": [hexid("buyer's")]},
                before=did(BUYER, "RegisterDocument", **document("buyer's", entitled=[SUPPLIER])),
            ),
            Row(
                "DOCUMENT_NOT_YOURS",
                {"proof_ids": [hexid("carrier's")]},
                before=did(CARRIER, "RegisterDocument", **document("carrier's", "proof_of_delivery", entitled=[BUYER])),
            ),
            Row("DOCUMENT_KIND_WRONG", {"document_ids": [hexid("proof")]}),
            Row("DOCUMENT_KIND_WRONG", {"proof_ids": [hexid("document")]}),
            Row("SHIPMENT_UNKNOWN", {"shipment_ids": [hexid("no such shipment")]}),
            Row(
                "NOT_YOUR_SHIPMENT",
                {"shipment_ids": [hexid("theirs")]},
                before=did(OTHER_SUPPLIER, "RegisterShipment", **shipment("theirs")),
            ),
            Row(
                "SHIPMENT_DIFFERS",
                {"shipment_ids": [hexid("elsewhere")]},
                before=did(SUPPLIER, "RegisterShipment", **shipment("elsewhere", buyer=OTHER_BUYER)),
            ),
            Row("FINGERPRINTS_INCOMPLETE", {"fingerprints": {"number": hex64("number invoice")}}),
            Row("FINGERPRINTS_INCOMPLETE", {"fingerprints": {"amount": hex64("amount invoice")}}),
            Row("EPOCH_UNKNOWN", {"epoch": 2}),
            Row(
                "ISSUE_DATE_LATER",
                {"facts": facts(issue_date="2026-11-25")},
                before=did(BUYER, "ChangeAgreementKey", **NAMED),
            ),
            Row(
                "LINKS_EXHAUSTED",
                before=repeated(20, SUPPLIER, "RegisterInvoice", lambda n: rest(f"{n}", proof_ids=[], shipment_ids=[])),
            ),
            Row(
                "LINKS_EXHAUSTED",
                {"document_ids": [hexid("other document")]},
                before=lambda world: shipment_exhausted(world),
            ),
            Row("CLAIMS_EXHAUSTED", before=lambda world: claims_exhausted(world)),
        ),
    ),
    "ApproveInvoice": Table(
        BUYER,
        approval(),
        INVOICE,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(BUYER, OTHER_BUYER)),
            Row("INVOICE_UNKNOWN", {"invoice_id": hexid("no such invoice")}),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("STATUS_WRONG", before=did(BUYER, "ApproveInvoice", **approval(buyer_reference=hex64("other")))),
            Row("DUE_DATE_PASSED", before=lambda world: world.open_day(DUE)),
            Row("APPROVAL_DIFFERS", {"amount_minor": 999_999}),
            Row("APPROVAL_DIFFERS", {"currency": "USD"}),
            Row("APPROVAL_DIFFERS", {"due_date": "2027-01-23"}),
            Row("BUYER_REFERENCE_USED", before=lambda world: reference_used(world)),
            Row("APPROVER_CANNOT_CLEAR", approval("twin"), before=lambda world: cleared_by_anna(world)),
        ),
    ),
    "AcknowledgeAssignment": Table(
        BUYER,
        {"invoice_id": hexid("invoice")},
        tuple(story()),
        common=ANY_PARTY,
        rows=(
            Row("INVOICE_UNKNOWN", {"invoice_id": hexid("no such invoice")}),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row(
                "NO_NOTICE", {"invoice_id": hexid("second")}, before=did(SUPPLIER, "RegisterInvoice", **rest("second"))
            ),
            Row("ALREADY_ACKNOWLEDGED", before=did(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))),
        ),
    ),
}
