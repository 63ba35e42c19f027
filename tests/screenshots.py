"""`make screenshots`: the pages as people see them, in both languages, by day and night, on a desk and on a phone.

The main job is played on the embedded ledger, and a real Chromium looks at it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from api_trade import offered, registered
from browser import opened_browser
from consortium import ORGANISATIONS, SUPPLIER, Consortium, organisations
from page_world import Offices
from pages_served import enter, served
from people_world import human, under_four_eyes

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
            under_four_eyes(offices.financier, human(home, "anna"), human(home, "bert"))
            accepted = {
                "supplier": SUPPLIER,
                "agreement": "RPA 7",
                "screened_until": "2999-01-01",
                "group_id": "group-7",
            }
            asked = offices.financier.post("funder", "/v1/supplier-acceptances", accepted)
            look(offices, path.rpartition("/")[2], asked.body["id"])
        finally:
            world.close()
    sys.stdout.write(f"written to {PICTURES}\n")


def look(offices: Offices, invoice_id: str, awaiting: str) -> None:
    """The pictures, of an invoice and of a submission that awaits persons."""
    with opened_browser() as browser, served(offices) as addresses:
        for name, organisation, path, size, scheme, language in (
            ("supplier-invoice", "supplier", f"/invoices/{invoice_id}", DESK, "light", "en-GB"),
            ("buyer-approve", "buyer", "/", DESK, "light", "en-GB"),
            ("buyer-approve-phone", "buyer", "/", PHONE, "dark", "de-DE"),
            ("new-invoice-phone", "supplier", "/invoices/new", PHONE, "light", "de-DE"),
            ("to-sign", "financier", f"/submissions/{awaiting}", DESK, "light", "en-GB"),
            ("verify", "buyer", "/verify", DESK, "light", "en-GB"),
        ):
            context = browser.new_context(viewport=size, color_scheme=scheme, locale=language)  # type: ignore[arg-type]
            page = context.new_page()
            enter(page, offices, addresses[organisation], organisation)
            if name == "to-sign":
                page.goto(f"{addresses[organisation]}/signing-key")
                page.get_by_role("button", name="Make my key").click()
                page.get_by_text("until then it signs nothing").wait_for()
            page.goto(addresses[organisation] + path, wait_until="load")
            page.screenshot(path=PICTURES / f"{name}.png", full_page=size is PHONE)
            context.close()


if __name__ == "__main__":
    main()
