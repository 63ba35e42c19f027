"""Documents of a made-up trade: what the demo and the tests upload, made when they are needed.

They are shaped as real ones are (EN 16931 in UBL 2.1, EPCIS 2.0 with CBV 2.0, PDF), name companies that do not exist
by identifiers whose check digits hold, and are the same bytes for the same arguments. Nothing here is ever used to
judge a document. Source: EN 16931-1, Peppol BIS Billing 3.0, GS1 EPCIS 2.0.
"""

from __future__ import annotations

import datetime
import io
import json
import uuid
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from chaincode.money import Money

EPCIS_CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
_ZERO_RATED = "<cbc:ID>Z</cbc:ID><cbc:Percent>0</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
_EVENT_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A company that does not exist: LEI (scheme 0199), VAT number, GLN, address."""

    name: str
    lei: str
    vat_id: str
    gln: str
    street: str
    city: str
    postcode: str
    country: str


SUPPLIER = LegalEntity(
    "Nordwind Lagertechnik GmbH",
    "5299000NORDWIND00081",
    "DE271828180",
    "4260000000011",
    "Hafenstrasse 12",
    "Hamburg",
    "20457",
    "DE",
)
BUYER = LegalEntity(
    "Atlas Machinebouw B.V.",
    "7245000ATLASMACH0013",
    "NL001234511B01",
    "8710000000017",
    "Waalhaven 80",
    "Rotterdam",
    "3089 JH",
    "NL",
)
SUPPLIER_IBAN = "DE89370400440532013000"


def invoice_ubl(
    number: str,
    supplier: LegalEntity,
    buyer: LegalEntity,
    issue_date: datetime.date,
    due_date: datetime.date,
    currency: str,
    amount_minor: int,
    order_reference: str,
    shipment_reference: str,
    iban: str,
    corrects: str = "",
) -> bytes:
    """An invoice in UBL 2.1 that follows EN 16931: one line, zero-rated, the whole amount due.

    Args:
        amount_minor: amount due in minor units of `currency`.
        order_reference: the buyer's purchase order number (BT-13).
        shipment_reference: the despatch advice's number (BT-16).
        iban: the account to pay to.
        corrects: the number of an invoice that this one corrects (BT-25): it is a corrected invoice (384) then.

    Returns: the XML file.
    """
    amount = f'currencyID="{currency}">{Money(amount_minor, currency).decimal()}<'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
  <cbc:ID>{escape(number)}</cbc:ID>
  <cbc:IssueDate>{issue_date.isoformat()}</cbc:IssueDate>
  <cbc:DueDate>{due_date.isoformat()}</cbc:DueDate>
  <cbc:InvoiceTypeCode>{"384" if corrects else "380"}</cbc:InvoiceTypeCode>
  <cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>
  <cac:OrderReference><cbc:ID>{escape(order_reference)}</cbc:ID></cac:OrderReference>{_corrects(corrects)}
  <cac:DespatchDocumentReference><cbc:ID>{escape(shipment_reference)}</cbc:ID></cac:DespatchDocumentReference>
  <cac:AccountingSupplierParty>{_party_ubl(supplier)}</cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty>{_party_ubl(buyer)}</cac:AccountingCustomerParty>
  <cac:PaymentMeans>
    <cbc:PaymentMeansCode>30</cbc:PaymentMeansCode>
    <cac:PayeeFinancialAccount><cbc:ID>{escape(iban)}</cbc:ID></cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="{currency}">{Money(0, currency).decimal()}</cbc:TaxAmount>
    <cac:TaxSubtotal>
      <cbc:TaxableAmount {amount}/cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="{currency}">{Money(0, currency).decimal()}</cbc:TaxAmount>
      <cac:TaxCategory>{_ZERO_RATED}</cac:TaxCategory>
    </cac:TaxSubtotal>
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount {amount}/cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount {amount}/cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount {amount}/cbc:TaxInclusiveAmount>
    <cbc:PayableAmount {amount}/cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
  <cac:InvoiceLine>
    <cbc:ID>1</cbc:ID>
    <cbc:InvoicedQuantity unitCode="C62">1</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount {amount}/cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>Roller bearings, as ordered</cbc:Name>
      <cac:ClassifiedTaxCategory>{_ZERO_RATED}</cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price><cbc:PriceAmount {amount}/cbc:PriceAmount></cac:Price>
  </cac:InvoiceLine>
</Invoice>
""".encode()


def _corrects(number: str) -> str:
    if not number:
        return ""
    named = f"<cac:InvoiceDocumentReference><cbc:ID>{escape(number)}</cbc:ID></cac:InvoiceDocumentReference>"
    return f"\n  <cac:BillingReference>{named}</cac:BillingReference>"


