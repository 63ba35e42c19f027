"""The ledger's day: anybody opens the next one, and no wrong clock, nor half of them, carries the ledger away."""

from __future__ import annotations

import datetime

import pytest
from refusal_rows import everybody
from world import World, founded
from world_bodies import BUYER, CARRIER, DAY, FINANCIER, PARTIES, SUPPLIER, command, hexid

from chaincode.records import Day
from chaincode.rules.days import is_long_step, open_day

TEN_YEARS_ON = "2036-11-24"
SUNDAY = "2026-11-29"
"""Six days after the first day, which is a Monday: to get there is more than one business day."""


def asked(world: World, msp_id: str, date: str, clock: str = "") -> str:
    """What day it is when a party has asked for a date, with a clock of its own."""
    noon = datetime.datetime.fromisoformat(f"{clock or date}T12:00:00+00:00")
    world.timestamp = int(noon.timestamp())
    result = world.must(msp_id, "OpenDay", date=date)["date"]
    assert world.read("day")["date"] == result
    return str(result)


@pytest.mark.parametrize(
    ("day", "last"),
    [
        ("2026-11-23", "2026-11-24"),
        ("2026-11-26", "2026-11-27"),
        ("2026-11-27", "2026-11-30"),
        ("2026-11-28", "2026-11-30"),
        ("2026-11-29", "2026-11-30"),
    ],
    ids=["from Monday", "from Thursday", "from Friday", "from Saturday", "from Sunday"],
)
def test_anybody_opens_a_day_up_to_the_next_business_day_and_nobody_alone_a_later_one(day: str, last: str) -> None:
    beyond = (datetime.date.fromisoformat(last) + datetime.timedelta(days=1)).isoformat()
    assert (is_long_step(Day(day), last), is_long_step(Day(day), beyond)) == (False, True)
    world = founded()
    world.apply({"day": b'{"date":"%s","version":1}' % day.encode()})
    assert asked(world, CARRIER, beyond) == day
    assert asked(world, CARRIER, last) == last


def test_a_clock_ten_years_ahead_moves_nothing_and_the_others_go_on_by_theirs() -> None:
    world = founded()
    assert asked(world, CARRIER, TEN_YEARS_ON) == DAY
    assert asked(world, SUPPLIER, "2026-11-24") == "2026-11-24"
    assert asked(world, CARRIER, "2036-11-25") == "2026-11-24"
    assert asked(world, BUYER, "2026-11-25") == "2026-11-25"


def test_a_clock_ten_years_ahead_does_not_say_how_far_a_long_step_goes() -> None:
    world = founded()
    assert asked(world, CARRIER, TEN_YEARS_ON) == DAY
    assert asked(world, SUPPLIER, SUNDAY) == DAY
    assert asked(world, BUYER, SUNDAY) == SUNDAY


def test_a_clock_that_is_behind_holds_nobody_back_and_is_refused_what_is_past() -> None:
    world = founded()
    assert [asked(world, one, SUNDAY) for one in (SUPPLIER, BUYER, FINANCIER)] == [DAY, DAY, SUNDAY]
    world.timestamp -= 5 * 86_400
    assert world.refusal(CARRIER, "OpenDay", date="2026-11-24") == "DAY_NOT_LATER"
    assert world.refusal(CARRIER, "OpenDay", date="2026-11-30") == "DAY_IN_FUTURE"


def test_half_of_the_parties_do_not_make_a_long_step_and_one_more_does() -> None:
    world = founded()
    assert len(PARTIES) == 4
    assert [asked(world, one, SUNDAY) for one in (SUPPLIER, BUYER, BUYER, FINANCIER)] == [DAY, DAY, DAY, SUNDAY]


def test_the_word_of_a_suspended_party_does_not_count() -> None:
    world = everybody()
    active = [world.read(key)["msp_id"] for key in world.keys if key.startswith("party/")]
    assert asked(world, CARRIER, SUNDAY) == DAY
    world.must(SUPPLIER, "SuspendParty", change_id=hexid("out"), msp_id=CARRIER)
    for msp_id in active:
        if msp_id not in (SUPPLIER, CARRIER):
            world.run(msp_id, "VoteMembership", change_id=hexid("out"))
    assert world.read(f"party/{CARRIER}")["status"] == "suspended"
    others = [name for name in active if name != CARRIER]
    enough = len(others) // 2 + 1
    assert [asked(world, name, SUNDAY) for name in others[:enough]] == [DAY] * (enough - 1) + [SUNDAY]


def test_after_an_outage_the_ledger_goes_as_far_as_more_than_half_say_and_then_day_by_day() -> None:
    world = founded()
    assert asked(world, SUPPLIER, "2026-12-01") == DAY
    assert asked(world, BUYER, "2026-12-04") == DAY
    assert asked(world, FINANCIER, "2026-12-04") == "2026-12-01"
    assert asked(world, CARRIER, "2026-12-02", clock="2026-12-04") == "2026-12-02"


def test_the_last_word_counts_at_once_where_it_is_one_business_day_after_what_the_others_say() -> None:
    world = founded()
    assert [asked(world, one, "2026-12-01") for one in (SUPPLIER, BUYER)] == [DAY, DAY]
    assert asked(world, FINANCIER, "2026-12-02") == "2026-12-02"


def test_words_do_not_carry_the_ledger_past_what_the_sender_itself_says() -> None:
    assert open_day(Day(DAY), SUNDAY, SUNDAY, [SUNDAY, TEN_YEARS_ON, TEN_YEARS_ON, TEN_YEARS_ON]) == Day(SUNDAY)


def test_a_word_that_moves_nothing_does_not_touch_the_day_that_all_others_read() -> None:
    world = founded()
    before = dict(world.state)
    asked(world, CARRIER, TEN_YEARS_ON)
    written = {key for key in world.state if world.state[key] != before.get(key)}
    assert {key.partition("/")[0] for key in written} == {"command", "day_word"}


def test_all_the_words_of_one_party_are_one() -> None:
    world = founded()
    world.timestamp += 30 * 86_400
    words = [command("OpenDay", hexid(date), date=date) for date in ("2026-12-01", "2026-12-02", "2026-12-03")]
    assert {result["result"]["date"] for result in world.batch(CARRIER, words)} == {DAY}
