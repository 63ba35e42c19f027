"""What happens to an invoice after its early payment, or without one, and to deposits: money and entries."""

from __future__ import annotations

import json

import pytest
from life_worlds import (
    AFTER_DUE,
    ID,
    REASON,
    book,
    credit_note,
    funded,
    happening,
    obligations,
    offered,
    overdue,
    read,
    registered,
    supplier_has_money,
    two_steps,
    used,
    written_off,
)
from refusal_rows import rest
from world import founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    approval,
    confirmation,
    deposit,
    facility,
    fingerprints,
    hex64,
    hexid,
    request,
    settlement,
    story,
)

FACILITY = {"facility_id": hexid("facility")}


def test_the_buyer_pays_early_out_of_its_own_cash_at_the_suppliers_discount() -> None:
    world = offered()
    said = world.must(BUYER, "PayEarly", **ID, deposit=DEPOSIT)
    # 1 000 000 x 600 / 10 000 x 59 / 365 = 9 698.63
    assert said == {"net_minor": 990_301, "discount_minor": 9_699}
    assert (read(world)["status"], obligations(world)) == ("settled", {})
    assert world.balance(f"cash:{BUYER}") == 9_699
    assert world.refusal(BUYER, "PayEarly", **ID, deposit=DEPOSIT) == "STATUS_WRONG"


def test_a_settlement_in_parts_frees_the_limits_as_far_and_ends_with_the_last_part() -> None:
    world = funded()
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=300_000))
    assert (read(world)["status"], read(world)["open_face_minor"], used(world)) == ("early-paid", 700_000, 700_000)
    assert world.refusal(BUYER, "SettleInvoice", **settlement(amount_minor=700_001)) == "SETTLEMENT_EXCEEDS"
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=700_000))
    assert (read(world)["status"], obligations(world), used(world)) == ("settled", {}, 0)
    assert not any(key.startswith(("open/", "unacknowledged/")) for key in world.keys)


def test_a_written_off_debt_stays_owed_and_is_recovered() -> None:
    world = overdue()
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=400_000)
    assert obligations(world) == {
        f"recv:{FINANCIER}": 600_000,
        f"recv_wo:{FINANCIER}": 400_000,
        f"pay:{BUYER}": -1_000_000,
    }
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=600_000))
    assert (read(world)["status"], used(world)) == ("written-off", 400_000)
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=100_000))
    assert (read(world)["status"], used(world)) == ("written-off", 300_000)
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=300_000))
    assert (read(world)["status"], obligations(world), used(world)) == ("recovered", {}, 0)


def test_a_supplier_cannot_change_the_due_date_of_what_it_has_sold_and_the_holder_can() -> None:
    world = funded()
    assert world.refusal(SUPPLIER, "ExtendDueDate", **ID, due_date="2027-03-01") == "NOT_THE_HOLDER"
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2027-03-01")
    world.open_day(AFTER_DUE)
    assert world.refusal(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")]) == "NOT_DUE"
    world.open_day("2027-03-02")
    world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2027-04-01")
    assert (read(world)["status"], read(world)["overdue_since"]) == ("early-paid", "")


def test_repurchase_costs_the_open_face_less_the_discount_of_the_days_left_and_never_finances_again() -> None:
    world = happening(funded, supplier_has_money)
    kept = read(world)["early_payment"]["discount_minor"]
    said = world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    assert said == {"price_minor": 1_000_000 - kept}
    assert obligations(world) == {f"recv:{SUPPLIER}": 1_000_000, f"pay:{BUYER}": -1_000_000}
    returned = read(world)
    assert (returned["status"], returned["holder"], returned["early_payment"]) == ("approved", SUPPLIER, None)
    assert used(world) == 0
    assert world.must(CARRIER, "CheckRelease", invoice_ids=[hexid("invoice")])["released"] == []
    assert world.classes()["UNIQUE"] == "ALREADY_FINANCED"


def test_what_was_bought_back_and_cancelled_is_not_financed_under_another_number() -> None:
    world = happening(funded, supplier_has_money)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    world.must(SUPPLIER, "RegisterInvoice", **rest("again") | {"fingerprints": fingerprints()})
    assert world.classes("again")["UNIQUE"] == "ALREADY_FINANCED"


@pytest.mark.parametrize(("day", "price_minor"), [("2027-01-24", 999_861), ("2027-01-25", 1_000_000)])
def test_repurchase_saves_the_discount_of_one_day_on_the_day_before_maturity_and_none_at_it(
    day: str, price_minor: int
) -> None:
    world = happening(funded, supplier_has_money)
    world.open_day(day)
    # 1 000 000 x 500 / 10 000 x 1 / 360 = 138.89
    assert world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == {"price_minor": price_minor}


def test_after_maturity_repurchase_costs_the_whole_open_face() -> None:
    world = happening(overdue, supplier_has_money)
    world.open_day("2027-02-01")
    assert world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == {"price_minor": 1_000_000}


def test_recourse_for_dilution_needs_dilution() -> None:
    world = happening(lambda: funded("dilution"), supplier_has_money)
    assert world.refusal(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT) == "RECOURSE_MISSING"
    world.must(BUYER, "ReportMisdirectedPayment", report_id=hexid("report"), **ID, amount_minor=1)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)


