"""The seven classes: each reason is met by a story that differs from the one that pays in a single step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from refusal_rows import OTHER_BANK, OTHER_BUYER, OTHER_SUPPLIER, everybody, related
from world import World, play
from world_bodies import (
    BUYER,
    CARRIER,
    FACE_MINOR,
    FINANCIER,
    SUPPLIER,
    Step,
    approval,
    attestation,
    body,
    document,
    event,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    story,
)


@dataclass(frozen=True)
class Case:
    """Steps that replace those of the story, what happens before, and the one class that they spoil."""

    class_: str
    reason: str
    verdict: str
    steps: dict[str, Step] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    before: Callable[[World], object] = lambda world: None
    world: Callable[[], World] = everybody


def read_other(who: str, **changes: object) -> dict[str, Step]:
    """Buyer or financier reads other facts in the invoice."""
    return body(f"{who} document", facts=facts(**changes))


def named_otherwise(**changes: object) -> dict[str, Step]:
    """The invoice itself says something else, and everybody reads it so."""
    said = facts(**changes)
    return body("invoice", facts=said) | body("buyer document", facts=said) | body("financier document", facts=said)


def later(date: str) -> Callable[[World], object]:
    return lambda world: world.open_day(date)


def owes(invoice_name: str, **facts_: str) -> Callable[[World], object]:
    """The buyer owes another supplier something."""

    def prepare(world: World) -> None:
        said = facts(**facts_)
        world.must(OTHER_SUPPLIER, "RegisterDocument", **document(f"{invoice_name} document"))
        world.must(
            OTHER_SUPPLIER,
            "RegisterInvoice",
            **invoice(
                invoice_name,
                document_ids=[hexid(f"{invoice_name} document")],
                proof_ids=[],
                shipment_ids=[],
                facts=said,
            ),
        )
        world.must(BUYER, "ApproveInvoice", **approval(invoice_name, due_date=said["due_date"]))
        world.open_day("2026-12-15")

    return prepare


INVALID, INDETERMINATE = "INVALID", "INDETERMINATE"
OTHER_BYTES = {"verdict": "mismatch", "commitment": hex64("other bytes")}
UNAVAILABLE = {"verdict": "unavailable", "commitment": ""}
EXPIRED = {"valid_until": "2026-11-23"}
NOTHING_LEFT = body("facility", fee_minor=FACE_MINOR) | body("request", net_min_minor=0)
CASES = [
    Case(
        "PARTIES",
        "SAME_GROUP",
        INVALID,
        body("acceptance", group_id=f"{BUYER}-group")
        | body("document", entitled=[BUYER, CARRIER, FINANCIER])  # the buyer is no witness then
        | {"carrier document": (CARRIER, "AttestDocument", attestation("document"))}
        | {"financier proof": (FINANCIER, "AttestDocument", attestation("proof"))},
    ),
    Case("PARTIES", "ACCEPTANCE_MISSING", INDETERMINATE, without=("acceptance",)),
    Case(
        "PARTIES",
        "SCREENING_PASSED",
        INVALID,
        body("acceptance", screened_until="2026-11-23"),
        before=later("2026-11-24"),
    ),
    Case(
        "INTEGRITY",
        "MISMATCH_ATTESTED",
        INVALID,
        body("carrier proof", **OTHER_BYTES),
    ),
    Case("INTEGRITY", "ATTESTATIONS_MISSING", INDETERMINATE, without=("carrier proof",)),
    Case("INTEGRITY", "ATTESTATIONS_MISSING", INDETERMINATE, body("facility", attestations_min=3)),
    Case("INTEGRITY", "ATTESTATIONS_MISSING", INDETERMINATE, body("carrier proof", **UNAVAILABLE)),
    Case("INTEGRITY", "NO_PROOF", INDETERMINATE, body("invoice", proof_ids=[])),
    Case("AMOUNT", "FACTS_DIFFER", INVALID, read_other("buyer", amount_minor=FACE_MINOR - 1)),
    Case("AMOUNT", "FACTS_DIFFER", INVALID, read_other("financier", payee=hex64("another account"))),
    Case("AMOUNT", "PARTY_DIFFERS", INVALID, named_otherwise(supplier=hex64("somebody else"))),
    Case("AMOUNT", "PARTY_DIFFERS", INVALID, named_otherwise(buyer=hex64("somebody else"))),
    Case("AMOUNT", "PAYEE_DIFFERS", INVALID, named_otherwise(payee=hex64("another account"))),
    Case("AMOUNT", "NOT_APPROVED", INDETERMINATE, without=("approval",)),
    Case("AMOUNT", "FACTS_MISSING", INDETERMINATE, body("financier document", facts=None)),
    Case("DELIVERY", "NO_SHIPMENT", INDETERMINATE, body("invoice", shipment_ids=[])),
    Case("DELIVERY", "PARTIAL_DELIVERY", INVALID, body("delivered", partial=True)),
    Case("DELIVERY", "ONLY_SUPPLIER_SAYS_SO", INVALID, {"delivered": (SUPPLIER, "RecordShipmentEvent", event())}),
    Case("DELIVERY", "ONLY_SUPPLIER_SAYS_SO", INVALID, without=("carrier",)),
    Case(
        "DELIVERY",
        "ONLY_SUPPLIER_SAYS_SO",
        INVALID,
        world=related(CARRIER, SUPPLIER),
        steps=body("proof", entitled=[BUYER, FINANCIER])
        | {"carrier proof": (FINANCIER, "AttestDocument", attestation("proof"))},
    ),
    Case("DELIVERY", "NOT_DELIVERED", INDETERMINATE, without=("delivered",)),
    Case("DELIVERY", "NOT_DELIVERED", INDETERMINATE, body("delivered", type="in_transit")),
    Case("DELIVERY", "BOTH_REQUIRED", INDETERMINATE, body("facility", both_delivery_minor=FACE_MINOR - 1)),
    Case("UNIQUE", "FINGERPRINTS_DIFFER", INVALID, body("buyer document", fingerprints=fingerprints("changed"))),
    Case(
        "UNIQUE",
        "FINGERPRINTS_DIFFER",
        INVALID,
        body("financier document", fingerprints=fingerprints() | {"delivery": hex64("reference")}),
    ),
    Case("UNIQUE", "FINGERPRINTS_MISSING", INDETERMINATE, body("financier document", fingerprints={})),
    Case(
        "UNIQUE",
        "FINGERPRINTS_MISSING",
        INDETERMINATE,
        body("invoice", fingerprints=fingerprints() | {"delivery": hex64("reference")}),
    ),
    Case(
        "FACILITY",
        "REQUEST_EXPIRED",
        INVALID,
        body("request", valid_until="2026-11-23"),
        before=later("2026-11-24"),
    ),
    Case("FACILITY", "BUYER_DIFFERS", INVALID, body("facility", buyer=OTHER_BUYER)),
    Case("FACILITY", "SUPPLIER_NOT_ACCEPTED", INVALID, body("facility", suppliers=[OTHER_SUPPLIER])),
    Case("FACILITY", "TENOR_OUT_OF_BOUNDS", INVALID, body("facility", tenor_days_min=64)),
    Case("FACILITY", "TENOR_OUT_OF_BOUNDS", INVALID, body("facility", tenor_days_max=62)),
    Case("FACILITY", "LIMIT_EXCEEDED", INVALID, body("facility", limit_minor=FACE_MINOR - 1, supplier_limit_minor=0)),
    Case("FACILITY", "LIMIT_EXCEEDED", INVALID, body("facility", supplier_limit_minor=FACE_MINOR - 1)),
    Case("FACILITY", "BUYER_OVERDUE", INVALID, before=owes("late", due_date="2026-12-04")),
    Case("FACILITY", "INSURANCE_PASSED", INVALID, body("facility", insured_until="2026-11-22")),
    Case("FACILITY", "NET_BELOW_MIN", INVALID, body("request", net_min_minor=988_751)),
    Case(
        "FACILITY", "NET_BELOW_MIN", INVALID, body("facility", fee_minor=FACE_MINOR) | body("request", net_min_minor=0)
    ),
    Case("FACILITY", "DECISION_MISSING", INDETERMINATE, body("facility", mode="manual")),
    Case("FUNDS", "FUNDS_MISSING", INVALID, body("facility", deposit=f"EUR@{OTHER_BANK}")),
]


SAID = {
    "SCREENING_PASSED": {f"the screening of {SUPPLIER} ended yesterday, 2026-11-23"},
    "FACTS_DIFFER": {
        f"{BUYER} read another amount in the invoice than registered",
        f"{FINANCIER} read another payee in the invoice than registered",
    },
    "TENOR_OUT_OF_BOUNDS": {
        "63 days to maturity, due in 60 days, on 2027-01-22: taken are 64 to 120 days",
        "63 days to maturity, due in 60 days, on 2027-01-22: taken are 5 to 62 days",
    },
    "LIMIT_EXCEEDED": {
        "9 999.99 EUR is left of the limit of the facility, not 10 000.00",
        f"9 999.99 EUR is left of the limit of the supplier {SUPPLIER}, not 10 000.00",
    },
    "BUYER_OVERDUE": {f"{BUYER} should have paid 11 days ago, on 2026-12-04"},
    "INSURANCE_PASSED": {"the insurance ended yesterday, 2026-11-22"},
    "NET_BELOW_MIN": {
        "9 887.50 EUR would be paid, at least 9 887.51 is wanted",
        "-87.50 EUR would be paid, at least 0.01 is wanted",
    },
    "FUNDS_MISSING": {f"{FINANCIER} can pay 0.00 EUR, not 9 887.50"},
}
"""What is said where amounts or days are compared."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.class_}-{case.reason}")
def test_one_wrong_step_spoils_exactly_one_class(case: Case) -> None:
    world = case.world()
    assert play(world, story() | case.steps, without=(*case.without, "approval")) == []
    case.before(world)
    if "approval" not in case.without:
        assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))
    spoilt = [(one["class"], one["reason"], one["verdict"]) for one in answer["classes"] if one["verdict"] != "VALID"]
    assert spoilt == [(case.class_, case.reason, case.verdict)]
    (text,) = [one["text"] for one in answer["classes"] if one["verdict"] != "VALID"]
    assert text in SAID.get(case.reason, {text})
    assert all(bool(one["who"]) == (one["verdict"] != "VALID") for one in answer["classes"])


def test_the_control_of_all_these_cases_is_paid() -> None:
    assert play(everybody()) == [hexid("invoice")]
