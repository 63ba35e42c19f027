"""What only a real browser shows: what fits on a phone, what moves by itself, what is there again after a sign-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_trade import approved, registered
from api_world import DEPOSIT
from browser import MISSING, chromium, opened_browser
from consortium import BUYER, CARRIER, ORGANISATIONS, SUPPLIER, Consortium, organisations
from page_world import PASSWORD, Offices, later_code, set_up
from page_world import Browser as Person
from pages_served import enter, served
from playwright.sync_api import Browser, expect

from ledger_node.operations.readings import READINGS
from ledger_node.operations.reports import REPORTS

PATIENCE_MS = 120_000.0
SMALL = {"width": 320, "height": 640}
expect.set_options(timeout=PATIENCE_MS)
pytestmark = pytest.mark.skipif(not chromium(), reason=MISSING)


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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def addresses(offices: Offices) -> Iterator[dict[str, str]]:
    with served(offices) as found:
        yield found


@pytest.fixture(scope="module")
def invoice_id(offices: Offices) -> str:
    approved(offices, "INV-WITH-A-LONG-NUMBER-2026-000000000017")
    return registered(offices, "INV-7")


def test_everything_fits_on_the_smallest_phone(
    browser: Browser, offices: Offices, addresses: dict[str, str], invoice_id: str
) -> None:
    paths = ["/", "/do", "/consortium", "/persons", "/sessions", "/reports", "/invoices/new", f"/invoices/{invoice_id}"]
    paths += [f"/records/{each.kind}" for each in READINGS]
    paths += [f"/reports/{each.name}?party={SUPPLIER}&deposit={DEPOSIT}" for each in REPORTS]
    paths += [f"/do/{name}?invoice_id={invoice_id}" for name in ("approve_invoice", "dispute_invoice")]
    page = browser.new_context(viewport=SMALL, locale="de-DE").new_page()  # type: ignore[arg-type]
    enter(page, offices, addresses["buyer"], "buyer")
    wide = []
    for path in paths:
        page.goto(addresses["buyer"] + path)
        if page.evaluate("document.documentElement.scrollWidth") > SMALL["width"]:
            wide.append(path)
        for box in page.locator(".scroll").all():
            if box.evaluate("box => box.scrollWidth > box.clientWidth"):
                wide.append(f"{path}: its table")
    assert wide == []
    page.goto(f"{addresses['buyer']}/do/approve_invoice?invoice_id={invoice_id}")
    for words in ("INV-7", "10.000,00\u00a0EUR", "Supplier"):
        expect(page.get_by_role("main")).to_contain_text(words)
    page.context.close()


def test_a_form_is_filled_again_for_whom_the_session_ended_while_typing(
    browser: Browser, offices: Offices, addresses: dict[str, str], invoice_id: str
) -> None:
    node = offices.buyer.node
    totp = set_up(node, Person(offices.ports()["buyer"]), "petra", "approver")
    page = browser.new_context(locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{addresses['buyer']}/link/{node.logins.invite('petra', '', [], 1, 'sign-in')}")
    page.get_by_role("main").get_by_role("button").click()
    page.goto(f"{addresses['buyer']}/do/dispute_invoice?invoice_id={invoice_id}")
    page.get_by_label("Reason").fill("two pallets were broken & wet")
    (login,) = [each for each in node.logins.list() if each.name == "petra"]
    node.sessions.end(login.id)
    page.get_by_role("button", name="Dispute invoice").click()
    page.get_by_label("Name").fill("petra")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("six digits").fill(later_code(totp))
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_label("Reason")).to_have_value("two pallets were broken & wet")
    page.get_by_role("button", name="Dispute invoice").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    expect(page.locator("h1 .badge")).to_have_text("disputed")
    page.context.close()


def test_more_pages_than_a_browser_has_connections_to_one_address_change_by_themselves(
    browser: Browser, offices: Offices, addresses: dict[str, str]
) -> None:
    context = browser.new_context(locale="en-GB")
    first = context.new_page()
    enter(first, offices, addresses["carrier"], "carrier", "uploader")
    pages = [first, *(context.new_page() for _ in range(7))]
    for page in pages[1:]:
        page.set_default_timeout(PATIENCE_MS)
        page.goto(addresses["carrier"], wait_until="load")
    for number, gone in (("SHIP one", 0), ("SHIP two", 1)):
        for page in pages[:gone]:
            page.close()  # the one that had the stream: another one takes it over
        body = {"buyer": BUYER, "carrier": CARRIER, "reference": number}
        made = offices.supplier.post("uploader", "/v1/shipments", body).body["record_id"]
        for page in pages[gone:]:
            expect(page.get_by_role("main")).to_contain_text(made[:8], timeout=PATIENCE_MS)
    context.close()
