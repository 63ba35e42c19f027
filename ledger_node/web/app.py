"""The user port: the API under its own addresses, and the pages under all others.

The pages are an application of their own, with cookies and a policy for browsers; the API knows no cookie, so that no
browser can be made to use it.
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from ledger_node.api import access
from ledger_node.api.app import FORM_BYTES_MAX, create_user_app
from ledger_node.api.context import EXTENSION
from ledger_node.api.wire import SPOOL, StrictRequest
from ledger_node.node import Node
from ledger_node.web import (
    acts,
    asking,
    goods,
    guard,
    invoices,
    live,
    office,
    passkeys,
    records,
    sign_in,
    signing,
    texts,
    uploads,
    verify,
    work,
)

API_PATHS = ("/v1/", "/openapi.json", "/health/", "/metrics")
PARTS = (sign_in, passkeys, work, invoices, uploads, goods, records, office, acts, signing, verify, live)


class UserPort:
    """Both applications as one.

    Args:
        node: opened; its workers run elsewhere.
    """

    def __init__(self, node: Node) -> None:
        self.api: WSGIApplication = create_user_app(node)
        self.pages = create_pages(node, self.api)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        chosen = self.api if environ["PATH_INFO"].startswith(API_PATHS) else self.pages
        return chosen(environ, start_response)


def create_pages(node: Node, api: WSGIApplication) -> Flask:
    """The pages alone.

    Args:
        node: opened.
        api: of the same node; what pages show and do is asked of it.
    """
    app = Flask(__name__)
    app.request_class = StrictRequest
    app.extensions[EXTENSION] = node
    app.extensions[asking.EXTENSION] = api
    app.config.update(
        MAX_CONTENT_LENGTH=uploads.FILES_MAX * node.settings.limits.document_size_bytes_max + FORM_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
        MAX_FORM_PARTS=2000,
    )
    app.config[SPOOL] = node.vault.spool
    texts.install(app)  # first: what the others refuse before a page is reached is said in the reader's language, too
    access.install(app, node, logged=node.settings.logs.access)
    guard.install(app, node)
    for part in PARTS:
        app.register_blueprint(part.routes)
    return app
