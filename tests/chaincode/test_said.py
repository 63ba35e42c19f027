"""How amounts and days are said: the same to the byte on every peer, exact in every currency."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaincode.money import CURRENCY_EXPONENTS, MINOR_MAX, Money
from chaincode.words import count, digits, said, when


@pytest.mark.parametrize(
    ("amount_minor", "currency", "sentence"),
    [
        (82_304_527, "EUR", "823 045.27 EUR"),
        (0, "EUR", "0.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (-100_001, "EUR", "-1 000.01 EUR"),
        (-1, "EUR", "-0.01 EUR"),
        (1_234_567, "JPY", "1 234 567 JPY"),
        (999, "JPY", "999 JPY"),
        (1_234_567, "KWD", "1 234.567 KWD"),
        (12_345_678, "CLF", "1 234.5678 CLF"),
        (MINOR_MAX, "EUR", "90 071 992 547 409.91 EUR"),
        (10**20, "EUR", "1 000 000 000 000 000 000.00 EUR"),
        (1_500, "XXX", "1 500 minor units of XXX"),
    ],
)
def test_an_amount_is_said_in_decimals_of_its_currency(amount_minor: int, currency: str, sentence: str) -> None:
    assert said(amount_minor, currency) == sentence
    assert sentence.startswith(digits(amount_minor, currency) + " ")


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.sampled_from(sorted(CURRENCY_EXPONENTS)))
def test_what_is_said_is_the_very_amount_without_its_spaces(amount_minor: int, currency: str) -> None:
    text = digits(amount_minor, currency)
    assert Money.parse(text.replace(" ", ""), currency) == Money(amount_minor, currency)
    assert re.fullmatch(r"-?[0-9]{1,3}( [0-9]{3})*(\.[0-9]+)?", text)


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2026-11-30", "today, 2026-11-30"),
        ("2026-12-01", "tomorrow, 2026-12-01"),
        ("2026-12-02", "in 2 days, on 2026-12-02"),
        ("2027-11-30", "in 365 days, on 2027-11-30"),
        ("2026-11-29", "yesterday, 2026-11-29"),
        ("2026-11-28", "2 days ago, on 2026-11-28"),
    ],
)
def test_a_day_is_said_as_people_say_it(date: str, words: str) -> None:
    assert when(date, "2026-11-30") == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 days"), (1, "1 day"), (2, "2 days")])
def test_one_thing_is_said_without_an_s(number: int, words: str) -> None:
    assert count(number, "day") == words
