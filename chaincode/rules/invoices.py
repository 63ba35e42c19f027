"""Rules of an invoice's life: registered, approved, early-paid, settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import Quote, days_between
from chaincode.records import (
    EPOCH,
    Approval,
    Document,
    EarlyPayment,
    Facility,
    Invoice,
    Notice,
    Party,
    Shipment,
    bodies,
)
from chaincode.rules.facilities import require_currency
from chaincode.rules.parties import require_different, require_new, require_party
from chaincode.rules.shipments import require_shipment
from chaincode.words import count, said, when

FINGERPRINTS_REQUIRED = ("amount", "number")
PROOF_KINDS: tuple[str, ...] = ("proof_of_delivery", "transport_events")
LINKS_MAX = 20
"""How many invoices may rest on one document or shipment: each is checked when something happens to it."""


def register(
    existing: Invoice | None,
    buyer: Party | None,
    documents: dict[str, Document | None],
    shipments: dict[str, Shipment | None],
    sender: str,
    body: bodies.RegisterInvoice,
    day: str,
) -> Invoice:
    """Register a claim of the sender's on a buyer. Whether it is a duplicate is not decided here.

    Args:
        documents: what stands under each id of the body's documents and proofs.
        shipments: what stands under each of the body's shipment ids.

    Raises: Refusal: ID_TAKEN, SAME_PARTY, PARTY_UNKNOWN, AMOUNT_INVALID, CURRENCY_UNKNOWN, DUE_DATE_MISSING,
        DUE_DATE_IN_DOCUMENT, DUE_BEFORE_ISSUE, DUE_DATE_PASSED, DOCUMENT_UNKNOWN, DOCUMENT_NOT_YOURS,
        DOCUMENT_KIND_WRONG, SHIPMENT_UNKNOWN, NOT_YOUR_SHIPMENT, SHIPMENT_DIFFERS, FINGERPRINTS_INCOMPLETE,
        EPOCH_UNKNOWN.
    """
    require_new(existing, body.invoice_id)
    require_different(sender, body.buyer)
    require_party(buyer, body.buyer, "buyer")
    _require_sensible_facts(body, day)
    _require_documents(body, documents, sender)
    for shipment_id in body.shipment_ids:
        require_own_shipment(require_shipment(shipments[shipment_id], shipment_id), sender, body.buyer)
    _require_fingerprints(body)
    return Invoice(
        invoice_id=body.invoice_id,
        supplier=sender,
        buyer=body.buyer,
        holder=sender,
        status="registered",
        document_ids=body.document_ids,
        proof_ids=body.proof_ids,
        shipment_ids=body.shipment_ids,
        facts=body.facts,
        fingerprints=body.fingerprints,
        epoch=body.epoch,
        duplicate_of="",
        approval=None,
        face_minor=0,
        open_face_minor=0,
        early_payment=None,
        notice=None,
        settlement=None,
        day=day,
        stated_due_date=body.stated_due_date,
    )


def _require_sensible_facts(body: bodies.RegisterInvoice, day: str) -> None:
    if body.facts.amount_minor < 1:
        text = f"an amount of {said(body.facts.amount_minor, body.facts.currency)} cannot be claimed"
        raise Refusal(RefusalCode.AMOUNT_INVALID, text)
    require_currency(body.facts.currency)
    due_date = _due_date(body)
    if due_date < body.facts.issue_date:
        before = days_between(due_date, body.facts.issue_date)
        text = f"it is due on {due_date}, {count(before, 'day')} before it is issued, on {body.facts.issue_date}"
        raise Refusal(RefusalCode.DUE_BEFORE_ISSUE, text)
    _require_due_later(due_date, day, "registered")


def _due_date(body: bodies.RegisterInvoice) -> str:
    """The document's due date, else the stated one; never both, since nobody may override what the document says."""
    in_document, stated = body.facts.due_date, body.stated_due_date
    if not in_document and not stated:
        raise Refusal(RefusalCode.DUE_DATE_MISSING, "the document names no due date, and none is stated")
    if in_document and stated:
        raise Refusal(RefusalCode.DUE_DATE_IN_DOCUMENT, f"the document says due {in_document}: none can be stated")
    return in_document or stated


