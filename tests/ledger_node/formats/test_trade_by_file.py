"""A trade by file: variants of an invoice from upload to payment or a named refusal, as the documents page has them.

Every file goes the whole way over the REST API of real nodes: upload, registration, verifiers, approval, release. The
table of `docs/reference/documents.md` is what this test finds.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from api_trade import done, reasons
from api_world import People, proof_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, Consortium, eventually, organisations
from trade_papers import cii, due, swap

from ledger_node.demo import samples

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "documents.md"
EXTENDED = "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended"
TODAY = dt.datetime.now(dt.UTC).date()
NEXT = TODAY + dt.timedelta(days=60)
OTHER_IBAN = "NL91ABNA0417164300"
WAIT_SECONDS = 120.0
Made = Callable[[str, int], bytes]
"""An invoice file by its number and its net amount, which no two may share."""


def _ubl(*swaps: tuple[str, str]) -> Made:
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


def _cii(*swaps: tuple[str, str], **values: Any) -> Made:
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
    return _ubl((">380<", f">{code}<"))


def _means(code: str) -> Made:
    return _ubl((">30</cbc:PaymentMeansCode>", f">{code}</cbc:PaymentMeansCode>"))


_ACCOUNT = f"<cac:PayeeFinancialAccount><cbc:ID>{samples.SUPPLIER_IBAN}</cbc:ID></cac:PayeeFinancialAccount>"
_DUE = f"<cbc:DueDate>{NEXT}</cbc:DueDate>"
_BUYERS_TAX = f"""<cac:PartyTaxScheme>
        <cbc:CompanyID>{samples.BUYER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:PartyTaxScheme>"""
_PAYEE = "<cac:PayeeParty>{}<cac:PartyName><cbc:Name>{}</cbc:Name></cac:PartyName></cac:PayeeParty><cac:PaymentMeans>"
_HALF = "<ram:PartialPaymentAmount>1.00</ram:PartialPaymentAmount>"
_PAID, _UPLOAD, _REGISTRATION = "paid early", "refused at upload: ", "refused at registration: "
VARIANTS: dict[str, tuple[Made, str]] = {
    "UBL 380": (_ubl(), _PAID),
    "CII 380, 19 % VAT": (_cii(), _PAID),
    "CII EXTENDED": (_cii(profile=EXTENDED), _PAID),
    "XRechnung in UBL": (
        _ubl(("urn:cen.eu:en16931:2017", "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0")),
        _PAID,
    ),
    "PINT in UBL": (_ubl(("urn:cen.eu:en16931:2017", "urn:peppol:pint:billing-1")), _PAID),
    "type 326, partial": (_type("326"), _PAID),
    "type 331, with packing list": (_type("331"), _PAID),
    "type 383, debit note": (_type("383"), _PAID),
    "type 388, tax invoice": (_type("388"), _PAID),
    "type 780, freight": (_type("780"), _PAID),
    "type 877, construction": (_type("877"), _PAID),
    "type 389, self-billed": (_type("389"), _PAID),
    "type 527, self-billed debit note": (_type("527"), _PAID),
    "type 384 without preceding invoice": (_type("384"), _UPLOAD + "MISSING"),
    "type 393, factored": (_type("393"), _UPLOAD + "NO_CLAIM"),
    "type 501, self-billed and factored": (_type("501"), _UPLOAD + "NO_CLAIM"),
    "type 472, factored correction": (_cii(type_code="472"), _UPLOAD + "NO_CLAIM"),
    "type 919, factored": (_type("919"), _UPLOAD + "NO_CLAIM"),
    "type 325, pro forma": (_type("325"), _UPLOAD + "NO_CLAIM"),
    "type 71, request for payment": (_type("71"), _UPLOAD + "NO_CLAIM"),
    "type 751, for accounting": (_type("751"), _UPLOAD + "NO_CLAIM"),
    "type 935, customs": (_type("935"), _UPLOAD + "NO_CLAIM"),
    "type 381, credit note": (_type("381"), _UPLOAD + "CREDIT_NOTE"),
    "type 502, credit note": (_type("502"), _UPLOAD + "CREDIT_NOTE"),
    "type 503, credit note": (_cii(type_code="503"), _UPLOAD + "CREDIT_NOTE"),
    "type 999, no code": (_type("999"), _UPLOAD + "TYPE_CODE"),
    "type ABC, no code": (_type("ABC"), _UPLOAD + "TYPE_CODE"),
    "amount due a hundred times the gross": (
        _ubl((">{amount}</cbc:PayableAmount>", ">99999999.00</cbc:PayableAmount>")),
        _UPLOAD + "TOTALS",
    ),
    "line total that no line has": (
        _cii(("HeaderMonetarySummation><ram:LineTotalAmount>", "HeaderMonetarySummation><ram:LineTotalAmount>1")),
        _UPLOAD + "TOTALS",
    ),
    "a part paid before, and rounded": (
        _ubl(
            (
                ">{amount}</cbc:TaxInclusiveAmount>",
                '>{amount}</cbc:TaxInclusiveAmount><cbc:PrepaidAmount currencyID="EUR">1.00</cbc:PrepaidAmount>'
                '<cbc:PayableRoundingAmount currencyID="EUR">1.00</cbc:PayableRoundingAmount>',
            )
        ),
        _PAID,
    ),
    "nothing due": (
        _ubl(
            (
                ">{amount}</cbc:TaxInclusiveAmount>",
                '>{amount}</cbc:TaxInclusiveAmount><cbc:PrepaidAmount currencyID="EUR">{amount}</cbc:PrepaidAmount>',
            ),
            (">{amount}</cbc:PayableAmount>", ">0.00</cbc:PayableAmount>"),
        ),
        _UPLOAD + "NO_CLAIM",
    ),
    "amount due below zero": (
        _ubl((">{amount}</cbc:PayableAmount>", ">-{amount}</cbc:PayableAmount>")),
        _UPLOAD + "CREDIT_NOTE",
    ),
    "means 58, SEPA credit transfer": (_means("58"), _PAID),
    "means 1, not defined": (_means("1"), _PAID),
    "means 59, SEPA direct debit": (_means("59"), _REGISTRATION + "COLLECTED"),
    "means 49, direct debit": (_cii(means="49"), _REGISTRATION + "COLLECTED"),
    "means 48, card": (_means("48"), _REGISTRATION + "COLLECTED"),
    "means 97, set-off": (_means("97"), _REGISTRATION + "COLLECTED"),
    "due date with the means of payment": (
        _ubl(
            (_DUE, ""),
            ("</cbc:PaymentMeansCode>", f"</cbc:PaymentMeansCode><cbc:PaymentDueDate>{NEXT}</cbc:PaymentDueDate>"),
        ),
        _PAID,
    ),
    "two terms, a discount for the earlier": (
        _cii(profile=EXTENDED, terms=[due(NEXT), due(TODAY + dt.timedelta(days=14))]),
        _PAID,
    ),
    "one due date twice": (_cii(profile=EXTENDED, terms=[due(NEXT), due(NEXT)]), _PAID),
    "instalments": (_cii(profile=EXTENDED, terms=[due(NEXT, _HALF), due(NEXT, _HALF)]), _UPLOAD + "INSTALMENTS"),
    "due before issue": (_ubl((_DUE, "<cbc:DueDate>2020-01-01</cbc:DueDate>")), _UPLOAD + "DUE_BEFORE_ISSUE"),
    "a due date that does not exist": (_ubl((_DUE, "<cbc:DueDate>2027-02-30</cbc:DueDate>")), _UPLOAD + "DATE"),
    "a due date with time zone": (_ubl((_DUE, f"<cbc:DueDate>{NEXT}Z</cbc:DueDate>")), _UPLOAD + "DATE"),
    "no account": (_ubl((_ACCOUNT, "")), _PAID),
    "an account that is not the supplier's": (_cii(accounts=[OTHER_IBAN]), _REGISTRATION + "PAYEE_DIFFERS"),
    "payee of another name": (
        _ubl(("<cac:PaymentMeans>", _PAYEE.format("", "Factor Bank AG"))),
        _REGISTRATION + "PAYEE_DIFFERS",
    ),
    "payee who is the supplier": (_ubl(("<cac:PaymentMeans>", _PAYEE.format("", samples.SUPPLIER.name))), _PAID),
    "buyer by another VAT id": (_ubl((samples.BUYER.vat_id, "FR77123456789")), _REGISTRATION + "PARTY_DIFFERS"),
    "buyer by a legal id that is registered": (
        _ubl(
            (_BUYERS_TAX, ""),
            (f'<cbc:CompanyID schemeID="0199">{samples.BUYER.lei}', f"<cbc:CompanyID>{samples.BUYER.vat_id}"),
        ),
        _PAID,
    ),
    "buyer by a legal id that nobody registered": (_ubl((_BUYERS_TAX, "")), _REGISTRATION + "PARTY_DIFFERS"),
    "supplier under GST only": (
        _ubl(
            (
                f"{samples.SUPPLIER.vat_id}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT",
                "M9</cbc:CompanyID><cac:TaxScheme><cbc:ID>GST",
            )
        ),
        _REGISTRATION + "PARTY_DIFFERS",
    ),
    "no buyer": (
        _cii(
            (f"<ram:Name>{samples.BUYER.name}</ram:Name>", ""),
            (samples.BUYER.vat_id, ""),
            (samples.BUYER.lei, ""),
            (samples.BUYER.gln, ""),
        ),
        _UPLOAD + "MISSING",
    ),
    "delivery note in a line": (_cii(profile=EXTENDED, line_delivery=_despatch("DN 1", "DeliveryNote")), _PAID),
    "a despatch advice and a delivery note": (
        _cii(profile=EXTENDED, delivery=_despatch("DES 1") + _despatch("DN 1", "DeliveryNote")),
        _PAID,
    ),
    "two despatch advices": (
        _ubl(
            (
                "</cac:DespatchDocumentReference>",
                "</cac:DespatchDocumentReference><cac:DespatchDocumentReference><cbc:ID>DES 2</cbc:ID>"
                "</cac:DespatchDocumentReference>",
            )
        ),
        _PAID,
    ),
    "currency in small letters": (
        _ubl((">EUR</cbc:DocumentCurrencyCode>", ">eur</cbc:DocumentCurrencyCode>")),
        _UPLOAD + "CURRENCY",
    ),
    "amount due in another currency": (
        _ubl(('<cbc:PayableAmount currencyID="EUR">', '<cbc:PayableAmount currencyID="USD">')),
        _UPLOAD + "CURRENCY",
    ),
    "number without letter and digit": (
        _ubl(("<cbc:ID>{number}</cbc:ID>", "<cbc:ID>--</cbc:ID>")),
        _UPLOAD + "MISSING",
    ),
    "with a DOCTYPE": (_ubl(('"UTF-8"?>', '"UTF-8"?><!DOCTYPE Invoice>')), _UPLOAD + "DOCTYPE"),
    "despatch advice": (
        lambda number, net: b'<DespatchAdvice xmlns="urn:oasis:names:specification:ubl:schema:xsd:DespatchAdvice-2"/>',
        _UPLOAD + "NOT_AN_INVOICE",
    ),
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """Four nodes at work, a facility that pays by itself, and a standing request of the supplier."""
    home = tmp_path_factory.mktemp("trade")
    organisations(home)
    world = Consortium(home, home)
    try:
        for name in ORGANISATIONS:
            world.serve(name)
        world.start()
        people = People(world)
        people.found()
        facility_id = people.open_facility()
        asked = {"facility_ids": [facility_id], "net_min": "1.00", "valid_until": NEXT.isoformat()}
        done(people.supplier.post("uploader", "/v1/early-payment-requests", asked), people)
        yield people
    finally:
        world.close()


def _result(people: People, made: Made, place: int) -> str:
    """What becomes of a variant, in the words of the page."""
    path = _approved(people, made, f"V{place:03}-A", 100_000 + place * 100)
    return _paid(people, path) if path.startswith("/") else path


def _approved(people: People, made: Made, number: str, net_minor: int) -> str:
    """The address of an invoice that is registered, delivered and approved, or how it was refused before."""
    supplier, entitled = people.supplier, [BUYER, FINANCIER, CARRIER]
    uploaded = supplier.upload("invoice", "application/octet-stream", made(number, net_minor), [BUYER, FINANCIER])
    if uploaded.status != 201:
        return f"refused at upload: {uploaded.code}"
    proof = supplier.upload("proof_of_delivery", "application/pdf", proof_file(number), entitled)
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": f"SHIP {number}"}
    shipment_id = supplier.post("uploader", "/v1/shipments", goods).body["record_id"]
    body = {
        "document_id": uploaded.body["record_id"],
        "proof_ids": [proof.body["record_id"]],
        "shipment_ids": [shipment_id],
        "buyer": BUYER,
    }
    registered = supplier.post("uploader", "/v1/invoices", body)
    if registered.status != 201:
        return f"refused at registration: {registered.code}"
    path = f"/v1/invoices/{registered.body['record_id']}"
    done(registered, people)
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    arrived = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", arrived), people)
    shown = supplier.get(path).body
    owed = {name: shown[name] for name in ("amount", "currency", "due_date")} | {"buyer_reference": f"AP {number}"}
    done(people.buyer.post("approver", f"{path}/approval", owed), people)
    return path


def _paid(people: People, path: str) -> str:
    eventually(
        lambda: people.supplier.get(path).body["status"] == "early-paid",
        f"paid early, but {reasons(people, path)}",
        WAIT_SECONDS,
    )
    return _PAID


def _stopped(people: People, path: str) -> dict[str, tuple[str, str]]:
    """The classes that stop an invoice once no verifier has anything more to say: verdict and reason by class."""
    return {
        each["class"]: (each["verdict"], each["reason"])
        for each in people.supplier.get(path).body["classes"]
        if each["verdict"] != "VALID"
    }


def _correction(of: str) -> Made:
    """A corrected invoice (384) that names the one it corrects (BT-25)."""
    named = f"<cac:InvoiceDocumentReference><cbc:ID>{of}</cbc:ID></cac:InvoiceDocumentReference>"
    place = "<cac:DespatchDocumentReference>"
    return _ubl((">380<", ">384<"), (place, f"<cac:BillingReference>{named}</cac:BillingReference>{place}"))


NOT_PAID: dict[str, tuple[Made, tuple[str, str, str]]] = {
    "type 384 of a financed invoice": (_correction("W000-A"), ("UNIQUE", "INVALID", "PREDECESSOR_FINANCED")),
    "type 384 of an invoice that nobody registered": (
        _correction("W999-Z"),
        ("UNIQUE", "INDETERMINATE", "PREDECESSOR_UNCLEARED"),
    ),
    "type 386, prepayment": (_type("386"), ("AMOUNT", "INDETERMINATE", "PREPAYMENT")),
    "two accounts, one of them unknown": (
        _cii(accounts=[samples.SUPPLIER_IBAN, OTHER_IBAN]),
        ("AMOUNT", "INDETERMINATE", "PAYEE_UNKNOWN"),
    ),
}


@pytest.fixture(scope="module")
def financed(people: People) -> str:
    """The address of the invoice W000-A, paid early: the control of all that follow it."""
    path = _approved(people, _ubl(), "W000-A", 70_000)
    _paid(people, path)
    return path


@pytest.mark.parametrize("name", NOT_PAID)
def test_what_must_not_be_paid_by_itself_is_stopped_by_one_class_alone(
    people: People, financed: str, name: str
) -> None:
    made, (class_, verdict, reason) = NOT_PAID[name]
    number = f"W{list(NOT_PAID).index(name) + 1:03}-A"
    path = _approved(people, made, number, 80_000 + 100 * list(NOT_PAID).index(name))
    assert path.startswith("/"), path
    eventually(
        lambda: _stopped(people, path) == {class_: (verdict, reason)},
        f"only {class_} stops it, but {reasons(people, path)}",
        WAIT_SECONDS,
    )
    assert people.supplier.get(path).body["status"] == "approved"


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_an_invoice_ends_as_the_page_says(people: People, name: str) -> None:
    made, expected = VARIANTS[name]
    assert expected == _result(people, made, list(VARIANTS).index(name))


def test_the_page_lists_every_variant_with_its_result() -> None:
    texts = re.findall(r"^\| ([^|`]+) \| ((?:paid|refused|not paid)[^|]*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    stopped = {
        name: f"not paid: {class_} {verdict} {reason}" for name, (_, (class_, verdict, reason)) in NOT_PAID.items()
    }
    assert {name: result for name, (_, result) in VARIANTS.items()} | stopped == dict(texts)
    assert len(VARIANTS) >= 60
