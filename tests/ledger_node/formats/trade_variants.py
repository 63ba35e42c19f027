"""The variants of an invoice that the trade by file plays, and what the page of documents says becomes of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from trade_papers import cii, due, swap

from ledger_node.demo import samples

EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
TODAY = dt.datetime.now(dt.UTC).date()
NEXT = TODAY + dt.timedelta(days=60)
OTHER_IBAN = "NL91ABNA0417164300"
Made = Callable[[str, int], bytes]
"""An invoice file by its number and its net amount, which no two may share."""


def in_ubl(*swaps: tuple[str, str]) -> Made:
    """The sample of UBL with some texts in place of others; `{amount}` and `{number}` are its own."""

    def make(number: str, net_minor: int) -> bytes:
        content = samples.invoice_ubl(
            number,
            samples.SUPPLIER,
            samples.BUYER,
            TODAY,
            NEXT,
            "EUR",
            net_minor,
            "PO-1",
            f"SHIP {number}",
            samples.SUPPLIER_IBAN,
        )
        for old, new in swaps:
            amount = f"{net_minor // 100}.{net_minor % 100:02}"
            old, new = (text.replace("{amount}", amount).replace("{number}", number) for text in (old, new))
            content = swap(content, old, new)
        return content

    return make


def in_cii(*swaps: tuple[str, str], **values: Any) -> Made:
    def make(number: str, net_minor: int) -> bytes:
        ordinary: dict[str, Any] = {"issued": TODAY, "terms": [due(NEXT)], "delivery": _despatch(f"SHIP {number}")}
        content = cii(number, net_minor=net_minor, **(ordinary | values))
        for old, new in swaps:
            content = swap(content, old, new)
        return content

    return make


def _despatch(number: str, kind: str = "DespatchAdvice") -> str:
    name = f"ram:{kind}ReferencedDocument"
    return f"<{name}><ram:IssuerAssignedID>{number}</ram:IssuerAssignedID></{name}>"


def _type(code: str) -> Made:
    return in_ubl((">380<", f">{code}<"))


def _means(code: str) -> Made:
    return in_ubl((">30</cbc:PaymentMeansCode>", f">{code}</cbc:PaymentMeansCode>"))


_ACCOUNT = f"<cac:PayeeFinancialAccount><cbc:ID>{samples.SUPPLIER_IBAN}</cbc:ID></cac:PayeeFinancialAccount>"
_DUE = f"<cbc:DueDate>{NEXT}</cbc:DueDate>"
_BUYERS_TAX = f"""<cac:PartyTaxScheme>
        <cbc:CompanyID>{samples.BUYER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:PartyTaxScheme>"""
_PAYEE = "<cac:PayeeParty>{}<cac:PartyName><cbc:Name>{}</cbc:Name></cac:PartyName></cac:PayeeParty><cac:PaymentMeans>"
_HALF = "<ram:PartialPaymentAmount>1.00</ram:PartialPaymentAmount>"
PAID, _UPLOAD, _REGISTRATION = "paid early", "refused at upload: ", "refused at registration: "
_IN_WORDS = "<ram:Description>Payable within 60 days of receipt</ram:Description>"
_NOTE = "<cac:PaymentTerms><cbc:Note>Payable within 60 days of receipt</cbc:Note></cac:PaymentTerms>"
UNDATED = in_ubl((_DUE, ""), ("<cac:TaxTotal>", f"{_NOTE}<cac:TaxTotal>"))
VARIANTS: dict[str, tuple[Made, str]] = {
    "UBL 380": (in_ubl(), PAID),
    "CII 380, 19 % VAT": (in_cii(), PAID),
    "CII EXTENDED": (in_cii(profile=EXTENDED), PAID),
    "XRechnung in UBL": (
        in_ubl(("urn:cen.eu:en16931:2017", "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0")),
        PAID,
    ),
    "PINT in UBL": (in_ubl(("urn:cen.eu:en16931:2017", "urn:peppol:pint:billing-1")), PAID),
    "type 326, partial": (_type("326"), PAID),
    "type 331, with packing list": (_type("331"), PAID),
    "type 383, debit note": (_type("383"), PAID),
    "type 388, tax invoice": (_type("388"), PAID),
    "type 780, freight": (_type("780"), PAID),
    "type 877, construction": (_type("877"), PAID),
    "type 389, self-billed": (_type("389"), PAID),
    "type 527, self-billed debit note": (_type("527"), PAID),
    "type 384 without preceding invoice": (_type("384"), _UPLOAD + "MISSING"),
    "type 393, factored": (_type("393"), _UPLOAD + "NO_CLAIM"),
    "type 501, self-billed and factored": (_type("501"), _UPLOAD + "NO_CLAIM"),
    "type 472, factored correction": (in_cii(type_code="472"), _UPLOAD + "NO_CLAIM"),
    "type 919, factored": (_type("919"), _UPLOAD + "NO_CLAIM"),
    "type 325, pro forma": (_type("325"), _UPLOAD + "NO_CLAIM"),
    "type 71, request for payment": (_type("71"), _UPLOAD + "NO_CLAIM"),
    "type 751, for accounting": (_type("751"), _UPLOAD + "NO_CLAIM"),
    "type 935, customs": (_type("935"), _UPLOAD + "NO_CLAIM"),
    "type 381, credit note": (_type("381"), _UPLOAD + "CREDIT_NOTE"),
    "type 502, credit note": (_type("502"), _UPLOAD + "CREDIT_NOTE"),
    "type 503, credit note": (in_cii(type_code="503"), _UPLOAD + "CREDIT_NOTE"),
    "type 999, no code": (_type("999"), _UPLOAD + "TYPE_CODE"),
    "type ABC, no code": (_type("ABC"), _UPLOAD + "TYPE_CODE"),
    "amount due a hundred times the gross": (
        in_ubl((">{amount}</cbc:PayableAmount>", ">99999999.00</cbc:PayableAmount>")),
        _UPLOAD + "TOTALS",
    ),
    "line total that no line has": (
        in_cii(("HeaderMonetarySummation><ram:LineTotalAmount>", "HeaderMonetarySummation><ram:LineTotalAmount>1")),
        _UPLOAD + "TOTALS",
    ),
    "a part paid before, and rounded": (
        in_ubl(
            (
                ">{amount}</cbc:TaxInclusiveAmount>",
                '>{amount}</cbc:TaxInclusiveAmount><cbc:PrepaidAmount currencyID="EUR">1.00</cbc:PrepaidAmount>'
                '<cbc:PayableRoundingAmount currencyID="EUR">1.00</cbc:PayableRoundingAmount>',
            )
        ),
        PAID,
    ),
    "nothing due": (
        in_ubl(
            (
                ">{amount}</cbc:TaxInclusiveAmount>",
                '>{amount}</cbc:TaxInclusiveAmount><cbc:PrepaidAmount currencyID="EUR">{amount}</cbc:PrepaidAmount>',
            ),
            (">{amount}</cbc:PayableAmount>", ">0.00</cbc:PayableAmount>"),
        ),
        _UPLOAD + "NO_CLAIM",
    ),
    "amount due below zero": (
        in_ubl((">{amount}</cbc:PayableAmount>", ">-{amount}</cbc:PayableAmount>")),
        _UPLOAD + "CREDIT_NOTE",
    ),
    "means 58, SEPA credit transfer": (_means("58"), PAID),
    "means 1, not defined": (_means("1"), PAID),
    "means 59, SEPA direct debit": (_means("59"), _REGISTRATION + "COLLECTED"),
    "means 49, direct debit": (in_cii(means="49"), _REGISTRATION + "COLLECTED"),
    "means 48, card": (_means("48"), _REGISTRATION + "COLLECTED"),
    "means 97, set-off": (_means("97"), _REGISTRATION + "COLLECTED"),
    "due date with the means of payment": (
        in_ubl(
            (_DUE, ""),
            ("</cbc:PaymentMeansCode>", f"</cbc:PaymentMeansCode><cbc:PaymentDueDate>{NEXT}</cbc:PaymentDueDate>"),
        ),
        PAID,
    ),
    "two terms, a discount for the earlier": (
        in_cii(profile=EXTENDED, terms=[due(NEXT), due(TODAY + dt.timedelta(days=14))]),
        PAID,
    ),
    "one due date twice": (in_cii(profile=EXTENDED, terms=[due(NEXT), due(NEXT)]), PAID),
    "instalments": (in_cii(profile=EXTENDED, terms=[due(NEXT, _HALF), due(NEXT, _HALF)]), _UPLOAD + "INSTALMENTS"),
    "terms in words, and a due date is stated": (UNDATED, PAID),
    "terms in words, in CII, and a due date is stated": (in_cii(terms=[_IN_WORDS]), PAID),
    "terms in words, and none is stated": (UNDATED, _REGISTRATION + "DUE_DATE_MISSING"),
    "neither due date nor terms, and one is stated": (in_ubl((_DUE, "")), PAID),
    "a due date, and another is stated": (in_ubl(), _REGISTRATION + "DUE_DATE_IN_DOCUMENT"),
    "due before issue": (in_ubl((_DUE, "<cbc:DueDate>2020-01-01</cbc:DueDate>")), _UPLOAD + "DUE_BEFORE_ISSUE"),
    "a due date that does not exist": (in_ubl((_DUE, "<cbc:DueDate>2027-02-30</cbc:DueDate>")), _UPLOAD + "DATE"),
    "a due date with time zone": (in_ubl((_DUE, f"<cbc:DueDate>{NEXT}Z</cbc:DueDate>")), _UPLOAD + "DATE"),
    "no account": (in_ubl((_ACCOUNT, "")), PAID),
    "an account that is not the supplier's": (in_cii(accounts=[OTHER_IBAN]), _REGISTRATION + "PAYEE_DIFFERS"),
    "payee of another name": (
        in_ubl(("<cac:PaymentMeans>", _PAYEE.format("", "Factor Bank AG"))),
        _REGISTRATION + "PAYEE_DIFFERS",
    ),
    "payee who is the supplier": (in_ubl(("<cac:PaymentMeans>", _PAYEE.format("", samples.SUPPLIER.name))), PAID),
    "buyer by another VAT id": (in_ubl((samples.BUYER.vat_id, "FR77123456789")), _REGISTRATION + "PARTY_DIFFERS"),
    "buyer by a legal id that is registered": (
        in_ubl(
            (_BUYERS_TAX, ""),
            (f'<cbc:CompanyID schemeID="0199">{samples.BUYER.lei}', f"<cbc:CompanyID>{samples.BUYER.vat_id}"),
        ),
        PAID,
    ),
    "buyer by a legal id that nobody registered": (in_ubl((_BUYERS_TAX, "")), _REGISTRATION + "PARTY_DIFFERS"),
    "supplier under GST only": (
        in_ubl(
            (
                f"{samples.SUPPLIER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT",
                "M9</cbc:CompanyID><cac:TaxScheme><cbc:ID>GST",
            )
        ),
        _REGISTRATION + "PARTY_DIFFERS",
    ),
    "no buyer": (
        in_cii(
            (f"<ram:Name>{samples.BUYER.name}</ram:Name>", ""),
            (samples.BUYER.vat_id, ""),
            (samples.BUYER.lei, ""),
            (samples.BUYER.gln, ""),
        ),
        _UPLOAD + "MISSING",
    ),
    "delivery note in a line": (in_cii(profile=EXTENDED, line_delivery=_despatch("DN 1", "DeliveryNote")), PAID),
    "a despatch advice and a delivery note": (
        in_cii(profile=EXTENDED, delivery=_despatch("DES 7") + _despatch("DN 7", "DeliveryNote")),
        PAID,
    ),
    "two despatch advices": (
        in_ubl(
            (
                "</cac:DespatchDocumentReference>",
                "</cac:DespatchDocumentReference><cac:DespatchDocumentReference><cbc:ID>DES 2</cbc:ID>"
                "</cac:DespatchDocumentReference>",
            )
        ),
        PAID,
    ),
    "currency in small letters": (
        in_ubl((">EUR</cbc:DocumentCurrencyCode>", ">eur</cbc:DocumentCurrencyCode>")),
        _UPLOAD + "CURRENCY",
    ),
    "amount due in another currency": (
        in_ubl(('<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="USD">')),
        _UPLOAD + "CURRENCY",
    ),
    "number without letter and digit": (
        in_ubl(("<cbc:ID>{number}</cbc:ID>", "<cbc:ID>--</cbc:ID>")),
        _UPLOAD + "MISSING",
    ),
    "with a DOCTYPE": (in_ubl(('"UTF-8"?>', '"UTF-8"?><!DOCTYPE Invoice>')), _UPLOAD + "DOCTYPE"),
    "despatch advice": (
        lambda number, net: b'<DespatchAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"/>',
        _UPLOAD + "NOT_AN_INVOICE",
    ),
}


STATED = {name: NEXT.isoformat() for name in VARIANTS if name.endswith("is stated") and "none is" not in name}
"""The due date that the supplier states when it registers a variant."""


def _correction(of: str) -> Made:
    """A corrected invoice (384) that names the one it corrects (BT-25)."""
    named = f"<cac:InvoiceDocumentReference><cbc:ID>{of}</cbc:ID></cac:InvoiceDocumentReference>"
    place = "<cac:DespatchDocumentReference>"
    return in_ubl((">380<", ">384<"), (place, f"<cac:BillingReference>{named}</cac:BillingReference>{place}"))


NOT_PAID: dict[str, tuple[Made, tuple[str, str, str]]] = {
    "type 384 of a financed invoice": (_correction("W000-A"), ("UNIQUE", "INVALID", "PREDECESSOR_FINANCED")),
    "type 384 of an invoice that nobody registered": (
        _correction("W999-Z"),
        ("UNIQUE", "INDETERMINATE", "PREDECESSOR_UNCLEARED"),
    ),
    "type 386, prepayment": (_type("386"), ("AMOUNT", "INDETERMINATE", "PREPAYMENT")),
    "a despatch advice of a financed invoice beside another": (
        in_ubl(
            (
                "</cac:DespatchDocumentReference>",
                "</cac:DespatchDocumentReference><cac:DespatchDocumentReference><cbc:ID>ship w000 a</cbc:ID>"
                "</cac:DespatchDocumentReference>",
            )
        ),
        ("UNIQUE", "INVALID", "ALREADY_FINANCED"),
    ),
    "a delivery note of a financed invoice in a line": (
        in_cii(profile=EXTENDED, line_delivery=_despatch("SHIP W000-A", "DeliveryNote")),
        ("UNIQUE", "INVALID", "ALREADY_FINANCED"),
    ),
    "two accounts, one of them unknown": (
        in_cii(accounts=[samples.SUPPLIER_IBAN, OTHER_IBAN]),
        ("AMOUNT", "INDETERMINATE", "PAYEE_UNKNOWN"),
    ),
}


def _supplier_under(scheme: str, number: str, lei: str) -> Made:
    """The supplier's tax number is one of that scheme, and its legal id that LEI or none."""
    vat = f"{samples.SUPPLIER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT"
    tax = f"{number}</cbc:CompanyID><cac:TaxScheme><cbc:ID>{scheme}"
    return in_ubl((vat, tax), (f'schemeID="0199">{samples.SUPPLIER.lei}', f'schemeID="0199">{lei}'))


AFTER_CHANGE: dict[str, tuple[Made, dict[str, str]]] = {
    "supplier under GST, by its LEI": (
        _supplier_under("GST", "M9", samples.SUPPLIER.lei),
        {"scheme": "LEI", "id": samples.SUPPLIER.lei},
    ),
    "supplier under GST, by that": (_supplier_under("GST", "M9", ""), {"scheme": "GST", "id": "m-9"}),
}
"""What names nobody until the supplier registers an identifier."""