def _require_due_later(due_date: str, day: str, done: str) -> None:
    if due_date <= day:
        text = f"due {when(due_date, day)}: too late to be {done}"
        raise Refusal(RefusalCode.DUE_DATE_PASSED, text)


def _require_documents(body: bodies.RegisterInvoice, documents: dict[str, Document | None], sender: str) -> None:
    """A proof may also be somebody else's, for example the carrier's, if it was given to the sender."""
    for document_id, document in documents.items():
        if document is None:
            raise Refusal(RefusalCode.DOCUMENT_UNKNOWN, f"there is no document {document_id}")
    present = {document_id: document for document_id, document in documents.items() if document}
    for document_id, document in present.items():
        given = document_id in body.proof_ids and sender in document.entitled
        if document.submitter != sender and not given:
            raise Refusal(RefusalCode.DOCUMENT_NOT_YOURS, f"document {document_id} is {document.submitter}'s")
    wanted = [(name, ("invoice",)) for name in body.document_ids] + [(name, PROOF_KINDS) for name in body.proof_ids]
    for document_id, kinds in wanted:
        kind = present[document_id].kind
        if kind not in kinds:
            raise Refusal(RefusalCode.DOCUMENT_KIND_WRONG, f"document {document_id} is of kind {kind}")


def require_own_shipment(shipment: Shipment, sender: str, buyer: str) -> None:
    """Raises: Refusal: NOT_YOUR_SHIPMENT, SHIPMENT_DIFFERS."""
    if shipment.supplier != sender:
        raise Refusal(RefusalCode.NOT_YOUR_SHIPMENT, f"shipment {shipment.shipment_id} is {shipment.supplier}'s")
    if shipment.buyer != buyer:
        raise Refusal(RefusalCode.SHIPMENT_DIFFERS, f"shipment {shipment.shipment_id} goes to {shipment.buyer}")


def _require_fingerprints(body: bodies.RegisterInvoice) -> None:
    missing = [kind for kind in FINGERPRINTS_REQUIRED if kind not in body.fingerprints]
    if missing:
        raise Refusal(RefusalCode.FINGERPRINTS_INCOMPLETE, f"the fingerprint of the {missing[0]} is missing")
    if body.epoch != EPOCH:
        raise Refusal(RefusalCode.EPOCH_UNKNOWN, f"fingerprints are made with the key of epoch {EPOCH}")


def require_links(linked: int, what: str) -> None:
    """Require that one more invoice may rest on a document or shipment on which `linked` rest already.

    Raises: Refusal: LINKS_EXHAUSTED.
    """
    if linked >= LINKS_MAX:
        raise Refusal(RefusalCode.LINKS_EXHAUSTED, f"{LINKS_MAX} invoices rest on {what} already")


def require_invoice(invoice: Invoice | None, invoice_id: str) -> Invoice:
    """Raises: Refusal: INVOICE_UNKNOWN."""
    if invoice is None:
        raise Refusal(RefusalCode.INVOICE_UNKNOWN, f"there is no invoice {invoice_id}")
    return invoice


def approve(
    invoice: Invoice,
    reference_used: bool,
    sender: str,
    persons: tuple[str, ...],
    body: bodies.ApproveInvoice,
    day: str,
) -> Invoice:
    """Undertake, as its buyer, to pay an invoice.

    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, DUE_DATE_PASSED, APPROVAL_DIFFERS,
        BUYER_REFERENCE_USED, APPROVER_CANNOT_CLEAR.
    """
    require_buyers(invoice, sender)
    require_status(invoice, "registered")
    _require_due_later(invoice.due_date, day, "approved")
    approved = (body.amount_minor, body.currency, body.due_date)
    claimed = (invoice.amount_due_minor, invoice.facts.currency, invoice.due_date)
    if approved != claimed:
        text = f"approved is {_amount_and_due(*approved)}, claimed is {_amount_and_due(*claimed)}"
        raise Refusal(RefusalCode.APPROVAL_DIFFERS, text)
    if reference_used and body.buyer_reference != invoice.voided_reference:
        raise Refusal(RefusalCode.BUYER_REFERENCE_USED, "an invoice with this reference of yours is approved already")
    if invoice.clearance:
        require_other_persons(persons, invoice.clearance.persons)
    approval = Approval(body.amount_minor, body.currency, body.due_date, body.buyer_reference, day, persons)
    return replace(
        invoice,
        status="approved",
        approval=approval,
        face_minor=body.amount_minor,
        open_face_minor=body.amount_minor,
    )


