"""Release, told as stories: requests, several facilities, duplicates, limits shared, money that comes later."""

from __future__ import annotations

from life_worlds import two_steps
from refusal_rows import EVERYBODY, OTHER_BANK, OTHER_SUPPLIER, everybody, related
from world import World, found, founded, paid, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DUE,
    FACE_MINOR,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    approval,
    attestation,
    body,
    deposit,
    document,
    event,
    facility,
    facts,
    fingerprints,
    hex64,
    hexid,
    invoice,
    request,
    settlement,
    story,
)

from chaincode.rules.verdicts import ReleaseClass


def test_related_supplier_and_buyer_are_not_financed() -> None:
    world = related(SUPPLIER, BUYER)()
    steps = story() | body("proof", entitled=[FINANCIER, CARRIER]) | body("document", entitled=[FINANCIER, CARRIER])
    assert play(world, steps, without=("buyer proof", "buyer document")) == []
    assert world.classes()["PARTIES"] == "SAME_GROUP"


def test_without_a_request_three_classes_wait_for_the_supplier() -> None:
    world = founded()
    assert play(world, without=("request",)) == []
    assert world.classes() == {
        "PARTIES": "NO_REQUEST",
        "INTEGRITY": "HOLDS",
        "AMOUNT": "FACTS_MISSING",
        "DELIVERY": "HOLDS",
        "UNIQUE": "FINGERPRINTS_MISSING",
        "FACILITY": "NO_REQUEST",
        "FUNDS": "NO_REQUEST",
    }
    assert world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["quote"] is None


def test_an_empty_set_is_never_valid() -> None:
    world = founded()
    play(world, {name: story()[name] for name in ("document",)})
    world.must(SUPPLIER, "RegisterInvoice", **invoice(proof_ids=[], shipment_ids=[]))
    assert "HOLDS" not in world.classes().values()


def test_a_request_to_a_facility_in_another_currency_is_not_paid() -> None:
    world = World()
    limits = {"issue_limits": {"EUR": 10**8, "USD": 10**8}}
    found(world, [one | limits if "issuer" in one["roles"] else one for one in PARTIES])
    assert play(world, story() | body("facility", deposit=f"USD@{FINANCIER}")) == []
    assert world.classes()["FACILITY"] == "CURRENCY_DIFFERS"


def test_a_second_financing_of_an_invoice_is_refused() -> None:
    world = paid()
    world.must(SUPPLIER, "RegisterDocument", **document("changed"))
    second = invoice("second", document_ids=[hexid("changed")], fingerprints=fingerprints("invoice"))
    assert world.must(SUPPLIER, "RegisterInvoice", **second)["duplicate_of"] == hexid("invoice")
    assert world.must(SUPPLIER, "RequestEarlyPayment", **request("second"))["released"] == []
    assert world.must(BUYER, "ApproveInvoice", **approval("second"))["released"] == []
    read = {"facts": facts(), "fingerprints": fingerprints("invoice")}
    for verifier in (BUYER, FINANCIER):
        assert world.must(verifier, "AttestDocument", **attestation("changed", **read))["released"] == []
    reasons = world.classes("second")
    assert reasons.pop("UNIQUE") == "ALREADY_FINANCED"
    assert set(reasons.values()) == {"HOLDS"}


def test_a_duplicate_of_an_unfinanced_invoice_waits_and_the_first_one_is_paid() -> None:
    world = founded()
    play(world, without=("approval",))
    second = invoice("second", fingerprints=fingerprints("invoice"))
    world.must(SUPPLIER, "RegisterInvoice", **second)
    world.must(SUPPLIER, "RequestEarlyPayment", **request("second"))
    assert world.must(BUYER, "ApproveInvoice", **approval("second"))["released"] == []
    assert world.classes("second")["UNIQUE"] == "DUPLICATE_CLAIM"
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")]


def test_a_standing_request_sells_invoices_without_one_of_their_own() -> None:
    world = founded()
    assert play(world, story() | body("request", invoice_id="")) == [hexid("invoice")]


def test_an_own_request_that_has_expired_does_not_hide_the_standing_one() -> None:
    for standing, paid_ in (("2026-12-31", [hexid("invoice")]), (DAY, [])):
        world = everybody()
        play(world, story() | body("request", valid_until=DAY), without=("approval",))
        world.must(SUPPLIER, "RequestEarlyPayment", **request(valid_until=standing) | {"invoice_id": ""})
        world.open_day("2026-11-24")
        assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == paid_
        if not paid_:
            assert world.classes()["FACILITY"] == "REQUEST_EXPIRED"


def test_an_own_request_that_is_valid_comes_before_the_standing_one() -> None:
    world = everybody()
    play(world, story() | body("request", net_min_minor=FACE_MINOR), without=("approval",))
    world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=1) | {"invoice_id": ""})
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.classes()["FACILITY"] == "NET_BELOW_MIN"


