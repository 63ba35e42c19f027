"""Rules of credit notes and of money that went astray: what the supplier owes its buyer never touches the holder.

Before funding a credit note lowers what is claimed, and the buyer approves anew. After funding the buyer owes the
holder what it undertook to pay, and has a claim on the supplier, also when it has paid or never will: goods that turn
out bad after the due date are what credit notes are for. All credit notes together, paid ones and those from
before an invoice was bought back included, never come to more than the invoice.
"""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import MINOR_MAX, deposit_issuer
from chaincode.records import CreditNote, Document, Invoice, MisdirectedPayment, bodies
from chaincode.rules.disputes import void_approval
from chaincode.rules.invoices import paid_already, require_suppliers, require_unreserved
from chaincode.rules.parties import require_new
from chaincode.rules.settlement import require_amount, require_currency_of
from chaincode.words import digits, said

BEFORE_FUNDING: tuple[str, ...] = ("registered", "approved")
OWED_TO_FINANCIER: tuple[str, ...] = ("early-paid", "overdue")
OVER: tuple[str, ...] = ("settled", "written-off", "recovered")


def credit(
    existing: CreditNote | None,
    invoice: Invoice,
    document: Document | None,
    sender: str,
    body: bodies.RecordCreditNote,
    day: str,
) -> tuple[Invoice, CreditNote]:
    """Record a credit note, as the supplier.

    Args:
        existing: what stands under the credit note's id.
        document: what stands under the body's document id: the credit note itself.

    Returns: the invoice after it, and the credit note: "credited", or after funding "claimed".
    Raises: Refusal: ID_TAKEN, NOT_THE_SUPPLIER, STATUS_WRONG, RESERVED, PARTLY_SETTLED,
        AMOUNT_INVALID, CREDIT_EXCEEDS, DOCUMENT_UNKNOWN, DOCUMENT_NOT_YOURS, SHIPMENT_DIFFERS.
    """
    require_new(existing, body.credit_note_id)
    require_suppliers(invoice, sender)
    funded = invoice.early_payment is not None or (invoice.funded_on != "" and invoice.status in OVER)
    if invoice.status not in ((*OWED_TO_FINANCIER, *OVER) if funded else BEFORE_FUNDING):
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")
    require_unreserved(invoice)
    if invoice.settled_minor and not funded:
        raise Refusal(RefusalCode.PARTLY_SETTLED, paid_already(invoice))
    require_amount(body.amount_minor, invoice.facts.currency)
    left = max(0, invoice.amount_due_minor - invoice.claimed_minor - (not funded))
    if body.amount_minor > left:
        most, asked = said(left, invoice.facts.currency), digits(body.amount_minor, invoice.facts.currency)
        raise Refusal(RefusalCode.CREDIT_EXCEEDS, f"at most {most} can be credited, not {asked}")
    if document is None:
        raise Refusal(RefusalCode.DOCUMENT_UNKNOWN, f"there is no document {body.document_id}")
    if document.submitter != sender:
        raise Refusal(RefusalCode.DOCUMENT_NOT_YOURS, f"document {body.document_id} is {document.submitter}'s")
    strange = [shipment_id for shipment_id in body.shipment_ids if shipment_id not in invoice.shipment_ids]
    if strange:
        raise Refusal(RefusalCode.SHIPMENT_DIFFERS, f"the invoice does not rest on shipment {strange[0]}")
    note = CreditNote(
        credit_note_id=body.credit_note_id,
        invoice_id=body.invoice_id,
        supplier=invoice.supplier,
        buyer=invoice.buyer,
        amount_minor=body.amount_minor,
        document_id=body.document_id,
        status="claimed" if funded else "credited",
        day=day,
    )
    if funded:
        claims, claimed = invoice.claims_minor + body.amount_minor, invoice.claimed_minor + body.amount_minor
        return replace(invoice, claims_minor=claims, claimed_minor=claimed), note
    cured = tuple(dict.fromkeys((*invoice.cured_shipments, *body.shipment_ids)))
    credited = invoice.credited_minor + body.amount_minor
    return replace(void_approval(invoice), credited_minor=credited, cured_shipments=cured), note


def require_note(note: CreditNote | None, credit_note_id: str) -> CreditNote:
    """Raises: Refusal: CREDIT_NOTE_UNKNOWN."""
    if note is None:
        raise Refusal(RefusalCode.CREDIT_NOTE_UNKNOWN, f"there is no credit note {credit_note_id}")
    return note


def pay_claim(note: CreditNote, invoice: Invoice, sender: str, deposit: str) -> tuple[Invoice, CreditNote]:
    """Pay the buyer, as the supplier, what a credit note after funding owes it.

    Args:
        invoice: the credit note's.

    Raises: Refusal: NOT_THE_SUPPLIER, NOT_CLAIMED, DEPOSIT_DIFFERS.
    """
    require_suppliers(invoice, sender)
    if note.status != "claimed":
        raise Refusal(RefusalCode.NOT_CLAIMED, f"the credit note is {note.status}")
    require_currency_of(invoice, deposit)
    if deposit_issuer(deposit) == sender:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"{sender} does not pay in its own deposit")
    return replace(invoice, claims_minor=invoice.claims_minor - note.amount_minor), replace(note, status="paid")


def report_misdirected(
    existing: MisdirectedPayment | None,
    invoice: Invoice,
    sender: str,
    body: bodies.ReportMisdirectedPayment,
    day: str,
) -> tuple[Invoice, MisdirectedPayment]:
    """Say that money for an invoice went to somebody who is not its holder. Nobody is discharged by it.

    By the word of its buyer or of its holder the invoice is diluted; by the supplier's own it is not.

    Raises: Refusal: ID_TAKEN, NOT_YOUR_INVOICE, STATUS_WRONG, AMOUNT_INVALID.
    """
    require_new(existing, body.report_id)
    if sender not in (invoice.supplier, invoice.buyer, invoice.holder):
        raise Refusal(RefusalCode.NOT_YOUR_INVOICE, f"{sender} has no part in this invoice")
    if not invoice.open_face_minor:
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")
    require_amount(body.amount_minor, invoice.facts.currency)
    if body.amount_minor > MINOR_MAX - invoice.misdirected_minor:
        currency = invoice.facts.currency
        text = (
            f"at most {said(MINOR_MAX, currency)} can go astray, and {digits(invoice.misdirected_minor, currency)} did"
        )
        raise Refusal(RefusalCode.AMOUNT_INVALID, text)
    report = MisdirectedPayment(
        report_id=body.report_id,
        invoice_id=body.invoice_id,
        reporter=sender,
        amount_minor=body.amount_minor,
        currency=invoice.facts.currency,
        day=day,
    )
    astray = invoice.misdirected_minor + body.amount_minor
    diluted = invoice.diluted_minor + (body.amount_minor if sender != invoice.supplier else 0)
    return replace(invoice, misdirected_minor=astray, diluted_minor=diluted), report
