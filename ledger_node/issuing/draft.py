"""The facts that an invoice is written from, each checked on its own and against the others, as EN 16931 has them.

Amounts, quantities and rates are decimal strings, never floats; dates are YYYY-MM-DD. What follows from others (sums,
VAT) is not among them: it is computed. Source: EN 16931-1 (the BT and BG numbers), UNCL 5305 (categories of VAT).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from stdnum import iban

from chaincode.money import Money
from ledger_node.formats.claims import CORRECTION_TYPES, check_type
from ledger_node.formats.facts import FormatError
from ledger_node.issuing.texts import cleaned
from ledger_node.operations.fields import Currency, DateText, Empty, In

LINES_MAX = 1000
RATE_MAX = 100
"""In percent: no country charges half as much, and a slip such as 1900 would be owed."""
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_IBAN_LIKE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]+", re.ASCII)
REASONS = {
    "AE": "Reverse charge",
    "K": "Intra-Community supply",
    "G": "Export outside the EU",
    "O": "Not subject to VAT",
}
"""Why no VAT is charged, as EN 16931 wants it said (BR-AE-10, BR-IC-10, BR-G-10, BR-O-10); of E people say it."""
CENTS = 2
"""EN 16931 takes no amount with more decimal places (BR-DEC-09 and others)."""


def _text(value: str) -> str:
    text = cleaned(value)
    if not text:
        raise ValueError("is empty")
    return text


def _number(value: str) -> str:
    if not any(character.isalnum() for character in value) or value.upper() == "NA":
        raise ValueError("has to have a letter or a digit, and NA is none")
    return value


def _decimal(value: str) -> str:
    if not _DECIMAL.fullmatch(value):
        raise ValueError("has to be a decimal number of zero or more, such as 12.50: no sign, no blanks, no thousands")
    return value


def _positive(value: str) -> str:
    if not Decimal(_decimal(value)):
        raise ValueError("has to be more than 0; goods that came back are a credit note")
    return value


def _rate(value: str) -> str:
    if Decimal(_decimal(value)) >= RATE_MAX:
        raise ValueError(f"has to be less than {RATE_MAX}: it is percent, 19 for 19 %")
    return value


def _account(value: str) -> str:
    compact = value.replace(" ", "").upper()
    if _IBAN_LIKE.fullmatch(compact) and not iban.is_valid(compact):
        raise ValueError("looks like an IBAN and its check digits are wrong: compare it with the bank's letter")
    return compact if _IBAN_LIKE.fullmatch(compact) else value.replace(" ", "")


def _type(value: str) -> str:
    try:
        check_type(value)
    except FormatError as error:
        raise ValueError(f"{error.text}: {error.remedy}") from error
    return value


Words = Annotated[str, Field(max_length=500), AfterValidator(_text)]
Number = Annotated[Words, AfterValidator(_number)]
Scheme = Annotated[str, Field(pattern=r"^[A-Za-z0-9:._-]{1,20}$", examples=["0199"])]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["DE"])]
Gln = Annotated[str, Field(pattern=r"^[0-9]{13}$", examples=["4260000000011"])]
Gtin = Annotated[str, Field(pattern=r"^[0-9]{8}([0-9]{4,6})?$", examples=["04012345123456"])]
Category = Literal["S", "Z", "E", "AE", "K", "G", "O"]
DecimalText = Annotated[str, Field(examples=["12.50"]), AfterValidator(_decimal)]
RateText = Annotated[str, Field(examples=["19"]), AfterValidator(_rate)]
PositiveText = Annotated[str, Field(examples=["9"]), AfterValidator(_positive)]


class TraderIn(In):
    """Supplier or buyer, as the invoice names it: a name, an address, and the identifiers that it has."""

    name: Words
    vat_id: Words | Empty = Field(default="", examples=["DE271828180"])
    legal_id: Words | Empty = Field(default="", examples=["5299000NORDWIND00081"])
    legal_id_scheme: Scheme | Empty = Field(default="", description="Its ISO 6523 code, such as 0199 for a LEI.")
    gln: Gln | Empty = ""
    street: Words | Empty = ""
    city: Words | Empty = ""
    postcode: Words | Empty = ""
    country: Country

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.legal_id_scheme and not self.legal_id:
            raise ValueError("legal_id_scheme is of no legal_id: give that too, or leave both out")
        return self


class LineIn(In):
    """Goods or services. `price` is the net price of one unit; the line's amount is computed."""

    name: Words
    quantity: PositiveText
    unit: str = Field(
        default="C62", pattern=r"^[A-Z0-9]{2,3}$", description="UN/ECE Recommendation 20; C62 is one piece."
    )
    price: DecimalText
    vat_category: Category = "S"
    vat_rate: RateText | Empty = Field(default="", description="Percent, of category S only.")
    gtin: Gtin | Empty = ""
    seller_item: Words | Empty = ""
    buyer_item: Words | Empty = ""
    order_line: Number | Empty = ""

    @model_validator(mode="after")
    def _taxed(self) -> Self:
        charged = bool(self.vat_rate) and bool(Decimal(self.vat_rate))
        if charged != (self.vat_category == "S"):
            raise ValueError(
                f"vat_rate is {self.vat_rate or 'missing'} and vat_category {self.vat_category}: S has a rate above 0, "
                "and only S has; without VAT say Z (zero-rated), E (exempt), AE (reverse charge), K, G or O"
            )
        return self