def test_an_early_payment_is_unwound_when_both_sides_consent_and_not_before() -> None:
    world = funded()
    net = read(world)["early_payment"]["net_minor"]
    assert world.must(FINANCIER, "Unwind", **ID) == {"unwound": False}
    assert read(world)["status"] == "early-paid"
    assert world.must(SUPPLIER, "Unwind", **ID) == {"unwound": True}
    assert book(world, "unwind") == [(f"issued:{FINANCIER}", f"cash:{SUPPLIER}", net)]
    assert (read(world)["status"], read(world)["holder"], used(world)) == ("approved", SUPPLIER, 0)
    assert world.read(f"unwind/{hexid('invoice')}") is None


def test_a_consent_to_unwind_is_none_any_more_when_the_day_is_over() -> None:
    world = funded()
    world.must(SUPPLIER, "Unwind", **ID)
    assert world.refusal(SUPPLIER, "Unwind", **ID) == "ALREADY_CONFIRMED"
    world.open_day("2026-12-01")
    assert world.must(FINANCIER, "Unwind", **ID) == {"unwound": False}
    assert read(world)["status"] == "early-paid"
    assert world.must(SUPPLIER, "Unwind", **ID) == {"unwound": True}


def test_a_payment_outside_the_ledger_is_the_holders_to_confirm() -> None:
    world = funded()
    assert world.refusal(SUPPLIER, "RecordPaidOutside", **ID, amount_minor=1, **REASON) == "NOT_THE_HOLDER"
    world.must(FINANCIER, "RecordPaidOutside", **ID, amount_minor=1_000_000, **REASON)
    assert (read(world)["status"], obligations(world), used(world)) == ("settled", {}, 0)
    assert world.balance(f"cash:{BUYER}") == 1_000_000


def test_misdirected_money_discharges_nobody() -> None:
    world = funded()
    report = {"report_id": hexid("report"), **ID, "amount_minor": 1_000_000}
    world.must(BUYER, "ReportMisdirectedPayment", **report)
    assert read(world)["misdirected_minor"] == 1_000_000
    assert obligations(world) == {f"recv:{FINANCIER}": 1_000_000, f"pay:{BUYER}": -1_000_000}


def test_goods_that_came_in_part_stand_against_payment_until_a_credit_note_makes_them_good() -> None:
    world = founded()
    steps = story()
    msp_id, type_, body = steps["delivered"]
    steps["delivered"] = (msp_id, type_, body | {"partial": True})
    assert play(world, steps, without=["approval"]) == []
    assert world.classes()["DELIVERY"] == "PARTIAL_DELIVERY"
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(shipment_ids=[hexid("shipment")]))
    world.must(SUPPLIER, "RequestEarlyPayment", **request(net_min_minor=1))
    released = world.must(BUYER, "ApproveInvoice", **approval(amount_minor=900_000))["released"]
    assert released == [hexid("invoice")]


