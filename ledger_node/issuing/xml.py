"""An invoice's facts as XML, in UBL 2.1 or CII, written by factur-x and read again by our own reader.

Source: EN 16931-1, CEN/TS 16931-3-2 (UBL) and 16931-3-3 (CII).
"""

from __future__ import annotations

import threading
from typing import Any, Literal

from lxml import etree

from chaincode.money import Money
from ledger_node.errors import NodeError
from ledger_node.formats.items import GTIN_SCHEME
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.formats.xml import parse_xml
from ledger_node.issuing.draft import InvoiceDraft, LineIn, TraderIn, reason_of
from ledger_node.issuing.sums import Sums, rate_of, sums

Syntax = Literal["ubl", "cii"]
PROFILE = "urn:cen.eu:en16931:2017"
GLN_SCHEME = "0088"
CREDIT_TRANSFER = "30"
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
Terms = dict[str, Any]
_ONE_AT_A_TIME = threading.Lock()
"""factur-x changes lists of its own while it writes."""


def write_xml(draft: InvoiceDraft, syntax: Syntax) -> bytes:
    """The invoice as a file.

    Raises: BadRequest where nothing is due; FormatError for what our own reader would refuse.
    """
    import facturx  # takes half a second

    computed = sums(draft)
    generate = facturx.generate_ubl_xml if syntax == "ubl" else facturx.generate_cii_xml
    with _ONE_AT_A_TIME:
        raw: bytes = generate(_terms(draft, computed), level="en16931", check_xsd=False, check_schematron=False)
    root = parse_xml(raw)
    etree.strip_attributes(root, XSI_NIL)  # factur-x puts it on what is empty, and no schema of invoices takes it
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    facts = read_invoice(content)
    stated = Money(facts.amount_minor, facts.currency).decimal()
    if (facts.invoice_number, Money.parse(f"{computed.due:f}", draft.currency).decimal()) != (draft.number, stated):
        raise NodeError(f"what was written says {facts.invoice_number}, {stated}: not what it was written from")
    return content


def _terms(draft: InvoiceDraft, computed: Sums) -> Terms:
    """The business terms as factur-x takes them; what is empty is left out."""
    found = {
        "BT-1": draft.number,
        "BT-2": draft.issue_date,
        "BT-3": draft.type_code,
        "BT-5": draft.currency,
        "BT-9": draft.due_date,
        "BT-10": draft.buyer_reference,
        "BT-13": draft.order_reference,
        "BT-16": draft.despatch_reference,
        "BT-20": draft.terms,
        "BT-24": PROFILE,
        "BT-72": draft.delivered_on,
        "BT-81": CREDIT_TRANSFER,
        "BT-84": draft.account,
        "BT-86": draft.bic,
        "BG-1": [{"BT-22": draft.note}] if draft.note else [],
        "BG-3": [_left({"BT-25": each.number, "BT-26": each.issue_date}) for each in draft.preceding],
        "BG-4": _trader(draft.seller),
        "BG-7": _trader(draft.buyer),
        "BG-13": _place(draft),
        "BG-23": [
            _left(
                {
                    "BT-116": f"{each.net:f}",
                    "BT-117": f"{each.vat:f}",
                    "BT-118": each.category,
                    "BT-119": each.rate,
                    "BT-120": reason_of(draft, each.category),
                }
            )
            for each in computed.taxed
        ],
        "BG-25": [
            _line(place, line, f"{net:f}")
            for place, (line, net) in enumerate(zip(draft.lines, computed.lines, strict=True), 1)
        ],
        "BT-106": f"{computed.net:f}",
        "BT-109": f"{computed.net:f}",
        "BT-110": f"{computed.vat:f}",
        "BT-112": f"{computed.gross:f}",
        "BT-113": f"{computed.paid:f}" if computed.paid else "",
        "BT-115": f"{computed.due:f}",
    }
    return _left(found)


def _line(place: int, line: LineIn, net: str) -> Terms:
    return _left(
        {
            "BT-126": str(place),
            "BT-129": line.quantity,
            "BT-130": line.unit,
            "BT-131": net,
            "BT-132": line.order_line,
            "BT-146": line.price,
            "BT-151": line.vat_category,
            "BT-152": rate_of(line.vat_category, line.vat_rate),
            "BT-153": line.name,
            "BT-155": line.seller_item,
            "BT-156": line.buyer_item,
            "BT-157": line.gtin,
            "BT-157-1": GTIN_SCHEME if line.gtin else "",
        }
    )


def _trader(trader: TraderIn) -> Terms:
    return _left(
        {
            "name": trader.name,
            "vat_identifier": trader.vat_id,
            "legal_identifier": trader.legal_id,
            "legal_identifier_schemeid": trader.legal_id_scheme,
            "identifiers": {GLN_SCHEME: trader.gln} if trader.gln else {},
            "einvoicing_addr": trader.gln,
            "einvoicing_addr_schemeid": GLN_SCHEME if trader.gln else "",
            "addr_l1": trader.street,
            "city": trader.city,
            "postcode": trader.postcode,
            "country_code": trader.country,
        }
    )


def _place(draft: InvoiceDraft) -> Terms:
    """Where it was delivered: a GLN, and the buyer's address, which CII and category K want beside it."""
    if not draft.delivered_to and not any(line.vat_category == "K" for line in draft.lines):
        return {}
    buyer = _trader(draft.buyer)
    place = {name: buyer[name] for name in ("name", "addr_l1", "city", "postcode", "country_code") if name in buyer}
    return place | ({"identifiers": {GLN_SCHEME: draft.delivered_to}} if draft.delivered_to else {})


def _left(terms: Terms) -> Terms:
    return {name: value for name, value in terms.items() if value}
