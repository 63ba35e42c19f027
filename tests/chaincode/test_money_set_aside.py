"""Money that is set aside for an invoice: at which quote it is paid, out of which facility, and what it costs later."""

from __future__ import annotations

import json
from typing import Any

import pytest
from invariants import check_state
from life_worlds import ID, NEXT_DAY, give_buyer_money, read, supplier_has_money, terms, two_steps
from refusal_rows import OTHER_BANK, everybody
from world import MemoryStub, World, finish, play
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    Step,
    acceptance,
    approval,
    attestation,
    deposit,
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

from chaincode.commands.context import Context
from chaincode.errors import RecordError
from chaincode.rules.books import Movement, move, transfer

FACILITY = {"facility_id": hexid("facility")}
LATE = "2028-09-22"


def posted_after(changed: dict[str, Any]) -> World:
    """What was set aside at 5 % is posted on the day on which other terms count."""
    world = two_steps()
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)
    now = terms(mode="manual", two_step_above_minor=0, recourse="full") | changed
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=now)
    world.open_day("2026-11-25")
    world.must(FINANCIER, "PostFunding", **ID)
    return world


@pytest.mark.parametrize("rate_bps", [500, 0, 100, 10_000])
def test_a_rate_that_changes_under_a_reservation_changes_no_price_of_a_repurchase(rate_bps: int) -> None:
    world = posted_after({"rate_bps": rate_bps})
    # 10 000.00 at 5 % for 62 days of 360: 86.11; bought back with 61 days left: 84.72
    paid = read(world)["early_payment"]
    assert (paid["rate_bps"], paid["days"], paid["discount_minor"]) == (500, 62, 8_611)
    check_state(world.state)
    assert world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == {"price_minor": 1_000_000 - 8_472}


def long_and_dear() -> World:
    """An invoice of two years, set aside at 5 %, posted when the facility takes 100 %; 10.00 of it are open."""
    world = everybody()
    said = facts(due_date=LATE)
    read_in_invoice = {"facts": said, "fingerprints": fingerprints()}
    steps = story() | {
        "facility": (FINANCIER, "OpenFacility", facility(mode="manual", tenor_days_max=3_000)),
        "invoice": (SUPPLIER, "RegisterInvoice", invoice(facts=said)),
        "request": (SUPPLIER, "RequestEarlyPayment", request(net_min_minor=1)),
        "approval": (BUYER, "ApproveInvoice", approval(due_date=LATE)),
        "buyer document": (BUYER, "AttestDocument", attestation("document", **read_in_invoice)),
        "financier document": (FINANCIER, "AttestDocument", attestation("document", **read_in_invoice)),
    }
    assert play(world, steps) == []
    two = terms(mode="manual", recourse="full", two_step_above_minor=0, tenor_days_max=3_000)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=two)
    world.open_day(NEXT_DAY)
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=two | {"rate_bps": 10_000})
    world.open_day("2026-11-25")
    world.must(FINANCIER, "PostFunding", **ID)
    give_buyer_money(world)
    supplier_has_money(world)
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=999_000))
    return world


def test_a_dearer_facility_does_not_make_the_financier_pay_for_a_repurchase() -> None:
    world = long_and_dear()
    before = world.balance(f"cash:{SUPPLIER}")
    # 10.00 at 5 % for 668 days of 360: 0.93
    assert world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == {"price_minor": 907}
    assert world.balance(f"cash:{SUPPLIER}") == before - 907


def test_a_payment_that_an_older_contract_recorded_at_another_rate_is_bought_back_for_something() -> None:
    world = long_and_dear()
    key = f"invoice/{hexid('invoice')}"
    record = world.read(key)
    record["early_payment"] |= {"rate_bps": 10_000}
    world.apply({key: json.dumps(record).encode()})
    before = world.balance(f"cash:{SUPPLIER}")
    assert world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == {"price_minor": 1}
    assert world.balance(f"cash:{SUPPLIER}") == before - 1


def offered_to_two(bank: str) -> World:
    """Everything holds for an invoice in two facilities; the first one's money is set aside, the second's is not.

    Args:
        bank: whose the second facility is.
    """
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit("bank", to=OTHER_BANK, amount_minor=3_000_000))
    read_in_invoice = {"facts": facts(), "fingerprints": fingerprints()}
    second: dict[str, Step] = {
        "second": (bank, "OpenFacility", facility("second", mode="manual", rate_bps=900)),
        "second acceptance": (bank, "AcceptSupplier", acceptance()),
    }
    steps = story() | {
        "facility": (FINANCIER, "OpenFacility", facility(mode="manual")),
        "request": (SUPPLIER, "RequestEarlyPayment", request(facility_ids=[hexid("facility"), hexid("second")])),
        "second document": (bank, "AttestDocument", attestation("document", **read_in_invoice)),
    }
    for msp_id, type_, body in (second | steps).values():
        more = {"entitled": [BUYER, CARRIER, FINANCIER, OTHER_BANK]} if type_ == "RegisterDocument" else {}
        world.must(msp_id, type_, **body | more)
    two = terms(mode="manual", two_step_above_minor=0)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=two)
    world.open_day(NEXT_DAY)
    return world


@pytest.mark.parametrize("bank", [FINANCIER, OTHER_BANK])
def test_money_set_aside_out_of_one_facility_is_not_paid_out_of_another_one(bank: str) -> None:
    second = {**ID, "facility_id": hexid("second")}
    control = offered_to_two(bank)
    assert control.must(bank, "FundInvoice", **second)["released"] == [hexid("invoice")]
    world = offered_to_two(bank)
    aside = world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)["reserved_minor"]
    assert world.refusal(bank, "FundInvoice", **second) == "RESERVED"
    assert world.balance(f"reserved:{FINANCIER}") == aside
    world.must(FINANCIER, "VoidFunding", **ID)
    assert world.must(bank, "FundInvoice", **second)["released"] == [hexid("invoice")]
    assert world.balance(f"reserved:{FINANCIER}") == 0
    check_state(world.state)


def test_a_threshold_that_is_raised_meanwhile_lets_nobody_pay_alone_what_one_person_set_aside() -> None:
    world = two_steps()
    world.must(FINANCIER, "FundInvoice", **ID, **FACILITY)
    world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms(mode="manual"))
    world.open_day("2026-11-25")
    assert world.refusal(FINANCIER, "FundInvoice", **ID, **FACILITY) == "RESERVED"
    assert world.must(FINANCIER, "PostFunding", **ID)["released"] == [hexid("invoice")]


def movement(amount_minor: int) -> Movement:
    return transfer(DEPOSIT, f"cash:{BUYER}", f"suspense:{SUPPLIER}", amount_minor, "reverse_issue")


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_the_books_move_nothing_backwards(amount_minor: int) -> None:
    nobody = dict.fromkeys(movement(1).account_keys())
    move(nobody, movement(1), 0)
    with pytest.raises(AssertionError):
        move(nobody, movement(amount_minor), 0)


@pytest.mark.parametrize(("command_id", "is_read"), [(hexid("command"), True), ("no id", False)])
def test_an_entry_that_nobody_could_read_is_never_written(command_id: str, is_read: bool) -> None:
    world = everybody()
    stub = MemoryStub(world, SUPPLIER, hex64("transaction"), world.timestamp)
    context = Context(stub, command_id, NEXT_DAY)
    if is_read:
        finish(context.post(movement(1)))
        assert [key for key in stub.writes if key.startswith("entry/")]
        return
    with pytest.raises(RecordError, match="command_id"):
        finish(context.post(movement(1)))
    assert not [key for key in stub.writes if key.startswith("entry/")]
