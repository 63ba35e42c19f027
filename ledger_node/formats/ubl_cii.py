"""Electronic invoices in UBL 2.1 and UN/CEFACT CII, as EN 16931 names their fields.

The XML is parsed by our own hardened parser and checked against the official XSD; factur-x then gives both syntaxes
under the same names. What it leaves open is checked here, on the tree itself: one value where there must be one, dates
of exactly eight digits in CII, amounts in the invoice's own currency. No amount is ever a float.
Source: EN 16931-1, UBL 2.1 (ISO/IEC 19845), CII D16B/D22B, UNTDID 1001 (type codes).
"""

from __future__ import annotations

import datetime
import logging
import re
from typing import Any

import facturx

from ledger_node.formats.amounts import amount_to_minor, currency_exponent
from ledger_node.formats.facts import FormatCode, FormatError, InvoiceFacts, PartyFacts, clean_text
from ledger_node.formats.xml import Element, parse_xml, select

# factur-x logs what it refuses; the refusal itself is what the node reports.
logging.getLogger("factur-x").setLevel(logging.CRITICAL)

UBL_INVOICE = "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice"
UBL_CREDIT_NOTE = "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"
UBL_BASIC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CII_INVOICE = "{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"
FLAVORS = {UBL_INVOICE: "ubl-2.1-invoice", CII_INVOICE: "factur-x"}
# The profile decides which XSD and which optional fields; an invoice of a profile that factur-x does not know is
# read as the plain norm, and the XSD still has the last word.
LEVEL_DEFAULT = "en16931"
LINES = {
    UBL_INVOICE: "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}InvoiceLine",
    CII_INVOICE: "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
    "IncludedSupplyChainTradeLineItem",
}
ELEMENTS_MAX = 20_000  # besides those of lines; no real invoice has a tenth of it
CREDIT_TYPE_CODES = {"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532"}
# 325 is a pro forma invoice, which claims no payment; 393 says that the claim already belongs to a factor.
NO_CLAIM_TYPE_CODES = {"325": "a pro forma invoice", "393": "a factored invoice, whose claim is sold already"}
# Peppol writes this where the syntax wants an order number and there is none.
NO_REFERENCE = "NA"
_CURRENCY = re.compile(r"[A-Z]{3}")
_UBL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CII_DATE = re.compile(r"[0-9]{8}")
_NAMES = {
    "BT-1": "the invoice number (BT-1)",
    "BT-2": "the issue date (BT-2)",
    "BT-3": "the type code (BT-3)",
    "BT-5": "the currency (BT-5)",
    "BT-9": "the due date (BT-9)",
    "BT-13": "the order reference (BT-13)",
    "BT-16": "the despatch advice reference (BT-16)",
    "BT-115": "the amount due (BT-115)",
}


