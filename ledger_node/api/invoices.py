"""Invoices: registered from a stored document, never from what the caller says it contains; read with everything known.

Facts and fingerprints are read from the vault's own bytes, as the verifiers of the other parties will read them.
"""

from __future__ import annotations

import json
from typing import Any

from apiflask import APIBlueprint

from chaincode.records import canonical
from ledger_node.api.answers import existing, reads
from ledger_node.api.context import current_node
from ledger_node.api.naming import with_names
from ledger_node.api.problem import of_ledger
from ledger_node.api.quotes import with_fees
from ledger_node.api.records import InvoiceOut
from ledger_node.api.shape import shaped, written
from ledger_node.api.waits import expected, waits
from ledger_node.api.wire import Plain
from ledger_node.ledger.interface import LedgerError

routes = APIBlueprint("invoices", __name__, tag="Invoices")

MOMENT_FIELDS = ("what", "key", "msp_id", "transaction_id", "block_number", "timestamp")


@reads(routes, "/v1/invoices/<invoice_id>", InvoiceOut)
def show_invoice(invoice_id: str) -> Plain:
    """An invoice: its record, what happened to it, the seven classes of evidence and what early payment would cost."""
    readmodel = current_node().readmodel
    found = existing(readmodel.invoice(invoice_id), "invoice", invoice_id)
    (record,) = with_names("invoice", [found], [invoice_record(found)])
    timeline = [{name: moment[name] for name in MOMENT_FIELDS} for moment in readmodel.timeline(invoice_id)]
    release = _release(invoice_id, record["currency"])
    waiting = waits(record, release, readmodel.last_touched("invoice", [found])[0])
    return {
        **record,
        "timeline": timeline,
        **release,
        "waits": waiting,
        "expected": expected(record, release, readmodel.day()),
    }


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
        release = json.loads(node.ledger.evaluate(asked, max(node.readmodel.block_number(), 0)))["result"]
    except LedgerError as error:
        return _unanswered(f"the ledger could not be asked: {of_ledger(error)}")
    if release is None:
        return _unanswered("the own peer does not know this invoice")
    quote = with_fees(release["quote"], release["facility_id"])
    return {
        "facility_id": release["facility_id"],
        "classes": release["classes"],
        "quote": quote and shaped(quote, currency),
        "warning": "",
    }


def _unanswered(warning: str) -> dict[str, Any]:
    """The record is still worth showing; that the classes are missing is said, not hidden."""
    return {"facility_id": "", "classes": [], "quote": None, "warning": warning}
