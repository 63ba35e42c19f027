"""Ways in which money, debts or claims could go wrong where two things happen to one invoice."""

from __future__ import annotations

from typing import Any

from life_worlds import (
    AFTER_DUE,
    ID,
    NEXT_DAY,
    REASON,
    funded,
    happening,
    overdue,
    part,
    registered,
    supplier_has_money,
    terms,
)
from refusal_rows import OTHER_BANK, everybody
from world import World
from world_bodies import (
    BUYER,
    CARRIER,
    DEPOSIT,
    FINANCIER,
    SUPPLIER,
    acceptance,
    approval,
    attestation,
    deposit,
    facility,
    facts,
    fingerprints,
    hex64,
    hexid,
    request,
    settlement,
    story,
)

from chaincode.money import MINOR_MAX

OFFER = {"facility_id": hexid("two")}
NET_MINOR = 988_889
"""What 1 000 000 costs at 5 % over 62 days, less the fee."""


def reserved_by_a_bank_with_deposits(amount_minor: int = NET_MINOR) -> World:
    """A financier that is no issuer has set aside what the invoice takes of so much money."""
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit("bank", to=OTHER_BANK, amount_minor=amount_minor))
    steps = story() | {
        "acceptance": (OTHER_BANK, "AcceptSupplier", acceptance()),
        "facility": (OTHER_BANK, "OpenFacility", facility("two", mode="manual")),
        "request": (SUPPLIER, "RequestEarlyPayment", request(facility_ids=[hexid("two")])),
    }
    for msp_id, type_, body in steps.values():
        entitled = {"entitled": [BUYER, CARRIER, FINANCIER, OTHER_BANK]} if type_ == "RegisterDocument" else {}
        world.must(msp_id, type_, **body | entitled)
    world.must(OTHER_BANK, "AttestDocument", **attestation("document", facts=facts(), fingerprints=fingerprints()))
    world.must(OTHER_BANK, "ChangeFacility", **OFFER, terms=terms(mode="manual", two_step_above_minor=0))
    world.open_day(NEXT_DAY)
    said = world.must(OTHER_BANK, "FundInvoice", **ID, **OFFER)
    assert said["reserved_minor"] == NET_MINOR
    return world


def read(world: World) -> Any:
    return world.read(f"invoice/{hexid('invoice')}")


def test_what_was_set_aside_with_the_last_money_is_posted_a_day_later_at_the_same_quote() -> None:
    world = reserved_by_a_bank_with_deposits()
    world.open_day("2026-11-25")
    world.must(OTHER_BANK, "PostFunding", **ID)
    assert read(world)["early_payment"]["net_minor"] == NET_MINOR
    assert world.balance(f"cash:{SUPPLIER}") == NET_MINOR


def test_a_supplier_that_wants_more_by_now_is_not_paid_the_less_that_was_set_aside() -> None:
    world = reserved_by_a_bank_with_deposits()
    world.open_day("2026-11-25")
    asked = request(facility_ids=[hexid("two")], net_min_minor=NET_MINOR + 1)
    world.must(SUPPLIER, "RequestEarlyPayment", **asked)
    assert world.refusal(OTHER_BANK, "PostFunding", **ID) == "NOT_RELEASABLE"
    world.must(SUPPLIER, "RequestEarlyPayment", **asked | {"net_min_minor": NET_MINOR})
    world.must(OTHER_BANK, "PostFunding", **ID)


def test_a_financier_whose_money_is_taken_back_does_not_pay_out_what_it_set_aside() -> None:
    world = reserved_by_a_bank_with_deposits()
    said = world.must(FINANCIER, "ReverseIssue", credit_reference=hex64("bank"), **REASON)
    assert said == {"taken_minor": 0, "shortfall_minor": NET_MINOR}
    assert world.refusal(OTHER_BANK, "PostFunding", **ID) == "NOT_RELEASABLE"
    world.must(OTHER_BANK, "VoidFunding", **ID)
    world.must(OTHER_BANK, "CoverShortfall", deposit=DEPOSIT, amount_minor=NET_MINOR)
    assert world.balance(f"cash:{OTHER_BANK}") == world.balance(f"issued:{FINANCIER}") == 0


