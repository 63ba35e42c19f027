"""The main job in process: evidence comes in any order, the last piece pays, and the buyer settles."""

from __future__ import annotations

import pytest
from world import founded, paid, play
from world_bodies import BUYER, DEPOSIT, FACE_MINOR, FINANCIER, SUPPLIER, deposit, hexid, settlement, story

PIECES = [
    name for name in story() if name not in ("acceptance", "facility", "document", "proof", "shipment", "invoice")
]
DISCOUNT_MINOR = 8_750  # 1 000 000 x 5 % x 63 days / 360; due Friday 2027-01-22, plus 3 days of grace
NET_MINOR = FACE_MINOR - DISCOUNT_MINOR - 2_500


@pytest.mark.parametrize("last", PIECES)
def test_whichever_piece_of_evidence_comes_last_pays(last: str) -> None:
    world = founded()
    assert play(world, without=[last]) == []
    msp_id, type_, body = story()[last]
    assert world.must(msp_id, type_, **body)["released"] == [hexid("invoice")]
    assert world.balance(f"cash:{SUPPLIER}") == NET_MINOR


def test_a_payment_moves_money_claim_limits_and_notice_in_one_transaction() -> None:
    world = paid()
    invoice = world.read(f"invoice/{hexid('invoice')}")
    assert (invoice["status"], invoice["holder"]) == ("early-paid", FINANCIER)
    payment = invoice["early_payment"]
    assert (payment["discount_minor"], payment["fee_minor"], payment["net_minor"]) == (8_750, 2_500, 988_750)
    assert payment["maturity"] == "2027-01-25"
    assert world.balance(f"cash:{SUPPLIER}") == NET_MINOR
    assert world.balance(f"issued:{FINANCIER}") == -NET_MINOR
    facility = world.read(f"facility/{hexid('facility')}")
    assert (facility["used_minor"], facility["used_by_supplier"]) == (FACE_MINOR, {SUPPLIER: FACE_MINOR})
    assert set(world.classes().values()) == {"PAID"}


def test_settlement_pays_the_holder_and_frees_the_limits() -> None:
    world = paid()
    world.must(BUYER, "AcknowledgeAssignment", invoice_id=hexid("invoice"))
    world.must(FINANCIER, "IssueDeposit", **deposit())
    world.must(BUYER, "SettleInvoice", **settlement())
    assert world.balance(f"cash:{BUYER}") == 0
    assert world.balance(f"issued:{FINANCIER}") == -NET_MINOR
    assert world.read(f"facility/{hexid('facility')}")["used_minor"] == 0
    assert world.read(f"invoice/{hexid('invoice')}")["settlement"]["deposit"] == DEPOSIT
    assert not [key for key in world.keys if key.startswith(("open/", "unacknowledged/"))]
