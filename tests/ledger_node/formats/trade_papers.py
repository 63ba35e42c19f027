"""Invoices of a made-up trade in many variants, written by code: what the tests of formats and of a whole trade upload.

Each function returns a file that is valid and adds up; a test changes one thing by `swap`, or by an argument.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from chaincode.money import Money
from ledger_node.demo import samples

ISSUED, DUE = datetime.date(2026, 11, 2), datetime.date(2027, 1, 31)
NET_MINOR, VAT_MINOR = 100_000, 19_000
GROSS_MINOR = NET_MINOR + VAT_MINOR


def swap(content: bytes, old: str, new: str) -> bytes:
    """The file with one text in place of another, which must be there."""
    assert old.encode() in content, old
    return content.replace(old.encode(), new.encode())


def ubl(number: str = "INV-1") -> bytes:
    """A UBL invoice of 1000.50 EUR, as the samples make it."""
    return samples.invoice_ubl(
        number, samples.SUPPLIER, samples.BUYER, ISSUED, DUE, "EUR", 100_050, "PO-1", "DES-1", samples.SUPPLIER_IBAN
    )


def credit_note_ubl(number: str = "CN-1", net_minor: int = 10_000, preceding: Sequence[str] = ()) -> bytes:
    """A UBL credit note of an amount without VAT.

    Args:
        preceding: numbers of the invoices that it is for (BT-25).
    """
    content = samples.invoice_ubl(
        number, samples.SUPPLIER, samples.BUYER, ISSUED, DUE, "EUR", net_minor, "PO-1", "DES-1", samples.SUPPLIER_IBAN
    )
    earlier = "".join(
        f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{each}</cbc:ID></cac:InvoiceDocumentReference>"
        "</cac:BillingReference>"
        for each in preceding
    )
    content = swap(swap(content, f"<cbc:DueDate>{DUE}</cbc:DueDate>", ""), ">380<", ">381<")
    content = swap(content, "</cac:OrderReference>", f"</cac:OrderReference>{earlier}")
    for old, new in (("Invoice-2", "CreditNote-2"), ("<Invoice", "<CreditNote"), ("</Invoice", "</CreditNote")):
        content = swap(content, old, new)
    for old in ("InvoiceTypeCode", "InvoiceLine", "InvoicedQuantity"):
        content = swap(content, old, old.replace("Invoiced", "Credited").replace("Invoice", "CreditNote"))
    return content


def cii(
    number: str = "C-1",
    *,
    type_code: str = "380",
    profile: str = "urn:cen.eu:en16931:2017",
    issued: datetime.date = ISSUED,
    terms: Sequence[str] | None = None,
    means: str = "58",
    accounts: Sequence[str] = (samples.SUPPLIER_IBAN,),
    delivery: str = "",
    preceding: Sequence[str] = (),
    line_delivery: str = "",
    net_minor: int = NET_MINOR,
) -> bytes:
    """A CII invoice with 19 % VAT.

    Args:
        terms: the content of each SpecifiedTradePaymentTerms; one with the due date by default.
        delivery: content of ApplicableHeaderTradeDelivery.
        preceding: numbers of earlier invoices (BT-25).
    """
    net, vat = Money(net_minor, "EUR").decimal(), Money(net_minor * 19 // 100, "EUR").decimal()
    gross = Money(net_minor + net_minor * 19 // 100, "EUR").decimal()
    written = [due(DUE)] if terms is None else terms
    paying = "".join(
        f"<ram:SpecifiedTradeSettlementPaymentMeans><ram:TypeCode>{means}</ram:TypeCode>"
        f"<ram:PayeePartyCreditorFinancialAccount><ram:IBANID>{each}</ram:IBANID>"
        "</ram:PayeePartyCreditorFinancialAccount></ram:SpecifiedTradeSettlementPaymentMeans>"
        for each in accounts
    )
    earlier = "".join(
        f"<ram:InvoiceReferencedDocument><ram:IssuerAssignedID>{each}</ram:IssuerAssignedID>"
        "</ram:InvoiceReferencedDocument>"
        for each in preceding
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>{profile}</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>{number}</ram:ID><ram:TypeCode>{type_code}</ram:TypeCode>
<ram:IssueDateTime>{_date(issued)}</ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID>
</ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct><ram:Name>Bearings</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>{net}</ram:ChargeAmount>
</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">1</ram:BilledQuantity>{line_delivery}
</ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode>
<ram:CategoryCode>S</ram:CategoryCode><ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:ApplicableTradeTax>
<ram:SpecifiedTradeSettlementLineMonetarySummation><ram:LineTotalAmount>{net}</ram:LineTotalAmount>
</ram:SpecifiedTradeSettlementLineMonetarySummation></ram:SpecifiedLineTradeSettlement>
</ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>{_party_cii("Seller", samples.SUPPLIER)}{_party_cii("Buyer", samples.BUYER)}
</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery>{delivery}</ram:ApplicableHeaderTradeDelivery>
<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>{paying}
<ram:ApplicableTradeTax><ram:CalculatedAmount>{vat}</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode>
<ram:BasisAmount>{net}</ram:BasisAmount><ram:CategoryCode>S</ram:CategoryCode>
<ram:RateApplicablePercent>19</ram:RateApplicablePercent></ram:ApplicableTradeTax>
{"".join(f"<ram:SpecifiedTradePaymentTerms>{each}</ram:SpecifiedTradePaymentTerms>" for each in written)}
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>{net}</ram:LineTotalAmount>
<ram:TaxBasisTotalAmount>{net}</ram:TaxBasisTotalAmount>
<ram:TaxTotalAmount currencyID="EUR">{vat}</ram:TaxTotalAmount>
<ram:GrandTotalAmount>{gross}</ram:GrandTotalAmount><ram:DuePayableAmount>{gross}</ram:DuePayableAmount>
</ram:SpecifiedTradeSettlementHeaderMonetarySummation>{earlier}</ram:ApplicableHeaderTradeSettlement>
</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>""".encode()


def due(date: datetime.date, besides: str = "") -> str:
    """Payment terms in CII: a due date, and what follows it."""
    return f"<ram:DueDateDateTime>{_date(date)}</ram:DueDateDateTime>{besides}"


def _date(date: datetime.date) -> str:
    return f'<udt:DateTimeString format="102">{date:%Y%m%d}</udt:DateTimeString>'


def _party_cii(part: str, entity: samples.LegalEntity) -> str:
    gln, lei, vat = (
        f'<ram:ID schemeID="{scheme}">{text}</ram:ID>'
        for scheme, text in (("0088", entity.gln), ("0199", entity.lei), ("VA", entity.vat_id))
    )
    return (
        f"<ram:{part}TradeParty>{gln.replace('ram:ID', 'ram:GlobalID')}<ram:Name>{entity.name}</ram:Name>"
        f"<ram:SpecifiedLegalOrganization>{lei}</ram:SpecifiedLegalOrganization><ram:PostalTradeAddress>"
        f"<ram:CityName>{entity.city}</ram:CityName><ram:CountryID>{entity.country}</ram:CountryID>"
        "</ram:PostalTradeAddress>"
        f"<ram:SpecifiedTaxRegistration>{vat}</ram:SpecifiedTaxRegistration></ram:{part}TradeParty>"
    )
