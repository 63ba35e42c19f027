"""Terms as the trade writes them: dates, parties, accounts, deliveries, references, wherever the standards put them."""

from __future__ import annotations

import datetime

import pytest
from trade_papers import DUE, ISSUED, cii, due, swap, ubl

from ledger_node.demo import samples
from ledger_node.formats import FormatError, InvoiceFacts
from ledger_node.formats.ubl_cii import VALUES_MAX, read_invoice

EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
LATER = DUE + datetime.timedelta(days=30)
DUE_UBL = f"<cbc:DueDate>{DUE}</cbc:DueDate>"


def _refusal(content: bytes) -> FormatError:
    with pytest.raises(FormatError) as refusal:
        read_invoice(content)
    return refusal.value


def _despatch_ubl(*numbers: str) -> str:
    return "".join(
        f"<cac:DespatchDocumentReference><cbc:ID>{each}</cbc:ID></cac:DespatchDocumentReference>" for each in numbers
    )


def _referenced(kind: str, number: str) -> str:
    name = f"ram:{kind}ReferencedDocument"
    return f"<{name}><ram:IssuerAssignedID>{number}</ram:IssuerAssignedID></{name}>"


# When it is due


def test_an_invoice_with_terms_in_words_has_no_due_date_and_says_so() -> None:
    words = "<ram:Description>30 days net</ram:Description>"
    facts = read_invoice(cii(terms=[words]))
    assert (facts.due_date, facts.has_terms) == (None, True)
    facts = read_invoice(cii(terms=[]))
    assert (facts.due_date, facts.has_terms) == (None, False)


@pytest.mark.parametrize("group", ["PaymentMeans", "PaymentTerms"])
def test_the_due_date_of_ubl_may_stand_with_the_means_or_the_terms_of_payment(group: str) -> None:
    undated = swap(ubl(), DUE_UBL, "")
    dated = f"<cbc:PaymentDueDate>{DUE}</cbc:PaymentDueDate>"
    if group == "PaymentMeans":
        content = swap(undated, "</cbc:PaymentMeansCode>", f"</cbc:PaymentMeansCode>{dated}")
    else:
        content = swap(undated, "<cac:TaxTotal>", f"<cac:PaymentTerms>{dated}</cac:PaymentTerms><cac:TaxTotal>")
    assert (read_invoice(content).due_date, read_invoice(undated).due_date) == (DUE, None)


def test_of_several_payment_terms_the_latest_date_is_the_net_date() -> None:
    assert read_invoice(cii(profile=EXTENDED, terms=[due(LATER), due(DUE)])).due_date == LATER


def test_one_due_date_twice_is_one() -> None:
    assert read_invoice(cii(profile=EXTENDED, terms=[due(DUE), due(DUE)])).due_date == DUE


def test_amounts_by_instalment_are_refused_for_that_reason_and_a_term_for_the_whole_is_not() -> None:
    half = "<ram:PartialPaymentAmount>595.00</ram:PartialPaymentAmount>"
    whole = "<ram:PartialPaymentAmount>1190.00</ram:PartialPaymentAmount>"
    refusal = _refusal(cii(profile=EXTENDED, terms=[due(DUE, half), due(LATER, half)]))
    assert (refusal.code, "instalments" in refusal.text) == ("INSTALMENTS", True)
    assert read_invoice(cii(profile=EXTENDED, terms=[due(DUE), due(LATER, whole)])).due_date == LATER


@pytest.mark.parametrize(
    ("content", "field", "value"),
    [
        (swap(ubl(), f">{ISSUED}<", f">{ISSUED}+01:00<"), "BT-2", f"{ISSUED}+01:00"),
        (swap(ubl(), f"DueDate>{DUE}<", "DueDate>2027-02-30<"), "BT-9", "2027-02-30"),
        (swap(cii(), ">20261102<", ">20261131<"), "BT-2", "20261131"),
        (swap(cii(), 'format="102">20270131<', 'format="203">202701311030<'), "BT-9", "202701311030"),
    ],
)
def test_a_date_that_is_none_is_told_by_field_and_value(content: bytes, field: str, value: str) -> None:
    refusal = _refusal(content)
    assert (refusal.code, field in refusal.text, value in refusal.text) == ("DATE", True, True)


