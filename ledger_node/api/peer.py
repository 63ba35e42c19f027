"""The other nodes' door: documents for the parties that the ledger entitles to them, behind mutual TLS.

Who calls follows from the root certificate that issued the client's certificate, never from what the certificate says
of itself. Who may have a document follows from the ledger's record of it, never from what the caller says.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from collections.abc import Mapping
from urllib.parse import quote

from apiflask import APIBlueprint
from cryptography import x509
from flask import Flask, Response, current_app, g, jsonify, request, send_file

from ledger_node.api.access import write_down
from ledger_node.api.context import POLL_SECONDS, current_node
from ledger_node.api.problem import Problem
from ledger_node.api.reasons import parties_of, said_here, told
from ledger_node.config import Settings
from ledger_node.door.application import CLIENT_CERTIFICATE
from ledger_node.errors import ConfigError
from ledger_node.node import Node, utc_now
from ledger_node.readmodel import Record
from ledger_node.verification.exchange import NAME_HEADER, SALT_HEADER, load_roots, msp_of_certificate
from network.certificates import unfit

routes = APIBlueprint("peer", __name__)

PROJECTION_SECONDS_MAX = 2.0
_ROOTS = "ledger_node_peer_roots"


def install(app: Flask, settings: Settings) -> None:
    """Make `app` know every organisation's TLS root and refuse whoever has none of them.

    Raises: ConfigError.
    """
    app.extensions[_ROOTS] = _roots(settings)
    app.before_request(_identify)


def tls_context(settings: Settings) -> ssl.SSLContext:
    """TLS of the peer port: our pair, and a client certificate from one of the organisations' roots is required.

    Raises: ConfigError.
    """
    certificate, key = settings.at(settings.tls.certificate), settings.at(settings.tls.private_key)
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(certificate, key)
        for path in settings.tls.roots.values():
            context.load_verify_locations(settings.at(path))
    except (OSError, ssl.SSLError) as error:
        text = f"TLS of the peer port cannot be set up from {certificate} and {key}: {error}"
        raise ConfigError(text, "Look at [tls] in node.toml.") from error
    if fault := unfit(certificate.read_bytes(), tls=True):
        raise ConfigError(f"{certificate} cannot be used between nodes: {fault}", "Put another one into node.toml.")
    return context


@routes.get("/peer/v1/documents/<document_id>")
def document(document_id: str) -> Response:
    """The file of an own document; its salt and its name (percent-encoded UTF-8) are in headers of the answer."""
    node, caller = current_node(), str(g.caller)
    own = node.documents.get(document_id)
    record = None if own is None else _record(node, document_id)
    if own is None or record is None:
        raise Problem(404, "DOCUMENT_UNKNOWN", f"there is no document {document_id} here", "Ask its submitter.")
    if caller not in (*record["entitled"], record["submitter"]):
        raise Problem(403, "NOT_ENTITLED", f"{caller} is not entitled to the document {document_id}")
    write_down(node, act="handed out", to=caller, document=document_id)
    stream = node.vault.open(own.digest)
    answer = send_file(stream, own.media_type, as_attachment=True, download_name=document_id)
    answer.content_length = os.fstat(stream.fileno()).st_size
    answer.headers[SALT_HEADER] = own.salt.hex()
    answer.headers[NAME_HEADER] = quote(own.filename, safe="")
    return answer


@routes.get("/peer/v1/invoices/<invoice_id>/reasons")
def reasons(invoice_id: str) -> Response:
    """What people here typed about an invoice, for its parties."""
    node, caller = current_node(), str(g.caller)
    invoice = node.readmodel.invoice(invoice_id)
    if invoice is None:
        raise Problem(404, "INVOICE_UNKNOWN", f"there is no invoice {invoice_id} here", "Ask again in a moment.")
    if caller not in parties_of(invoice):
        raise Problem(403, "NOT_ENTITLED", f"{caller} is no party of the invoice {invoice_id}")
    return jsonify(told(said_here(node, invoice_id)))


def _record(node: Node, document_id: str) -> Record | None:
    """The ledger's record of an own document; another node may have seen its block a moment before this one."""
    deadline, idle = time.monotonic() + PROJECTION_SECONDS_MAX, threading.Event()
    while (record := node.readmodel.document(document_id)) is None and time.monotonic() < deadline:
        idle.wait(POLL_SECONDS)
    return record


def _identify() -> None:
    roots: Mapping[str, x509.Certificate] = current_app.extensions[_ROOTS]
    der: bytes | None = request.environ.get(CLIENT_CERTIFICATE)
    caller = None if der is None else msp_of_certificate(der, roots, utc_now())
    if caller is None:
        text = "the client certificate is of no organisation of this consortium"
        raise Problem(403, "CERTIFICATE_UNKNOWN", text, "Use the node's TLS pair of your own organisation.")
    g.caller = caller


def _roots(settings: Settings) -> dict[str, x509.Certificate]:
    return load_roots({msp_id: settings.at(path) for msp_id, path in settings.tls.roots.items()})
