"""How amounts and days are said to people: in a refusal, a finding, or whatever the node prints of its own.

Pure integers and dates, so that every peer says the same to the byte; never a locale, never floating point.
"""

from __future__ import annotations

from chaincode.money import CURRENCY_EXPONENTS, days_between


def digits(amount_minor: int, currency: str) -> str:
    """An amount in decimal digits, all that the currency has, in groups of three: "823 045.27".

    Total: what names no currency is said in the integers that it came in, and any integer has an answer, however large.

    Args:
        amount_minor: in minor units, of either sign.
        currency: ISO 4217 code.
    """
    exponent = CURRENCY_EXPONENTS.get(currency, 0)
    whole, part = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    fraction = f".{part:0{exponent}}" if exponent else ""
    return sign + f"{whole:,}".replace(",", " ") + fraction


def said(amount_minor: int, currency: str) -> str:
    """An amount with its currency: "823 045.27 EUR"; "5 minor units of XXX" where there is no such currency."""
    unit = currency if currency in CURRENCY_EXPONENTS else f"minor units of {currency}"
    return f"{digits(amount_minor, currency)} {unit}"


def count(number: int, noun: str) -> str:
    """A number of things: "1 day", "3 days"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def when(date: str, day: str) -> str:
    """A date as people say it on another day: "today, 2026-11-30", "in 3 days, on 2026-12-03".

    Args:
        date: that is spoken of.
        day: on which it is spoken of; both `YYYY-MM-DD`.
    """
    days = days_between(day, date)
    if abs(days) <= 1:
        return f"{('yesterday', 'today', 'tomorrow')[days + 1]}, {date}"
    return f"in {days} days, on {date}" if days > 0 else f"{-days} days ago, on {date}"