def test_an_issue_that_was_redeemed_already_can_be_taken_back_and_the_issuer_is_owed_it() -> None:
    world = registered()
    redemption = {"redemption_id": hexid("redemption")}
    world.must(SUPPLIER, "TransferDeposit", deposit=DEPOSIT, to=CARRIER, amount_minor=1_000_000)
    world.must(CARRIER, "RedeemDeposit", **redemption, deposit=DEPOSIT, amount_minor=1_000_000)
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=CARRIER, amount_minor=1_000_000)
    world.must(FINANCIER, "ConfirmRedemption", **redemption, payment_reference=hex64("payment"))
    for name in ("buyer's money", "supplier's money"):
        world.must(FINANCIER, "ReverseIssue", credit_reference=hex64(name), **REASON)
    assert world.balance(f"issued:{FINANCIER}") == 1_000_000
    assert world.balance(f"cash:{CARRIER}") == 1_000_000
    assert world.balance(f"suspense:{BUYER}") + world.balance(f"suspense:{SUPPLIER}") == -2_000_000


def test_a_debt_of_which_a_part_was_written_off_and_recovered_ends_as_settled() -> None:
    world = overdue()
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=400_000)
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=400_000))
    assert (read(world)["status"], read(world)["recovered_minor"]) == ("overdue", 400_000)
    world.must(BUYER, "SettleInvoice", **settlement(amount_minor=600_000))
    assert read(world)["status"] == "settled"


def test_nobody_gets_more_time_for_what_is_written_off_in_part() -> None:
    world = overdue()
    longer = {**ID, "due_date": "2027-04-01"}
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=400_000)
    assert world.refusal(FINANCIER, "ExtendDueDate", **longer) == "STATUS_WRONG"
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=400_000))
    world.must(FINANCIER, "ExtendDueDate", **longer)


def test_an_invoice_that_was_paid_early_is_not_split_after_it_was_taken_back() -> None:
    world = happening(funded, supplier_has_money)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    assert world.refusal(SUPPLIER, "SplitInvoice", **ID, parts=parts) == "STATUS_WRONG"


def test_a_buyers_reference_approves_only_one_part_of_what_it_approved_before() -> None:
    world = registered()
    world.must(BUYER, "ApproveInvoice", **approval())
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    parts = [part("part 1", 400_000, "shipment"), part("part 2", 600_000)]
    world.must(SUPPLIER, "SplitInvoice", **ID, parts=parts)
    reference = {"buyer_reference": approval()["buyer_reference"]}
    for name, amount_minor in (("part 1", 400_000), ("part 2", 600_000)):
        body = approval(name, amount_minor=amount_minor)
        assert world.refusal(BUYER, "ApproveInvoice", **body | reference) == "BUYER_REFERENCE_USED"
        world.must(BUYER, "ApproveInvoice", **body)


def test_reports_of_absurd_amounts_do_not_make_an_invoice_unreadable() -> None:
    world = funded()
    report = {**ID, "amount_minor": MINOR_MAX}
    world.must(SUPPLIER, "ReportMisdirectedPayment", report_id=hexid("one"), **report)
    again = report | {"report_id": hexid("two"), "amount_minor": 1}
    assert world.refusal(SUPPLIER, "ReportMisdirectedPayment", **again) == "AMOUNT_INVALID"
    world.must(BUYER, "SettleInvoice", **settlement())


def test_the_notice_of_an_invoice_that_is_cancelled_waits_for_nobody() -> None:
    world = happening(funded, supplier_has_money)
    world.must(SUPPLIER, "Repurchase", **ID, deposit=DEPOSIT)
    assert [key for key in world.keys if key.startswith("unacknowledged/")]
    world.must(SUPPLIER, "CancelInvoice", **ID, **REASON)
    assert not [key for key in world.keys if key.startswith(("unacknowledged/", "open/"))]


def test_money_set_aside_for_an_invoice_that_is_overdue_by_then_comes_back() -> None:
    world = reserved_by_a_bank_with_deposits()
    world.open_day(AFTER_DUE)
    world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])
    assert world.refusal(OTHER_BANK, "PostFunding", **ID) == "RESERVATION_EXPIRED"
    world.must(CARRIER, "ExpireFunding", invoice_ids=[hexid("invoice")])
    assert world.balance(f"cash:{OTHER_BANK}") == NET_MINOR
