"""Reading the business terms of one invoice: each text once, each date plain, each amount exact, or a named refusal.

Two values of what must be one are refused, since two readers could take two; the same value twice is one. Nothing is
read as a float. Source: EN 16931-1, ISO 8601 (dates in UBL), UN/EDIFACT 2379 (format 102 in CII).
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal

from ledger_node.formats.facts import FormatCode, FormatError, clean_text
from ledger_node.formats.syntaxes import CII, SYNTAXES
from ledger_node.formats.xml import Element

NAMES = {
    "BT-1": "the invoice number",
    "BT-2": "the issue date",
    "BT-3": "the type code",
    "BT-5": "the currency",
    "BT-9": "the due date",
    "BT-13": "the order reference",
    "BT-16": "the despatch advice reference",
    "BT-24": "the specification identifier",
    "BT-25": "the preceding invoice reference",
    "BT-81": "the means of payment",
    "BT-84": "a payment account",
    "BT-106": "the sum of line net amounts",
    "BT-107": "the sum of allowances",
    "BT-108": "the sum of charges",
    "BT-109": "the total without VAT",
    "BT-110": "the total VAT",
    "BT-112": "the total with VAT",
    "BT-113": "the paid amount",
    "BT-114": "the rounding amount",
    "BT-115": "the amount due",
    "BT-117": "a VAT category's amount",
    "BT-131": "a line's net amount",
    "instalment": "the amount of a payment term",
    "adjustments": "a financial adjustment",
}
SHOWN_CHARACTERS_MAX = 40
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,20}\.?[0-9]{0,10}|\.[0-9]{1,10})", re.ASCII)
_UBL_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_CII_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII)


def called(term: str) -> str:
    """A term's name with its number, as people look it up."""
    return f"{NAMES[term]} ({term})" if term.startswith("BT") else NAMES[term]


class Terms:
    """The terms of one invoice by their names in `syntaxes`.

    Args:
        root: its root element, of a tag in SYNTAXES, valid against its schema or not.
    """

    def __init__(self, root: Element) -> None:
        self.root = root
        self.syntax = SYNTAXES[str(root.tag)]

    def elements(self, term: str, node: Element | None = None) -> list[Element]:
        """The elements of a term, below the root or another node."""
        return self.syntax.terms.elements(term, self.root if node is None else node)

    def texts(self, term: str) -> tuple[str, ...]:
        """The texts of a term that are not empty, in order, each once.

        Raises: FormatError for characters that no register takes.
        """
        found = (clean_text(element.text or "", called(term)) for element in self.elements(term))
        return tuple(dict.fromkeys(text for text in found if text))

    def text(self, term: str) -> str:
        """The one text of a term, or "".

        Raises: FormatError when there are several.
        """
        found = self.texts(term)
        if len(found) > 1:
            raise FormatError(FormatCode.AMBIGUOUS, f"{called(term)} stands there more than once", "state it once")
        return found[0] if found else ""

    def required(self, term: str) -> str:
        """The one text of a term.

        Raises: FormatError when there is none, or several.
        """
        text = self.text(term)
        if not text:
            raise FormatError(FormatCode.MISSING, f"{called(term)} is missing", "add it")
        return text

    def dates(self, term: str) -> list[datetime.date]:
        """The dates of a term, the earliest first, each once.

        Raises: FormatError for one that does not exist, or is written in another way than plain.
        """
        return sorted({self._date(term, element) for element in self.elements(term)})

    def _date(self, term: str, element: Element) -> datetime.date:
        text = (element.text or "").strip()
        in_cii = self.syntax is CII
        match = (_CII_DATE if in_cii else _UBL_DATE).fullmatch(text)
        try:
            if match is None or (in_cii and element.get("format") != "102"):
                raise ValueError("not plain")
            return datetime.date(*map(int, match.groups()))
        except ValueError as error:
            plain = "20260131 in format 102" if in_cii else "2026-01-31, without time zone"
            form = f" in format {element.get('format', '')[:8]}" if in_cii else ""
            raise FormatError(
                FormatCode.DATE,
                f"{called(term)} is {text[:SHOWN_CHARACTERS_MAX]!r}{form}, which is no plain date",
                f"write it as {plain}",
            ) from error

    def amount_text(self, term: str, currency: str) -> str:
        """The one amount of a term as it stands there, or "".

        Args:
            currency: that it must be in; CII may leave it out.

        Raises: FormatError for several amounts, or one in another currency.
        """
        stated: dict[Decimal, str] = {}
        for element in self.elements(term):
            if element.get("currencyID", currency) != currency:
                raise FormatError(
                    FormatCode.CURRENCY,
                    f"{called(term)} is in {element.get('currencyID', '')[:8]!r}, the invoice in {currency}",
                    "state both in one currency",
                )
            text = (element.text or "").strip()
            stated.setdefault(decimal(text, term), text)
        if len(stated) > 1:
            raise FormatError(FormatCode.AMBIGUOUS, f"{called(term)} stands there more than once", "state it once")
        return next(iter(stated.values()), "")

    def amounts(self, term: str, currency: str, node: Element | None = None) -> list[Decimal]:
        """All amounts of a term that are in a currency, exactly; those that name none are in it."""
        return [
            decimal((element.text or "").strip(), term)
            for element in self.elements(term, node)
            if element.get("currencyID", currency) == currency
        ]


def decimal(text: str, term: str) -> Decimal:
    """An exact decimal number.

    Raises: FormatError for anything else, and for more digits than any amount has.
    """
    if not _DECIMAL.fullmatch(text):
        raise FormatError(
            FormatCode.AMOUNT,
            f"{called(term)} is {text[:SHOWN_CHARACTERS_MAX]!r}, which is no amount",
            "write it as 1234.50",
        )
    return Decimal(text)