def read_invoice(content: bytes) -> InvoiceFacts:
    """What an invoice in UBL or CII says.

    Args:
        content: the whole XML file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    # 1. Well formed and harmless. 2. An invoice. 3. Nothing that could mislead factur-x. 4. The official XSD.
    root = parse_xml(content)
    flavor = _flavor(root)
    _check_currencies(root)
    _check_dates(root)
    fields = _fields(root, flavor)
    # 5. An invoice that claims money. 6. The facts, each once.
    type_code = _required(fields, "BT-3")
    _check_claim(type_code)
    currency = _required(fields, "BT-5")
    issue_date, due_date = _dates(fields)
    order_reference = _text(fields, "BT-13")
    return InvoiceFacts(
        syntax="ubl" if root.tag == UBL_INVOICE else "cii",
        type_code=type_code,
        invoice_number=_invoice_number(fields),
        issue_date=issue_date,
        due_date=due_date,
        currency=currency,
        amount_minor=amount_to_minor(_required(fields, "BT-115"), currency),
        supplier=_party(fields.get("BG-4"), "the supplier"),
        buyer=_party(fields.get("BG-7"), "the buyer"),
        payee=_payee(fields.get("BG-10")),
        payee_accounts=_accounts(fields.get("BT-84")),
        order_reference="" if order_reference.upper() == NO_REFERENCE else order_reference,
        shipment_reference=_text(fields, "BT-16"),
    )


def _flavor(root: Element) -> str:
    tag = str(root.tag)
    if tag == UBL_CREDIT_NOTE:
        raise _credit_note("CreditNote")
    if tag not in FLAVORS:
        raise FormatError(
            FormatCode.NOT_AN_INVOICE,
            f"the root element {tag[:120]} is no invoice",
            "send a UBL 2.1 Invoice or a CII CrossIndustryInvoice",
        )
    return FLAVORS[tag]


def _credit_note(what: str) -> FormatError:
    return FormatError(
        FormatCode.CREDIT_NOTE, f"{what} is a credit note, not an invoice", "register it against its invoice"
    )


def _check_claim(type_code: str) -> None:
    if type_code in CREDIT_TYPE_CODES:
        raise _credit_note(f"type code {type_code}")
    if type_code in NO_CLAIM_TYPE_CODES:
        raise FormatError(FormatCode.NO_CLAIM, f"type code {type_code} is {NO_CLAIM_TYPE_CODES[type_code]}")


def _check_currencies(root: Element) -> None:
    """Currency codes are plain (factur-x puts them into an XPath) and the amount due is in the invoice's currency."""
    codes = select(
        root,
        "//*[local-name()='DocumentCurrencyCode' or local-name()='InvoiceCurrencyCode'"
        " or local-name()='TaxCurrencyCode']",
    )
    for element in codes:
        if not _CURRENCY.fullmatch((element.text or "").strip()):
            raise FormatError(FormatCode.CURRENCY, "a currency code is not three capital letters")
    document = {(element.text or "").strip() for element in codes if not element.tag.endswith("}TaxCurrencyCode")}
    for code in document:
        currency_exponent(code)
    due = select(root, "//*[local-name()='PayableAmount' or local-name()='DuePayableAmount']/@currencyID")
    if not set(due) <= document:
        raise FormatError(
            FormatCode.CURRENCY, "the amount due is not in the currency of the invoice", "state both in one currency"
        )


def _check_dates(root: Element) -> None:
    """Dates are written in one way: strptime would take a one-digit month, and stumbles over a time zone."""
    if root.tag == UBL_INVOICE:
        dates = select(
            root, f"//*[namespace-uri()='{UBL_BASIC}'][substring(local-name(), string-length(local-name()) - 3)='Date']"
        )
        plain = all(_UBL_DATE.fullmatch((element.text or "").strip()) for element in dates)
    else:
        dates = select(
            root, "//*[local-name()='IssueDateTime' or local-name()='DueDateDateTime']/*[local-name()='DateTimeString']"
        )
        plain = all(
            element.get("format") == "102" and _CII_DATE.fullmatch((element.text or "").strip()) for element in dates
        )
    if not plain:
        raise FormatError(
            FormatCode.DATE,
            "a date is not plain",
            "write it as 2026-01-31 in UBL, as 20260131 in format 102 in CII, without time zone",
        )


def _fields(root: Element, flavor: str) -> dict[str, Any]:
    """The invoice by EN 16931 names; factur-x raises bare exceptions of every kind, so every kind is caught here."""
    level = _level(root, flavor)
    try:
        facturx.xml_check_xsd(root, flavor=flavor, level=level)
        _drop_lines(root)
        fields: dict[str, Any] = facturx.parse_ubl_cii_xml(root, flavor=flavor, level=level, check_xsd=False)
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise FormatError(
            FormatCode.SCHEMA, f"not valid against the official XSD: {reason[:500]}", "mend the invoice"
        ) from error
    return fields


