"""The two applications, as a table of contents: what is served on the user port, and what on the peer port."""

from __future__ import annotations

from importlib.metadata import version

from apiflask import APIFlask
from flask import Flask, Response
from werkzeug.datastructures import Headers

from ledger_node.api import (
    access,
    commands,
    documents,
    events,
    evidence,
    findings,
    goods,
    health,
    invoices,
    lists,
    own_writes,
    papers,
    parties,
    payments,
    peer,
    persons,
    problem,
    quotes,
    reasons,
    reports,
    rules,
    shipments,
    spec,
    submissions,
    submitting,
    tokens,
    webhooks,
)
from ledger_node.api.context import EXTENSION, await_block, require_each_once
from ledger_node.api.wire import SPOOL, StrictRequest
from ledger_node.node import Node

FORM_BYTES_MAX = 64 * 1024
RESOURCES = (
    commands,
    parties,
    persons,
    documents,
    evidence,
    shipments,
    invoices,
    payments,
    lists,
    quotes,
    reasons,
    reports,
    findings,
    goods,
    papers,
    rules,
    submissions,
    submitting,
    tokens,
    events,
    webhooks,
    health,
)


def create_user_app(node: Node) -> Flask:
    """The REST API of the user port.

    Args:
        node: opened; its workers run elsewhere.
    """
    app = APIFlask(__name__, "Ledger Node", version("ledger-node"), spec_path="/openapi.json", docs_path=None)
    app.request_class = StrictRequest
    app.extensions[EXTENSION] = node
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.config.update(
        MAX_CONTENT_LENGTH=node.settings.limits.document_size_bytes_max + FORM_BYTES_MAX,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES_MAX,
        MAX_FORM_PARTS=50,
        VALIDATION_ERROR_STATUS_CODE=400,
    )
    app.config[SPOOL] = node.vault.spool
    problem.install(app)
    spec.install(app, node.settings.api_url)
    access.install(app, node, logged=node.settings.logs.access)
    own_writes.install(app)
    health.count_requests(app, node)
    app.before_request(require_each_once)
    app.before_request(await_block)
    app.after_request(_guarded)
    for resource in RESOURCES:
        app.register_blueprint(resource.routes)
    return app


def create_peer_app(node: Node) -> Flask:
    """The application of the peer port, behind mutual TLS.

    Args:
        node: opened; its workers run elsewhere.
    """
    app = APIFlask(__name__, "Ledger Node, peer port", version("ledger-node"), enable_openapi=False)
    app.extensions[EXTENSION] = node
    app.config["MAX_CONTENT_LENGTH"] = 0
    problem.install(app)
    peer.install(app, node.settings)
    app.after_request(_guarded)
    app.register_blueprint(peer.routes)
    return app


def _guarded(response: Response) -> Response:
    """What every answer says to browsers and caches."""
    headers: Headers = response.headers
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return response
