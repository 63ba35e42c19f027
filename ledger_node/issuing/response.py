"""A buyer's answer to an invoice: Peppol's Invoice Response, a UBL ApplicationResponse.

The code follows from the invoice's state on the ledger, unless people say another; an answer never takes back what the
buyer's approval on the ledger says, and says none that is not there. Source: Peppol BIS Invoice Response 3.1
(transaction T111, profile 63), UNCL 4343 (the codes), UBL 2.1 (ISO/IEC 19845) ApplicationResponse.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from lxml import etree

from ledger_node.errors import BadRequest
from ledger_node.formats.facts import InvoiceFacts, PartyFacts
from ledger_node.formats.pdf import invoice_inside
from ledger_node.formats.sniff import HEAD_BYTES, PDF, sniff
from ledger_node.formats.syntaxes import SYNTAXES, UBL_NAMESPACES
from ledger_node.formats.terms import Terms
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.formats.xml import Element, parse_xml
from ledger_node.issuing.texts import cleaned

Code = Literal["AB", "IP", "UQ", "CA", "RE", "AP", "PD"]
Reason = Literal["NON", "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH"]
CODES: dict[str, str] = {
    "AB": "received",
    "IP": "being looked at",
    "UQ": "in question",
    "CA": "accepted on conditions",
    "RE": "rejected",
    "AP": "accepted",
    "PD": "paid",
}
REASONS: tuple[str, ...] = get_args(Reason)
EXPLAINED = ("UQ", "CA", "RE")
"""Codes that need a reason (PEPPOL-T111-R001)."""
BY_STATE: dict[str, Code] = {
    "registered": "AB",
    "approved": "AP",
    "early-paid": "AP",
    "overdue": "AP",
    "written-off": "AP",
    "settled": "PD",
    "recovered": "PD",
    "disputed": "UQ",
    "cancelled": "RE",
}
OWED = ("approved", "early-paid", "overdue", "written-off", "settled", "recovered")
"""States in which the buyer's approval stands."""
CUSTOMIZATION = "urn:fdc:peppol.eu:poacc:trns:invoice_response:3"
PROFILE = "urn:fdc:peppol.eu:poacc:bis:invoice_response:3"
_NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"
_NAMES = {"ubl": _NAMESPACE, **UBL_NAMESPACES}
_ADDRESSES = {
    "ubl": ("cbc:EndpointID", UBL_NAMESPACES),
    "cii": (
        "ram:URIUniversalCommunication/ram:URIID",
        {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"},
    ),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a party is reached in a network of electronic invoices: the code of a scheme (EAS), and an id in it."""

    scheme: str
    id: str


_ADDRESS = re.compile(r"([A-Za-z0-9]{2,8}):([!-~]{1,100})")


def address(text: str) -> Address | None:
    """An address that was typed, SCHEME:ID; None for what is none."""
    found = _ADDRESS.fullmatch(text)
    return None if found is None else Address(found[1], found[2])


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; `reason` is of UNCL "OPStatusReason", "" for none, `text` says more of it."""

    code: str
    reason: str = ""
    text: str = ""


def answer_of(invoice: Mapping[str, Any], is_checked: bool, said: Answer) -> Answer:
    """The answer to an invoice by its state, or what people say instead.

    Args:
        invoice: the ledger's record.
        is_checked: whether this organisation has attested its document.
        said: what people say; fields that they leave out are empty.

    Raises: BadRequest for an answer that takes back an approval on the ledger, says one that is not there, or lacks its
        reason.
    """
    try:
        text = cleaned(said.text)
    except ValueError as error:
        raise BadRequest(f"text: {error}", "Say it in plain words.") from error
    status, code, reason = invoice["status"], said.code or _code(invoice, is_checked), said.reason
    if status not in OWED and code in ("AP", "CA"):
        raise BadRequest(
            f"the invoice is {status}: {code} would say that it is approved, and on the ledger it is not",
            "Approve it first: ledger-node invoice approve",
        )
    if status in OWED and code in ("RE", "UQ", "CA") and said.code:
        raise BadRequest(
            f"the invoice is {status}: your approval stands on the ledger, and {code} would take it back",
            "A fault of the goods is a dispute or a credit note: ledger-node invoice dispute, invoice credit-note.",
        )
    if code in EXPLAINED and not reason:
        if said.code:
            raise BadRequest(f"{code} needs a reason", f"Say one of: {', '.join(REASONS)}; OTH with words of your own.")
        reason, text = "OTH", text or _words(invoice)
    if reason == "OTH" and not text:
        raise BadRequest("the reason OTH says nothing by itself", "Say in words why.")
    if reason == "PPD" and (code != "PD" or not text):
        raise BadRequest("the reason PPD (paid in part) goes with PD, and with words", "Say how much is paid.")
    return Answer(code, reason, text)


def _code(invoice: Mapping[str, Any], is_checked: bool) -> str:
    if invoice["status"] == "registered" and is_checked:
        return "IP"
    if invoice["status"] == "approved" and invoice["credited_minor"]:
        return "CA"
    return BY_STATE[invoice["status"]]


def _words(invoice: Mapping[str, Any]) -> str:
    """Why, as far as the ledger tells."""
    if invoice["status"] == "approved":
        return "Accepted less what was credited."
    return f"The invoice is {invoice['status']}."


def name_of(invoice_id: str, block_number: int, answer: Answer) -> str:
    """An answer's id: in one state and for one reason it is the same, however often it is written.

    Args:
        invoice_id: of the invoice.
        block_number: of the invoice's last write.
    """
    why = f"{answer.reason} {answer.text}".encode()
    reason = f"-{hashlib.sha256(why).hexdigest()[:8]}" if answer.reason else ""  # who has the id drops another of it
    return f"{invoice_id}-{block_number}-{answer.code}{reason}"


def read_answered(content: bytes) -> tuple[bytes, InvoiceFacts]:
    """What is answered: the invoice's XML, and what it says.

    Args:
        content: of the invoice's document, XML or a PDF with it inside.

    Raises: FormatError.
    """
    xml = invoice_inside(content) if sniff(content[:HEAD_BYTES]) == PDF else content
    return xml, read_invoice(xml)


def address_of(xml: bytes, group: str, party: PartyFacts) -> Address:
    """Where a party of an invoice is reached: its electronic address, else an identifier of it with a scheme.

    Args:
        xml: the invoice.
        group: "BG-4" for the supplier, "BG-7" for the buyer.
        party: what the invoice says of it.

    Raises: BadRequest when it has neither.
    """
    root = parse_xml(xml)
    terms = Terms(root)
    path, names = _ADDRESSES[SYNTAXES[str(root.tag)].name]
    for element in terms.elements(group):
        found = element.find(path, names)
        if found is not None and (found.text or "").strip() and found.get("schemeID"):
            return Address(found.get("schemeID", ""), (found.text or "").strip())
    named = [*party.identifiers, (party.legal_id_scheme, party.legal_id)]
    for scheme, text in named:
        if len(scheme) == 4 and scheme.isdecimal() and text:
            return Address(scheme, text)
    which, term, option = ("supplier", "BT-34", "to") if group == "BG-4" else ("buyer", "BT-49", "from")
    raise BadRequest(
        f"the invoice names no electronic address of the {which} ({term}), and no identifier with a scheme of ISO 6523",
        f"Say it: {option}, as SCHEME:ID such as 0088:4260000000011.",
    )


def write_response(
    facts: InvoiceFacts, sender: Address, receiver: Address, answer: Answer, name: str, on: dt.date
) -> bytes:
    """The Invoice Response as a file.

    Args:
        facts: what the invoice says; its buyer answers its supplier.
        name: the answer's own id.
        on: the day of the answer.
    """
    why = [_text("StatusReasonCode", answer.reason, listID="OPStatusReason")] if answer.reason else []
    why += [_text("StatusReason", answer.text)] if answer.reason and answer.text else []
    response = [_text("ResponseCode", answer.code, listID="UNCL4343OpSubset"), _text("EffectiveDate", on.isoformat())]
    response += [_group("Status", *why)] if why else []
    document = etree.Element(etree.QName(_NAMESPACE, "ApplicationResponse"), nsmap=_NAMES)
    document.extend(
        [
            _text("CustomizationID", CUSTOMIZATION),
            _text("ProfileID", PROFILE),
            _text("ID", name),
            _text("IssueDate", on.isoformat()),
            _party("SenderParty", facts.buyer, sender),
            _party("ReceiverParty", facts.supplier, receiver),
            _group(
                "DocumentResponse",
                _group("Response", *response),
                _group(
                    "DocumentReference",
                    _text("ID", facts.invoice_number),
                    _text("IssueDate", facts.issue_date.isoformat()),
                    _text("DocumentTypeCode", facts.type_code, listID="UNCL1001"),
                ),
            ),
        ]
    )
    return etree.tostring(document, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _party(kind: str, who: PartyFacts, address: Address) -> Element:
    name = _text("RegistrationName", who.name or address.id)
    return _group(kind, _text("EndpointID", address.id, schemeID=address.scheme), _group("PartyLegalEntity", name))


def _text(name: str, text: str, **attributes: str) -> Element:
    element = etree.Element(etree.QName(UBL_NAMESPACES["cbc"], name), attributes)
    element.text = text
    return element


def _group(name: str, *parts: Element) -> Element:
    element = etree.Element(etree.QName(UBL_NAMESPACES["cac"], name))
    element.extend(parts)
    return element
