"""Invoices: what they say is read exactly, and what could be read in two ways is refused by name."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from pathlib import Path

import pytest

from chaincode.money import MINOR_MAX
from ledger_node.demo import samples
from ledger_node.formats import FormatError, InvoiceFacts, facts_json
from ledger_node.formats.amounts import amount_to_minor, currency_exponent
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.formats.xml import ELEMENTS_MAX

CII = b"""<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
<rsm:ExchangedDocumentContext><ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn:cen.eu:en16931:2017</ram:ID>
</ram:GuidelineSpecifiedDocumentContextParameter></rsm:ExchangedDocumentContext>
<rsm:ExchangedDocument><ram:ID>R-7</ram:ID><ram:TypeCode>380</ram:TypeCode><ram:IssueDateTime>
<udt:DateTimeString format="102">20260131</udt:DateTimeString></ram:IssueDateTime></rsm:ExchangedDocument>
<rsm:SupplyChainTradeTransaction>
<ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID>
</ram:AssociatedDocumentLineDocument><ram:SpecifiedTradeProduct><ram:Name>Bearings</ram:Name></ram:SpecifiedTradeProduct>
<ram:SpecifiedLineTradeAgreement><ram:NetPriceProductTradePrice><ram:ChargeAmount>9.5</ram:ChargeAmount>
</ram:NetPriceProductTradePrice></ram:SpecifiedLineTradeAgreement>
<ram:SpecifiedLineTradeDelivery><ram:BilledQuantity unitCode="C62">1</ram:BilledQuantity>
</ram:SpecifiedLineTradeDelivery>
<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax><ram:TypeCode>VAT</ram:TypeCode>
<ram:CategoryCode>Z</ram:CategoryCode></ram:ApplicableTradeTax><ram:SpecifiedTradeSettlementLineMonetarySummation>
<ram:LineTotalAmount>9.5</ram:LineTotalAmount></ram:SpecifiedTradeSettlementLineMonetarySummation>
</ram:SpecifiedLineTradeSettlement></ram:IncludedSupplyChainTradeLineItem>
<ram:ApplicableHeaderTradeAgreement>
<ram:SellerTradeParty><ram:Name>Seller</ram:Name><ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">12</ram:ID>
</ram:SpecifiedLegalOrganization></ram:SellerTradeParty>
<ram:BuyerTradeParty><ram:GlobalID schemeID="0088">871</ram:GlobalID><ram:Name>Buyer</ram:Name></ram:BuyerTradeParty>
<ram:BuyerOrderReferencedDocument><ram:IssuerAssignedID>NA</ram:IssuerAssignedID></ram:BuyerOrderReferencedDocument>
</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery/>
<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
<ram:PayeeTradeParty><ram:Name>A factor</ram:Name></ram:PayeeTradeParty>
<ram:ApplicableTradeTax><ram:CalculatedAmount>0</ram:CalculatedAmount><ram:TypeCode>VAT</ram:TypeCode>
<ram:BasisAmount>9.5</ram:BasisAmount><ram:CategoryCode>Z</ram:CategoryCode></ram:ApplicableTradeTax>
<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime><udt:DateTimeString format="102">20260302</udt:DateTimeString>
</ram:DueDateDateTime></ram:SpecifiedTradePaymentTerms>
<ram:SpecifiedTradeSettlementHeaderMonetarySummation><ram:LineTotalAmount>9.5</ram:LineTotalAmount>
<ram:TaxBasisTotalAmount>9.5</ram:TaxBasisTotalAmount><ram:GrandTotalAmount>9.5</ram:GrandTotalAmount>
<ram:DuePayableAmount>9.5</ram:DuePayableAmount></ram:SpecifiedTradeSettlementHeaderMonetarySummation>
</ram:ApplicableHeaderTradeSettlement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""


