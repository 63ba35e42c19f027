"""Invoices: registered from a stored document, never from what the caller says it contains; read with everything known.

Facts and fingerprints are read from the vault's own bytes, as the verifiers of the other parties will read them.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from apiflask import APIBlueprint

from chaincode.records import canonical
from chaincode.records.invoices import Status
from ledger_node.api.answers import PageQuery, answers, as_of_block, existing, paged
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import InvoiceOut, InvoicesOut
from ledger_node.api.shape import shaped, written
from ledger_node.api.wire import Plain
from ledger_node.ledger.interface import LedgerError

routes = APIBlueprint("invoices", __name__, tag="Invoices")

MOMENT_FIELDS = ("what", "key", "msp_id", "transaction_id", "block_number", "timestamp")


class InvoicesQuery(PageQuery):
    """Which invoices, and in which order: a field's name, with a minus before it for the greatest first."""

    status: Literal[""] | Status = ""
    supplier: str = ""
    buyer: str = ""
    holder: str = ""
    sort: str = "-day"


@routes.get("/v1/invoices")
@routes.auth_required(bearer)
@routes.input(InvoicesQuery, location="query", arg_name="query")
@answers(routes, InvoicesOut)
def show_all(query: InvoicesQuery) -> dict[str, Any]:
    """Invoices that fit all that is given."""
    answer = as_of_block()
    return {**answer, **paged(current_node().readmodel.invoices(**query.model_dump()), invoice_record)}


@routes.get("/v1/invoices/<invoice_id>")
@routes.auth_required(bearer)
@answers(routes, InvoiceOut)
def show(invoice_id: str) -> dict[str, Any]:
    """An invoice: its record, what happened to it, the seven classes of evidence and what early payment would cost."""
    readmodel, answer = current_node().readmodel, as_of_block()
    record = invoice_record(existing(readmodel.invoice(invoice_id), "invoice", invoice_id))
    timeline = [{name: moment[name] for name in MOMENT_FIELDS} for moment in readmodel.timeline(invoice_id)]
    return {**record, "timeline": timeline, **_release(invoice_id, record["currency"]), **answer}


def invoice_record(record: Plain) -> Plain:
    """An invoice as the API shows it, with what its document says at the top, and the due date that it may lack."""
    shown = written(record | {"amount_due_minor": record["facts"]["amount_minor"] - record["credited_minor"]})
    shown |= {name: shown["facts"][name] for name in ("amount", "currency", "issue_date", "due_date")}
    return shown | {"due_date": shown["due_date"] or shown["stated_due_date"]}


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
