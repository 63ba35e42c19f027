"""Amounts of documents: decimal text to integers of minor units, by ISO 4217, with no float and no rounding.

Source: ISO 4217 (exponents, through the iso4217 package), EN 16931-1 section 6.5.2 (amounts).
"""

from __future__ import annotations

import re

from iso4217 import Currency

from ledger_node.formats.facts import FormatCode, FormatError

AMOUNT_MINOR_MAX = 2**53 - 1
_DECIMAL = re.compile(r"(-?)\+?([0-9]{1,40})(?:\.([0-9]{0,40}))?")


def currency_exponent(currency: str) -> int:
    """How many decimal places a currency's minor unit has.

    Args:
        currency: ISO 4217 code of three capital letters.

    Raises: FormatError when there is no such currency, or it has no minor unit (gold, test codes).
    """
    try:
        exponent: int | None = Currency(currency).exponent
    except ValueError:
        exponent = None
    if exponent is None:
        raise FormatError(
            FormatCode.CURRENCY, f"{currency[:20]!r} is not a currency of ISO 4217", "use a code such as EUR"
        )
    return exponent


def amount_to_minor(text: str, currency: str) -> int:
    """An amount in minor units, exactly.

    Args:
        text: decimal text as the document has it, such as "1234.50".
        currency: ISO 4217 code.

    Returns: 0 to AMOUNT_MINOR_MAX.

    Raises: FormatError for anything but a plain decimal, a fraction finer than the currency's minor unit, an amount
        below zero or one too large for the ledger.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise FormatError(FormatCode.AMOUNT, f"{text[:40]!r} is not a decimal amount", "write it as 1234.50")
    sign, whole, fraction = match[1], match[2], (match[3] or "").rstrip("0")
    exponent = currency_exponent(currency)
    if len(fraction) > exponent:
        raise FormatError(
            FormatCode.AMOUNT,
            f"{text} {currency} is finer than the currency's minor unit ({exponent} decimal places)",
            "state the amount in whole minor units",
        )
    minor = int(whole + fraction.ljust(exponent, "0"))
    if sign and minor:
        raise FormatError(FormatCode.AMOUNT, f"the amount {text} {currency} is below zero", "send a credit note for it")
    if minor > AMOUNT_MINOR_MAX:
        raise FormatError(FormatCode.AMOUNT, f"the amount {text} {currency} is larger than the ledger can hold")
    return minor
