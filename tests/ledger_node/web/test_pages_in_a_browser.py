"""What only a real browser shows: what fits on a phone, what moves by itself, what is there again after a sign-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_trade import approved, registered
from api_world import DEPOSIT
from browser import AXE, MISSING, NO_AXE, barriers, chromium, opened_browser
from consortium import BUYER, CARRIER, ORGANISATIONS, SUPPLIER, Consortium, organisations
from page_world import PASSWORD, Offices, later_code, set_up
from page_world import Browser as Person
from pages_served import enter, served
from playwright.sync_api import Browser, Page, expect

from ledger_node.operations.readings import READINGS
from ledger_node.operations.reports import REPORTS

PATIENCE_MS = 120_000.0
SMALL, DESK = {"width": 320, "height": 640}, {"width": 1200, "height": 850}
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


def addresses_of_pages(invoice_id: str) -> list[str]:
    """Every kind of page, and each list and report."""
    paths = [
        "/",
        "/do",
        "/consortium",
        "/persons",
        "/sessions",
        "/passkeys",
        "/signing-key",
        "/signing-keys",
        "/verify",
    ]
    paths += ["/reports", "/invoices/new", f"/invoices/{invoice_id}", "/nothing"]
    paths += [f"/records/{each.kind}" for each in READINGS]
    paths += [f"/reports/{each.name}?party={SUPPLIER}&deposit={DEPOSIT}" for each in REPORTS]
    return paths + [f"/do/{name}?invoice_id={invoice_id}" for name in ("approve_invoice", "dispute_invoice")]


@pytest.mark.skipif(not AXE.exists(), reason=NO_AXE)
def test_no_page_has_a_barrier_and_everything_fits_on_the_smallest_phone(
    browser: Browser, offices: Offices, addresses: dict[str, str], invoice_id: str
) -> None:
    paths = addresses_of_pages(invoice_id)
    page = browser.new_context(viewport=SMALL, locale="de-DE").new_page()  # type: ignore[arg-type]
    page.context.add_init_script(path=AXE)
    page.goto(f"{addresses['buyer']}/sign-in")
    found = {"/sign-in": barriers(page)}
    enter(page, offices, addresses["buyer"], "buyer")
    for number, path in enumerate(paths):  # a page is told by its template: each is seen by day, by night and at a desk
        page.emulate_media(color_scheme="light")
        page.goto(addresses["buyer"] + path)
        found[path] = barriers(page)
        if page.evaluate("document.documentElement.scrollWidth") > SMALL["width"]:
            found[path].append("wider than the phone")
        for box in page.locator(".scroll").all():
            if box.evaluate("box => box.scrollWidth > box.clientWidth"):
                found[path].append("a table wider than the phone")
        page.emulate_media(color_scheme="dark")
        found[path] += barriers(page, "color-contrast")
        if number % 4 == 0:
            page.set_viewport_size(DESK)  # type: ignore[arg-type]
            found[path] += barriers(page)
            page.set_viewport_size(SMALL)  # type: ignore[arg-type]
    assert {path: what for path, what in found.items() if what} == {}
    page.evaluate("document.body.append(document.createElement('button'))")
    assert "button-name" in barriers(page)[0], "the control"
    page.goto(f"{addresses['buyer']}/do/approve_invoice?invoice_id={invoice_id}")
    for words in ("INV-7", "10.000,00\u00a0EUR", "Supplier"):
        expect(page.get_by_role("main")).to_contain_text(words)
    page.context.close()


def test_a_form_is_filled_again_for_whom_the_session_ended_while_typing_without_any_mouse(
    browser: Browser, offices: Offices, addresses: dict[str, str], invoice_id: str
) -> None:
    node = offices.buyer.node
    totp = set_up(node, Person(offices.ports()["buyer"]), "petra", "approver")
    page = browser.new_context(locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{addresses['buyer']}/link/{node.logins.invite('petra', '', [], 1, 'sign-in')}")
    page.get_by_role("main").get_by_role("button").click()
    page.goto(f"{addresses['buyer']}/do/dispute_invoice?invoice_id={invoice_id}")
    tab_to(page, "Reason")
    page.keyboard.type("two pallets were broken & wet")
    (login,) = [each for each in node.logins.list() if each.name == "petra"]
    node.sessions.end(login.id)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("petra")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("six digits")).to_be_focused()
    page.keyboard.type(later_code(totp))
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Show it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_have_value("two pallets were broken & wet")
    tab_to(page, "Dispute invoice")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Done")
    expect(page.locator("h1 .badge")).to_have_text("disputed")
    page.context.close()


def tab_to(page: Page, name: str) -> None:
    """Go on by the keyboard until what has that name has the focus, which is seen."""
    told = """() => { const it = document.activeElement;
      return [it.labels?.[0]?.textContent ?? it.textContent, getComputedStyle(it).outlineStyle]; }"""
    for _ in range(80):
        page.keyboard.press("Tab")
        said, outline = page.evaluate(told)
        if said.strip() == name:
            assert outline != "none"
            return
    raise AssertionError(f"no key leads to {name}")


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