@pytest.fixture
def ubl() -> bytes:
    return samples.invoice_ubl(
        "INV-1",
        samples.SUPPLIER,
        samples.BUYER,
        datetime.date(2026, 11, 2),
        datetime.date(2027, 1, 31),
        "EUR",
        100_050,
        "PO-1",
        "DES-1",
        samples.SUPPLIER_IBAN,
    )


def _code(content: bytes) -> str:
    with pytest.raises(FormatError) as refusal:
        read_invoice(content)
    assert refusal.value.text
    return str(refusal.value.code)


def _swap(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    return content.replace(old.encode(), new.encode())


def test_lines_by_the_thousand_that_add_up_to_nothing_are_all_read(ubl: bytes) -> None:
    start, end = ubl.index(b"<cac:InvoiceLine>"), ubl.index(b"</cac:InvoiceLine>") + len(b"</cac:InvoiceLine>")
    line = ubl[start:end]
    free = line.replace(b">1000.50</cbc:LineExtensionAmount>", b">0.00</cbc:LineExtensionAmount>")
    found, expected = read_invoice(ubl[:start] + line + free * 5000 + ubl[end:]), read_invoice(ubl)
    assert replace(found, goods=()) == replace(expected, goods=())
    assert found.goods == expected.goods * 5001
    assert _code(ubl[:start] + line * 5000 + ubl[end:]) == "TOTALS"


def test_an_invoice_of_more_elements_than_any_has_is_refused_before_it_holds_its_reader(ubl: bytes) -> None:
    after = "</cbc:InvoiceTypeCode>"
    assert _code(_swap(ubl, after, after + "<cbc:Note/>" * ELEMENTS_MAX)) == "TOO_LARGE"


def test_a_cii_invoice_is_read_like_a_ubl_one() -> None:
    facts = read_invoice(CII)
    assert ("cii", "R-7", datetime.date(2026, 1, 31), datetime.date(2026, 3, 2), "EUR", 950) == (
        facts.syntax,
        facts.invoice_number,
        facts.issue_date,
        facts.due_date,
        facts.currency,
        facts.amount_minor,
    )
    assert (
        facts.supplier.name,
        facts.supplier.legal_id,
        facts.supplier.legal_id_scheme,
        facts.buyer.identifiers,
    ) == ("Seller", "12", "0002", (("0088", "871"),))


def test_the_payee_of_an_invoice_is_a_fact_of_its_own() -> None:
    facts = read_invoice(CII)
    assert facts.payee is not None
    assert facts.payee.name == "A factor"


def test_a_payee_that_ubl_only_names_has_that_name(ubl: bytes) -> None:
    named = b"<cac:PayeeParty><cac:PartyName><cbc:Name>A factor</cbc:Name></cac:PartyName></cac:PayeeParty>"
    facts = read_invoice(ubl.replace(b"<cac:PaymentMeans>", named + b"<cac:PaymentMeans>", 1))
    assert facts.payee is not None
    assert facts.payee.name == "A factor"


def test_peppols_word_for_no_order_is_no_order_reference() -> None:
    assert read_invoice(CII).order_reference == ""


def test_a_profile_that_nobody_knows_is_read_as_the_plain_norm() -> None:
    unknown = _swap(CII, "urn:cen.eu:en16931:2017", "urn:nobody:knows:this")
    assert read_invoice(unknown) == read_invoice(CII)
    nameless = _swap(CII, "<ram:ID>urn:cen.eu:en16931:2017</ram:ID>", "<ram:ID/>")
    assert read_invoice(nameless) == read_invoice(CII)


def test_a_ubl_invoice_of_any_customization_is_read(ubl: bytes) -> None:
    pint = _swap(ubl, "urn:cen.eu:en16931:2017", "urn:peppol:pint:billing-1@sg-1")
    assert read_invoice(pint) == read_invoice(ubl)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<?xml", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><?xml", "NOT_WELL_FORMED"),
        ('"UTF-8"?>', '"UTF-8"?><!DOCTYPE Invoice>', "DOCTYPE"),
        ('"UTF-8"?>', '"UTF-8"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "DOCTYPE"),
        ("</Invoice>", "", "NOT_WELL_FORMED"),
        ('"UTF-8"?>', '"UTF-77"?>', "NOT_WELL_FORMED"),
        ("schema:xsd:Invoice-2", "schema:xsd:Invoice-3", "NOT_AN_INVOICE"),
        ("Invoice>", "Order>", "NOT_WELL_FORMED"),
        (">380<", ">381<", "CREDIT_NOTE"),
        (">380<", ">325<", "NO_CLAIM"),
        (">380<", ">393<", "NO_CLAIM"),
        ("<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>", "", "MISSING"),
        ("<cbc:ID>INV-1</cbc:ID>", "<cbc:ID>---</cbc:ID>", "MISSING"),
        ("<cbc:ID>INV-1</cbc:ID>", "<cbc:ID> </cbc:ID>", "MISSING"),
        ("<cbc:ID>INV-1</cbc:ID>", "", "SCHEMA"),
        ("INV-1", "A" * 1001, "TEXT"),
        ("INV-1", "A\u0085&#x85;B&#x7f;", "TEXT"),
        ("<cbc:DueDate>2027-01-31", "<cbc:DueDate>2026-11-01", "DUE_BEFORE_ISSUE"),
        ("<cbc:DueDate>2027-01-31", "<cbc:DueDate>2027-02-31", "DATE"),
        ("<cbc:DueDate>2027-01-31", "<cbc:DueDate>2027-01-31+01:00", "DATE"),
        ("EUR", "XAU", "CURRENCY"),
        ("EUR", "QQQ", "CURRENCY"),
        ("EUR", "EUR']|//x['", "CURRENCY"),
        ("EUR", "eur", "CURRENCY"),
        ("EUR", "JPY", "AMOUNT"),
        ('<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="USD">', "CURRENCY"),
        (">1000.50</cbc:PayableAmount>", ">1000.505</cbc:PayableAmount>", "AMOUNT"),
        (">1000.50</cbc:PayableAmount>", ">-1000.50</cbc:PayableAmount>", "CREDIT_NOTE"),
        (">1000.50</cbc:PayableAmount>", ">0.00</cbc:PayableAmount>", "NO_CLAIM"),
        (">1000.50</cbc:PayableAmount>", ">90071992547409.92</cbc:PayableAmount>", "AMOUNT"),
        (">1000.50</cbc:PayableAmount>", ">1e3</cbc:PayableAmount>", "SCHEMA"),
        ("</cac:PartyLegalEntity>", "</cac:PartyLegalEntity><cac:PartyLegalEntity><cbc:RegistrationName>Other"
         "</cbc:RegistrationName></cac:PartyLegalEntity>", "AMBIGUOUS"),
    ],
)  # fmt: skip
def test_an_invoice_that_cannot_be_relied_on_is_refused_by_name(ubl: bytes, old: str, new: str, code: str) -> None:
    assert code == _code(_swap(ubl, old, new))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (">20260131<", ">2026131<", "DATE"),
        (">20260131<", ">260131<", "DATE"),
        ('format="102">20260302', 'format="203">20260302', "DATE"),
        (">20260131<", ">20260231<", "DATE"),
        ("<ram:GrandTotalAmount>9.5</ram:GrandTotalAmount>", "", "MISSING"),
        ("<ram:DuePayableAmount>", '<ram:DuePayableAmount currencyID="USD">', "CURRENCY"),
    ],
)
def test_a_cii_invoice_that_cannot_be_relied_on_is_refused_by_name(old: str, new: str, code: str) -> None:
    assert code == _code(_swap(CII, old, new))


