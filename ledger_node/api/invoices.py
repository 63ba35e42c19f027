"""Invoices: registered from a stored document, never from what the caller says it contains; read with everything known.

Facts and fingerprints are read from the vault's own bytes, as the verifiers of the other parties will read them.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.records import canonical
from ledger_node import fingerprints
from ledger_node.api.answers import PageQuery, existing, paged, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.invoice_records import InvoiceOut, InvoicesOut
from ledger_node.api.problem import Problem
from ledger_node.api.shape import Plain, shaped, written
from ledger_node.api.wire import In, Msp, RecordId
from ledger_node.api.writes import Answer, fresh_id, submit, writes
from ledger_node.documents import OwnDocument
from ledger_node.formats import Facts, InvoiceFacts, read_facts
from ledger_node.hashing import digest_batch
from ledger_node.ledger import LedgerError
from ledger_node.ledger_facts import ledger_facts, require_payable

routes = APIBlueprint("invoices", __name__, tag="Invoices")

MOMENT_FIELDS = ("what", "key", "msp_id", "transaction_id", "block_number", "timestamp")


class InvoiceIn(In):
    """A claim on a buyer: its document, the shipping proofs and the shipments it rests on."""

    document_id: RecordId
    proof_ids: list[RecordId] = Field(default_factory=list, max_length=20)
    shipment_ids: list[RecordId] = Field(default_factory=list, max_length=10)
    buyer: Msp


class InvoicesQuery(PageQuery):
    """Which invoices, and in which order: a field's name, with a minus before it for the greatest first."""

    status: Literal[
        "",
        "registered",
        "approved",
        "early-paid",
        "settled",
        "disputed",
        "cancelled",
        "overdue",
        "written-off",
        "recovered",
    ] = ""
    supplier: str = ""
    buyer: str = ""
    holder: str = ""
    sort: str = "-day"


@routes.post("/v1/invoices")
@writes(
    routes,
    "uploader",
    InvoiceIn,
    {
        "document_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
        "proof_ids": ["0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
        "shipment_ids": ["f9e8d7c6b5a493827160f5e4d3c2b1a0"],
        "buyer": "BuyerMSP",
    },
)
def register(body: InvoiceIn) -> Answer:
    """Register an invoice whose document was uploaded here, as its supplier."""
    node, invoice_id = current_node(), fresh_id("invoice")
    facts = _facts(_own_invoice(body.document_id))
    supplier, buyer = (
        existing(node.readmodel.party(node.msp_id), "party", node.msp_id),
        node.readmodel.party(body.buyer),
    )
    if buyer:  # the contract itself says of any other that it is unknown
        require_payable(node.fingerprint_key, facts, supplier, buyer)
    command = {
        "invoice_id": invoice_id,
        "buyer": body.buyer,
        "document_ids": [body.document_id],
        "proof_ids": body.proof_ids,
        "shipment_ids": body.shipment_ids,
        "facts": ledger_facts(node.fingerprint_key, facts, supplier, buyer),
        "fingerprints": fingerprints.fingerprints(node.fingerprint_key, facts, node.msp_id, body.buyer),
        "epoch": node.settings.fingerprint_epoch,
    }
    return submit("RegisterInvoice", command, resource=f"/v1/invoices/{invoice_id}", record_id=invoice_id, created=True)


@routes.get("/v1/invoices")
@routes.auth_required(bearer)
@routes.input(InvoicesQuery, location="query", arg_name="query")
@routes.output(InvoicesOut)
def show_all(query: InvoicesQuery) -> dict[str, Any]:
    """Invoices that fit all that is given."""
    answer = seen()
    return {**answer, **paged(current_node().readmodel.invoices(**query.model_dump()), invoice_record)}


@routes.get("/v1/invoices/<invoice_id>")
@routes.auth_required(bearer)
@routes.output(InvoiceOut)
def show(invoice_id: str) -> dict[str, Any]:
    """An invoice: its record, what happened to it, the seven classes of evidence and what early payment would cost."""
    readmodel, answer = current_node().readmodel, seen()
    record = invoice_record(existing(readmodel.invoice(invoice_id), "invoice", invoice_id))
    timeline = [{name: moment[name] for name in MOMENT_FIELDS} for moment in readmodel.timeline(invoice_id)]
    return {**record, "timeline": timeline, **_release(invoice_id, record["currency"]), **answer}


def invoice_record(record: Plain) -> Plain:
    """An invoice as the API shows it, with what its document says at the top."""
    shown = written(record | {"amount_due_minor": record["facts"]["amount_minor"] - record["credited_minor"]})
    return shown | {name: shown["facts"][name] for name in ("amount", "currency", "issue_date", "due_date")}


def _own_invoice(document_id: str) -> OwnDocument:
    own = current_node().documents.get(document_id)
    if own is None:
        text = f"this organisation uploaded no document {document_id}"
        raise Problem(404, "DOCUMENT_UNKNOWN", text, "Upload the invoice first: POST /v1/documents.")
    if own.kind != "invoice":
        text = f"the document {document_id} is a {own.kind}, not an invoice"
        raise Problem(422, "DOCUMENT_KIND_WRONG", text, "Name the invoice's own document.")
    return own


def _facts(own: OwnDocument) -> InvoiceFacts:
    facts = stored_facts(own)
    assert isinstance(facts, InvoiceFacts)
    return facts


def stored_facts(own: OwnDocument) -> Facts:
    """What the stored bytes say, once they are known to be those that were uploaded.

    Raises: Problem 409 when they are not.
    """
    path = current_node().vault.path(own.digest)
    if digest_batch([path])[0] != own.digest:
        text = f"the vault's file of the document {own.document_id} is missing or not the one uploaded"
        raise Problem(409, "VAULT_DIFFERS", text, "Restore the vault from a backup.")
    return read_facts(own.kind, own.media_type, path)


def _release(invoice_id: str, currency: str) -> dict[str, Any]:
    """The contract's release check, as the own peer answers it now."""
    node = current_node()
    asked = canonical({"version": 1, "query": {"type": "ReleaseCheck", "invoice_id": invoice_id}})
    try:
        found = json.loads(node.ledger.evaluate(asked, max(node.readmodel.block_number(), 0)))["result"]
    except LedgerError as error:
        return _unanswered(f"the ledger could not be asked: {error.text}")
    if found is None:
        return _unanswered("the own peer does not know this invoice")
    quote = found["quote"]
    return {
        "facility_id": found["facility_id"],
        "classes": found["classes"],
        "quote": quote and shaped(quote, currency),
        "warning": "",
    }


def _unanswered(warning: str) -> dict[str, Any]:
    """The record is still worth showing; that the classes are missing is said, not hidden."""
    return {"facility_id": "", "classes": [], "quote": None, "warning": warning}