def _amount_and_due(amount_minor: int, currency: str, due_date: str) -> str:
    return f"{said(amount_minor, currency)} due on {due_date}"


def require_other_persons(persons: Sequence[str], before: Sequence[str]) -> None:
    """Require that nobody stands behind both the approval of a duplicate and its clearance, whichever comes first.

    Who is not named cannot be told apart from anybody: so both name persons, or neither does.

    Raises: Refusal: APPROVER_CANNOT_CLEAR.
    """
    if set(persons) & set(before) or bool(persons) != bool(before):
        raise Refusal(RefusalCode.APPROVER_CANNOT_CLEAR, "others must clear the invoice than those who approve it")


def require_buyers(invoice: Invoice, sender: str) -> None:
    """Raises: Refusal: NOT_THE_BUYER."""
    if sender != invoice.buyer:
        raise Refusal(RefusalCode.NOT_THE_BUYER, f"only {invoice.buyer} can do this")


def require_suppliers(invoice: Invoice, sender: str) -> None:
    """Raises: Refusal: NOT_THE_SUPPLIER."""
    if sender != invoice.supplier:
        raise Refusal(RefusalCode.NOT_THE_SUPPLIER, f"only {invoice.supplier} can do this")


def require_status(invoice: Invoice, *statuses: str) -> None:
    """Raises: Refusal: STATUS_WRONG."""
    if invoice.status not in statuses:
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")


def paid_already(invoice: Invoice) -> str:
    """What a refusal says where something has been paid on an invoice."""
    return f"{said(invoice.settled_minor, invoice.facts.currency)} has been paid on it already"


def require_unreserved(invoice: Invoice) -> None:
    """Raises: Refusal: RESERVED: a financier has set money aside for it, and has to post or to void that first."""
    if invoice.reservation:
        raise Refusal(RefusalCode.RESERVED, f"{invoice.reservation.financier} has reserved money for it")


def pay_early(invoice: Invoice, facility: Facility, quote: Quote, day: str, transaction_id: str) -> Invoice:
    """The invoice after its early payment: assigned to the financier, with a notice to the buyer.

    Raises: Refusal: NOT_RELEASABLE: it is not owed to the supplier, or was paid early before. The release check has
        seen to it that it is and was not.
    """
    if invoice.status != "approved" or invoice.holder != invoice.supplier or invoice.funded_on:
        raise Refusal(RefusalCode.NOT_RELEASABLE, f"the invoice is {invoice.status}")
    payment = EarlyPayment(
        facility_id=facility.facility_id,
        financier=facility.financier,
        deposit=facility.deposit,
        rate_bps=quote.rate_bps,
        days=quote.days,
        maturity=quote.maturity,
        discount_minor=quote.discount_minor,
        fee_minor=quote.fee_minor,
        net_minor=quote.net_minor,
        day=day,
        transaction_id=transaction_id,
    )
    return replace(
        invoice,
        status="early-paid",
        holder=facility.financier,
        early_payment=payment,
        notice=Notice(day, ""),
        funded_on=day,
        reservation=None,
    )


def acknowledge(invoice: Invoice, sender: str, day: str) -> Invoice:
    """Acknowledge, as its buyer, to whom an invoice is owed.

    Raises: Refusal: NOT_THE_BUYER, NO_NOTICE, ALREADY_ACKNOWLEDGED.
    """
    require_buyers(invoice, sender)
    if invoice.notice is None:
        raise Refusal(RefusalCode.NO_NOTICE, "the invoice has not been assigned")
    if invoice.notice.acknowledged_on:
        raise Refusal(RefusalCode.ALREADY_ACKNOWLEDGED, f"acknowledged on {invoice.notice.acknowledged_on}")
    return replace(invoice, notice=replace(invoice.notice, acknowledged_on=day))
