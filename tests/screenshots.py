"""`make screenshots`: the pages as people see them, in both languages, by day and night, on a desk and on a phone.

The main job is played on the embedded ledger, and a real Chromium looks at it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from api_trade import offered, registered
from browser import opened_browser
from consortium import ORGANISATIONS, Consortium, organisations
from page_world import Offices
from pages_served import enter, served

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESK, PHONE = {"width": 1200, "height": 850}, {"width": 360, "height": 740}


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
            ("supplier-invoice", "supplier", f"/invoices/{invoice_id}", DESK, "light", "en-GB"),
            ("buyer-approve", "buyer", "/", DESK, "light", "en-GB"),
            ("buyer-approve-phone", "buyer", "/", PHONE, "dark", "de-DE"),
            ("new-invoice-phone", "supplier", "/invoices/new", PHONE, "light", "de-DE"),
        ):
            context = browser.new_context(viewport=size, color_scheme=scheme, locale=language)  # type: ignore[arg-type]
            page = context.new_page()
            enter(page, offices, addresses[organisation], organisation)
            page.goto(addresses[organisation] + path, wait_until="load")
            page.screenshot(path=PICTURES / f"{name}.png", full_page=size is PHONE)
            context.close()


if __name__ == "__main__":
    main()
