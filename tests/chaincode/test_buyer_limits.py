"""A financier's limit of a buyer: it counts all its facilities, and none opened later is a way around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deals import traded
from life_worlds import ID, NEXT_DAY, funded, two_steps
from refusal_rows import everybody, facilities_opened, rest
from world import World, play
from world_bodies import BUYER, DEPOSIT, FACE_MINOR, FINANCIER, SUPPLIER, command, facility, hexid, request, story

from chaincode.records import canonical, keys
from ledger_node import reports

LIMIT_KEY = keys.buyer_limit(FINANCIER, BUYER, "EUR")
BOTH = [hexid("facility"), hexid("later")]


def limit(limit_minor: int, *names: str, **other: Any) -> dict[str, Any]:
    """The body of SetBuyerLimit."""
    named = [hexid(name) for name in names or ("facility",)]
    return {"buyer": BUYER, "currency": "EUR", "limit_minor": limit_minor, "facility_ids": named} | other


def limited(limit_minor: int, steps: tuple[str, ...] = ("limit", "later")) -> World:
    """All but the approval has happened; there is a limit of the buyer, and a facility that it does not name."""
    world = everybody()
    story_ = story() | {"request": (SUPPLIER, "RequestEarlyPayment", request(facility_ids=BOTH))}
    changes = {
        "limit": (FINANCIER, "SetBuyerLimit", limit(limit_minor)),
        "later": (FINANCIER, "OpenFacility", facility("later")),
    }
    first = {name: story_.pop(name) for name in ("acceptance", "facility")}
    play(world, first | {name: changes[name] for name in steps} | {k: v for k, v in story_.items() if k != "approval"})
    return world


def approve(world: World) -> list[str]:
    msp_id, type_, body = story()["approval"]
    released: list[str] = world.must(msp_id, type_, **body)["released"]
    return released


@pytest.mark.parametrize("steps", [("limit", "later"), ("later", "limit")])
def test_a_facility_opened_beside_a_limit_of_the_buyer_is_no_way_around_it(steps: tuple[str, ...]) -> None:
    world = limited(FACE_MINOR - 1, steps)
    assert approve(world) == []
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"
    assert world.read(LIMIT_KEY)["facility_ids"] == sorted(BOTH)
    assert approve(limited(FACE_MINOR, steps)) == [hexid("invoice")]


def test_a_limit_that_names_another_facility_counts_all_of_them() -> None:
    world = two_steps()
    world.must(FINANCIER, "OpenFacility", **facility("other"))
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR, "other"))
    assert world.classes()["FACILITY"] == "DECISION_MISSING"
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1, "other"))
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"


def test_a_facility_of_an_older_ledger_is_bounded_too() -> None:
    world = two_steps()
    world.must(FINANCIER, "OpenFacility", **facility("other"))
    world.apply({key: None for key in world.keys if key.startswith("facility_on/")})
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1, "other"))
    assert world.read(LIMIT_KEY)["facility_ids"] == [hexid("other")]
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1, "facility"))
    assert world.read(LIMIT_KEY)["facility_ids"] == sorted([hexid("facility"), hexid("other")])


def test_a_facility_in_another_currency_or_on_nobody_limited_counts_under_no_limit() -> None:
    world = limited(FACE_MINOR)
    before = world.read(LIMIT_KEY)
    world.must(FINANCIER, "OpenFacility", **facility("yen", deposit=f"JPY@{FINANCIER}"))
    world.must("BankTwoMSP", "OpenFacility", **facility("theirs", deposit=DEPOSIT))
    assert world.read(LIMIT_KEY) == before


def test_a_higher_limit_of_a_buyer_counts_from_the_next_day_and_a_lower_one_at_once() -> None:
    world = two_steps()
    today = world.read("day")["date"]
    assert today == NEXT_DAY
    assert world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1))["from_day"] == today
    assert world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR))["from_day"] == "2026-11-25"
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"
    world.open_day("2026-11-25")
    assert world.classes()["FACILITY"] == "DECISION_MISSING"
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1))
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"


def test_a_batch_that_opens_the_day_does_not_lift_a_limit_of_a_buyer() -> None:
    world = two_steps()
    world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1))
    world.timestamp += 86_400
    fund = {**ID, "facility_id": hexid("facility")}
    batch = [
        command("SetBuyerLimit", hexid("lift"), **limit(FACE_MINOR)),
        command("OpenDay", hexid("day"), date="2026-11-25"),
        command("FundInvoice", hexid("fund"), **fund),
    ]
    assert [each["status"] for each in world.batch(FINANCIER, batch)] == ["applied", "applied", "refused"]
    world.open_day("2026-11-26")
    world.must(FINANCIER, "FundInvoice", **fund)


def test_a_limit_lowered_again_before_the_higher_one_counts_stays_low() -> None:
    world = two_steps()
    for minor in (FACE_MINOR - 1, FACE_MINOR, FACE_MINOR - 2):
        world.must(FINANCIER, "SetBuyerLimit", **limit(minor))
    world.open_day("2026-11-25")
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"


def test_the_same_limit_set_again_takes_a_higher_one_back_before_it_counts() -> None:
    world = two_steps()
    for minor in (FACE_MINOR - 1, FACE_MINOR):
        world.must(FINANCIER, "SetBuyerLimit", **limit(minor))
    assert world.must(FINANCIER, "SetBuyerLimit", **limit(FACE_MINOR - 1))["from_day"] == NEXT_DAY
    assert world.read(LIMIT_KEY)["pending"] is None
    world.open_day("2026-11-25")
    assert world.classes()["FACILITY"] == "LIMIT_EXCEEDED"


def test_what_is_used_of_a_facility_counts_under_a_limit_after_the_facility_was_closed() -> None:
    world = funded()
    world.must(FINANCIER, "CloseFacility", facility_id=hexid("facility"))
    world.must(FINANCIER, "OpenFacility", **facility("later"))
    world.must(SUPPLIER, "RegisterInvoice", **rest("second"))
    world.must(SUPPLIER, "RequestEarlyPayment", **request("second", facility_ids=[hexid("later")]))
    for minor, reason in ((2 * FACE_MINOR, "HOLDS"), (2 * FACE_MINOR - 1, "LIMIT_EXCEEDED")):
        world.must(FINANCIER, "SetBuyerLimit", **limit(minor, "later"))
        assert world.classes("second")["FACILITY"] == reason
    assert world.read(LIMIT_KEY)["facility_ids"] == sorted(BOTH)


def test_closed_facilities_of_which_nothing_is_used_leave_room_for_others_under_a_limit() -> None:
    world = everybody()
    facilities_opened(20, limited=True)(world)
    assert world.refusal(FINANCIER, "OpenFacility", **facility("more")) == "FACILITIES_EXHAUSTED"
    world.must(FINANCIER, "CloseFacility", facility_id=hexid("facility 7"))
    world.must(FINANCIER, "OpenFacility", **facility("more"))
    names = world.read(LIMIT_KEY)["facility_ids"]
    assert len(names) == 20
    assert hexid("facility 7") not in names
    world.must(FINANCIER, "SetBuyerLimit", **limit(1, "more"))
    for name in [*(f"facility {number}" for number in range(20) if number != 7), "more"]:
        world.must(FINANCIER, "CloseFacility", facility_id=hexid(name))
    world.must(FINANCIER, "SetBuyerLimit", **limit(2, "more"))
    assert world.read(LIMIT_KEY)["facility_ids"] == []


def test_the_exposure_report_shows_the_limit_of_the_day_and_what_all_facilities_use(tmp_path: Path) -> None:
    world = traded().world
    world.must(FINANCIER, "OpenFacility", **facility("later"))
    world.must(FINANCIER, "SetBuyerLimit", **limit(9_000_000, "later"))
    columns = ("limit", "used", "left")
    for day, expected in (
        ("", ("80000.00", "7000.00", "73000.00")),
        ("2027-02-26", ("90000.00", "7000.00", "83000.00")),
    ):
        if day:
            world.open_day(day)
        table = reports.exposure(reports.at_block(world.read_model(tmp_path / f"read{day}.db")))
        rows = [row for row in table.rows if (row["scope"], row["currency"]) == ("buyer", "EUR")]
        assert [tuple(row[name] for name in columns) for row in rows] == [expected]


def test_a_limit_written_by_an_earlier_release_counts_as_it_stands() -> None:
    world = limited(FACE_MINOR - 1)
    old = {name: value for name, value in world.read(LIMIT_KEY).items() if name != "pending"} | {"version": 1}
    world.apply({LIMIT_KEY: canonical(old)})
    assert approve(world) == []
