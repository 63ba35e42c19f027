"""A date belongs to a place: "today" of Tokyo is no future; money goes by the ledger's day and business days alone."""

from __future__ import annotations

from typing import Any, cast

import pytest
from life_worlds import ID, funded, registered, terms
from refusal_rows import everybody, rest
from world import World
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    FINANCIER,
    SECONDS_OF_DAY,
    SUPPLIER,
    approval,
    deposit,
    event,
    facts,
    hexid,
    shipment,
)

from ledger_node import reports

NEXT_DATE = "2026-11-24"
BEGINS_FIRST = SECONDS_OF_DAY + 10 * 3_600
"""When that date begins at UTC+14: 10:00 UTC of the day before."""
SATURDAY, SUNDAY, MONDAY, TUESDAY, WEDNESDAY = (f"2027-01-{day}" for day in range(23, 28))


def with_shipment() -> World:
    world = everybody()
    world.must(SUPPLIER, "RegisterShipment", **shipment())
    return world


REPORTS: list[tuple[str, str, dict[str, Any], str]] = [
    (CARRIER, "RecordShipmentEvent", event(occurred_on=NEXT_DATE), "EVENT_IN_FUTURE"),
    (FINANCIER, "IssueDeposit", deposit(booked_on=NEXT_DATE), "BOOKED_IN_FUTURE"),
]


@pytest.mark.parametrize(("sender", "type_", "body", "code"), REPORTS)
def test_a_date_is_taken_from_the_second_on_in_which_it_begins_anywhere_on_earth(
    sender: str, type_: str, body: dict[str, Any], code: str
) -> None:
    world = with_shipment()
    world.timestamp = BEGINS_FIRST - 1
    assert world.refusal(sender, type_, **body) == code
    assert f"{NEXT_DATE} has not begun anywhere" in world.run(sender, type_, **body)["text"]
    world.timestamp = BEGINS_FIRST
    world.must(sender, type_, **body)


@pytest.mark.parametrize(("sender", "type_", "body", "code"), REPORTS)
def test_a_clock_that_is_behind_the_ledgers_day_hides_no_day_that_is_open(
    sender: str, type_: str, body: dict[str, Any], code: str
) -> None:
    world = with_shipment()
    world.open_day(NEXT_DATE)
    world.timestamp = SECONDS_OF_DAY
    world.must(sender, type_, **body)


def test_money_goes_by_the_ledgers_day_wherever_the_next_date_has_begun() -> None:
    """Nothing is due, expired or open a day earlier since it is tomorrow in Tokyo."""
    world = registered()
    world.timestamp = BEGINS_FIRST
    assert world.refusal(CARRIER, "OpenDay", date=NEXT_DATE) == "DAY_IN_FUTURE"
    world.must(SUPPLIER, "RegisterInvoice", **rest("due then", facts=facts(due_date=NEXT_DATE)))
    assert world.refusal(SUPPLIER, "RegisterInvoice", **rest("due", facts=facts(due_date=DAY))) == "DUE_DATE_PASSED"
    offer = {"rate_bps": 100, "day_count": "ACT/360", "valid_until": DAY}
    world.must(SUPPLIER, "OfferDiscount", **ID, **offer)


def is_overdue_on(world: World, date: str, name: str = "invoice") -> bool:
    world.open_day(date)
    said = world.run(CARRIER, "MarkOverdue", invoice_ids=[hexid(name)])
    assert said["status"] == "applied" or said["code"] == "NOT_DUE"
    return bool(said["status"] == "applied")


@pytest.mark.parametrize(
    ("holidays", "days"),
    [([], [(SUNDAY, False), (MONDAY, False), (TUESDAY, True)]), ([MONDAY], [(TUESDAY, False), (WEDNESDAY, True)])],
    ids=["a weekend", "a weekend and the facility's holiday"],
)
def test_what_is_due_on_no_business_day_is_overdue_after_the_next_one(
    holidays: list[str], days: list[tuple[str, bool]]
) -> None:
    world = funded(holidays=holidays)
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date=SATURDAY)
    assert [(day, is_overdue_on(world, day)) for day, _ in days] == days


