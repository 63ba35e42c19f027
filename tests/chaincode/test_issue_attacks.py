"""Ways in which issuing and taking back could put more deposits into the world than the issuer may owe."""

from __future__ import annotations

from invariants import check_state, check_step
from life_worlds import ID, REASON, credit_note, two_steps
from refusal_rows import BEYOND, EVERYBODY, everybody
from world import World, found, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DEPOSIT,
    FINANCIER,
    ISSUE_LIMIT_MINOR,
    SUPPLIER,
    body,
    command,
    deposit,
    hex64,
    hexid,
    seal,
    settlement,
    story,
)


def issued_and_passed_on(world: World, name: str, amount_minor: int = ISSUE_LIMIT_MINOR) -> None:
    world.must(FINANCIER, "IssueDeposit", **deposit(name, amount_minor=amount_minor))
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=CARRIER, amount_minor=amount_minor)


def taken_back(world: World, name: str) -> None:
    before = dict(world.state)
    world.must(FINANCIER, "ReverseIssue", credit_reference=hex64(name), **REASON)
    check_step(before, world.state, "ReverseIssue")


def redeemed(world: World, amount_minor: int = ISSUE_LIMIT_MINOR) -> None:
    """The carrier is paid out what it has."""
    asked = {"redemption_id": hexid(f"redemption {world.transactions}")}
    world.must(CARRIER, "RedeemDeposit", **asked, deposit=DEPOSIT, amount_minor=amount_minor)
    world.must(FINANCIER, "ConfirmRedemption", **asked, payment_reference=hex64("payment"))


def test_an_issue_that_is_taken_back_after_it_was_spent_frees_nothing_of_the_limit() -> None:
    world = everybody()
    issued_and_passed_on(world, "one")
    taken_back(world, "one")
    assert world.balance(f"issued:{FINANCIER}") == 0
    again = deposit("two", to=SUPPLIER, amount_minor=1)
    assert world.refusal(FINANCIER, "IssueDeposit", **again) == "ISSUE_LIMIT_EXCEEDED"
    assert world.balance(f"cash:{CARRIER}") == ISSUE_LIMIT_MINOR
    check_state(world.state)


def test_an_issue_that_is_taken_back_before_it_was_spent_frees_all_of_it() -> None:
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit("one", amount_minor=ISSUE_LIMIT_MINOR))
    taken_back(world, "one")
    world.must(FINANCIER, "IssueDeposit", **deposit("two", to=SUPPLIER, amount_minor=ISSUE_LIMIT_MINOR))


def test_what_is_covered_or_redeemed_can_be_issued_again() -> None:
    world = everybody()
    issued_and_passed_on(world, "one")
    taken_back(world, "one")
    world.must(CARRIER, "TransferDeposit", deposit=DEPOSIT, to=BUYER, amount_minor=400)
    world.must(BUYER, "CoverShortfall", deposit=DEPOSIT, amount_minor=400)
    redeemed(world, 600)
    more = deposit("two", to=SUPPLIER, amount_minor=1_001)
    assert world.refusal(FINANCIER, "IssueDeposit", **more) == "ISSUE_LIMIT_EXCEEDED"
    world.must(FINANCIER, "IssueDeposit", **more | {"amount_minor": 1_000})


def test_a_bank_pays_no_invoice_early_out_of_a_limit_that_others_shortfalls_use_up() -> None:
    world = two_steps()
    world.must(BUYER, "TransferDeposit", deposit=DEPOSIT, to=SUPPLIER, amount_minor=1_000_000)
    issued_and_passed_on(world, "one", ISSUE_LIMIT_MINOR - 2_500_000)
    fund = {**ID, "facility_id": hexid("facility")}
    assert world.refusal(FINANCIER, "FundInvoice", **fund) == "NOT_RELEASABLE"
    taken_back(world, "one")
    assert world.classes()["FUNDS"] == "FUNDS_MISSING"
    assert world.refusal(FINANCIER, "FundInvoice", **fund) == "NOT_RELEASABLE"
    redeemed(world, ISSUE_LIMIT_MINOR - 2_500_000)
    world.must(FINANCIER, "FundInvoice", **fund)


def test_an_account_that_would_overflow_refuses_one_command_and_not_its_batch() -> None:
    world = World()
    found(world, [one | {"issue_limits": {"EUR": BEYOND}} if one["msp_id"] == FINANCIER else one for one in EVERYBODY])
    issued_and_passed_on(world, "one", BEYOND)
    redeemed(world, BEYOND)
    issued_and_passed_on(world, "two", BEYOND)
    taken_back(world, "one")
    reverse = command("ReverseIssue", hexid("reverse"), credit_reference=hex64("two"), **REASON)
    results = world.batch(FINANCIER, [reverse, command("SealDocuments", hexid("seal"), **seal())])
    assert [result.get("code", result["status"]) for result in results] == ["BALANCE_EXCEEDS", "applied"]
    check_state(world.state)


def banks() -> World:
    """A consortium in which buyer and supplier are banks too."""
    world = World()
    own = {"issue_limits": {"EUR": ISSUE_LIMIT_MINOR}}
    roles = {BUYER: {"roles": ["buyer", "issuer"], **own}, SUPPLIER: {"roles": ["supplier", "issuer"], **own}}
    found(world, [one | roles.get(one["msp_id"], {}) for one in EVERYBODY])
    return world


def test_a_supplier_that_is_a_bank_does_not_pay_a_claim_in_its_own_promises() -> None:
    world = banks()
    assert play(world) == [hexid("invoice")]
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    pay = {"credit_note_id": hexid("credit note")}
    assert world.refusal(SUPPLIER, "PayClaim", **pay, deposit=f"EUR@{SUPPLIER}") == "DEPOSIT_DIFFERS"
    world.must(SUPPLIER, "PayClaim", **pay, deposit=DEPOSIT)


def test_a_buyer_that_is_a_bank_does_not_settle_in_its_own_promises() -> None:
    world = banks()
    play(world, without=["request"])
    world.must(FINANCIER, "IssueDeposit", **deposit())
    own = settlement(deposit=f"EUR@{BUYER}")
    assert world.refusal(BUYER, "SettleInvoice", **own) == "DEPOSIT_DIFFERS"
    world.must(SUPPLIER, "OfferDiscount", **ID, rate_bps=0, day_count="ACT/360", valid_until=DAY)
    assert world.refusal(BUYER, "PayEarly", **ID, deposit=f"EUR@{BUYER}") == "DEPOSIT_DIFFERS"
    world.must(BUYER, "SettleInvoice", **settlement())


def test_a_financier_whose_facility_pays_in_the_buyers_deposit_takes_it_back() -> None:
    world = banks()
    paper = f"EUR@{BUYER}"
    world.must(BUYER, "IssueDeposit", **deposit(to=FINANCIER, deposit=paper))
    assert play(world, story() | body("facility", deposit=paper)) == [hexid("invoice")]
    world.must(BUYER, "SettleInvoice", **settlement(deposit=paper))
    assert world.balance(f"cash:{FINANCIER}", paper) == 1_000_000 + 11_250
