"""What can go wrong with an invoice before it is paid, or after: disputes, cancellations, splits, credit notes."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import existing
from ledger_node.api.context import current_node
from ledger_node.api.invoices import stored_facts
from ledger_node.api.wire import AmountText, Deposit, In, RecordId, to_minor
from ledger_node.api.writes import (
    REASON_EXAMPLE,
    Answer,
    ReasonIn,
    fresh_id,
    in_minor,
    submit,
    submit_reasoned,
    writes,
)
from ledger_node.formats import CreditNoteFacts
from ledger_node.ledger_facts import require_credit

routes = APIBlueprint("invoice_changes", __name__, tag="Invoices")


class ResolutionIn(In):
    """What becomes of a disputed invoice: it is to be approved anew, or it is cancelled."""

    outcome: Literal["registered", "cancelled"]


class PartIn(In):
    """One part of an invoice, with the shipments that belong to it: the whole's own, or one that brings the rest."""

    amount: AmountText
    shipment_ids: list[RecordId] = Field(default_factory=list, max_length=10)


class SplitIn(In):
    """The parts; together they are the whole."""

    parts: list[PartIn] = Field(min_length=2, max_length=10)


class CreditNoteIn(In):
    """A credit note, uploaded as a document; `shipment_ids` are those whose partial delivery it makes good."""

    amount: AmountText
    document_id: RecordId
    shipment_ids: list[RecordId] = Field(default_factory=list, max_length=10)


class ClaimPaymentIn(In):
    """The deposit money to pay with."""

    deposit: Deposit


class MisdirectedIn(In):
    """How much went to somebody who is not the holder."""

    amount: AmountText


@routes.post("/v1/invoices/<invoice_id>/dispute")
@writes(routes, "approver", ReasonIn, REASON_EXAMPLE)
def dispute(invoice_id: str, body: ReasonIn) -> Answer:
    """Say, as its buyer, that an invoice is not owed as it stands; an approval is void with it."""
    return _reasoned("DisputeInvoice", invoice_id, body)


@routes.post("/v1/invoices/<invoice_id>/dispute-resolution")
@writes(routes, "approver", ResolutionIn, {"outcome": "registered"})
def resolve_dispute(invoice_id: str, body: ResolutionIn) -> Answer:
    """End one's own dispute of an invoice."""
    return step("ResolveDispute", invoice_id, {"outcome": body.outcome})


@routes.post("/v1/invoices/<invoice_id>/approval-withdrawal")
@writes(routes, "approver", ReasonIn, REASON_EXAMPLE)
def withdraw_approval(invoice_id: str, body: ReasonIn) -> Answer:
    """Take one's approval back while nothing has been paid on it."""
    return _reasoned("WithdrawApproval", invoice_id, body)


@routes.post("/v1/invoices/<invoice_id>/cancellation")
@writes(routes, "uploader", ReasonIn, REASON_EXAMPLE)
def cancel(invoice_id: str, body: ReasonIn) -> Answer:
    """Take an invoice back that nothing has been paid on, as its supplier."""
    return _reasoned("CancelInvoice", invoice_id, body)


@routes.post("/v1/invoices/<invoice_id>/split")
@writes(routes, "uploader", SplitIn, {"parts": [{"amount": "1000.00"}, {"amount": "234.50"}]})
def split(invoice_id: str, body: SplitIn) -> Answer:
    """Split a registered invoice into parts, as its supplier; the result names their ids."""
    currency = currency_of(invoice_id)
    parts = [
        {"invoice_id": fresh_id(f"part {number}"), **in_minor(part.model_dump(), currency)}
        for number, part in enumerate(body.parts)
    ]
    return step("SplitInvoice", invoice_id, {"parts": parts})


@routes.post("/v1/invoices/<invoice_id>/duplicate-clearance")
@writes(routes, "approver", ReasonIn, {"reason": "monthly rent: the same amount each month"})
def clear_duplicate(invoice_id: str, body: ReasonIn) -> Answer:
    """Say, as the buyer, that an invoice is no duplicate although its fingerprints are claimed before."""
    return _reasoned("ClearDuplicate", invoice_id, body)


@routes.post("/v1/invoices/<invoice_id>/credit-notes")
@writes(routes, "uploader", CreditNoteIn, {"amount": "34.50", "document_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"})
def credit(invoice_id: str, body: CreditNoteIn) -> Answer:
    """Credit a part of an invoice, as its supplier; the credit note's document must say the same."""
    credit_note_id = fresh_id("credit note")
    command = in_minor(body.model_dump(), currency_of(invoice_id))
    _require_document(invoice_id, body.document_id, command["amount_minor"])
    return submit(
        "RecordCreditNote",
        command | {"credit_note_id": credit_note_id, "invoice_id": invoice_id},
        resource=f"/v1/credit-notes/{credit_note_id}",
        record_id=credit_note_id,
        created=True,
    )


@routes.post("/v1/credit-notes/<credit_note_id>/payment")
@writes(routes, "approver", ClaimPaymentIn, {"deposit": "EUR@FinancierMSP"})
def pay_claim(credit_note_id: str, body: ClaimPaymentIn) -> Answer:
    """Pay the buyer what a credit note after funding owes it, as the supplier."""
    command = {"credit_note_id": credit_note_id, "deposit": body.deposit}
    return submit("PayClaim", command, resource=f"/v1/credit-notes/{credit_note_id}", record_id=credit_note_id)


@routes.post("/v1/invoices/<invoice_id>/misdirected-payments")
@writes(routes, ("uploader", "approver", "funder"), MisdirectedIn, {"amount": "1234.50"})
def report_misdirected(invoice_id: str, body: MisdirectedIn) -> Answer:
    """Report that money for an invoice went to somebody who is not its holder; it discharges nobody."""
    report_id = fresh_id("misdirected payment")
    amount_minor = to_minor(body.amount, currency_of(invoice_id), "amount")
    command = {"report_id": report_id, "invoice_id": invoice_id, "amount_minor": amount_minor}
    return submit(
        "ReportMisdirectedPayment",
        command,
        resource=f"/v1/invoices/{invoice_id}",
        record_id=report_id,
        created=True,
    )


def step(command_type: str, invoice_id: str, command: dict[str, Any]) -> Answer:
    """Queue one step of an invoice's life."""
    return submit(command_type, {"invoice_id": invoice_id, **command}, **_about(invoice_id))


def _require_document(invoice_id: str, document_id: str, amount_minor: int) -> None:
    """What a credit note's own document says, where it is one that can be read, is what is registered.

    Raises: FormatError.
    """
    node = current_node()
    own = node.documents.get(document_id)
    if own is None or own.kind != "credit_note":
        return
    note, invoice = stored_facts(own), existing(node.readmodel.invoice(invoice_id), "invoice", invoice_id)
    assert isinstance(note, CreditNoteFacts)
    parties = [existing(node.readmodel.party(invoice[role]), "party", invoice[role]) for role in ("supplier", "buyer")]
    require_credit(node.fingerprint_key, note, amount_minor, invoice, *parties)


def currency_of(invoice_id: str) -> str:
    """The currency of an invoice that this node shows.

    Raises: Problem 404.
    """
    return str(existing(current_node().readmodel.invoice(invoice_id), "invoice", invoice_id)["facts"]["currency"])


def _reasoned(command_type: str, invoice_id: str, body: ReasonIn) -> Answer:
    return submit_reasoned(command_type, {"invoice_id": invoice_id}, body.reason, **_about(invoice_id))


def _about(invoice_id: str) -> dict[str, Any]:
    return {"resource": f"/v1/invoices/{invoice_id}", "record_id": invoice_id}
