"""When something happened is written as a date or as a time with its zone; what counts is the date at its place."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import TypeAdapter, ValidationError

from ledger_node.operations.fields import HappenedOn

HAPPENED = TypeAdapter(HappenedOn)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T08:00+09:00", "2026-11-22"),
        ("2026-11-22T23:30:00-10:00", "2026-11-22"),
        ("2026-11-22T00:00:00Z", "2026-11-22"),
    ],
)
def test_the_date_at_the_place_is_taken_whatever_date_it_is_elsewhere(text: str, date: str) -> None:
    assert HAPPENED.validate_python(text) == date


def test_this_morning_in_tokyo_is_taken_and_tonight_is_not() -> None:
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=9)))
    earlier, later = (now + dt.timedelta(hours=hours) for hours in (-1, 1))
    assert HAPPENED.validate_python(earlier.isoformat(timespec="seconds")) == earlier.date().isoformat()
    with pytest.raises(ValidationError, match="has not come yet"):
        HAPPENED.validate_python(later.isoformat(timespec="seconds"))


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T08:00", "2026-11-22 08:00+09:00", "22.11.2026", "2026-02-30", "2026-02-30T08:00Z", "20261122", ""],
)
def test_a_time_without_its_zone_and_what_is_no_date_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        HAPPENED.validate_python(text)