def test_a_ubl_credit_note_is_refused_as_what_it_is(ubl: bytes) -> None:
    assert _code(ubl.replace(b"Invoice-2", b"CreditNote-2").replace(b"Invoice", b"CreditNote")) == "CREDIT_NOTE"


def test_a_comment_inside_an_amount_cuts_nothing_off(ubl: bytes) -> None:
    hidden = _swap(ubl, ">1000.50</cbc:PayableAmount>", ">1000<!-- -->.50</cbc:PayableAmount>")
    instructed = _swap(ubl, ">1000.50</cbc:PayableAmount>", ">1000<?x?>.50</cbc:PayableAmount>")
    assert [read_invoice(hidden).amount_minor, read_invoice(instructed).amount_minor] == [100_050, 100_050]


def test_an_invoice_without_due_date_says_so(ubl: bytes) -> None:
    assert read_invoice(_swap(ubl, "<cbc:DueDate>2027-01-31</cbc:DueDate>", "")).due_date is None


def test_accounts_are_read_without_spaces_in_order_and_once(ubl: bytes) -> None:
    start = ubl.index(b"  <cac:PaymentMeans>")
    means = ubl[start : ubl.index(b"  <cac:TaxTotal>")]
    other = means.replace(b"DE89370400440532013000", b"NL57 RABO 0107 3075 10")
    facts = read_invoice(ubl[:start] + other + means + other + ubl[start + len(means) :])
    assert facts.payee_accounts == ("NL57RABO0107307510", "DE89370400440532013000")