def test_all_of_a_written_off_invoice_is_owed_until_it_is_recovered() -> None:
    world = written_off()
    assert world.refusal(BUYER, "SettleInvoice", **settlement(amount_minor=1)) == "STATUS_WRONG"
    world.must(BUYER, "RecordRecovery", **settlement())
    assert read(world)["status"] == "recovered"


def test_a_reversed_issue_takes_what_is_there_and_freezes_its_party_until_the_rest_is_covered() -> None:
    world = registered()
    pay = {"deposit": DEPOSIT, "to": SUPPLIER}
    world.must(BUYER, "TransferDeposit", **pay, amount_minor=800_000)
    said = world.must(FINANCIER, "ReverseIssue", credit_reference=hex64("buyer's money"), **REASON)
    assert said == {"taken_minor": 200_000, "shortfall_minor": 800_000}
    assert world.balance(f"suspense:{BUYER}") == -800_000
    world.must(SUPPLIER, "TransferDeposit", deposit=DEPOSIT, to=BUYER, amount_minor=900_000)
    refused = world.run(BUYER, "TransferDeposit", **pay, amount_minor=1)
    assert refused["code"] == "FROZEN"
    assert refused["text"] == f"{BUYER} is short of 8 000.00 EUR in {DEPOSIT} and has to cover that first"
    world.must(BUYER, "CoverShortfall", deposit=DEPOSIT, amount_minor=800_000)
    world.must(BUYER, "TransferDeposit", **pay, amount_minor=1)
    assert world.balance(f"issued:{FINANCIER}") == -1_000_000


def test_more_is_taken_back_of_a_party_that_is_short_already() -> None:
    world = registered()
    world.must(FINANCIER, "IssueDeposit", **deposit("more"))
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=SUPPLIER, amount_minor=1_500_000)
    said = world.must(FINANCIER, "ReverseIssue", credit_reference=hex64("more"), **REASON)
    assert said == {"taken_minor": 500_000, "shortfall_minor": 500_000}
    world.must(SUPPLIER, "TransferDeposit", deposit=DEPOSIT, to=BUYER, amount_minor=300_000)
    said = world.must(FINANCIER, "ReverseIssue", credit_reference=hex64("buyer's money"), **REASON)
    assert said == {"taken_minor": 300_000, "shortfall_minor": 700_000}
    assert (world.balance(f"cash:{BUYER}"), world.balance(f"suspense:{BUYER}")) == (0, -1_200_000)


def test_a_financier_that_is_short_funds_nothing() -> None:
    world = two_steps()
    world.must(FINANCIER, "OpenFacility", **facility("other"))
    assert world.classes()["FUNDS"] == "HOLDS"
    account = {"book": "cash", "unit": DEPOSIT, "invoice_id": "", "name": f"suspense:{FINANCIER}", "version": 1}
    short = json.dumps(account | {"party": FINANCIER, "balance_minor": -1}).encode()
    world.apply({f"account/cash/{DEPOSIT}/suspense:{FINANCIER}": short})
    assert world.classes()["FUNDS"] == "FUNDS_MISSING"


def test_a_redemption_is_paid_out_or_comes_back_once() -> None:
    world = registered()
    for number, command_type in enumerate(("ConfirmRedemption", "RejectRedemption")):
        asked = {"redemption_id": hexid(f"redemption {number}")}
        world.must(BUYER, "RedeemDeposit", **asked, deposit=DEPOSIT, amount_minor=300_000)
        assert world.balance(f"redeeming:{BUYER}") == 300_000
        more = confirmation() if number == 0 else REASON
        world.must(FINANCIER, command_type, **more | asked)
        assert world.balance(f"redeeming:{BUYER}") == 0
    assert world.balance(f"cash:{BUYER}") == 700_000
    assert world.balance(f"issued:{FINANCIER}") == -1_700_000


def test_an_issuer_gives_nothing_away_without_a_booked_credit() -> None:
    gift = {"deposit": DEPOSIT, "to": BUYER, "amount_minor": 1}
    assert registered().refusal(FINANCIER, "TransferDeposit", **gift) == "ISSUER_HOLDS_NONE"
