"""Papers of a trade whose goods are counted: an invoice as Factur-X, a despatch advice, and events with quantities.

As in `samples`, nothing here is ever used to judge a document.
Source: EN 16931-1, Peppol BIS Despatch Advice 3.1, GS1 EPCIS 2.0.
"""

from __future__ import annotations

import datetime
import secrets
from html import escape

from ledger_node.demo import samples
from ledger_node.demo.samples import BUYER, SUPPLIER, LegalEntity
from ledger_node.issuing.draft import InvoiceDraft, LineIn, TraderIn
from ledger_node.issuing.page import write_pdf

GTIN, PIECES, ITEM = "04260000000202", 9, "Roller bearing 6204, crated"
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"


def invoice_pdf(number: str, order: str, shipment: str, today: datetime.date, due: datetime.date) -> bytes:
    """An invoice within the EU over nine pieces, at a price that was never used before.

    Args:
        number: the invoice's.
        order: the buyer's purchase order number.
        shipment: the despatch advice's number.
        today: the day of issue and of delivery.

    Returns: a Factur-X file.
    """
    # Nine times this is between 40 000 and 50 000: two trades of one day with one amount would look like duplicates.
    cents = 4_445_00 + secrets.randbelow(1_110_00)
    line = LineIn(
        name=ITEM, quantity=str(PIECES), price=f"{cents // 100}.{cents % 100:02d}", vat_category="K", gtin=GTIN
    )
    draft = InvoiceDraft(
        number=number,
        issue_date=today.isoformat(),
        due_date=due.isoformat(),
        currency="EUR",
        order_reference=order,
        despatch_reference=shipment,
        delivered_on=today.isoformat(),
        seller=_trader(SUPPLIER),
        buyer=_trader(BUYER),
        account=samples.SUPPLIER_IBAN,
        lines=[line],
    )
    return write_pdf(draft)


def _trader(entity: LegalEntity) -> TraderIn:
    return TraderIn(
        name=entity.name,
        vat_id=entity.vat_id,
        legal_id=entity.lei,
        legal_id_scheme="0199",
        gln=entity.gln,
        street=entity.street,
        city=entity.city,
        postcode=entity.postcode,
        country=entity.country,
    )


def despatch_advice(number: str, order: str, left_on: datetime.date) -> bytes:
    """The supplier's word that the nine pieces left.

    Args:
        number: the despatch advice's.
        order: the buyer's purchase order number.
    """
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<DespatchAdvice xmlns="{_UBL}:DespatchAdvice-2"
  xmlns:cac="{_UBL}:CommonAggregateComponents-2" xmlns:cbc="{_UBL}:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:fdc:peppol.eu:poacc:trns:despatch_advice:3</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:poacc:bis:despatch_advice:3</cbc:ProfileID>
  <cbc:ID>{escape(number)}</cbc:ID>
  <cbc:IssueDate>{left_on.isoformat()}</cbc:IssueDate>
  <cac:OrderReference><cbc:ID>{escape(order)}</cbc:ID></cac:OrderReference>
  <cac:DespatchSupplierParty>{_party(SUPPLIER)}</cac:DespatchSupplierParty>
  <cac:DeliveryCustomerParty>{_party(BUYER)}</cac:DeliveryCustomerParty>
  <cac:Shipment>
    <cbc:ID>1</cbc:ID>
    <cac:Delivery>
      <cac:Despatch><cbc:ActualDespatchDate>{left_on.isoformat()}</cbc:ActualDespatchDate></cac:Despatch>
    </cac:Delivery>
  </cac:Shipment>
  <cac:DespatchLine>
    <cbc:ID>1</cbc:ID>
    <cbc:DeliveredQuantity unitCode="C62">{PIECES}</cbc:DeliveredQuantity>
    <cac:OrderLineReference><cbc:LineID>1</cbc:LineID></cac:OrderLineReference>
    <cac:Item>
      <cbc:Name>{ITEM}</cbc:Name>
      <cac:StandardItemIdentification><cbc:ID schemeID="0160">{GTIN}</cbc:ID></cac:StandardItemIdentification>
    </cac:Item>
  </cac:DespatchLine>
</DespatchAdvice>
""".encode()


def _party(entity: LegalEntity) -> str:
    return f"""
    <cac:Party>
      <cbc:EndpointID schemeID="0088">{entity.gln}</cbc:EndpointID>
      <cac:PartyIdentification><cbc:ID schemeID="0088">{entity.gln}</cbc:ID></cac:PartyIdentification>
      <cac:PartyLegalEntity><cbc:RegistrationName>{escape(entity.name)}</cbc:RegistrationName></cac:PartyLegalEntity>
    </cac:Party>
  """
