"""Evidence for others: bundles that are checked without this node, and the trust file that they are checked against.

What is answered is the file, byte for byte. Every call asks the other organisations' peers anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.naming import record_id
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.problem import Problem
from ledger_node.evidence.bundle import BlockChoice
from ledger_node.evidence.issuing import (
    NoWitnessError,
    channel_trust,
    document_certificate,
    invoice_certificate,
)
from ledger_node.ledger.interface import LedgerError
from ledger_node.node import Node

routes = APIBlueprint("evidence", __name__, tag="Evidence")

BUNDLE_TYPE, TRUST_TYPE = "application/jose+json", "application/json"
CHOICES: tuple[BlockChoice, ...] = ("own", "all", "none")


@routes.get("/v1/documents/<document_id>/certificate")
@routes.auth_required(bearer)
@routes.doc(responses={200: "The bundle, as application/jose+json."})
def certify_document(document_id: str) -> Response:
    """The evidence bundle of an own document, with what was attested of it.

    `blocks` says whose content goes in, as with an invoice's.
    """
    return _certificate(document_certificate, "document", document_id)


@routes.get("/v1/invoices/<invoice_id>/certificate")
@routes.auth_required(bearer)
@routes.doc(responses={200: "The bundle, as application/jose+json."})
def certify_invoice(invoice_id: str) -> Response:
    """The evidence bundle of an invoice: its records and money, its documents and shipments and what was said of them.

    `blocks=own` puts in the content of blocks that hold no other transactions, `all` of every block, with what others'
    transactions say, `none` of none; a transaction is shown to be in its block only by the block's content.
    """
    return _certificate(invoice_certificate, "invoice", invoice_id)


@routes.get("/v1/channel/trust")
@routes.auth_required(bearer)
@routes.doc(responses={200: "The trust file, as application/json."})
def show_trust() -> Response:
    """Whom to believe when bundles are checked, by the word of this organisation's own peer."""
    _require_parameters()
    return Response(_made(lambda: channel_trust(current_node())), mimetype=TRUST_TYPE)


def _certificate(make: Callable[[Node, str, BlockChoice], bytes], kind: str, typed: str) -> Response:
    blocks = _require_parameters("blocks").get("blocks", "own")
    if blocks not in CHOICES:
        raise Problem(400, "BAD_REQUEST", f"blocks has to be one of {', '.join(CHOICES)}", "Leave it out for own.")
    await_own_writes()
    node, found = current_node(), record_id(kind, typed)
    return Response(_made(lambda: make(node, found, blocks)), mimetype=BUNDLE_TYPE)


def _require_parameters(*known: str) -> dict[str, Any]:
    unknown = set(request.args) - set(known)
    if unknown:
        text = f"{min(unknown)} is not known here"
        raise Problem(400, "BAD_REQUEST", text, f"Known: {', '.join(known) or 'nothing'}.")
    return dict(request.args)


def _made(make: Callable[[], bytes]) -> bytes:
    try:
        return make()
    except NoWitnessError as error:
        raise Problem(409, "NO_EVIDENCE", error.text, error.remedy) from error
    except LedgerError as error:
        raise Problem(503, "EVIDENCE_UNAVAILABLE", error.text, error.remedy) from error
