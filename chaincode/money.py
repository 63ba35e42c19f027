"""Money: integers of minor units, currencies, and the one formula and the one rounding of the whole project.

Must never use floating point, and never rounds anywhere but in `divide_half_up`. Sources: ISO 4217 (exponents),
ISDA 2006 section 4.16 (ACT/360, ACT/365F), following business day convention (section 4.12).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass

MINOR_MAX = 2**53 - 1
"""The largest amount in minor units: the largest integer that every JSON reader takes without loss."""

BASIS = {"ACT/360": 360, "ACT/365F": 365}

_TWO_DIGITS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER "
    "ZAR ZMW ZWG"
)
CURRENCY_EXPONENTS = {
    code: exponent
    for exponent, codes in (
        (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
        (2, _TWO_DIGITS),
        (3, "BHD IQD JOD KWD LYD OMR TND"),
        (4, "CLF UYW"),
    )
    for code in codes.split()
}
"""How many decimal digits a currency's minor unit has (ISO 4217); funds codes and metals without one are left out."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency, in its minor units.

    Raises:
        ValueError: the currency has no minor unit in ISO 4217, or the amount does not fit.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            raise ValueError(f"currency {self.currency!r} has no minor unit in ISO 4217")
        if abs(self.amount_minor) > MINOR_MAX:
            raise ValueError(f"amount {self.amount_minor} is beyond {MINOR_MAX} minor units")

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal string such as "1234.50"; never with more digits than the currency has, unless zeros.

        Raises: ValueError: not a plain decimal number, unknown currency, or parts of a minor unit.
        """
        match = re.fullmatch(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,10}))?", text, re.ASCII)
        if match is None:
            raise ValueError(f"{text!r} is not a decimal number such as 1234.50")
        exponent = cls(0, currency).exponent
        fraction = (match[3] or "").rstrip("0")
        if len(fraction) > exponent:
            raise ValueError(f"{text!r} has parts of a minor unit: {currency} has {exponent} decimal digits")
        amount = int(match[2] + fraction.ljust(exponent, "0"))
        return cls(-amount if match[1] else amount, currency)

    @property
    def exponent(self) -> int:
        """How many decimal digits the currency has."""
        return CURRENCY_EXPONENTS[self.currency]

    def decimal(self) -> str:
        """The amount as a decimal string with all digits of the currency, such as "1234.50"."""
        digits = str(abs(self.amount_minor)).rjust(self.exponent + 1, "0")
        sign = "-" if self.amount_minor < 0 else ""
        if self.exponent == 0:
            return sign + digits
        return f"{sign}{digits[: -self.exponent]}.{digits[-self.exponent :]}"


@dataclass(frozen=True, slots=True)
class Quote:
    """What an early payment of a face amount costs and yields; amounts in minor units, rates in basis points a year.

    `net_minor` may be zero or negative when discount and fee eat the face: such a quote is never paid.
    """

    discount_minor: int
    fee_minor: int
    net_minor: int
    days: int
    maturity: str
    rate_bps: int
    yield_bps: int


def divide_half_up(numerator: int, denominator: int) -> int:
    """Integer division, halves away from zero, of a non-negative number: the only rounding there is."""
    return (2 * numerator + denominator) // (2 * denominator)


def discount_minor(face_minor: int, rate_bps: int, days: int, day_count: str) -> int:
    """The discount on a face amount: face x rate x days / (10 000 x basis), halves up.

    Args:
        face_minor: the face amount in minor units, not negative.
        rate_bps: the yearly rate in basis points.
        days: days from payment to maturity, at least 1.
        day_count: "ACT/360" or "ACT/365F".

    Returns: the discount in minor units.
    """
    return divide_half_up(face_minor * rate_bps * days, 10_000 * BASIS[day_count])


def maturity(due_date: str, grace_days: int, holidays: Collection[str]) -> str:
    """The day on which money is counted on: the due date's following business day, plus the grace days.

    Args:
        due_date: `YYYY-MM-DD`.
        grace_days: calendar days added after the move to a business day.
        holidays: days besides Saturday and Sunday that are no business days, `YYYY-MM-DD`.

    Returns: `YYYY-MM-DD`.
    """
    day = datetime.date.fromisoformat(due_date)
    while day.weekday() >= 5 or day.isoformat() in holidays:
        day += datetime.timedelta(days=1)
    return (day + datetime.timedelta(days=grace_days)).isoformat()


def add_days(date: str, days: int) -> str:
    """The date so many calendar days after `date` (before it when negative), both `YYYY-MM-DD`."""
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()


def days_between(start: str, end: str) -> int:
    """Calendar days from `start` to `end`, negative when `end` is earlier; both `YYYY-MM-DD`."""
    return (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days


def quote(face_minor: int, rate_bps: int, day_count: str, fee_minor: int, day: str, maturity_date: str) -> Quote:
    """What an early payment on `day` of an amount that matures on `maturity_date` costs; at least one day counts.

    Args:
        face_minor: the face amount in minor units.
        rate_bps: the yearly rate in basis points.
        day_count: "ACT/360" or "ACT/365F".
        fee_minor: a fixed fee in minor units.
        day: the day of payment, `YYYY-MM-DD`.
        maturity_date: from `maturity`, `YYYY-MM-DD`.

    Returns: the quote, where net + discount + fee = face.
    """
    days = max(1, days_between(day, maturity_date))
    discount = discount_minor(face_minor, rate_bps, days, day_count)
    net = face_minor - discount - fee_minor
    yield_bps = divide_half_up(discount * 10_000 * BASIS[day_count], net * days) if net > 0 else 0
    return Quote(discount, fee_minor, net, days, maturity_date, rate_bps, min(yield_bps, MINOR_MAX))


def deposit_currency(deposit: str) -> str:
    """The currency of a deposit kind such as "EUR@BankMSP"."""
    return deposit.partition("@")[0]


def deposit_issuer(deposit: str) -> str:
    """The MSP id of the party whose money a deposit kind such as "EUR@BankMSP" is."""
    return deposit.partition("@")[2]
