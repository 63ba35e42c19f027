"""Papers that this organisation writes: an invoice's file from facts, and the answer to an invoice of a supplier.

Nothing is stored and nothing is sent; answers that the node writes by itself are listed. Each view imports what writes
when it is asked: it takes a second to load.
"""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from chaincode.records import keys
from ledger_node.api.answers import PageQuery, existing, reads
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.goods import opened
from ledger_node.api.naming import record_id
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.problem import Problem
from ledger_node.api.wire import Plain, Query
from ledger_node.formats import FormatError
from ledger_node.issuing.draft import InvoiceDraft, example
from ledger_node.issuing.response import Address, Answer, Code, Reason, address
from ledger_node.notifications.tables import ResponseRow
from ledger_node.operations.fields import Out
from ledger_node.readmodel import Record

routes = APIBlueprint("papers", __name__, tag="Invoices")
XML, PDF = "application/xml", "application/pdf"


class FileQuery(Query):
    """What is to be written: UBL 2.1, CII, or a PDF with CII inside."""

    form: Literal["ubl", "cii", "factur-x"] = "ubl"


class ResponseQuery(Query):
    """What is to be answered, where it is not what the invoice's state says; addresses where the invoice has none."""

    code: Code | Literal[""] = Field("", description="Empty for what the invoice's state on the ledger says.")
    reason: Reason | Literal[""] = Field("", description="OPStatusReason; UQ, CA and RE need one.")
    text: str = Field("", max_length=500, description="Why, in words; OTH needs them.")
    sender: str = Field("", max_length=120, examples=["0088:8710000000017"])
    receiver: str = Field("", max_length=120, examples=["0088:4260000000011"])


class WrittenResponseOut(Out):
    """An answer that this node writes by itself, since the ledger says so to a supplier."""

    id: str = Field(description="The answer's own, which its file is named by.")
    invoice_id: str
    code: Code
    reason: str
    text: str
    made_on: str = Field(description="The day of the change that it answers, YYYY-MM-DD.")
    block_number: int = Field(description="The block since which the invoice is as the answer says.")
    status: Literal["waiting", "written", "failed"]
    tries: int = Field(description="That could not write it yet.")
    error: str = Field(description="Of the last of them, or why it never will be written; else empty.")
    written_at: str = Field(description="RFC 3339; empty where it is not written.")


class WrittenResponsesOut(Out):
    """A page of answers, the latest first."""

    items: list[WrittenResponseOut]
    total: int
    page: int
    per_page: int


class WrittenResponsesQuery(PageQuery):
    """Which answers."""

    invoice_id: str = Field("", max_length=200, description="Of one invoice: its id or its number.")
    status: Literal["waiting", "written", "failed", ""] = ""


@routes.post("/v1/invoice-files")
@routes.auth_required(bearer)
@routes.input(FileQuery, location="query", arg_name="query")
@routes.input(InvoiceDraft, arg_name="body", example=example())
@routes.doc(responses={200: "The file."})
def write_invoice(query: FileQuery, body: InvoiceDraft) -> Response:
    """Write an invoice by EN 16931 from facts: amounts are computed, and what is written is read again.

    Check it by the public rules with `POST /v1/invoice-validations`. Nothing is stored and nothing is sent.
    """
    from ledger_node.issuing.writing import MEDIA_TYPES, write

    return Response(write(body, query.form), mimetype=MEDIA_TYPES[query.form])


@routes.get("/v1/invoices/<invoice_id>/response")
@routes.auth_required(bearer)
@routes.input(ResponseQuery, location="query", arg_name="query")
@routes.doc(responses={200: "The Invoice Response, as application/xml.", 403: "This organisation is not its buyer."})
def write_invoice_response(invoice_id: str, query: ResponseQuery) -> Response:
    """Write the buyer's answer to an invoice (Peppol Invoice Response), by its state on the ledger or as is said.

    Written again in the same state for the same reason it has the same id. Nothing is stored and nothing is sent.
    """
    from ledger_node.issuing.response import address_of, answer_of, name_of, write_response

    await_own_writes()
    node, found_id = current_node(), record_id("invoice", invoice_id)
    invoice = existing(node.readmodel.invoice(found_id), "invoice", found_id)
    if invoice["buyer"] != node.msp_id:
        text = f"the buyer of this invoice is {invoice['buyer']}, and only a buyer answers an invoice"
        raise Problem(403, "NOT_THE_BUYER", text, "Ask that organisation; it sends the answer to its supplier.")
    document_id = invoice["document_ids"][0]
    document = existing(node.readmodel.document(document_id), "document", document_id)
    answer = answer_of(invoice, _is_attested(document_id), Answer(query.code, query.reason, query.text))
    xml, facts = _invoice(document)
    sender = _typed(query.sender, "sender") or address_of(xml, "BG-7", facts.buyer)
    receiver = _typed(query.receiver, "receiver") or address_of(xml, "BG-4", facts.supplier)
    name = name_of(found_id, invoice["block_number"], answer)
    content = write_response(facts, sender, receiver, answer, name, node.clock.date())
    return Response(content, mimetype=XML)


@reads(routes, "/v1/invoice-responses", WrittenResponsesOut, WrittenResponsesQuery)
def list_invoice_responses(query: WrittenResponsesQuery) -> Plain:
    """The answers that this node writes by itself into the folder `responses.folder` of its settings, the latest first.

    One for each change of what the ledger says to a supplier; a file that is not written yet is tried again.
    """
    invoice_id = record_id("invoice", query.invoice_id) if query.invoice_id else ""
    rows, total = current_node().responses.page(invoice_id, query.status, query.page, query.per_page)
    return {"items": [_shown(row) for row in rows], "total": total, "page": query.page, "per_page": query.per_page}


def _shown(row: ResponseRow) -> Plain:
    return {name: getattr(row, name) for name in WrittenResponseOut.model_fields}


def _is_attested(document_id: str) -> bool:
    node = current_node()
    return node.readmodel.record(keys.attestation(document_id, node.msp_id)) is not None


def _invoice(document: Record) -> tuple[bytes, Any]:
    """The invoice's XML, and what it says. Raises: Problem."""
    from ledger_node.issuing.response import read_answered

    with opened(document) as stream:
        content = stream.read()
    try:
        return read_answered(content)
    except FormatError as error:
        text = f"the invoice's document says nothing that can be answered: {error.text}"
        raise Problem(422, error.code, text, error.remedy) from error


def _typed(text: str, field: str) -> Address | None:
    """An address that was typed, SCHEME:ID. Raises: Problem 400."""
    if not text:
        return None
    found = address(text)
    if found is None:
        fault = f"{field}: {text[:40]!r} is no electronic address"
        raise Problem(400, "INVALID_INPUT", fault, "Write SCHEME:ID, such as 0088:4260000000011.")
    return found
