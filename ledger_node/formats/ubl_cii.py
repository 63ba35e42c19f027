"""Electronic invoices and credit notes in UBL 2.1 and UN/CEFACT CII: what one says, as facts, or why it is refused.

The XML is parsed by our own hardened parser and checked against the official XSD; each business term is then read where
the norm puts it. An invoice whose type claims no money, or whose totals do not add up, is refused here, before anything
of it is kept. Source: EN 16931-1, UBL 2.1 (ISO/IEC 19845), CII D22B.
"""

from __future__ import annotations

import datetime
import re

from ledger_node.formats.amounts import amount_to_minor, currency_exponent
from ledger_node.formats.claims import CORRECTION_TYPES, CREDIT_TYPES, check_type, credit_note
from ledger_node.formats.facts import CreditNoteFacts, FormatCode, FormatError, InvoiceFacts, PartyFacts
from ledger_node.formats.lines import billed, delivered_on, delivered_to
from ledger_node.formats.parties import party
from ledger_node.formats.recognised import what_xml_is
from ledger_node.formats.syntaxes import SYNTAXES, UBL_CREDIT_NOTE
from ledger_node.formats.terms import Terms, called
from ledger_node.formats.totals import check_totals
from ledger_node.formats.xml import Element, parse_xml
from ledger_node.formats.xsd import check_schema

# Peppol writes this where the syntax wants an order number and there is none.
NO_REFERENCE = "NA"
VALUES_MAX = {"BT-16": 200, "BT-25": 10, "BT-84": 10}
"""How many values of a term an invoice may have; a collective invoice names many delivery notes."""
_CURRENCY = re.compile(r"[A-Z]{3}")


