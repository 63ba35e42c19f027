"""The last amount, day and number that a rule still allows, and the first that it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from life_worlds import (
    ID,
    REASON,
    credit_note,
    funded,
    happening,
    is_overdue,
    offered,
    overdue,
    part,
    partly_settled,
    registered,
    terms,
    two_steps,
    written_off,
)
from refusal_rows import OTHER_SUPPLIER, Prepare, rest
from world import World, founded, play
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    DEPOSIT,
    DUE,
    FINANCIER,
    SUPPLIER,
    acceptance,
    approval,
    body,
    facility,
    facts,
    hexid,
    request,
    settlement,
    story,
)

FACE_MINOR, DAYS, NET_MINOR = 1_000_000, 63, 988_750
"""What the story pays: 63 days to maturity at 5 %, less the fee."""

JUST_PAID: list[tuple[str, Any]] = [
    ("facility", facility(tenor_days_min=DAYS)),
    ("facility", facility(tenor_days_max=DAYS)),
    ("facility", facility(tenor_days_min=DAYS, tenor_days_max=DAYS)),
    ("facility", facility(limit_minor=FACE_MINOR, supplier_limit_minor=FACE_MINOR)),
    ("facility", facility(insured_until=DAY)),
    ("facility", facility(both_delivery_minor=FACE_MINOR)),
    ("facility", facility(attestations_min=2)),
    ("acceptance", acceptance(screened_until=DAY)),
    ("request", request(valid_until=DAY)),
    ("request", request(net_min_minor=NET_MINOR)),
]
JUST_NOT: list[tuple[str, Any]] = [
    ("facility", facility(tenor_days_min=DAYS + 1)),
    ("facility", facility(tenor_days_max=DAYS - 1)),
    ("facility", facility(limit_minor=FACE_MINOR - 1, supplier_limit_minor=FACE_MINOR - 1)),
    ("facility", facility(supplier_limit_minor=FACE_MINOR - 1)),
    ("facility", facility(both_delivery_minor=FACE_MINOR - 1)),
    ("facility", facility(attestations_min=4)),
    ("request", request(net_min_minor=NET_MINOR + 1)),
]


def played(step: str, body: dict[str, Any]) -> list[str]:
    steps = story()
    steps[step] = (*steps[step][:2], body)
    return play(founded(), steps)


@pytest.mark.parametrize(("step", "body"), JUST_PAID)
def test_what_just_fits_is_paid(step: str, body: dict[str, Any]) -> None:
    assert played(step, body) == [hexid("invoice")]


@pytest.mark.parametrize(("step", "body"), JUST_NOT)
def test_what_is_one_off_is_not_paid(step: str, body: dict[str, Any]) -> None:
    assert played(step, body) == []


@pytest.mark.parametrize("left_minor", [1, 0])
def test_an_early_payment_of_one_minor_unit_is_quoted_and_paid_and_one_of_nothing_is_not(left_minor: int) -> None:
    world = founded()
    steps = story() | body("facility", fee_minor=2_500 + NET_MINOR - left_minor) | body("request", net_min_minor=0)
    play(world, steps, without=("approval",))
    quote = world.query(type="ReleaseCheck", **ID)["quote"]
    assert (quote and quote["net_minor"]) == (left_minor or None)
    assert world.must(BUYER, "ApproveInvoice", **approval())["released"] == [hexid("invoice")] * left_minor


@pytest.mark.parametrize(
    ("user", "limited", "whose"),
    [
        (OTHER_SUPPLIER, ("limit_minor", "supplier_limit_minor"), "the facility"),
        (SUPPLIER, ("supplier_limit_minor",), f"the supplier {SUPPLIER}"),
    ],
)
@pytest.mark.parametrize(("left_minor", "shown"), [(FACE_MINOR, ""), (FACE_MINOR - 1, "9 999.99"), (-1, "0.00")])
def test_of_a_limit_is_left_what_is_not_used_of_it_and_never_less_than_nothing(
    user: str, limited: tuple[str, ...], whose: str, left_minor: int, shown: str
) -> None:
    """Less than nothing is left where a limit was lowered below what is used."""
    world = founded()
    steps = story() | body("facility", **dict.fromkeys(limited, FACE_MINOR + left_minor))
    play(world, steps, without=("approval",))
    key = f"facility/{hexid('facility')}"
    used = {"used_minor": FACE_MINOR, "used_by_supplier": {user: FACE_MINOR}}
    world.apply({key: json.dumps(world.read(key) | used).encode()})
    [found] = [one for one in world.query(type="ReleaseCheck", **ID)["classes"] if one["class"] == "FACILITY"]
    assert found["text"] == (f"{shown} EUR is left of the limit of {whose}, not 10 000.00" if shown else "holds")


@pytest.mark.parametrize(("date", "reason"), [("2026-11-25", "HOLDS"), ("2026-11-26", "ASSIGNMENT_UNACKNOWLEDGED")])
def test_a_notice_may_wait_for_so_many_days_and_no_longer(date: str, reason: str) -> None:
    world = funded()
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=terms(ack_days=2))
    world.must(SUPPLIER, "RegisterInvoice", **rest("other"))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("other"))
    world.open_day(date)
    assert world.classes("other")["FACILITY"] == reason
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("other"))["classes"]
    (text,) = [one["text"] for one in answer if one["class"] == "FACILITY"]
    assert text in ("holds", f"{BUYER} has not acknowledged an assignment made 3 days ago, on 2026-11-23")


@pytest.mark.parametrize(("days", "reason"), [(3, "HOLDS"), (2, "BUYER_OVERDUE")])
def test_a_buyer_may_be_late_for_so_many_days_and_no_longer(days: int, reason: str) -> None:
    world = funded()
    changed = terms(overdue_days_max=days, ack_days=365)
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=changed)
    later = rest("other")
    later["facts"] = later["facts"] | {"due_date": "2027-03-22"}
    world.must(SUPPLIER, "RegisterInvoice", **later)
    world.must(SUPPLIER, "RequestEarlyPayment", **request("other", valid_until="2027-12-31"))
    world.open_day("2027-01-25")
    assert world.classes("other")["FACILITY"] == reason


def test_more_time_is_given_up_to_a_year_after_the_due_date_and_no_longer() -> None:
    world = funded()
    assert world.refusal(FINANCIER, "ExtendDueDate", **ID, due_date="2028-01-23") == "EXTENSION_INVALID"
    assert world.refusal(FINANCIER, "ExtendDueDate", **ID, due_date=DUE) == "EXTENSION_INVALID"
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2027-01-23")
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date="2028-01-22")


@pytest.mark.parametrize("said", [{"amount_minor": 1}, {"issue_date": DUE}])
def test_an_invoice_of_one_minor_unit_or_due_on_its_day_of_issue_is_registered(said: dict[str, Any]) -> None:
    registered().must(SUPPLIER, "RegisterInvoice", **rest("small", facts=facts(**said)))


def test_an_invoice_is_overdue_on_the_day_after_it_is_due() -> None:
    world = funded()
    world.open_day(DUE)
    assert world.refusal(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")]) == "NOT_DUE"
    world.open_day("2027-01-23")
    world.must(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])


def test_all_but_one_may_be_credited_before_funding_and_all_after_it() -> None:
    world = registered()
    assert world.refusal(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=FACE_MINOR)) == "CREDIT_EXCEEDS"
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=FACE_MINOR - 1))
    world.must(BUYER, "ApproveInvoice", **approval(amount_minor=1))
    world = funded()
    assert world.refusal(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=FACE_MINOR + 1)) == "CREDIT_EXCEEDS"
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=FACE_MINOR))


def test_claims_after_funding_are_credited_up_to_the_face_together() -> None:
    world = funded()
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(amount_minor=400_000))
    second = {"credit_note_id": hexid("second credit note")}
    assert (
        world.refusal(SUPPLIER, "RecordCreditNote", **credit_note(**second, amount_minor=600_001)) == "CREDIT_EXCEEDS"
    )
    world.must(SUPPLIER, "RecordCreditNote", **credit_note(**second, amount_minor=600_000))


@pytest.mark.parametrize("happens", [is_overdue, partly_settled])
def test_what_was_funded_is_credited_late_and_after_a_part_was_paid_too(happens: Prepare) -> None:
    world = happening(funded, happens)
    world.must(SUPPLIER, "RecordCreditNote", **credit_note())
    assert world.read(f"credit_note/{hexid('credit note')}")["status"] == "claimed"


def test_a_part_of_a_split_invoice_may_be_one_minor_unit() -> None:
    parts = [part("part 1", FACE_MINOR - 1, "shipment"), part("part 2", 1)]
    registered().must(SUPPLIER, "SplitInvoice", **ID, parts=parts)


def test_all_that_is_overdue_may_be_written_off_and_recovered_and_no_more() -> None:
    world = overdue()
    more = {**ID, "amount_minor": FACE_MINOR + 1}
    assert world.refusal(FINANCIER, "WriteOff", **more) == "SETTLEMENT_EXCEEDS"
    world = written_off()
    assert world.refusal(BUYER, "RecordRecovery", **settlement(amount_minor=FACE_MINOR + 1)) == "RECOVERY_EXCEEDS"
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=1))
    world.must(BUYER, "RecordRecovery", **settlement(amount_minor=FACE_MINOR - 1))


@pytest.mark.parametrize(("sender", "type_"), [(FINANCIER, "WriteOff"), (BUYER, "SettleInvoice")])
def test_what_is_written_off_is_not_written_off_again_nor_settled(sender: str, type_: str) -> None:
    world = overdue()
    world.must(FINANCIER, "WriteOff", **ID, amount_minor=400_000)
    money = {"deposit": DEPOSIT} if type_ == "SettleInvoice" else {}
    assert world.refusal(sender, type_, **ID, amount_minor=600_001, **money) == "SETTLEMENT_EXCEEDS"
    world.must(sender, type_, **ID, amount_minor=600_000, **money)


def test_a_discount_may_leave_one_minor_unit_to_be_paid() -> None:
    world = registered()
    small = {"amount_minor": 2, "due_date": "2027-05-22"}
    world.must(SUPPLIER, "RegisterInvoice", **rest("small", facts=facts(**small)))
    world.must(BUYER, "ApproveInvoice", **approval("small", **small))
    offer = {"rate_bps": 10_000, "day_count": "ACT/360", "valid_until": DAY}
    world.must(SUPPLIER, "OfferDiscount", invoice_id=hexid("small"), **offer)
    said = world.must(BUYER, "PayEarly", invoice_id=hexid("small"), deposit=DEPOSIT)
    # 2 x 10 000 / 10 000 x 180 / 360 = 1
    assert said == {"net_minor": 1, "discount_minor": 1}


def test_an_offer_of_a_discount_holds_on_its_last_day() -> None:
    world = offered()
    offer = {**ID, "rate_bps": 600, "day_count": "ACT/365F"}
    world.must(SUPPLIER, "OfferDiscount", **offer, valid_until="2026-11-24")
    world.must(BUYER, "PayEarly", **ID, deposit=DEPOSIT)


def test_a_financier_says_no_before_the_buyer_has_approved_too() -> None:
    world = two_steps()
    world.must(BUYER, "WithdrawApproval", **ID, **REASON)
    world.must(FINANCIER, "DeclineEarlyPayment", **ID, facility_id=hexid("facility"), **REASON)


def test_a_supplier_offers_a_discount_before_the_buyer_has_approved_too() -> None:
    world = registered()
    offer = {"rate_bps": 600, "day_count": "ACT/365F", "valid_until": "2026-12-31"}
    world.must(SUPPLIER, "OfferDiscount", **ID, **offer)
    world.must(BUYER, "ApproveInvoice", **approval())
    world.must(BUYER, "PayEarly", **ID, deposit=DEPOSIT)


@pytest.mark.parametrize(("threshold_minor", "released"), [(FACE_MINOR, [hexid("invoice")]), (FACE_MINOR - 1, [])])
def test_two_steps_are_for_what_is_above_the_threshold(threshold_minor: int, released: list[str]) -> None:
    world: World = two_steps()
    changed = terms(mode="manual", two_step_above_minor=threshold_minor)
    world.must(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=changed)
    world.open_day("2026-11-25")
    assert world.must(FINANCIER, "FundInvoice", **ID, facility_id=hexid("facility"))["released"] == released
