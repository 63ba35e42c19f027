"""Files: the content decides what a file is, a declaration must agree, and a PDF must really be one."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pytest
from pypdf import PdfWriter

from ledger_node.demo import samples
from ledger_node.formats import DOCUMENT_BYTES_MAX, FormatError, InvoiceFacts, PdfFacts, read_facts
from ledger_node.formats.pdf import invoice_inside, read_pdf
from ledger_node.formats.sniff import JSON, PDF, XML, check_media_type, sniff

INVOICE = samples.invoice_ubl(
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
PROOF = samples.proof_of_delivery_pdf(
    "DES-1", "PO-1", samples.SUPPLIER, samples.BUYER, datetime.date(2026, 10, 30), packages=3
)


def _pdf(
    *attachments: tuple[str, bytes], pages: int = 1, password: str = "", owner: str = "", algorithm: str = "RC4-128"
) -> bytes:
    """A PDF of blank pages; `password` is what it asks for when it is opened, `owner` only what lifts restrictions."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(100, 100)
    for name, content in attachments:
        writer.add_attachment(name, content)
    if password or owner:
        writer.encrypt(password, owner or None, algorithm=algorithm)
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def _code(kind: str, media_type: str, path: Path) -> str:
    with pytest.raises(FormatError) as refusal:
        read_facts(kind, media_type, path)
    assert refusal.value.text
    assert refusal.value.exit_code == 2
    return str(refusal.value.code)


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"%PDF-1.7\n", PDF),
        (b"<?xml version='1.0'?>", XML),
        (b"\xef\xbb\xbf \r\n<a/>", XML),
        ("\ufeff<a/>".encode("utf-16-le"), XML),
        ("\ufeff<a/>".encode("utf-16-be"), XML),
        (b' {"a":1}', JSON),
        (b"[1]", JSON),
        ("<?xml version='1.0'?>".encode("utf-16-le"), XML),
        ("<?xml version='1.0'?>".encode("utf-16-be"), XML),
        (b"@PJL ENTER LANGUAGE=PDF\r\n%PDF-1.7\n", PDF),
        (b" " * 1024 + b"%PDF-1.7\n", ""),
        (b"\x89PNG\r\n", ""),
        (b"", ""),
        (b"plain text", ""),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head: bytes, media_type: str) -> None:
    assert media_type == sniff(head)


def test_a_declaration_may_be_written_in_capitals_and_with_parameters() -> None:
    assert check_media_type("Text/XML; charset=utf-8", b"<a/>") == XML


GENERIC = [
    "application/octet-stream",
    "binary/octet-stream",
    "",
    "text/plain; charset=x",
    "application/x-www-form-urlencoded",
    "Application/Force-Download",
    "*/*",
]


@pytest.mark.parametrize("declared", GENERIC)
def test_a_declaration_that_says_nothing_leaves_it_to_the_content(declared: str) -> None:
    assert [check_media_type(declared, head) for head in (b"<a/>", b"%PDF-1.7", b"{}")] == [XML, PDF, JSON]
    with pytest.raises(FormatError) as refusal:
        check_media_type(declared, b"\x89PNG\r\n")
    assert refusal.value.code == "MEDIA_TYPE"


def test_a_type_is_known_by_its_suffix_too() -> None:
    assert check_media_type("application/vnd.factur-x+xml", b"<a/>") == XML
    assert check_media_type("application/vnd.gs1.epcis+json", b"{}") == JSON


@pytest.mark.parametrize(
    ("declared", "head"),
    [("application/pdf", b"<a/>"), ("text/xml", b"%PDF-1.7"), ("text/html", b"<html>"), ("a+xml", b"{}")],
)
def test_a_declaration_that_content_does_not_bear_out_is_refused(declared: str, head: bytes) -> None:
    with pytest.raises(FormatError) as refusal:
        check_media_type(declared, head)
    assert refusal.value.code == "MEDIA_TYPE"