def test_a_date_that_is_no_fact_may_be_written_as_the_schema_allows() -> None:
    period = "<cac:InvoicePeriod><cbc:StartDate>2026-10-01+01:00</cbc:StartDate></cac:InvoicePeriod>"
    line = swap(ubl(), "</cbc:InvoicedQuantity>", "</cbc:InvoicedQuantity>")
    amount = '<cbc:LineExtensionAmount currencyID="EUR">1000.50</cbc:LineExtensionAmount>\n    <cac:Item>'
    assert read_invoice(swap(line, amount, amount.replace("<cac:Item>", f"{period}<cac:Item>"))) == read_invoice(ubl())


# Who the parties are


def test_a_party_has_every_identifier_that_the_invoice_gives_it() -> None:
    supplier = read_invoice(cii()).supplier
    assert supplier.vat_id == samples.SUPPLIER.vat_id
    assert (supplier.legal_id_scheme, supplier.legal_id) == ("0199", samples.SUPPLIER.lei)
    assert supplier.identifiers == (("0088", samples.SUPPLIER.gln),)


@pytest.mark.parametrize("scheme", ["GST", "LOC", "FC"])
def test_a_tax_number_under_another_scheme_than_vat_is_kept_with_its_scheme(scheme: str) -> None:
    in_ubl = swap(
        ubl(),
        f"<cbc:CompanyID>{samples.SUPPLIER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT",
        f"<cbc:CompanyID>M90001234A</cbc:CompanyID><cac:TaxScheme><cbc:ID>{scheme}",
    )
    in_cii = swap(cii(), f'schemeID="VA">{samples.SUPPLIER.vat_id}', f'schemeID="{scheme}">M90001234A')
    for content in (in_ubl, in_cii):
        supplier = read_invoice(content).supplier
        assert ("", ((scheme, "M90001234A"),)) == (supplier.vat_id, supplier.tax_ids)


def test_the_bank_s_identifier_of_a_creditor_is_none_of_the_party() -> None:
    creditor = '<cac:PartyIdentification><cbc:ID schemeID="SEPA">DE98ZZZ09999999999</cbc:ID></cac:PartyIdentification>'
    gln = creditor.replace("SEPA", "0088").replace("DE98ZZZ09999999999", samples.SUPPLIER.gln)
    content = ubl().replace(b"<cac:PostalAddress>", f"{creditor}{gln}<cac:PostalAddress>".encode(), 1)
    assert read_invoice(content).supplier.identifiers == (("0088", samples.SUPPLIER.gln),)


def test_the_same_identifier_twice_is_one_and_two_that_differ_are_refused() -> None:
    vat = f'<ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">{samples.SUPPLIER.vat_id}</ram:ID>'
    again = vat + "</ram:SpecifiedTaxRegistration>" + vat
    assert read_invoice(swap(cii(), vat, again)) == read_invoice(cii())
    assert _refusal(swap(cii(), vat, again.replace("DE2", "FR2", 1))).code == "AMBIGUOUS"


@pytest.mark.parametrize("part", ["Seller", "Buyer"])
def test_a_party_without_name_and_identifier_is_missing(part: str) -> None:
    content = cii()
    start, end = (content.index(f"<{slash}ram:{part}TradeParty>".encode()) for slash in ("", "/"))
    nameless = content[:start] + f"<ram:{part}TradeParty><ram:Name/>".encode() + content[end:]
    assert _refusal(nameless).code == "MISSING"


# What it is for, and to which account


def test_every_despatch_advice_and_delivery_note_is_read_wherever_it_stands() -> None:
    in_lines = _referenced("DespatchAdvice", "DES-3") + _referenced("DeliveryNote", "DN-4")
    delivery = _referenced("DespatchAdvice", "DES-1") + _referenced("DeliveryNote", "DN-2")
    facts = read_invoice(cii(profile=EXTENDED, delivery=delivery, line_delivery=in_lines))
    assert {"DES-1", "DN-2", "DES-3", "DN-4"} == set(facts.shipment_references)
    despatch_line = (
        "<cac:DespatchLineReference><cbc:LineID>1</cbc:LineID><cac:DocumentReference><cbc:ID>DES-9</cbc:ID>"
        "</cac:DocumentReference></cac:DespatchLineReference><cac:Item>"
    )
    content = swap(swap(ubl(), _despatch_ubl("DES-1"), _despatch_ubl("DES-1", "DES-2")), "<cac:Item>", despatch_line)
    assert {"DES-1", "DES-2", "DES-9"} == set(read_invoice(content).shipment_references)


