"""A real Chromium for tests and pictures: the system's own; none is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

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