class PrecedingIn(In):
    """An invoice that this one corrects or follows."""

    number: Number
    issue_date: DateText | Empty = ""


class InvoiceDraft(In):
    """All that an invoice is written from. The amount due is what the lines and their VAT make, less what is paid."""

    number: Number
    issue_date: DateText
    due_date: DateText | Empty = ""
    terms: Words | Empty = Field(default="", description="Payment terms in words; without a due date they are needed.")
    type_code: Annotated[str, AfterValidator(_type)] = Field(default="380", examples=["380"])
    currency: Currency
    buyer_reference: Words | Empty = ""
    order_reference: Number | Empty = ""
    despatch_reference: Number | Empty = Field(default="", description="The despatch advice's number.")
    delivered_on: DateText | Empty = ""
    delivered_to: Gln | Empty = ""
    preceding: list[PrecedingIn] = Field(default_factory=list, max_length=10)
    seller: TraderIn
    buyer: TraderIn
    account: Annotated[Words, AfterValidator(_account)] = Field(description="To be paid to: an IBAN, else a number.")
    bic: str = Field(default="", pattern=r"^([A-Z0-9]{8}([A-Z0-9]{3})?)?$", examples=["COBADEFFXXX"])
    exemption: Words | Empty = Field(default="", description="Why no VAT is charged: needed with category E.")
    paid: DecimalText | Empty = Field(default="", description="What was paid before.", examples=["0"])
    note: Words | Empty = ""
    lines: list[LineIn] = Field(min_length=1, max_length=LINES_MAX)

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for fault in (self._dates(), self._money(), self._tax(), self._corrected()):
            if fault:
                raise ValueError(fault)
        return self

    def _dates(self) -> str:
        if self.due_date and self.due_date < self.issue_date:
            return f"due_date is {self.due_date}, before issue_date {self.issue_date}: mend one of them"
        return "" if self.due_date or self.terms else "due_date is missing: state it, or payment terms in words (terms)"

    def _money(self) -> str:
        try:
            Money(0, self.currency)
        except ValueError:
            return f"currency {self.currency} is none of ISO 4217: use a code such as EUR"
        return ""

    def _tax(self) -> str:
        categories = {line.vat_category for line in self.lines}
        if "E" in categories and not self.exemption:
            return "exemption is missing: category E needs the reason why no VAT is charged"
        if "O" in categories and len(categories) > 1:
            return "vat_category O (not subject to VAT) stands beside others: EN 16931 takes it only alone (BR-O-11)"
        if "O" in categories and (self.seller.vat_id or self.buyer.vat_id):
            return "vat_id stands beside vat_category O: what is not subject to VAT names no VAT identifier (BR-O-02)"
        if categories - {"O"} and not self.seller.vat_id:
            return "seller.vat_id is missing: an invoice subject to VAT names its supplier's (BR-S-02)"
        if categories & {"AE", "K"} and not self.buyer.vat_id:
            return "buyer.vat_id is missing: categories AE and K need it (BR-AE-02, BR-IC-02)"
        if "K" in categories and not self.delivered_on:
            return "delivered_on is missing: an intra-Community supply (K) says when it was delivered (BR-IC-11)"
        return ""

    def _corrected(self) -> str:
        if self.type_code in CORRECTION_TYPES and not self.preceding:
            return f"preceding is missing: type_code {self.type_code} corrects an invoice, which has to be named"
        return ""


def reason_of(draft: InvoiceDraft, category: str) -> str:
    """Why no VAT is charged on what is of a category; "" where that needs no reason, as with Z.

    What people say is of category E where there is any, else of all.
    """
    if category == "E":
        return draft.exemption
    of_others = "" if any(line.vat_category == "E" for line in draft.lines) else draft.exemption
    return of_others or REASONS[category] if category in REASONS else ""


def example() -> dict[str, Any]:
    """Facts that can be written as they are: to begin from, and the API's example."""
    return {
        "number": "INV-2026-17",
        "issue_date": "2026-11-22",
        "due_date": "2027-01-21",
        "currency": "EUR",
        "order_reference": "PO-7781",
        "despatch_reference": "DES-2026-0042",
        "seller": {
            "name": "Nordwind Lagertechnik GmbH",
            "vat_id": "DE271828180",
            "street": "Hafenstrasse 12",
            "city": "Hamburg",
            "postcode": "20457",
            "country": "DE",
        },
        "buyer": {
            "name": "Atlas Machinebouw B.V.",
            "vat_id": "NL001234511B01",
            "street": "Waalhaven 80",
            "city": "Rotterdam",
            "postcode": "3089 JH",
            "country": "NL",
        },
        "account": "DE89370400440532013000",
        "lines": [
            {
                "name": "Roller bearing 6204",
                "quantity": "9",
                "price": "137.50",
                "vat_category": "AE",
                "gtin": "04012345123456",
            }
        ],
    }