@pytest.mark.parametrize(
    ("kind", "media_type", "content", "code"),
    [
        ("invoice", "text/xml", b"", "EMPTY"),
        ("invoice", "application/pdf", INVOICE, "MEDIA_TYPE"),
        ("invoice", "application/json", b"{}", "NOT_SUPPORTED"),
        ("proof_of_delivery", "text/xml", INVOICE, "NOT_SUPPORTED"),
        ("transport_events", "text/xml", b"<epcis/>", "NOT_EVENTS"),
        ("bill_of_lading", "application/pdf", PROOF, "NOT_SUPPORTED"),
        ("invoice", "application/pdf", PROOF, "NO_INVOICE_INSIDE"),
        ("proof_of_delivery", "application/pdf", b"%PDF-1.7\nno more", "NOT_A_PDF"),
        ("proof_of_delivery", "application/pdf", _pdf(pages=0), "NOT_A_PDF"),
        ("proof_of_delivery", "application/pdf", _pdf(password="secret"), "ENCRYPTED"),
    ],
)
def test_a_file_that_does_not_fit_its_kind_is_refused_by_name(
    tmp_path: Path, kind: str, media_type: str, content: bytes, code: str
) -> None:
    path = tmp_path / "document"
    path.write_bytes(content)
    assert code == _code(kind, media_type, path)


def test_a_file_over_the_limit_is_refused_without_being_parsed(tmp_path: Path) -> None:
    path = tmp_path / "document"
    with path.open("wb") as file:
        file.write(b"<")
        file.truncate(DOCUMENT_BYTES_MAX[XML] + 1)
    assert _code("invoice", "text/xml", path) == "TOO_LARGE"


def test_an_invoice_and_a_proof_are_read_from_disk(tmp_path: Path) -> None:
    invoice, proof = tmp_path / "invoice", tmp_path / "proof"
    invoice.write_bytes(INVOICE)
    proof.write_bytes(PROOF)
    facts = read_facts("invoice", "text/xml", invoice)
    assert isinstance(facts, InvoiceFacts)
    assert facts.amount_minor == 100_050
    assert PdfFacts(page_count=1) == read_facts("proof_of_delivery", "application/pdf", proof)


def test_a_missing_file_is_the_disks_error_and_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_facts("invoice", "text/xml", tmp_path / "missing")


def test_a_hybrid_pdf_is_read_by_the_invoice_inside() -> None:
    assert invoice_inside(_pdf(("terms.txt", b"terms"), ("Factur-X.xml", INVOICE))) == INVOICE


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256-R5", "AES-256"])
def test_a_pdf_that_opens_without_a_password_is_read_whatever_its_owner_restricts(algorithm: str) -> None:
    restricted = _pdf(("factur-x.xml", INVOICE), owner="secret", algorithm=algorithm)
    assert PdfFacts(page_count=1) == read_pdf(restricted)
    assert invoice_inside(restricted) == INVOICE
    with pytest.raises(FormatError) as refusal:
        read_pdf(_pdf(password="asked", owner="secret", algorithm=algorithm))
    assert refusal.value.code == "ENCRYPTED"


def test_one_invoice_embedded_twice_is_one() -> None:
    assert invoice_inside(_pdf(("factur-x.xml", INVOICE), ("xrechnung.xml", INVOICE))) == INVOICE


def test_a_pdf_with_two_invoices_inside_is_refused() -> None:
    with pytest.raises(FormatError) as refusal:
        invoice_inside(_pdf(("factur-x.xml", INVOICE), ("xrechnung.xml", INVOICE.replace(b"INV-1", b"INV-2"))))
    assert refusal.value.code == "AMBIGUOUS"


def test_a_pdf_whose_list_of_embedded_files_is_damaged_is_refused() -> None:
    content = _pdf(("factur-x.xml", INVOICE))
    assert b"/EF " in content
    with pytest.raises(FormatError) as refusal:
        invoice_inside(content.replace(b"/EF ", b"/EG "))
    assert refusal.value.code == "NOT_A_PDF"


def test_the_pages_of_a_pdf_are_counted() -> None:
    assert PdfFacts(page_count=3) == read_pdf(_pdf(pages=3))
