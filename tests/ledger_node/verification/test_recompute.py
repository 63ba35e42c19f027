"""What an invoice of another organisation says, as its verifiers read it: never what its names contradict."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from ledger_node.demo.samples import BUYER, SUPPLIER, SUPPLIER_IBAN, invoice_ubl
from ledger_node.formats.fingerprints import identity, reference
from ledger_node.people.names import Name
from ledger_node.verification.recompute import NOTHING_READ, Recomputed, recompute

ID = "d" * 32
KEY = b"\x01" * 32
PARTIES = [
    {"msp_id": "SupplierMSP", "roles": ["supplier"], "identity_fingerprint": identity(KEY, SUPPLIER.vat_id)},
    {"msp_id": "BuyerMSP", "roles": ["buyer"], "identity_fingerprint": identity(KEY, BUYER.vat_id)},
]
INVOICE = {
    "document_id": ID,
    "kind": "invoice",
    "media_type": "application/xml",
    "submitter": "SupplierMSP",
    "entitled": ["BuyerMSP"],
}


def invoice() -> bytes:
    issued = dt.date(2026, 11, 22)
    return invoice_ubl(
        "INV-1", SUPPLIER, BUYER, issued, issued + dt.timedelta(days=30), "EUR", 12345, "PO", "SHIP", SUPPLIER_IBAN
    )


def consortiums(_supplier: dict[str, Any], _buyer: dict[str, Any], _issued: str) -> bytes:
    return KEY


def recomputed(tmp_path: Path, content: bytes, parties: list[dict[str, Any]], **changes: Any) -> Recomputed:
    (tmp_path / "document").write_bytes(content)
    return recompute(KEY, parties, INVOICE | changes, tmp_path / "document", consortiums)


def test_an_invoice_says_its_facts_and_all_fingerprints(tmp_path: Path) -> None:
    said = recomputed(tmp_path, invoice(), PARTIES)
    assert said.facts is not None
    assert (said.facts["amount_minor"], said.facts["buyer"]) == (12345, PARTIES[1]["identity_fingerprint"])
    assert set(said.fingerprints) == {"number", "amount", "delivery"}


def test_who_has_no_key_of_the_pair_computes_all_fingerprints_but_the_amounts(tmp_path: Path) -> None:
    (tmp_path / "document").write_bytes(invoice())
    asked = []

    def none(supplier: dict[str, Any], buyer: dict[str, Any], issued: str) -> None:
        asked.append((supplier["msp_id"], buyer["msp_id"], issued))

    said = recompute(KEY, PARTIES, INVOICE, tmp_path / "document", none)
    assert set(said.fingerprints) == {"number", "delivery"}
    assert asked == [("SupplierMSP", "BuyerMSP", "2026-11-22")]


def test_an_invoice_to_nobody_we_know_has_facts_and_no_fingerprints(tmp_path: Path) -> None:
    said = recomputed(tmp_path, invoice(), PARTIES[:1])
    assert said.facts is not None
    assert said.fingerprints == {}


@pytest.mark.parametrize("content", [b"<nonsense/>", b"", b"%PDF-1.7 nonsense", invoice()[:500]])
def test_what_cannot_be_read_says_nothing(tmp_path: Path, content: bytes) -> None:
    assert recomputed(tmp_path, content, PARTIES) == NOTHING_READ


def test_an_invoice_of_a_year_that_no_record_takes_says_nothing_instead_of_being_refused_for_ever(
    tmp_path: Path,
) -> None:
    said = recomputed(tmp_path, invoice().replace(b"2026-11-22", b"1999-11-22"), PARTIES)
    assert (said.facts, said.fingerprints) == (None, {})


def test_other_documents_than_invoices_have_no_facts(tmp_path: Path) -> None:
    assert recomputed(tmp_path, b"%PDF-1.7", PARTIES, kind="proof_of_delivery") == NOTHING_READ


def test_an_identifier_that_a_registered_one_contradicts_names_nobody(tmp_path: Path) -> None:
    supplier = PARTIES[0]
    other = {"identities": {"VAT": [identity(KEY, "FR77123456789")]}}
    said = recomputed(tmp_path, invoice(), [supplier | other, PARTIES[1]])
    assert said.facts is not None
    assert said.facts["supplier"] != supplier["identity_fingerprint"]
    own = {"identities": {"VAT": [supplier["identity_fingerprint"]]}}
    control = recomputed(tmp_path, invoice(), [supplier | own, PARTIES[1]])
    assert control.facts is not None
    assert control.facts["supplier"] == supplier["identity_fingerprint"]


def test_words_that_name_two_parties_name_neither(tmp_path: Path) -> None:
    twin = {"msp_id": "TwinMSP", "roles": ["supplier"], "identity_fingerprint": PARTIES[0]["identity_fingerprint"]}
    said = recomputed(tmp_path, invoice(), [*PARTIES, twin])
    assert said.facts is not None
    assert said.facts["supplier"] != PARTIES[0]["identity_fingerprint"]


def test_an_invoice_says_its_number_its_order_and_its_shipments_which_are_no_part_of_what_is_attested(
    tmp_path: Path,
) -> None:
    (tmp_path / "document").write_bytes(invoice())
    said = recompute(KEY, PARTIES, INVOICE, tmp_path / "document", consortiums, "invoice.xml")
    named = {name.field: name.value for name in said.names}
    assert named == {"file": "invoice.xml", "number": "INV-1", "order": "PO", "shipments": "SHIP"}
    assert {name.key for name in said.names} == {ID}
    assert said.shipment_names == (Name(reference(KEY, "SupplierMSP", "BuyerMSP", "SHIP"), "reference", "SHIP"),)


def test_a_document_names_no_shipment_of_another_supplier(tmp_path: Path) -> None:
    rival = {"msp_id": "RivalMSP", "roles": ["supplier"], "identity_fingerprint": "f" * 64}
    said = recomputed(
        tmp_path, invoice(), [*PARTIES, rival], submitter="RivalMSP", entitled=["BuyerMSP", "SupplierMSP"]
    )
    own = reference(KEY, "RivalMSP", "BuyerMSP", "SHIP")
    assert [name.key for name in said.shipment_names] == [own]