def test_one_delivery_note_named_by_many_lines_is_one() -> None:
    assert read_invoice(swap(ubl(), _despatch_ubl("DES-1"), _despatch_ubl("DES-1", "DES-1"))) == read_invoice(ubl())


def test_all_accounts_are_read(facts: InvoiceFacts) -> None:
    other = "NL91ABNA0417164300"
    assert (samples.SUPPLIER_IBAN, other) == read_invoice(cii(accounts=[samples.SUPPLIER_IBAN, other])).payee_accounts
    assert facts.payee_accounts == (samples.SUPPLIER_IBAN,)


def test_preceding_invoices_are_read_from_header_and_lines_and_each_once() -> None:
    assert read_invoice(cii(preceding=["C-0", "C-00", "C-0"], profile=EXTENDED)).preceding_references == ("C-0", "C-00")

    def referring(kind: str) -> str:
        return f"<cac:BillingReference><cac:{kind}><cbc:ID>INV-0</cbc:ID></cac:{kind}></cac:BillingReference>"

    header = "</cac:OrderReference>"
    for kind in ("InvoiceDocumentReference", "SelfBilledInvoiceDocumentReference", "DebitNoteDocumentReference"):
        assert read_invoice(swap(ubl(), header, header + referring(kind))).preceding_references == ("INV-0",)
        line = swap(ubl(), "<cac:Item>", f"{referring(kind)}<cac:Item>")
        assert read_invoice(line).preceding_references == ("INV-0",)
    reminder = swap(ubl(), header, header + referring("ReminderDocumentReference"))
    assert read_invoice(reminder).preceding_references == ()


def test_more_preceding_invoices_than_a_ledger_takes_are_refused() -> None:
    numbers = [f"C-{number}" for number in range(1, VALUES_MAX["BT-25"] + 2)]
    assert _refusal(cii(preceding=numbers)).code == "TOO_LARGE"
    assert len(read_invoice(cii(preceding=numbers[:-1])).preceding_references) == VALUES_MAX["BT-25"]


# What stands beside


def test_an_attachment_of_any_size_inside_is_left_out_before_the_invoice_is_read() -> None:
    def attached(content: bytes, text: str) -> bytes:
        attachment = (
            "<cac:AdditionalDocumentReference><cbc:ID>A</cbc:ID><cac:Attachment><cbc:EmbeddedDocumentBinaryObject "
            f'mimeCode="application/pdf" filename="a.pdf">{text}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>'
            "</cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
        )
        return swap(content, "<cac:AccountingSupplierParty>", attachment)

    assert read_invoice(attached(ubl(), "QUJD\n" * 2_500_000)) == read_invoice(ubl())
    assert read_invoice(attached(ubl(), "QUJD")) == read_invoice(ubl())
    for text in ("Roller, " * 1_300_000, f"<![CDATA[{'Roller, ' * 1_300_000}]]>"):
        refusal = _refusal(swap(ubl(), "Roller bearings, as ordered", text))
        assert (refusal.code, "10000000" in refusal.text) == ("TOO_LARGE", True)


PROFILE = "<cac:SocialMediaProfile><cbc:ID>bearings</cbc:ID></cac:SocialMediaProfile>"
NOTE = "<cbc:Note>as agreed</cbc:Note>"


def _of_version(version: str, *swaps: tuple[str, str]) -> bytes:
    """A UBL invoice that declares its version, with texts in place of others."""
    content = ubl()
    for old, new in (("<cbc:CustomizationID>", f"{version}<cbc:CustomizationID>"), *swaps):
        content = swap(content, old, new)
    return content