def _drop_lines(root: Element) -> None:
    """No fact stands in a line, and reading one costs a thousand times what writing it does."""
    for parent in (root, *root):
        for line in parent.findall(LINES[str(root.tag)]):
            parent.remove(line)
    if sum(1 for _ in root.iter()) > ELEMENTS_MAX:
        raise ValueError(f"more than {ELEMENTS_MAX} elements besides the lines")


def _level(root: Element, flavor: str) -> str:
    """The profile of a CII invoice as it names it itself, if there is an XSD for it."""
    try:
        level = str(facturx.get_level(root, flavor))
    except (ValueError, AttributeError):
        return LEVEL_DEFAULT
    return level if level in facturx.facturx.FACTURX_LEVEL2xsd else LEVEL_DEFAULT


def _text(fields: dict[str, Any], name: str) -> str:
    """One text or none; several would let two readers see two invoices."""
    value = fields.get(name) or ""
    if not isinstance(value, str):
        raise FormatError(FormatCode.AMBIGUOUS, f"{_NAMES[name]} stands there more than once", "state it once")
    return clean_text(value, _NAMES[name])


def _required(fields: dict[str, Any], name: str) -> str:
    value = _text(fields, name)
    if not value:
        raise FormatError(FormatCode.MISSING, f"{_NAMES[name]} is missing", "add it")
    return value


def _invoice_number(fields: dict[str, Any]) -> str:
    number = _required(fields, "BT-1")
    if not any(character.isalnum() for character in number):
        raise FormatError(FormatCode.MISSING, "the invoice number (BT-1) has no letter and no digit", "number it")
    return number


def _dates(fields: dict[str, Any]) -> tuple[datetime.date, datetime.date | None]:
    issue_date, due_date = _date(fields, "BT-2"), _date(fields, "BT-9")
    if issue_date is None:
        raise FormatError(FormatCode.MISSING, f"{_NAMES['BT-2']} is missing", "add it")
    if due_date is not None and due_date < issue_date:
        raise FormatError(
            FormatCode.DUE_BEFORE_ISSUE, f"due on {due_date}, before it was issued on {issue_date}", "mend the dates"
        )
    return issue_date, due_date


def _date(fields: dict[str, Any], name: str) -> datetime.date | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, datetime.date):
        raise FormatError(FormatCode.AMBIGUOUS, f"{_NAMES[name]} stands there more than once", "state it once")
    return value


def _party(fields: dict[str, Any] | None, what: str) -> PartyFacts:
    fields = fields or {}
    texts = {}
    for name in ("name", "legal_identifier", "legal_identifier_schemeid", "vat_identifier"):
        value = fields.get(name) or ""
        if not isinstance(value, str):
            raise FormatError(FormatCode.AMBIGUOUS, f"{what} has more than one {name}", "state it once")
        texts[name] = clean_text(value, f"{name} of {what}")
    pairs = (fields.get("identifiers") or {}).items()
    return PartyFacts(
        name=texts["name"],
        legal_id=texts["legal_identifier"],
        legal_id_scheme=texts["legal_identifier_schemeid"],
        vat_id=texts["vat_identifier"],
        identifiers=tuple(
            sorted((clean_text(scheme or "", "a scheme"), clean_text(text, "an identifier")) for scheme, text in pairs)
        ),
    )


def _payee(fields: dict[str, Any] | None) -> PartyFacts | None:
    """Who is to be paid instead of the supplier; in UBL factur-x calls its name (BT-59) a trading name."""
    return (
        None
        if fields is None
        else _party({**fields, "name": fields.get("name") or fields.get("biz_name")}, "the payee")
    )


def _accounts(value: str | list[str] | None) -> tuple[str, ...]:
    """Payment accounts without spaces, in order, each once."""
    texts = [value] if isinstance(value, str) else value or []
    return tuple(dict.fromkeys(clean_text(text, "a payment account").replace(" ", "") for text in texts))