def test_deep_xml_is_refused_and_does_not_exhaust_the_reader() -> None:
    assert _code(b"<a>" * 100_000 + b"</a>" * 100_000) == "NOT_WELL_FORMED"


def test_entities_that_grow_are_refused_before_they_grow(ubl: bytes) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    doctype = f'"UTF-8"?><!DOCTYPE x [{entities}]>'
    in_text = _swap(_swap(ubl, '"UTF-8"?>', doctype), "INV-1", "&e9;")
    in_attribute = _swap(_swap(ubl, '"UTF-8"?>', doctype), 'schemeID="0199"', 'schemeID="&e9;"')
    assert {_code(in_text), _code(in_attribute)} <= {"DOCTYPE", "NOT_WELL_FORMED"}


def test_the_facts_of_an_invoice_are_plain_json(ubl: bytes) -> None:
    facts = facts_json(read_invoice(ubl))
    assert facts == json.loads(json.dumps(facts))
    assert (
        facts["type"],
        facts["issue_date"],
        facts["amount_minor"],
        facts["payee"],
        facts["payee_accounts"],
    ) == ("InvoiceFacts", "2026-11-02", 100_050, None, [samples.SUPPLIER_IBAN])


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("0", "EUR", 0),
        ("-0.00", "EUR", 0),
        ("1.5000", "EUR", 150),
        ("100.00", "JPY", 100),
        ("+7.", "KWD", 7000),
        (".50", "EUR", 50),
        ("+.5", "EUR", 50),
        ("90071992547409.91", "EUR", MINOR_MAX),
        ("0.29", "USD", 29),
    ],
)
def test_an_amount_becomes_minor_units_without_rounding(text: str, currency: str, minor: int) -> None:
    assert minor == amount_to_minor(text, currency)


@pytest.mark.parametrize("text", ["", ".", "1,5", "1e2", "NaN", "٣", "1 0", "0x1", "9" * 41, "-0.01", "1.001"])
def test_an_amount_that_is_not_exact_or_not_plain_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as refusal:
        amount_to_minor(text, "EUR")
    assert refusal.value.code == "AMOUNT"


def test_currencies_have_the_decimal_places_of_iso_4217() -> None:
    assert [currency_exponent(code) for code in ("JPY", "EUR", "KWD")] == [0, 2, 3]


def test_a_number_that_names_a_file_is_only_text(ubl: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    include = f'<cbc:ID xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="{secret}" parse="text"/></cbc:ID>'
    assert _code(_swap(ubl, "<cbc:ID>INV-1</cbc:ID>", include)) == "SCHEMA"
    facts = read_invoice(_swap(ubl, "INV-1", str(secret)))
    assert isinstance(facts, InvoiceFacts)
    assert facts.invoice_number == str(secret)