def _party_ubl(party: LegalEntity) -> str:
    return f"""
    <cac:Party>
      <cbc:EndpointID schemeID="0088">{party.gln}</cbc:EndpointID>
      <cac:PostalAddress>
        <cbc:StreetName>{escape(party.street)}</cbc:StreetName>
        <cbc:CityName>{escape(party.city)}</cbc:CityName>
        <cbc:PostalZone>{escape(party.postcode)}</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>{party.country}</cbc:IdentificationCode></cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>{party.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{escape(party.name)}</cbc:RegistrationName>
        <cbc:CompanyID schemeID="0199">{party.lei}</cbc:CompanyID>
      </cac:PartyLegalEntity>
    </cac:Party>
  """


def delivery_events_epcis(
    shipment_reference: str,
    order_reference: str,
    supplier: LegalEntity,
    buyer: LegalEntity,
    departed_at: datetime.datetime,
    received_at: datetime.datetime,
    pieces: dict[str, int] | None = None,
) -> bytes:
    """A shipment that left the supplier and was received by the buyer, as two EPCIS 2.0 events.

    Args:
        shipment_reference: the despatch advice's number.
        order_reference: the buyer's purchase order number.
        departed_at: with a time zone.
        received_at: with a time zone.
        pieces: how many of each GTIN; None for events that count no goods.

    Returns: the JSON-LD file.
    """
    counted = [{"epcClass": f"https://id.gs1.org/01/{gtin}", "quantity": n} for gtin, n in (pieces or {}).items()]
    steps = [("departing", "in_transit", supplier, departed_at), ("receiving", "in_progress", buyer, received_at)]
    events = [
        {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{uuid.uuid5(_EVENT_NAMESPACE, f'{shipment_reference}/{step}')}",
            "eventTime": moment.isoformat(timespec="milliseconds"),
            "eventTimeZoneOffset": moment.isoformat()[-6:],
            "action": "OBSERVE",
            "bizStep": step,
            "disposition": disposition,
            "epcList": [_logistic_unit(supplier, shipment_reference)],
            **({"quantityList": counted} if counted else {}),
            "readPoint": {"id": f"https://id.gs1.org/414/{place.gln}"},
            "bizTransactionList": [
                {"type": "desadv", "bizTransaction": _business_transaction(supplier, shipment_reference)},
                {"type": "po", "bizTransaction": _business_transaction(buyer, order_reference)},
            ],
            "sourceList": [{"type": "owning_party", "source": f"https://id.gs1.org/417/{supplier.gln}"}],
            "destinationList": [{"type": "owning_party", "destination": f"https://id.gs1.org/417/{buyer.gln}"}],
        }
        for step, disposition, place, moment in steps
    ]
    document = {
        "@context": [EPCIS_CONTEXT],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": received_at.isoformat(timespec="milliseconds"),
        "epcisBody": {"eventList": events},
    }
    return json.dumps(document, indent=2).encode()


def _business_transaction(party: LegalEntity, number: str) -> str:
    return f"urn:epcglobal:cbv:bt:{party.gln}:{quote(number, safe='')}"


def _logistic_unit(party: LegalEntity, number: str) -> str:
    """An SSCC of the supplier's for this shipment: extension digit, 7 digits of the GLN, serial, check digit."""
    serial = uuid.uuid5(_EVENT_NAMESPACE, number).int % 10**9
    digits = f"0{party.gln[:7]}{serial:09d}"
    check = -sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10
    return f"https://id.gs1.org/00/{digits}{check}"


def proof_of_delivery_pdf(
    shipment_reference: str,
    order_reference: str,
    supplier: LegalEntity,
    buyer: LegalEntity,
    received_on: datetime.date,
    packages: int,
) -> bytes:
    """A proof of delivery of one page.

    Args:
        shipment_reference: the despatch advice's number.
        order_reference: the buyer's purchase order number.
        packages: how many.

    Returns: the PDF file.
    """
    lines = [
        f"Shipment {shipment_reference}, order {order_reference}",
        f"From {supplier.name}, {supplier.street}, {supplier.postcode} {supplier.city} ({supplier.country})",
        f"To {buyer.name}, {buyer.street}, {buyer.postcode} {buyer.city} ({buyer.country})",
        f"{packages} packages received complete and without visible damage on {received_on.isoformat()}",
        "Received at goods inwards, gate 4",
    ]
    file = io.BytesIO()
    # invariant: without it the file holds the time it was made, and the same arguments would make other bytes.
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setTitle(f"Proof of delivery {shipment_reference}")
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(60, 770, "Proof of delivery")
    canvas.setFont("Helvetica", 11)
    for row, line in enumerate(lines):
        canvas.drawString(60, 730 - 22 * row, line)
    canvas.showPage()
    canvas.save()
    return file.getvalue()
