"""Amounts of documents: decimal text to integers of minor units, by the contract's own money.

There is one table of currencies and one reading of decimals in the project, so a document's amount is never read in
another way than the contract checks it. Source: ISO 4217, EN 16931-1 section 6.5.2 (amounts).
"""

from __future__ import annotations

from chaincode.money import Money
from ledger_node.formats.facts import FormatCode, FormatError


def currency_exponent(currency: str) -> int:
    """How many decimal places a currency's minor unit has.

    Args:
        currency: ISO 4217 code of three capital letters.

    Raises: FormatError when there is no such currency, or it has no minor unit (gold, test codes).
    """
    try:
        return Money(0, currency).exponent
    except ValueError as error:
        raise FormatError(
            FormatCode.CURRENCY, f"{currency[:20]!r} is not a currency of ISO 4217", "use a code such as EUR"
        ) from error


def amount_to_minor(text: str, currency: str) -> int:
    """An amount in minor units, exactly.

    Args:
        text: decimal text as the document has it, such as "1234.50"; XML also knows "+1", "1." and ".50".
        currency: ISO 4217 code.

    Returns: 0 to the contract's MINOR_MAX.

    Raises: FormatError for anything but a plain decimal, a fraction finer than the currency's minor unit, an amount
        below zero or one too large for the ledger.
    """
    currency_exponent(currency)
    try:
        minor = Money.parse(_plain(text), currency).amount_minor
    except ValueError as error:
        raise FormatError(
            FormatCode.AMOUNT, f"the amount cannot be taken: {str(error)[:200]}", "write it as 1234.50, in minor units"
        ) from error
    if minor < 0:
        raise FormatError(FormatCode.AMOUNT, f"the amount {text} {currency} is below zero", "send a credit note for it")
    return minor


def _plain(text: str) -> str:
    """XML Schema's decimals (section 3.2.3) as money is read: a digit on both sides of the point, no plus."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text.removeprefix("+"))
    if digits != ".":
        digits = digits.removesuffix(".")
    return sign + ("0" + digits if digits.startswith(".") else digits)