def test_a_delivery_fingerprint_may_be_read_in_the_proof() -> None:
    with_delivery = fingerprints() | {"delivery": hex64("reference")}
    in_proof = {"fingerprints": {"delivery": hex64("reference")}}
    steps = story() | body("invoice", fingerprints=with_delivery) | body("buyer proof", **in_proof)
    steps["carrier proof"] = (FINANCIER, "AttestDocument", attestation("proof", **in_proof))
    assert play(founded(), steps) == [hexid("invoice")]


def test_both_reports_of_a_delivery_satisfy_a_facility_that_asks_for_both() -> None:
    world = founded()
    steps = story() | body("facility", both_delivery_minor=FACE_MINOR - 1)
    steps["received"] = (BUYER, "RecordShipmentEvent", event("received"))
    assert play(world, steps) == [hexid("invoice")]


def test_of_several_facilities_the_one_that_pays_most_wins_then_the_smallest_id() -> None:
    world = founded()
    names = ["dear", "cheap", "cheap too", "shut out"]
    offers = {"dear": {}, "cheap": {"rate_bps": 400}, "cheap too": {"rate_bps": 400}}
    for name in names:
        changes = offers.get(name, {"rate_bps": 1, "limit_minor": 1, "supplier_limit_minor": 1})
        world.must(FINANCIER, "OpenFacility", **facility(name, **changes))
    play(world, story() | body("request", facility_ids=[hexid(name) for name in names]), without=("facility",))
    payment = world.read(f"invoice/{hexid('invoice')}")["early_payment"]
    assert payment["facility_id"] == min(hexid("cheap"), hexid("cheap too"))
    assert payment["discount_minor"] == 7_000


def test_two_invoices_released_in_one_command_share_what_is_left_of_the_limit() -> None:
    world = founded()
    room_for_one = {"limit_minor": 2 * FACE_MINOR - 1, "supplier_limit_minor": 2 * FACE_MINOR - 1}
    play(
        world, story() | body("facility", **room_for_one), without=("delivered", "buyer document", "financier document")
    )
    world.must(SUPPLIER, "RegisterDocument", **document("second"))
    world.must(SUPPLIER, "RegisterInvoice", **invoice("second", document_ids=[hexid("second")]))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("second"))
    world.must(BUYER, "ApproveInvoice", **approval("second"))
    for name, prints in (("document", "invoice"), ("second", "second")):
        for verifier in (BUYER, FINANCIER):
            read = {"facts": facts(), "fingerprints": fingerprints(prints)}
            world.must(verifier, "AttestDocument", **attestation(name, **read))
    released = world.must(CARRIER, "RecordShipmentEvent", **event())["released"]
    assert released == [min(hexid("invoice"), hexid("second"))]
    left = "second" if released == [hexid("invoice")] else "invoice"
    assert world.classes(left)["FACILITY"] == "LIMIT_EXCEEDED"


def test_a_buyer_that_does_not_acknowledge_stops_automatic_funding() -> None:
    world = paid()
    world.open_day("2026-12-08")
    world.must(SUPPLIER, "RegisterInvoice", **invoice("second"))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("second"))
    assert world.classes("second")["FACILITY"] == "ASSIGNMENT_UNACKNOWLEDGED"
    world.must(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))
    assert world.classes("second")["FACILITY"] == "HOLDS"


