"""One invoice: where it stands, the seven lights with who can mend what, what early payment would pay, its story."""

from __future__ import annotations

import time

from flask import Blueprint, g, request

from ledger_node.api.context import current_node
from ledger_node.operations.operation import Operation
from ledger_node.web.asking import WAIT_SECONDS, Plain, Refused, ask, awaited, send
from ledger_node.web.forms import with_forms
from ledger_node.web.guard import Answered, only
from ledger_node.web.texts import page
from ledger_node.web.typed import fills, is_again
from ledger_node.web.work import start_page

routes = Blueprint("invoices", __name__)

BEFORE, OWED = ("registered", "approved"), ("approved", "early-paid", "overdue")
ACTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("approve_invoice", "buyer", ("registered",)),
    ("fund_invoice", "financier", BEFORE),
    ("decline_early_payment", "financier", BEFORE),
    ("request_early_payment", "supplier", BEFORE),
    ("acknowledge_assignment", "buyer", ("early-paid", "overdue")),
    ("settle_invoice", "buyer", OWED),
    ("pay_early", "buyer", ("approved",)),
    ("offer_discount", "supplier", ("approved",)),
    ("clear_duplicate", "buyer", ("registered",)),
    ("dispute_invoice", "buyer", BEFORE),
    ("resolve_dispute", "buyer", ("disputed",)),
    ("withdraw_approval", "buyer", ("approved",)),
    ("cancel_invoice", "supplier", BEFORE),
    ("extend_due_date", "holder", OWED),
    ("record_paid_outside", "holder", OWED),
    ("write_off", "holder", ("overdue",)),
    ("record_recovery", "buyer", ("defaulted",)),
)
"""What is offered on the page to whom, where it stands; whether it may be done the ledger says."""


@routes.get("/invoices/<record_id>")
def show(record_id: str) -> Answered:
    """An invoice with all there is to say of it."""
    invoice = ask(f"/v1/invoices/{record_id}")
    documents = [ask(f"/v1/documents/{each}") for each in (*invoice["document_ids"], *invoice["proof_ids"])]
    shipments = [ask(f"/v1/shipments/{each}") for each in invoice["shipment_ids"]]
    facilities = {each["facility_id"]: each for each in ask("/v1/facilities")["items"]}
    shown = {"documents": documents, "shipments": shipments, "quote": _quote(record_id, invoice)}
    given = {"invoice": invoice, "facility": facilities.get(invoice["facility_id"]), "given": prefilled(invoice)}
    return page("invoice.html", **given, **shown, offered=_offered(invoice, facilities)), 200


@routes.post("/approvals")
@only("approver")
@fills
def approve_many() -> Answered:
    """Approve all that are ticked, each with its own number: all are sent, then awaited, and each has an answer."""
    if is_again():
        return start_page(request.form), 200
    ticked = list(dict.fromkeys(request.form.getlist("invoice_id")))
    rows = [_approve(invoice_id) for invoice_id in ticked]
    deadline = time.monotonic() + WAIT_SECONDS
    for row in rows:
        if "id" in row:
            row |= awaited(row["id"], max(0, round(deadline - time.monotonic())))
    return page("approvals.html", rows=rows), 200


def _approve(invoice_id: str) -> Plain:
    """Send one approval, and do not wait for it: with the invoice, the submission or why there is none."""
    row: Plain = {"invoice_id": invoice_id}
    # What was shown when it was ticked: the ledger refuses it where something else is owed by now.
    shown = request.form.get(f"owed-{invoice_id}", "").split(" ")
    body = dict(zip(("amount", "currency", "due_date"), shown, strict=False))
    body["buyer_reference"] = request.form.get(f"reference-{invoice_id}", "").strip()
    operation, key = with_forms()["approve_invoice"], f"{request.form.get('key', '')}-{invoice_id}"
    try:
        row["invoice"] = ask(f"/v1/invoices/{invoice_id}")
        return row | send(operation.address.replace("<invoice_id>", invoice_id), operation.roles, body, key, wait=0)
    except Refused as refused:
        return row | {"status": "refused", "code": refused.code, "text": refused.text, "remedy": refused.remedy}


def prefilled(invoice: Plain) -> dict[str, Plain]:
    """What a form already knows, by operation."""
    owed = {"amount": invoice["amount_due"], "currency": invoice["currency"], "due_date": invoice["due_date"]}
    return {
        "approve_invoice": owed,
        "settle_invoice": {"amount": invoice["open_face"]},
        "fund_invoice": {"facility_id": invoice.get("facility_id", "")},
        "decline_early_payment": {"facility_id": invoice.get("facility_id", "")},
        "request_early_payment": {"valid_until": invoice["due_date"], "net_min": "1"},
    }


def _quote(record_id: str, invoice: Plain) -> Plain | None:
    """What early payment would pay; None once it is paid, or where it cannot be asked."""
    if invoice["status"] not in BEFORE or invoice["warning"]:
        return None
    try:
        found: Plain = ask(f"/v1/invoices/{record_id}/quote")
    except Refused:
        return None
    return found


def _offered(invoice: Plain, facilities: dict[str, Plain]) -> list[Operation]:
    own, facility = current_node().msp_id, facilities.get(invoice["facility_id"])
    parts = {"financier": facility["financier"] if facility else ""}
    parts |= {name: invoice[name] for name in ("supplier", "buyer", "holder")}
    return [
        operation
        for name, part, statuses in ACTS
        if parts[part] == own and invoice["status"] in statuses
        if (operation := with_forms()[name]) and set(operation.roles) & set(g.login.roles)
    ]
