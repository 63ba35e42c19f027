"""Money: the only formula and the only rounding, checked against fractions and against the published list."""

from __future__ import annotations

from fractions import Fraction

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaincode import money
from chaincode.money import MINOR_MAX, Money


def test_exponents_are_those_of_iso_4217() -> None:
    published = {one.code: one.exponent for one in iso4217.Currency if one.exponent is not None}
    assert published == money.CURRENCY_EXPONENTS


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.50", "EUR", 123_450),
        ("1234.5000", "EUR", 123_450),
        ("-0.01", "EUR", -1),
        ("7", "JPY", 7),
        ("0.001", "KWD", 1),
    ],
)
def test_a_decimal_string_is_read_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (123_450, "EUR", "1234.50"),
        (0, "EUR", "0.00"),
        (-1, "EUR", "-0.01"),
        (1, "KWD", "0.001"),
        (7, "JPY", "7"),
        (0, "JPY", "0"),
    ],
)
def test_an_amount_is_written_with_the_digits_of_its_currency(minor: int, currency: str, text: str) -> None:
    assert Money(minor, currency).decimal() == text


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "EUR"), ("0.5", "JPY"), ("1e3", "EUR"), ("", "EUR"), (".5", "EUR"), ("1,5", "EUR"), ("NaN", "EUR"),
        ("١", "EUR"), ("1", "XAU"), ("1", "eur"), ("90071992547409.92", "EUR"), ("99999999999999999", "JPY"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_not_read(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Money.parse(text, currency)


@given(st.integers(-MINOR_MAX, MINOR_MAX), st.sampled_from(sorted(money.CURRENCY_EXPONENTS)))
def test_an_amount_survives_the_way_to_text_and_back(minor: int, currency: str) -> None:
    amount = Money(minor, currency)
    assert Money.parse(amount.decimal(), currency) == amount


@given(st.integers(0, MINOR_MAX), st.integers(0, 10_000), st.integers(1, 4_000), st.sampled_from(sorted(money.BASIS)))
def test_the_discount_is_the_exact_fraction_rounded_half_up(face: int, rate: int, days: int, day_count: str) -> None:
    exact = Fraction(face * rate * days, 10_000 * money.BASIS[day_count])
    discount = money.discount_minor(face, rate, days, day_count)
    assert Fraction(-1, 2) < discount - exact <= Fraction(1, 2)


def test_a_half_is_rounded_up() -> None:
    assert money.discount_minor(1, 5_000, 360, "ACT/360") == 1
    assert money.discount_minor(10_000, 1, 182, "ACT/365F") == 0
    assert money.discount_minor(10_000, 1, 183, "ACT/365F") == 1


@pytest.mark.parametrize(
    ("due", "grace", "holidays", "expected"),
    [
        ("2027-01-22", 0, [], "2027-01-22"),
        ("2027-01-23", 0, [], "2027-01-25"),
        ("2026-12-25", 0, ["2026-12-25", "2026-12-28"], "2026-12-29"),
        ("2026-12-31", 0, ["2027-01-01"], "2026-12-31"),
        ("2027-01-01", 2, ["2027-01-01"], "2027-01-06"),
        ("2999-12-31", 365, [], "3000-12-31"),
    ],
)
def test_maturity_is_the_following_business_day_and_the_days_of_grace(
    due: str, grace: int, holidays: list[str], expected: str
) -> None:
    assert money.maturity(due, grace, holidays) == expected


def test_a_quote_counts_at_least_one_day() -> None:
    assert money.quote(36_000, 100, "ACT/360", 0, "2026-11-23", "2026-11-20").days == 1


@given(
    st.integers(1, MINOR_MAX), st.integers(0, 10_000), st.integers(0, 1_000), st.integers(0, MINOR_MAX),
    st.sampled_from(sorted(money.BASIS)),
)  # fmt: skip
def test_net_discount_and_fee_are_the_face(face: int, rate: int, days: int, fee: int, day_count: str) -> None:
    quoted = money.quote(face, rate, day_count, fee, "2026-11-23", money.add_days("2026-11-23", days))
    assert quoted.net_minor + quoted.discount_minor + quoted.fee_minor == face
    assert 0 <= quoted.yield_bps <= MINOR_MAX
    assert quoted.yield_bps == 0 or quoted.net_minor > 0


@pytest.mark.parametrize(
    ("face", "rate", "day_count", "fee", "maturity", "discount", "net", "yield_bps"),
    [
        (1_000_000, 500, "ACT/360", 0, "2027-01-22", 8_333, 991_667, 504),  # 8 333 / 991 667 x 360 / 60
        (1_000_000, 500, "ACT/365F", 2_500, "2027-01-22", 8_219, 989_281, 505),  # the fee is no interest
        (1_000_000, 10_000, "ACT/360", 0, "2027-11-17", 997_222, 2_778, 3_599_711),
        (100, 10_000, "ACT/360", 1, "2027-11-12", 98, 1, 996_610),  # all but one minor unit
        (100, 10_000, "ACT/360", 2, "2027-11-12", 98, 0, 0),
    ],
)
def test_the_yield_is_that_of_what_is_paid(
    face: int, rate: int, day_count: str, fee: int, maturity: str, discount: int, net: int, yield_bps: int
) -> None:
    quoted = money.quote(face, rate, day_count, fee, "2026-11-23", maturity)
    assert (quoted.discount_minor, quoted.net_minor, quoted.yield_bps) == (discount, net, yield_bps)


def test_days_are_added_and_taken_off_across_the_end_of_a_year() -> None:
    assert (money.add_days("2026-12-31", 1), money.add_days("2027-01-01", -1)) == ("2027-01-01", "2026-12-31")


def test_a_deposit_kind_names_currency_and_issuer() -> None:
    assert (money.deposit_currency("EUR@BankMSP"), money.deposit_issuer("EUR@BankMSP")) == ("EUR", "BankMSP")