def test_money_that_arrives_later_is_found_by_a_new_check() -> None:
    world = everybody()
    play(world, story() | body("facility", deposit=f"EUR@{OTHER_BANK}"))
    assert world.must(SUPPLIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []
    assert world.classes()["FUNDS"] == "FUNDS_MISSING"


def test_a_financier_pays_from_its_deposit_at_another_bank() -> None:
    world = World()
    rich = [one | {"issue_limits": {"EUR": 10**8}} if one["msp_id"] == OTHER_BANK else one for one in EVERYBODY]
    found(world, rich)
    kind = f"EUR@{OTHER_BANK}"
    play(world, story() | body("facility", deposit=kind))
    world.must(OTHER_BANK, "IssueDeposit", **deposit("loan", deposit=kind, to=FINANCIER, amount_minor=988_750))
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == [hexid("invoice")]
    assert (world.balance(f"cash:{FINANCIER}", kind), world.balance(f"cash:{SUPPLIER}", kind)) == (0, 988_750)
    assert world.run(BUYER, "SettleInvoice", **settlement())["code"] == "DEPOSIT_DIFFERS"


def test_a_manual_facility_pays_when_its_financier_decides() -> None:
    world = founded()
    assert play(world, story() | body("facility", mode="manual")) == []
    decided = world.must(FINANCIER, "FundInvoice", invoice_id=hexid("invoice"), facility_id=hexid("facility"))
    assert decided["released"] == [hexid("invoice")]
    assert (
        world.refusal(FINANCIER, "FundInvoice", invoice_id=hexid("invoice"), facility_id=hexid("facility"))
        == "STATUS_WRONG"
    )


def test_a_settled_invoice_is_not_paid_early() -> None:
    world = founded()
    play(world, without=("request",))
    world.must(FINANCIER, "IssueDeposit", **deposit())
    world.must(BUYER, "SettleInvoice", **settlement())
    assert world.classes()["AMOUNT"] == "ALREADY_SETTLED"
    assert world.must(SUPPLIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []


def test_an_invoice_past_its_due_date_is_not_paid_early() -> None:
    world = founded()
    offer = body("facility", mode="manual", tenor_days_min=1)
    play(world, story() | offer | body("request", valid_until="2027-12-31"))
    world.open_day(DUE)
    assert world.classes()["FACILITY"] == "TENOR_OUT_OF_BOUNDS"


def test_the_latest_attestation_of_a_party_counts() -> None:
    world = founded()
    play(world, without=("carrier proof",))
    wrong = attestation("proof", verdict="mismatch", commitment=hex64("other bytes"))
    assert world.must(CARRIER, "AttestDocument", **wrong)["released"] == []
    assert world.must(CARRIER, "AttestDocument", **attestation("proof"))["released"] == [hexid("invoice")]


def test_a_query_of_what_is_not_there_answers_null() -> None:
    world = founded()
    assert world.query(type="ReleaseCheck", invoice_id=hexid("nothing")) is None
    assert world.query(type="Record", key="invoice/nothing") is None
    assert world.query(type="Record", key="day")["date"] == "2026-11-23"


def test_a_quote_says_what_the_supplier_gets() -> None:
    world = founded()
    play(world, without=("approval",))
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))
    named = ("invoice_id", "status", "facility_id")
    assert [answer[name] for name in named] == [hexid("invoice"), "registered", hexid("facility")]
    assert answer["classes"][0] == {
        "class": "PARTIES",
        "verdict": "VALID",
        "reason": "HOLDS",
        "text": "holds",
        "who": "",
    }
    assert answer["quote"] == {
        "discount_minor": 8_750,
        "fee_minor": 2_500,
        "net_minor": 988_750,
        "days": 63,
        "maturity": "2027-01-25",
        "rate_bps": 500,
        "yield_bps": 506,
    }


def test_what_is_paid_in_part_is_quoted_by_what_is_still_open() -> None:
    world = two_steps()
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=400_000))
    quote = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["quote"]
    assert quote["net_minor"] + quote["discount_minor"] + quote["fee_minor"] == 600_000


def test_a_release_check_of_what_was_paid_names_the_transaction_that_paid_it() -> None:
    world = paid()
    payment = world.read(f"invoice/{hexid('invoice')}")["early_payment"]
    text = f"held when paid in transaction {payment['transaction_id']}"
    held = {"verdict": "VALID", "reason": "PAID", "text": text, "who": ""}
    assert world.query(type="ReleaseCheck", invoice_id=hexid("invoice")) == {
        "invoice_id": hexid("invoice"),
        "status": "early-paid",
        "facility_id": hexid("facility"),
        "classes": [{"class": name} | held for name in ReleaseClass],
        "quote": None,
    }


def test_a_supplier_that_reports_a_partial_delivery_is_believed() -> None:
    world = founded()
    play(world, without=("approval",))
    world.must(SUPPLIER, "RecordShipmentEvent", **event("in part", partial=True))
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == []
    assert world.classes()["DELIVERY"] == "PARTIAL_DELIVERY"


def test_a_supplier_that_verifies_the_carriers_proof_of_its_own_delivery_does_not_count() -> None:
    world = founded()
    readers = [SUPPLIER, BUYER, FINANCIER]
    steps = story() | {
        "proof": (CARRIER, "RegisterDocument", document("proof", "proof_of_delivery", entitled=readers)),
        "carrier proof": (SUPPLIER, "AttestDocument", attestation("proof")),
    }
    assert play(world, steps) == []
    reasons = world.classes()
    assert reasons.pop("INTEGRITY") == "ATTESTATIONS_MISSING"
    assert set(reasons.values()) == {"HOLDS"}
    assert world.must(FINANCIER, "AttestDocument", **attestation("proof"))["released"] == [hexid("invoice")]


def test_another_supplier_cannot_claim_the_fingerprints_of_an_invoice_before_its_supplier_does() -> None:
    world = everybody()
    world.must(OTHER_SUPPLIER, "RegisterDocument", **document("squat"))
    stolen = {"fingerprints": fingerprints("invoice"), "proof_ids": [], "shipment_ids": []}
    world.must(OTHER_SUPPLIER, "RegisterInvoice", **invoice("squat", document_ids=[hexid("squat")], **stolen))
    assert play(world) == [hexid("invoice")]