@pytest.mark.parametrize("version", ["2.2", "2.3", "2.4", " 2.5 "])
def test_an_invoice_of_a_later_minor_version_is_read_whatever_optional_elements_that_adds(version: str) -> None:
    declared = f"<cbc:UBLVersionID>{version}</cbc:UBLVersionID>"
    added = (("<cac:PartyLegalEntity>", f"{PROFILE}<cac:PartyLegalEntity>"),)
    assert read_invoice(_of_version(declared, *added)) == read_invoice(ubl())
    assert read_invoice(_of_version(declared)) == read_invoice(ubl())


@pytest.mark.parametrize(
    ("version", "old", "new"),
    [
        ("<cbc:UBLVersionID>2.1</cbc:UBLVersionID>", "<cac:PartyLegalEntity>", f"{PROFILE}<cac:PartyLegalEntity>"),
        ("<cbc:UBLVersionID>3.0</cbc:UBLVersionID>", "<cac:PartyLegalEntity>", f"{PROFILE}<cac:PartyLegalEntity>"),
        ("", "<cac:PartyLegalEntity>", f"{PROFILE}<cac:PartyLegalEntity>"),
        ("<cbc:UBLVersionID>2.3</cbc:UBLVersionID>", "<cac:PartyLegalEntity>", f"{NOTE}<cac:PartyLegalEntity>"),
        ("<cbc:UBLVersionID>2.3</cbc:UBLVersionID>", "</cac:Item>", '<x xmlns="urn:x"/></cac:Item>'),
    ],
    ids=["2.1", "3.0", "none declared", "a known element in a wrong place", "a stranger's element"],
)
def test_what_no_minor_version_adds_is_refused_as_before(version: str, old: str, new: str) -> None:
    assert _refusal(_of_version(version, (old, new))).code == "SCHEMA"


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ('<rsm:CrossIndustryDocument xmlns:rsm="urn:ferd:CrossIndustryDocument:invoice:1p0"/>', "ZUGFeRD 1.0"),
        (
            '<DespatchAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"/>',
            "UBL despatch advice",
        ),
        ('<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2"/>', "EPCIS 2.0 in XML"),
        ('<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"/>', "EPCIS 1.x in XML"),
        ('<Order xmlns="urn:x"/>', "'Order'"),
        ("<cXML/>", "'cXML'"),
        ('<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>', "UBL order"),
        ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"/>', "ISO 20022 message, camt.054.001.08"),
        (
            '<p:FatturaElettronica xmlns:p="http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"/>',
            "FatturaPA v1.2",
        ),
        (
            '<f:Facturae xmlns:f="http://www.facturae.gob.es/formato/Versiones/Facturaev3_2_2.xml"/>',
            "Facturae v3_2_2",
        ),
        (
            '<s:StandardBusinessDocument xmlns:s="http://www.unece.org/cefact/namespaces/'
            'StandardBusinessDocumentHeader"/>',
            "envelope",
        ),
    ],
)
def test_a_document_of_another_kind_is_named(root: str, name: str) -> None:
    refusal = _refusal(root.encode())
    assert (refusal.code, name in refusal.text) == ("NOT_AN_INVOICE", True)


def test_no_refusal_prints_the_document() -> None:
    secret = "confidential " * 200
    for content in (
        swap(ubl(), "<cbc:ID>INV-1</cbc:ID>", f"<cbc:ID>{secret}</cbc:ID>"),
        swap(ubl(), ">1000.50</cbc:PayableAmount>", f">{secret}</cbc:PayableAmount>"),
        swap(ubl(), ">380<", f">{secret[:900]}<"),
        swap(ubl(), f">{ISSUED}<", f">{secret[:900]}<"),
        swap(ubl(), ">EUR</cbc:DocumentCurrencyCode>", f">{secret[:900]}</cbc:DocumentCurrencyCode>"),
        swap(ubl(), 'unitCode="C62">1<', f'unitCode="C62">{secret}<'),
        ubl().replace(b"Invoice-2", b"Invoice-" + secret.replace(" ", "").encode()),
    ):
        assert len(_refusal(content).text) < 400


@pytest.fixture
def facts() -> InvoiceFacts:
    return read_invoice(ubl())
