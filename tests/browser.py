"""A real Chromium for tests and pictures: the system's own; none is downloaded."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

AXE = Path(sys.prefix) / "axe.min.js"
NO_AXE = "axe-core is not there: make .venv/axe.min.js fetches it (npm is needed)"
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium is on PATH: install one (Debian: apt-get install chromium), then run this again"


def chromium() -> str:
    """The path of the system's Chromium; empty where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), "")


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """A headless Chromium. Raises: FileNotFoundError that says what to install."""
    path = chromium()
    if not path:
        raise FileNotFoundError(MISSING)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own refuses to be root's
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield browser
        finally:
            browser.close()


def barriers(page: Page, *rules: str) -> list[str]:
    """What axe-core finds on a page: rule, how many, and the first place.

    Args:
        page: as it is shown now, with AXE as a script of its context.
        rules: only these; all of WCAG 2.2 AA and best practice where none is named.
    """
    options = {"resultTypes": ["violations"]} | ({"runOnly": {"type": "rule", "values": list(rules)}} if rules else {})
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [f"{each['id']} ({len(each['nodes'])}): {each['nodes'][0]['html'][:200]}" for each in found]
