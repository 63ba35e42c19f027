"""What is taken back: documents, reports of shipments; and how a delivery in part is answered for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from life_worlds import part, reservation
from refusal_rows import rest
from world import World, founded, paid, play
from world_bodies import (
    BUYER,
    CARRIER,
    FINANCIER,
    SUPPLIER,
    approval,
    attestation,
    body,
    document,
    event,
    hexid,
    request,
    shipment,
    story,
)

WITHDRAWN = {"reason": "withdrawn", "superseded_by": ""}


def waiting(*without: str) -> World:
    world = founded()
    assert play(world, without=without or ("approval",)) == []
    return world


def approve(world: World) -> list[str]:
    released: list[str] = world.must(BUYER, "ApproveInvoice", **approval())["released"]
    return released


@pytest.mark.parametrize("name", ["document", "proof"])
def test_an_invoice_on_a_withdrawn_document_is_not_paid(name: str) -> None:
    world = waiting()
    world.must(SUPPLIER, "RevokeDocument", document_id=hexid(name), **WITHDRAWN)
    assert approve(world) == []
    assert world.classes()["INTEGRITY"] == "DOCUMENT_REVOKED"
    assert [name for name, reason in world.classes().items() if reason != "HOLDS"] == ["INTEGRITY"]


def test_a_document_that_was_attested_again_after_its_revocation_stays_revoked() -> None:
    world = waiting("approval", "financier document")
    world.must(SUPPLIER, "RevokeDocument", document_id=hexid("document"), **WITHDRAWN)
    world.must(FINANCIER, "AttestDocument", **story()["financier document"][2])
    assert approve(world) == []
    assert world.classes()["INTEGRITY"] == "DOCUMENT_REVOKED"


def test_a_superseded_document_names_its_successor_and_cannot_come_back() -> None:
    world = waiting()
    world.must(SUPPLIER, "RegisterDocument", **document("corrected"))
    ask = {"document_id": hexid("document"), "reason": "superseded", "superseded_by": hexid("corrected")}
    world.must(SUPPLIER, "RevokeDocument", **ask)
    old = world.read(f"document/{hexid('document')}")
    assert (old["status"], old["superseded_by"]) == ("superseded", hexid("corrected"))
    back = {"document_id": hexid("corrected"), "reason": "superseded", "superseded_by": hexid("document")}
    assert world.refusal(SUPPLIER, "RevokeDocument", **back) == "REVOCATION_INCONSISTENT"


@pytest.mark.parametrize("made", [paid, reservation])
def test_nobody_takes_back_the_evidence_of_what_has_been_paid_or_is_about_to_be(made: Callable[[], World]) -> None:
    world = made()
    world.must(SUPPLIER, "RegisterInvoice", **rest("another one that rests on the same"))
    for name in ("document", "proof"):
        assert world.refusal(SUPPLIER, "RevokeDocument", document_id=hexid(name), **WITHDRAWN) == "DOCUMENT_FINANCED"
    delivered = {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")}
    assert world.refusal(CARRIER, "WithdrawShipmentEvent", **delivered) == "SHIPMENT_FINANCED"


def taken_back_and_cancelled(world: World) -> None:
    """Supplier and financier unwind the early payment if there is one, and the supplier cancels the invoice."""
    if world.read(f"invoice/{hexid('invoice')}")["status"] == "early-paid":
        for msp_id in (SUPPLIER, FINANCIER):
            world.must(msp_id, "Unwind", invoice_id=hexid("invoice"))
    world.must(SUPPLIER, "CancelInvoice", invoice_id=hexid("invoice"), reason_commitment="0" * 64)


def test_the_evidence_of_what_was_paid_stands_when_the_payment_is_taken_back_and_the_invoice_cancelled() -> None:
    delivered = {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")}
    world = paid()
    taken_back_and_cancelled(world)
    assert world.refusal(CARRIER, "WithdrawShipmentEvent", **delivered) == "SHIPMENT_FINANCED"
    revoke = {"document_id": hexid("document"), **WITHDRAWN}
    assert world.refusal(SUPPLIER, "RevokeDocument", **revoke) == "DOCUMENT_FINANCED"
    world = waiting()
    taken_back_and_cancelled(world)
    world.must(CARRIER, "WithdrawShipmentEvent", **delivered)
    world.must(SUPPLIER, "RevokeDocument", **revoke)


def test_a_wrong_report_of_a_delivery_in_part_is_taken_back_and_the_invoice_paid() -> None:
    world = waiting()
    world.must(BUYER, "RecordShipmentEvent", **event("in part", partial=True))
    assert approve(world) == []
    assert world.classes()["DELIVERY"] == "PARTIAL_DELIVERY"
    ask = {"shipment_id": hexid("shipment"), "event_id": hexid("event in part")}
    assert world.refusal(CARRIER, "WithdrawShipmentEvent", **ask) == "NOT_YOUR_EVENT"
    assert world.must(BUYER, "WithdrawShipmentEvent", **ask)["released"] == [hexid("invoice")]
    assert world.read(f"shipment_reports/{hexid('shipment')}/{BUYER}")["events"][0]["withdrawn_on"] == "2026-11-23"


def test_a_delivery_that_is_taken_back_was_none() -> None:
    world = waiting()
    ask = {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")}
    world.must(CARRIER, "WithdrawShipmentEvent", **ask)
    assert approve(world) == []
    assert world.classes()["DELIVERY"] == "NOT_DELIVERED"
    assert world.refusal(CARRIER, "RecordShipmentEvent", **event()) == "ID_TAKEN"
    again = world.must(CARRIER, "RecordShipmentEvent", **event("really delivered"))
    assert again["released"] == [hexid("invoice")]


def cured() -> World:
    """Goods came in part, and the supplier has given credit for what is missing; the buyer has not approved yet."""
    world = waiting()
    world.must(BUYER, "RecordShipmentEvent", **event("in part", partial=True))
    world.must(SUPPLIER, "RegisterDocument", **document("credit note"))
    note = {
        "credit_note_id": hexid("note"),
        "invoice_id": hexid("invoice"),
        "amount_minor": 100_000,
        "document_id": hexid("credit note"),
        "shipment_ids": [hexid("shipment")],
    }
    world.must(SUPPLIER, "RecordCreditNote", **note)
    return world


LESS = approval(amount_minor=900_000)


def test_a_credit_note_that_the_buyer_approves_answers_for_a_delivery_in_part() -> None:
    world = cured()
    assert world.classes()["DELIVERY"] == "HOLDS"
    world.must(SUPPLIER, "RequestEarlyPayment", **story()["request"][2] | {"net_min_minor": 1})
    assert world.must(BUYER, "ApproveInvoice", **LESS)["released"] == [hexid("invoice")]


def test_a_delivery_in_part_that_is_reported_after_the_approval_is_not_answered_for() -> None:
    world = cured()
    world.must(BUYER, "ApproveInvoice", **LESS)
    world.open_day("2026-11-24")
    world.must(CARRIER, "RecordShipmentEvent", **event("still less", partial=True))
    assert world.classes()["DELIVERY"] == "PARTIAL_DELIVERY"


def test_a_credit_note_for_another_shipment_answers_for_nothing() -> None:
    world = waiting()
    world.must(SUPPLIER, "RegisterDocument", **document("credit note"))
    note = {
        "credit_note_id": hexid("note"),
        "invoice_id": hexid("invoice"),
        "amount_minor": 100_000,
        "document_id": hexid("credit note"),
        "shipment_ids": [],
    }
    world.must(SUPPLIER, "RecordCreditNote", **note)
    world.must(BUYER, "RecordShipmentEvent", **event("in part", partial=True))
    world.must(BUYER, "ApproveInvoice", **LESS)
    assert world.classes()["DELIVERY"] == "PARTIAL_DELIVERY"
    world.must(BUYER, "AttestDocument", **attestation("proof"))
    assert world.read(f"invoice/{hexid('invoice')}")["status"] == "approved"


def split_after(partial: bool) -> World:
    """Of goods that came, in part or not, the supplier claims 600 000 now, and the rest for another shipment."""
    world = founded()
    assert play(world, story() | body("delivered", partial=partial), without=["approval", "request"]) == []
    world.must(SUPPLIER, "RegisterShipment", **shipment("the rest"))
    parts = [part("came", 600_000, "shipment"), part("to come", 400_000, "the rest")]
    world.must(SUPPLIER, "SplitInvoice", invoice_id=hexid("invoice"), parts=parts)
    for name in ("came", "to come"):
        world.must(SUPPLIER, "RequestEarlyPayment", **request(name, net_min_minor=1))
    return world


@pytest.mark.parametrize("partial", [True, False])
def test_a_split_answers_for_a_delivery_in_part_and_the_rest_is_paid_when_it_comes(partial: bool) -> None:
    world = split_after(partial)
    approved = world.must(BUYER, "ApproveInvoice", **approval("came", amount_minor=600_000))
    assert approved["released"] == [hexid("came")]
    world.must(BUYER, "ApproveInvoice", **approval("to come", amount_minor=400_000))
    assert world.classes("to come")["DELIVERY"] == "NOT_DELIVERED"
    came = world.must(BUYER, "RecordShipmentEvent", **event("rest", "the rest"))
    assert came["released"] == [hexid("to come")]


def test_a_part_whose_goods_turn_out_to_have_come_in_part_after_the_split_is_not_paid() -> None:
    world = split_after(partial=True)
    world.open_day("2026-11-24")
    world.must(BUYER, "RecordShipmentEvent", **event("still less", partial=True))
    assert world.must(BUYER, "ApproveInvoice", **approval("came", amount_minor=600_000))["released"] == []
    assert world.classes("came")["DELIVERY"] == "PARTIAL_DELIVERY"
