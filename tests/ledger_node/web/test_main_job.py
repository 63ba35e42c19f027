"""The main job on pages alone: handed in, carried, approved, paid early, seen by all; on real nodes without Fabric."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_world import invoice_file, proof_file
from consortium import BUYER, CARRIER, ORGANISATIONS, Consortium, eventually, organisations
from page_world import Offices


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offices]:
    home = tmp_path_factory.mktemp("offices")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = Offices(world)
    people.found()
    people.open_facility()
    yield people
    world.close()


def test_an_invoice_is_handed_in_carried_approved_and_paid_early_on_pages_alone(offices: Offices) -> None:
    supplier, buyer = offices.browser(offices.supplier), offices.browser(offices.buyer)
    carrier, financier = offices.browser(offices.carrier, "uploader"), offices.browser(offices.financier)
    supplier.open("/invoices/new")
    files = [(invoice_file("INV-P"), "invoice.xml"), (proof_file("INV-P"), "proof.pdf")]
    said = supplier.submit(supplier.form("buyer", "files"), files, buyer=BUYER, carrier=CARRIER)
    assert "What the files say" in said and "10,000.00 EUR" in said and "proof of delivery" in said, said
    form = supplier.form("reference")
    assert form.fields["reference"] == ["SHIP INV-P"] and len(form.fields["facility_ids"]) == 1
    said = supplier.submit(form)
    assert "Invoice INV-P registered" in said, said
    invoice = supplier.path

    eventually(lambda: "Delivered" in carrier.open("/"), "the carrier sees its shipment")
    eventually(lambda: "Accept its word" in buyer.open("/"), "the buyer is asked about the carrier")
    buyer.submit(buyer.form("shipment_id", action="/do/accept_carrier"))
    delivered = [each for each in carrier.forms() if each.fields.get("type") == ["delivered"]]
    said = carrier.submit(delivered[0])
    assert "Done, and on the ledger" in said, said

    eventually(lambda: "INV-P" in buyer.open("/"), "the buyer reads the invoice's number")
    said = buyer.open("/")
    assert "To approve" in said
    said = buyer.submit(buyer.form(action="/approvals"), invoice_id=[invoice.rpartition("/")[2]])
    assert "Approved." in said, said
    for browser in (supplier, buyer, financier):
        eventually(lambda browser=browser: "paid early" in browser.open(invoice), "the money shows")  # type: ignore[misc]
    assert "Paid early: 9,9" in supplier.open(invoice)
