"""Goods: what an invoice bills against what is told to have left and come, as a table for people.

It is computed anew from the documents that this organisation may read; what counts for a payment is what the verifiers
of buyer and financier have attested, which is shown beside it.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Literal

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import existing, reads
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.wire import Plain
from ledger_node.formats.match import Row
from ledger_node.operations.fields import Out
from ledger_node.readmodel import Record
from ledger_node.verification.goods import shown

routes = APIBlueprint("goods", __name__, tag="Invoices")


class GoodsRowOut(Out):
    """One item of an invoice; quantities are decimal strings in the first unit of their kind, empty where not told."""

    lines: list[str] = Field(description="The invoice's lines that bill it.")
    item: str = Field(examples=["gtin 07611104117056"])
    unit: str = Field(examples=["pieces"])
    billed: str
    despatched: str
    delivered: str
    state: Literal["full", "part", "unclear"]
    short_bps: int = Field(description="What is missing, in basis points of what is billed.")


class GoodsAttestedOut(Out):
    """What a verifier has attested of the invoice's goods, as the ledger has it."""

    party: str
    document_id: str
    match: dict[str, Any]


class InvoiceMatchOut(Out):
    """The three-way match of an invoice."""

    invoice_id: str
    verdict: Literal["full", "part", "unclear", "nothing"] = Field(description="nothing: no document counts goods.")
    short_bps: int
    off_days: int = Field(description="Days between the last delivery and the day that the invoice names.")
    rows: list[GoodsRowOut]
    notes: list[str] = Field(description="What does not fit, and what could not be had, in words.")
    attested: list[GoodsAttestedOut]


@reads(routes, "/v1/invoices/<invoice_id>/match", InvoiceMatchOut)
def match_invoice(invoice_id: str) -> Plain:
    """The goods that an invoice bills, line by line, against those that are told to have left and to have come."""
    node = current_node()
    invoice = existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    own = (node.readmodel.document(document_id) for document_id in invoice["document_ids"])
    papers = [document for document in own if document is not None]
    found = shown([*papers, *node.matcher.proofs(invoice)], opened)
    match = found.match
    return {
        "invoice_id": invoice_id,
        "verdict": match.verdict if match else "nothing",
        "short_bps": match.short_bps if match else 0,
        "off_days": match.off_days if match else 0,
        "rows": [_row(row) for row in match.rows] if match else [],
        "notes": [*(match.notes if match else ()), *found.notes],
        "attested": _attested(papers),
    }


def opened(document: Record) -> BinaryIO:
    """The content of a document that this organisation may read. Raises: Problem 403, NodeError."""
    node = current_node()
    own = node.documents.get(document["document_id"])
    if own is not None:
        return node.vault.open(own.digest)
    if node.msp_id not in document["entitled"]:
        text = f"this organisation is not entitled to the document {document['document_id']}"
        raise Problem(403, "NOT_YOUR_DOCUMENT", text, "Ask the organisation that submitted it.")
    return node.reader.open(document)


def _row(row: Row) -> Plain:
    quantities = {"billed": row.billed, "despatched": row.despatched, "delivered": row.delivered}
    return {
        "lines": list(row.lines),
        "item": row.item,
        "unit": row.unit,
        **{name: "" if value is None else f"{value.normalize():f}" for name, value in quantities.items()},
        "state": row.state,
        "short_bps": row.short_bps,
    }


def _attested(papers: list[Record]) -> list[Plain]:
    readmodel = current_node().readmodel
    return [
        {"party": said["party"], "document_id": said["document_id"], "match": said["match"]}
        for document in papers
        for said in readmodel.attestations(document["document_id"])
        if said.get("match")
    ]
