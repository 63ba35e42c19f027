"""The pages of four organisations on ports of this machine, and a browser that signs in there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from page_world import ALL, Offices
from playwright.sync_api import Page

from ledger_node.door.application import ENDING
from ledger_node.web.app import UserPort

OVER = threading.Event()
"""Set when the servers end, so that streams do, as the door says it."""


class Server(ThreadingMixIn, WSGIServer):
    """One thread a request."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Quiet: browsers break off what they need no more."""


class Handler(WSGIRequestHandler):
    """Quiet, and with what the door puts beside a request."""

    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {ENDING: OVER}

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def serving(port: UserPort) -> Iterator[str]:
    """The address of one organisation's pages."""
    OVER.clear()
    server = make_server("127.0.0.1", 0, port, Server, Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        OVER.set()
        server.shutdown()
        server.server_close()


@contextmanager
def served(offices: Offices) -> Iterator[dict[str, str]]:
    """Their addresses, by organisation."""
    with ExitStack() as open_ones:
        yield {name: open_ones.enter_context(serving(port)) for name, port in offices.ports().items()}


def enter(page: Page, offices: Offices, address: str, organisation: str, *roles: str) -> None:
    """Sign in by a one-time link."""
    node = offices.world[organisation]
    secret = node.logins.invite(f"anna-{organisation}", f"Anna ({organisation})", roles or ALL, 1, "sign-in")
    page.goto(f"{address}/link/{secret}")
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url(f"{address}/")
