"""Where each business term of EN 16931 stands in UBL 2.1 and in CII, as XPath expressions below the root.

The names are those of the norm ("BT-9", "BG-4"); a term that the trade writes in several places has them all. Terms of
the lines are read too where money or goods hang on them. Party terms stand below the party's own element.
Source: EN 16931-1, CEN/TS 16931-3-2 (UBL) and 16931-3-3 (CII), UBL 2.1 (ISO/IEC 19845), CII D22B.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.formats.xml import Paths

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_UNECE = "urn:un:unece:uncefact:data:standard"
UBL_INVOICE = f"{{{_UBL}:Invoice-2}}Invoice"
UBL_CREDIT_NOTE = f"{{{_UBL}:CreditNote-2}}CreditNote"
CII_INVOICE = f"{{{_UNECE}:CrossIndustryInvoice:100}}CrossIndustryInvoice"

UBL_NAMESPACES = {"cac": f"{_UBL}:CommonAggregateComponents-2", "cbc": f"{_UBL}:CommonBasicComponents-2"}
_CII_NAMES = {
    "rsm": f"{_UNECE}:CrossIndustryInvoice:100",
    "ram": f"{_UNECE}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UNECE}:UnqualifiedDataType:100",
}


@dataclass(frozen=True, slots=True)
class Syntax:
    """One way to write an invoice: its name in facts, its terms, and those of a party."""

    name: str
    terms: Paths
    party: Paths


_UBL_LINES = ("cac:InvoiceLine", "cac:CreditNoteLine")


def _preceding(billing_reference: str) -> str:
    """Where UBL names an earlier invoice or debit note; a credit note or a reminder is no claim that comes again."""
    kinds = ("InvoiceDocumentReference", "SelfBilledInvoiceDocumentReference", "DebitNoteDocumentReference")
    return " | ".join(f"{billing_reference}/cac:{kind}/cbc:ID" for kind in kinds)


_TOTAL = "cac:LegalMonetaryTotal/cbc:"
_UBL_TERMS = {
    "BT-1": "cbc:ID",
    "BT-2": "cbc:IssueDate",
    "BT-3": "cbc:InvoiceTypeCode | cbc:CreditNoteTypeCode",
    "BT-5": "cbc:DocumentCurrencyCode",
    "BT-9": "cbc:DueDate | cac:PaymentMeans/cbc:PaymentDueDate | cac:PaymentTerms/cbc:PaymentDueDate"
    " | cac:PaymentTerms/cbc:InstallmentDueDate",
    "BT-13": "cac:OrderReference/cbc:ID",
    "BT-16": "cac:DespatchDocumentReference/cbc:ID"
    " | cac:InvoiceLine/cac:DespatchLineReference/cac:DocumentReference/cbc:ID",
    "BT-20": "cac:PaymentTerms/cbc:Note",
    "BT-24": "cbc:CustomizationID",
    "BT-25": " | ".join(
        _preceding(f"{place}cac:BillingReference") for place in ("", *(f"{each}/" for each in _UBL_LINES))
    ),
    "BT-81": "cac:PaymentMeans/cbc:PaymentMeansCode",
    "BT-84": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
    "instalment": "cac:PaymentTerms/cbc:Amount",
    "BG-4": "cac:AccountingSupplierParty/cac:Party",
    "BG-7": "cac:AccountingCustomerParty/cac:Party",
    "BG-10": "cac:PayeeParty",
    "BT-71": "cac:Delivery/cac:DeliveryLocation/cbc:ID",
    "BT-72": "cac:Delivery/cbc:ActualDeliveryDate",
    "lines": "cac:InvoiceLine | cac:CreditNoteLine",
    "BT-126": "cbc:ID",
    "BT-129": "cbc:InvoicedQuantity | cbc:CreditedQuantity",
    "BT-132": "cac:OrderLineReference/cbc:LineID",
    "BT-155": "cac:Item/cac:SellersItemIdentification/cbc:ID",
    "BT-156": "cac:Item/cac:BuyersItemIdentification/cbc:ID",
    "BT-157": "cac:Item/cac:StandardItemIdentification/cbc:ID",
    "BT-131": "cbc:LineExtensionAmount",
    "BT-106": f"{_TOTAL}LineExtensionAmount",
    "BT-107": f"{_TOTAL}AllowanceTotalAmount",
    "BT-108": f"{_TOTAL}ChargeTotalAmount",
    "BT-109": f"{_TOTAL}TaxExclusiveAmount",
    "BT-110": "cac:TaxTotal/cbc:TaxAmount",
    "BT-112": f"{_TOTAL}TaxInclusiveAmount",
    "BT-113": f"{_TOTAL}PrepaidAmount",
    "BT-114": f"{_TOTAL}PayableRoundingAmount",
    "BT-115": f"{_TOTAL}PayableAmount",
    "BT-117": "cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount",
    "allowances and charges": "cac:AllowanceCharge",
}
_UBL_PARTY = {
    "name": "cac:PartyLegalEntity/cbc:RegistrationName",
    "trading name": "cac:PartyName/cbc:Name",
    "legal id": "cac:PartyLegalEntity/cbc:CompanyID",
    # SEPA marks the bank's identifier of a creditor (BT-90), which says nothing of who the party is.
    "identifiers": "cac:PartyIdentification/cbc:ID[not(@schemeID='SEPA')]",
    "tax ids": "cac:PartyTaxScheme/cbc:CompanyID",
    "tax scheme": "../cac:TaxScheme/cbc:ID",
}

_AGREEMENT = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement"
_DELIVERY = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeDelivery"
_SETTLEMENT = "rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement"
_MEANS = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementPaymentMeans"
_TERMS = f"{_SETTLEMENT}/ram:SpecifiedTradePaymentTerms"
_SUM = f"{_SETTLEMENT}/ram:SpecifiedTradeSettlementHeaderMonetarySummation/ram:"
_LINE = "rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem"
_CII_TERMS = {
    "BT-1": "rsm:ExchangedDocument/ram:ID",
    "BT-2": "rsm:ExchangedDocument/ram:IssueDateTime/*",
    "BT-3": "rsm:ExchangedDocument/ram:TypeCode",
    "BT-5": f"{_SETTLEMENT}/ram:InvoiceCurrencyCode",
    "BT-9": f"{_TERMS}/ram:DueDateDateTime/*",
    "BT-13": f"{_AGREEMENT}/ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID",
    "BT-16": " | ".join(
        f"{place}/ram:{kind}ReferencedDocument/ram:IssuerAssignedID"
        for place in (_DELIVERY, f"{_LINE}/ram:SpecifiedLineTradeDelivery")
        for kind in ("DespatchAdvice", "DeliveryNote")
    ),
    "BT-20": f"{_TERMS}/ram:Description",
    "BT-24": "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID",
    "BT-25": f"{_SETTLEMENT}/ram:InvoiceReferencedDocument/ram:IssuerAssignedID"
    f" | {_LINE}/ram:SpecifiedLineTradeSettlement/ram:InvoiceReferencedDocument/ram:IssuerAssignedID",
    "BT-81": f"{_MEANS}/ram:TypeCode",
    "BT-84": f"{_MEANS}/ram:PayeePartyCreditorFinancialAccount/ram:IBANID"
    f" | {_MEANS}/ram:PayeePartyCreditorFinancialAccount/ram:ProprietaryID",
    "instalment": f"{_TERMS}/ram:PartialPaymentAmount",
    "BG-4": f"{_AGREEMENT}/ram:SellerTradeParty",
    "BG-7": f"{_AGREEMENT}/ram:BuyerTradeParty",
    "BG-10": f"{_SETTLEMENT}/ram:PayeeTradeParty",
    "BT-71": f"{_DELIVERY}/ram:ShipToTradeParty/ram:GlobalID | {_DELIVERY}/ram:ShipToTradeParty/ram:ID",
    "BT-72": f"{_DELIVERY}/ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime/*",
    "lines": _LINE,
    "BT-126": "ram:AssociatedDocumentLineDocument/ram:LineID",
    "BT-129": "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity",
    "BT-132": "ram:SpecifiedLineTradeAgreement/ram:BuyerOrderReferencedDocument/ram:LineID",
    "BT-155": "ram:SpecifiedTradeProduct/ram:SellerAssignedID",
    "BT-156": "ram:SpecifiedTradeProduct/ram:BuyerAssignedID",
    "BT-157": "ram:SpecifiedTradeProduct/ram:GlobalID",
    "line status": "ram:AssociatedDocumentLineDocument/ram:LineStatusReasonCode",
    "BT-131": "ram:SpecifiedLineTradeSettlement/ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
    "BT-106": f"{_SUM}LineTotalAmount",
    "BT-107": f"{_SUM}AllowanceTotalAmount",
    "BT-108": f"{_SUM}ChargeTotalAmount",
    "BT-109": f"{_SUM}TaxBasisTotalAmount",
    "BT-110": f"{_SUM}TaxTotalAmount",
    "BT-112": f"{_SUM}GrandTotalAmount",
    "BT-113": f"{_SUM}TotalPrepaidAmount",
    "BT-114": f"{_SUM}RoundingAmount",
    "BT-115": f"{_SUM}DuePayableAmount",
    "BT-117": f"{_SETTLEMENT}/ram:ApplicableTradeTax/ram:CalculatedAmount",
    "adjustments": f"{_SETTLEMENT}/ram:SpecifiedFinancialAdjustment/ram:ActualAmount",
    "allowances and charges": f"{_SETTLEMENT}/ram:SpecifiedTradeAllowanceCharge"
    f" | {_SETTLEMENT}/ram:SpecifiedLogisticsServiceCharge",
}
_CII_PARTY = {
    "name": "ram:Name",
    "trading name": "ram:SpecifiedLegalOrganization/ram:TradingBusinessName",
    "legal id": "ram:SpecifiedLegalOrganization/ram:ID",
    "identifiers": "ram:GlobalID | ram:ID",
    "tax ids": "ram:SpecifiedTaxRegistration/ram:ID",
}

UBL = Syntax("ubl", Paths(UBL_NAMESPACES, _UBL_TERMS), Paths(UBL_NAMESPACES, _UBL_PARTY))
CII = Syntax("cii", Paths(_CII_NAMES, _CII_TERMS), Paths(_CII_NAMES, _CII_PARTY))
SYNTAXES = {UBL_INVOICE: UBL, UBL_CREDIT_NOTE: UBL, CII_INVOICE: CII}