def test_holidays_that_are_added_later_change_nothing_that_was_overdue_before() -> None:
    world = funded(holidays=[MONDAY])
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date=SATURDAY)
    world.open_day(WEDNESDAY)  # overdue since this day: Monday was a holiday

    def change(*holidays: str) -> str:
        wanted = terms(holidays=list(holidays))
        said = world.run(FINANCIER, "ChangeFacility", facility_id=hexid("facility"), terms=wanted)
        return str(said.get("code") or said["status"])

    for added in (TUESDAY, WEDNESDAY):
        assert change(MONDAY, added) == "TERMS_INVALID"
    coming = [f"2{year:03}-12-24" for year in range(100, 500)]
    assert change(*coming) == "TERMS_INVALID"  # with Monday they are one too many
    assert change(*coming[:-1]) == "applied"
    assert change("2027-12-24") == "applied"  # without Monday, which stays
    assert world.read(f"facility/{hexid('facility')}")["pending"]["terms"]["holidays"] == [MONDAY, "2027-12-24"]
    assert is_overdue_on(world, "2027-01-28")


def test_what_nobody_has_paid_early_has_weekends_and_no_holidays() -> None:
    world = funded(holidays=[MONDAY])
    late = rest("other")
    late["facts"] = late["facts"] | {"due_date": SATURDAY}
    world.must(SUPPLIER, "RegisterInvoice", **late)
    world.must(BUYER, "ApproveInvoice", **approval("other", due_date=SATURDAY))
    assert [is_overdue_on(world, day, "other") for day in (SUNDAY, MONDAY, TUESDAY)] == [False, False, True]


@pytest.mark.parametrize(("days_max", "late"), [(0, TUESDAY), (1, WEDNESDAY)])
def test_a_buyer_is_late_elsewhere_after_the_business_day_and_the_days_that_it_may_be(days_max: int, late: str) -> None:
    world = funded(overdue_days_max=days_max, ack_days=365)
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date=SATURDAY)
    later = rest("other")
    later["facts"] = later["facts"] | {"due_date": "2027-03-22"}
    world.must(SUPPLIER, "RegisterInvoice", **later)
    asked = {"invoice_id": hexid("other"), "facility_ids": [hexid("facility")], "net_min_minor": 1}
    world.must(SUPPLIER, "RequestEarlyPayment", **asked, valid_until="2027-12-31")
    for day in (SUNDAY, MONDAY, TUESDAY, WEDNESDAY):
        world.open_day(day)
        assert (world.classes("other")["FACILITY"] == "BUYER_OVERDUE") == (day >= late), day


def test_a_refusal_says_from_which_day_on_it_is_overdue() -> None:
    world = funded()
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date=SATURDAY)
    world.open_day(SUNDAY)
    refused = world.run(CARRIER, "MarkOverdue", invoice_ids=[hexid("invoice")])
    assert refused["text"] == f"due yesterday, {SATURDAY}: overdue from {TUESDAY} on"


class State:
    """A world's state, asked as reports ask a read model."""

    def __init__(self, world: World) -> None:
        self._state = world.state

    def past(self, prefix: str, block_number: int) -> list[tuple[str, str]]:
        """All records under a prefix, by key."""
        return [(key, value.decode()) for key, value in sorted(self._state.items()) if key.startswith(prefix)]


@pytest.mark.parametrize(("day", "late"), [(SUNDAY, False), (MONDAY, False), (TUESDAY, False), (WEDNESDAY, True)])
def test_reports_count_what_is_overdue_by_the_facilitys_calendar_too(day: str, late: bool) -> None:
    world = funded(holidays=[MONDAY])
    world.must(FINANCIER, "ExtendDueDate", **ID, due_date=SATURDAY)
    past = reports.Past(cast(Any, State(world)), 0, day)
    [aged] = reports.ageing(past).rows
    assert (aged["not_due"], aged["days_1_30"]) == (("0.00", "10000.00") if late else ("10000.00", "0.00"))
    assert {row["overdue"] for row in reports.exposure(past).rows} == {"10000.00" if late else "0.00"}
