"""The main job on pages alone: handed in, carried, approved, paid early, seen by all; on real nodes without Fabric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_world import invoice_file, proof_file
from browser import MISSING, chromium, opened_browser
from consortium import BUYER, CARRIER, ORGANISATIONS, Consortium, eventually, organisations
from page_world import Offices
from pages_served import enter, served
from playwright.sync_api import Page, expect


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


PATIENCE_MS = 120_000.0
PHONE = {"width": 360, "height": 740}


@pytest.mark.skipif(not chromium(), reason=MISSING)
def test_in_a_real_browser_the_money_shows_without_anybody_loading_a_page_anew(offices: Offices) -> None:
    faults: list[str] = []
    with opened_browser() as browser, served(offices) as addresses:

        def opened(organisation: str, *roles: str) -> Page:
            page = browser.new_context(viewport=PHONE, locale="en-GB").new_page()  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            enter(page, offices, addresses[organisation], organisation, *roles)
            return page

        supplier, buyer, carrier = opened("supplier"), opened("buyer"), opened("carrier", "uploader")
        supplier.get_by_role("link", name="New invoice").click()
        supplier.set_input_files("#files", [_file("a.xml", invoice_file("INV-B", amount_minor=2_000_000)), _proof()])
        supplier.select_option("#carrier", label="Carrier")
        supplier.get_by_role("button", name="Read them").click()
        supplier.get_by_role("button", name="Hand it in").click()
        expect(supplier.get_by_role("heading", name="Invoice INV-B")).to_be_visible(timeout=PATIENCE_MS)

        buyer.get_by_role("button", name="Accept its word").click()
        carrier.get_by_role("button", name="Delivered").click()
        expect(carrier.get_by_role("status")).to_contain_text("Done", timeout=PATIENCE_MS)
        buyer.get_by_role("listitem").filter(has_text="INV-B").get_by_role("link", name="Approve").click()
        buyer.get_by_role("button", name="Approve invoice").dblclick()
        expect(buyer.get_by_role("status")).to_contain_text("Done", timeout=PATIENCE_MS)
        for page in (supplier, buyer):
            expect(page.locator("h1 .badge")).to_have_text("paid early", timeout=PATIENCE_MS)
        assert supplier.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert faults == []


def _file(name: str, content: bytes) -> Any:
    return {"name": name, "mimeType": "application/xml", "buffer": content}


def _proof() -> Any:
    return {"name": "proof.pdf", "mimeType": "application/pdf", "buffer": proof_file("INV-B")}
