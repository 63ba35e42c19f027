"""`make screenshots`: the pages as people see them, in both languages, by day and night, on a desk and on a phone.

The main job is played on the embedded ledger, and a real Chromium looks at it.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from api_trade import offered, registered
from browser import opened_browser
from consortium import ORGANISATIONS, Consortium, organisations
from page_world import ALL, Offices
from playwright.sync_api import Page

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESK, PHONE = {"width": 1200, "height": 850}, {"width": 360, "height": 740}


class Server(ThreadingMixIn, WSGIServer):
    """One thread a request."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: browsers break off what they need no more."""


class Quiet(WSGIRequestHandler):
    """No line a request."""

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def served(offices: Offices) -> Iterator[dict[str, str]]:
    """The pages of all four organisations on ports of this machine: their addresses by organisation."""
    servers = {}
    for name, port in offices.ports().items():
        servers[name] = make_server("127.0.0.1", 0, port, Server, Quiet)
        threading.Thread(target=servers[name].serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield {name: f"http://localhost:{server.server_address[1]}" for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def enter(page: Page, offices: Offices, address: str, organisation: str, *roles: str) -> None:
    """Sign in by a one-time link."""
    node = offices.world[organisation]
    secret = node.logins.invite(f"anna-{organisation}", f"Anna ({organisation})", roles or ALL, 1, "sign-in")
    page.goto(f"{address}/link/{secret}")
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url(f"{address}/")


def main() -> None:
    """Play, look, write."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        home = Path(folder)
        organisations(home)
        world = Consortium(home, home)
        try:
            for name in ORGANISATIONS:
                world.serve(name)
            world.start()
            offices = Offices(world)
            offices.found()
            facility_id = offices.open_facility()
            path = offered(offices, "INV-2041", facility_id)
            for number in ("INV-2042", "INV-2043"):
                registered(offices, number)
            look(offices, path.rpartition("/")[2])
        finally:
            world.close()
    sys.stdout.write(f"written to {PICTURES}\n")


def look(offices: Offices, invoice_id: str) -> None:
    """The pictures."""
    with opened_browser() as browser, served(offices) as addresses:
        for name, organisation, path, size, scheme, language in (
            ("supplier-start", "supplier", "/", DESK, "light", "en-GB"),
            ("supplier-invoice", "supplier", f"/invoices/{invoice_id}", DESK, "light", "en-GB"),
            ("buyer-approve", "buyer", "/", DESK, "light", "de-DE"),
            ("buyer-approve-phone", "buyer", "/", PHONE, "dark", "de-DE"),
            ("new-invoice-phone", "supplier", "/invoices/new", PHONE, "light", "de-DE"),
            ("invoice-phone", "supplier", f"/invoices/{invoice_id}", PHONE, "dark", "en-GB"),
            ("facility-form", "financier", "/do/open_facility", DESK, "light", "de-DE"),
            ("invoices", "financier", "/records/invoice", DESK, "light", "de-DE"),
            ("money", "supplier", "/reports/statement?party=SupplierMSP", DESK, "dark", "en-GB"),
            ("consortium", "carrier", "/consortium", DESK, "light", "en-GB"),
            ("persons", "supplier", "/persons", DESK, "light", "en-GB"),
            ("carrier-phone", "carrier", "/", PHONE, "light", "en-GB"),
        ):
            context = browser.new_context(viewport=size, color_scheme=scheme, locale=language)  # type: ignore[arg-type]
            page = context.new_page()
            enter(page, offices, addresses[organisation], organisation)
            page.goto(addresses[organisation] + path, wait_until="load")
            page.screenshot(path=PICTURES / f"{name}.png", full_page=size is PHONE)
            context.close()


if __name__ == "__main__":
    main()