def read_invoice(content: bytes) -> InvoiceFacts:
    """What an invoice in UBL or CII says.

    Args:
        content: the whole XML file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    # 1. Well formed and harmless. 2. An invoice that claims money. 3. Plain dates, then the official XSD.
    terms = Terms(_invoice_root(parse_xml(content)))
    type_code = terms.required("BT-3")
    check_type(type_code)
    issue_date, due_date = _dates(terms)
    check_schema(terms.root)
    # 4. The amount due, and that it follows from all the others. 5. The facts, each once.
    currency = _currency(terms)
    amount_minor = _amount_due(terms, currency)
    check_totals(terms, currency)
    return InvoiceFacts(
        syntax=terms.syntax.name,
        type_code=type_code,
        invoice_number=_number(terms),
        issue_date=issue_date,
        due_date=due_date,
        has_terms=bool(terms.elements("BT-20")),
        currency=currency,
        amount_minor=amount_minor,
        supplier=_named(terms, "BG-4", "the supplier"),
        buyer=_named(terms, "BG-7", "the buyer"),
        payee=party(terms, "BG-10", "the payee"),
        payment_means=_codes(terms, "BT-81"),
        payee_accounts=_accounts(terms),
        order_reference=_order_reference(terms),
        shipment_references=_references(terms, "BT-16"),
        preceding_references=_preceding(terms, type_code),
        goods=billed(terms),
        delivered_on=delivered_on(terms),
        delivered_to=delivered_to(terms),
    )


def read_credit_note(content: bytes) -> CreditNoteFacts:
    """What a credit note in UBL or CII says, by its root, its type, or an invoice's amount due below zero.

    Args:
        content: the whole XML file.

    Raises: FormatError, and nothing else whatever the content is.
    """
    terms = Terms(_known_root(parse_xml(content)))
    type_code = terms.required("BT-3")
    check_schema(terms.root)
    currency = _currency(terms)
    text = terms.amount_text("BT-115", currency)
    below_zero = text.startswith("-")
    credits = terms.root.tag == UBL_CREDIT_NOTE or type_code in CREDIT_TYPES
    if credits == below_zero:
        what = "a credit note below zero claims money" if credits else f"type code {type_code} claims money"
        raise FormatError(FormatCode.NOT_A_CREDIT_NOTE, f"this is no credit note: {what}", "upload it as kind invoice")
    check_totals(terms, currency)
    return CreditNoteFacts(
        number=_number(terms),
        currency=currency,
        amount_minor=_claimed(text.removeprefix("-"), currency),
        supplier=_named(terms, "BG-4", "the supplier"),
        buyer=_named(terms, "BG-7", "the buyer"),
        preceding_references=_references(terms, "BT-25"),
    )


def _invoice_root(root: Element) -> Element:
    if root.tag == UBL_CREDIT_NOTE:
        raise credit_note("CreditNote")
    return _known_root(root)


def _known_root(root: Element) -> Element:
    if root.tag not in SYNTAXES:
        raise FormatError(
            FormatCode.NOT_AN_INVOICE,
            f"{what_xml_is(root)}, not a UBL 2.1 Invoice nor a CII CrossIndustryInvoice",
            "send the invoice in one of these; of an envelope, what is inside it",
        )
    return root


def _currency(terms: Terms) -> str:
    currency = terms.required("BT-5")
    if not _CURRENCY.fullmatch(currency):
        raise FormatError(
            FormatCode.CURRENCY,
            f"{called('BT-5')} is {currency[:20]!r}, not three capital letters",
            "use a code of ISO 4217 such as EUR",
        )
    currency_exponent(currency)
    return currency


def _amount_due(terms: Terms, currency: str) -> int:
    """Minor units, at least 1: below zero it is a credit note by another name, and 0 claims nothing."""
    text = terms.amount_text("BT-115", currency)
    if text.startswith("-") and text.strip("-0."):
        raise credit_note(f"{called('BT-115')} is {text[:20]}, below zero: this")
    return _claimed(text, currency)


def _claimed(text: str, currency: str) -> int:
    if not text:
        raise FormatError(FormatCode.MISSING, f"{called('BT-115')} is missing", "add it")
    amount_minor = amount_to_minor(text, currency)
    if amount_minor == 0:
        raise FormatError(
            FormatCode.NO_CLAIM, f"{called('BT-115')} is 0, so nothing is claimed", "it needs no payment: keep it"
        )
    return amount_minor


def _number(terms: Terms) -> str:
    number = terms.required("BT-1")
    if not any(character.isalnum() for character in number):
        raise FormatError(FormatCode.MISSING, f"{called('BT-1')} has no letter and no digit", "number it")
    return number


def _dates(terms: Terms) -> tuple[datetime.date, datetime.date | None]:
    """Issue date and net date: of several terms the latest, since earlier ones only give a discount."""
    issued, due = terms.dates("BT-2"), terms.dates("BT-9")
    if not issued:
        raise FormatError(FormatCode.MISSING, f"{called('BT-2')} is missing", "add it")
    if len(issued) > 1:
        raise FormatError(FormatCode.AMBIGUOUS, f"{called('BT-2')} stands there more than once", "state it once")
    if due and due[-1] < issued[0]:
        raise FormatError(
            FormatCode.DUE_BEFORE_ISSUE, f"due on {due[-1]}, before it was issued on {issued[0]}", "mend the dates"
        )
    _require_one_payment(terms)
    return issued[0], due[-1] if due else None


def _require_one_payment(terms: Terms) -> None:
    """Terms that state amounts must have one for the whole amount due: parts of it are due at dates of their own."""
    currency = terms.text("BT-5")
    stated = terms.amounts("instalment", currency)
    if stated and not set(stated) & set(terms.amounts("BT-115", currency)):
        raise FormatError(
            FormatCode.INSTALMENTS,
            "the payment terms split the amount due into instalments with dates of their own",
            "send an invoice for each instalment, or split it after registration: ledger-node invoice split",
        )


def _named(terms: Terms, group: str, what: str) -> PartyFacts:
    """A party that the invoice names by anything at all."""
    found = party(terms, group, what)
    if found is None or found == PartyFacts():
        raise FormatError(
            FormatCode.MISSING, f"the invoice does not say who {what} is", "add its name and an identifier, such as VAT"
        )
    return found


def _order_reference(terms: Terms) -> str:
    reference = terms.text("BT-13")
    return "" if reference.upper() == NO_REFERENCE else reference


def _codes(terms: Terms, term: str) -> tuple[str, ...]:
    return tuple(sorted(text.upper() for text in terms.texts(term)))


def _accounts(terms: Terms) -> tuple[str, ...]:
    """Payment accounts without spaces, in order, each once."""
    return _bounded("BT-84", dict.fromkeys(text.replace(" ", "") for text in terms.texts("BT-84")))


def _references(terms: Terms, term: str) -> tuple[str, ...]:
    """Numbers of other documents; one without letter and digit names none."""
    return _bounded(term, [text for text in terms.texts(term) if any(each.isalnum() for each in text)])


def _preceding(terms: Terms, type_code: str) -> tuple[str, ...]:
    """The invoices that came before; a correction that names none would be one more claim for the same goods."""
    found = _references(terms, "BT-25")
    if type_code in CORRECTION_TYPES and not found:
        raise FormatError(
            FormatCode.MISSING,
            f"type code {type_code} is a corrected invoice, but {called('BT-25')} is missing",
            "name the invoice that it corrects",
        )
    return found


def _bounded(term: str, found: dict[str, None] | list[str]) -> tuple[str, ...]:
    if len(found) > VALUES_MAX[term]:
        raise FormatError(
            FormatCode.TOO_LARGE,
            f"{called(term)} stands there with {len(found)} values, {VALUES_MAX[term]} is the most",
            "send an invoice for each part",
        )
    return tuple(found)
