"""The made-up documents are real ones to every reader: our own, the official XSD, and the identifiers' check digits."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import facturx
import pytest
from lxml import etree
from stdnum import ean, iban, lei
from stdnum.eu import vat

from ledger_node.demo import samples
from ledger_node.formats import (
    EventFacts,
    EventKind,
    GoodsFacts,
    InvoiceFacts,
    PartyFacts,
    PdfFacts,
    TransportFacts,
    read_facts,
)

ISSUED, DUE = datetime.date(2026, 11, 2), datetime.date(2027, 1, 31)
CEST = datetime.timezone(datetime.timedelta(hours=2))


def _invoice(currency: str = "EUR", amount_minor: int = 12_345_678, number: str = "INV-2026-0001") -> bytes:
    return samples.invoice_ubl(
        number,
        samples.SUPPLIER,
        samples.BUYER,
        ISSUED,
        DUE,
        currency,
        amount_minor,
        "PO-7781",
        "DES-2026-0042",
        samples.SUPPLIER_IBAN,
    )


def _events() -> bytes:
    return samples.delivery_events_epcis(
        "DES-2026-0042",
        "PO-7781",
        samples.SUPPLIER,
        samples.BUYER,
        datetime.datetime(2026, 10, 28, 8, 30, tzinfo=CEST),
        datetime.datetime(2026, 10, 30, 14, 0, tzinfo=CEST),
    )


def _write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "document"
    path.write_bytes(content)
    return path


def test_a_sample_invoice_says_what_it_was_made_of(tmp_path: Path) -> None:
    expected = InvoiceFacts(
        syntax="ubl",
        type_code="380",
        invoice_number="INV-2026-0001",
        issue_date=ISSUED,
        due_date=DUE,
        has_terms=False,
        currency="EUR",
        amount_minor=12_345_678,
        supplier=PartyFacts("Nordwind Lagertechnik GmbH", "5299000NORDWIND00081", "0199", "DE271828180", ()),
        buyer=PartyFacts("Atlas Machinebouw B.V.", "7245000ATLASMACH0013", "0199", "NL001234511B01", ()),
        payee=None,
        payment_means=("30",),
        payee_accounts=("DE89370400440532013000",),
        order_reference="PO-7781",
        shipment_references=("DES-2026-0042",),
        preceding_references=(),
        goods=(GoodsFacts(line="1", quantity="1", unit="C62"),),
    )
    assert expected == read_facts("invoice", "application/xml", _write(tmp_path, _invoice()))


def test_a_sample_invoice_is_valid_against_the_official_xsd() -> None:
    assert facturx.xml_check_xsd(etree.fromstring(_invoice()), flavor="ubl-2.1-invoice", level="en16931")


@pytest.mark.parametrize(
    ("currency", "amount_minor", "text"), [("JPY", 100, "100"), ("KWD", 1_234, "1.234"), ("EUR", 5, "0.05")]
)
def test_a_sample_amount_is_written_with_the_decimal_places_of_its_currency(
    tmp_path: Path, currency: str, amount_minor: int, text: str
) -> None:
    content = _invoice(currency, amount_minor)
    assert f">{text}</cbc:PayableAmount>".encode() in content
    facts = read_facts("invoice", "text/xml; charset=utf-8", _write(tmp_path, content))
    assert isinstance(facts, InvoiceFacts)
    assert (currency, amount_minor) == (facts.currency, facts.amount_minor)


def test_a_sample_invoice_keeps_text_that_looks_like_markup(tmp_path: Path) -> None:
    facts = read_facts("invoice", "text/xml", _write(tmp_path, _invoice(number="A<&>1")))
    assert isinstance(facts, InvoiceFacts)
    assert facts.invoice_number == "A<&>1"


def test_sample_events_say_that_the_shipment_left_and_was_delivered(tmp_path: Path) -> None:
    facts = read_facts("transport_events", "application/ld+json", _write(tmp_path, _events()))
    assert isinstance(facts, TransportFacts)
    left, delivered = facts.events
    expected = EventFacts(
        kind=EventKind.DELIVERY,
        event_type="ObjectEvent",
        event_id=delivered.event_id,
        time="2026-10-30T12:00:00Z",
        action="OBSERVE",
        biz_step="receiving",
        disposition="in_progress",
        location="https://id.gs1.org/414/8710000000017",
        parties_from=("https://id.gs1.org/417/4260000000011",),
        parties_to=("https://id.gs1.org/417/8710000000017",),
        shipment_references=("DES-2026-0042",),
        order_references=("PO-7781",),
        goods=delivered.goods,
        event_hash=delivered.event_hash,
    )
    assert [scheme for goods in delivered.goods for scheme, _ in goods.identifiers] == ["sscc"]
    assert expected == delivered
    assert (left.kind, left.shipment_references) == (EventKind.DEPARTURE, ("DES-2026-0042",))
    assert left.event_id != delivered.event_id


def test_a_sample_proof_of_delivery_is_a_pdf_of_one_page(tmp_path: Path) -> None:
    assert PdfFacts(page_count=1) == read_facts("proof_of_delivery", "application/pdf", _write(tmp_path, _proof()))


def _proof() -> bytes:
    return samples.proof_of_delivery_pdf(
        "DES-2026-0042", "PO-7781", samples.SUPPLIER, samples.BUYER, datetime.date(2026, 10, 30), 12
    )


def test_samples_are_the_same_bytes_for_the_same_arguments() -> None:
    assert (_invoice(), _events(), _proof()) == (_invoice(), _events(), _proof())


@pytest.mark.parametrize("party", [samples.SUPPLIER, samples.BUYER])
def test_the_identifiers_of_sample_companies_hold_their_check_digits(party: samples.LegalEntity) -> None:
    assert lei.is_valid(party.lei)
    assert ean.is_valid(party.gln)
    assert vat.is_valid(party.vat_id)
    assert iban.is_valid(samples.SUPPLIER_IBAN)


def test_the_logistic_unit_of_sample_events_is_an_sscc_with_its_check_digit() -> None:
    unit = json.loads(_events())["epcisBody"]["eventList"][0]["epcList"][0].rpartition("/")[2]
    assert (len(unit), sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(unit)) % 10) == (18, 0)
