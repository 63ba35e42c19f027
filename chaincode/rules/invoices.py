"""Rules of an invoice's life: registered, approved, early-paid, settled."""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import Quote, deposit_currency
from chaincode.records import (
    EPOCH,
    Approval,
    Document,
    EarlyPayment,
    Facility,
    Invoice,
    Notice,
    Party,
    Settlement,
    Shipment,
    bodies,
)
from chaincode.rules.facilities import require_currency
from chaincode.rules.parties import require_different, require_new, require_party
from chaincode.rules.shipments import require_shipment

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

    Raises: Refusal: ID_TAKEN, SAME_PARTY, PARTY_UNKNOWN, AMOUNT_INVALID, CURRENCY_UNKNOWN, DUE_BEFORE_ISSUE,
        DUE_DATE_PASSED, DOCUMENT_UNKNOWN, DOCUMENT_NOT_YOURS, DOCUMENT_KIND_WRONG, SHIPMENT_UNKNOWN,
        NOT_YOUR_SHIPMENT, SHIPMENT_DIFFERS, FINGERPRINTS_INCOMPLETE, EPOCH_UNKNOWN.
    """
    require_new(existing, body.invoice_id)
    require_different(sender, body.buyer)
    require_party(buyer, body.buyer, "buyer")
    _require_sensible_facts(body, day)
    _require_documents(body, documents, sender)
    for shipment_id in body.shipment_ids:
        _require_own_shipment(require_shipment(shipments[shipment_id], shipment_id), sender, body.buyer)
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
    )


def _require_sensible_facts(body: bodies.RegisterInvoice, day: str) -> None:
    if body.facts.amount_minor < 1:
        raise Refusal(RefusalCode.AMOUNT_INVALID, f"an amount of {body.facts.amount_minor} cannot be claimed")
    require_currency(body.facts.currency)
    if body.facts.due_date < body.facts.issue_date:
        raise Refusal(RefusalCode.DUE_BEFORE_ISSUE, f"due {body.facts.due_date}, issued {body.facts.issue_date}")
    _require_due_later(body.facts.due_date, day)


def _require_due_later(due_date: str, day: str) -> None:
    if due_date <= day:
        raise Refusal(RefusalCode.DUE_DATE_PASSED, f"due {due_date}, it is {day}")


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


def _require_own_shipment(shipment: Shipment, sender: str, buyer: str) -> None:
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
    invoice: Invoice | None, reference_used: bool, sender: str, body: bodies.ApproveInvoice, day: str
) -> Invoice:
    """Undertake, as its buyer, to pay an invoice.

    Raises: Refusal: INVOICE_UNKNOWN, NOT_THE_BUYER, STATUS_WRONG, DUE_DATE_PASSED, APPROVAL_DIFFERS,
        BUYER_REFERENCE_USED.
    """
    found = _require_buyers(invoice, sender, body.invoice_id)
    if found.status != "registered":
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {found.status}")
    _require_due_later(found.facts.due_date, day)
    approved = (body.amount_minor, body.currency, body.due_date)
    registered = (found.facts.amount_minor, found.facts.currency, found.facts.due_date)
    if approved != registered:
        raise Refusal(RefusalCode.APPROVAL_DIFFERS, f"approved {approved}, registered {registered}")
    if reference_used:
        raise Refusal(RefusalCode.BUYER_REFERENCE_USED, "an invoice with this reference of yours is approved already")
    approval = Approval(body.amount_minor, body.currency, body.due_date, body.buyer_reference, day)
    return replace(
        found,
        status="approved",
        approval=approval,
        face_minor=body.amount_minor,
        open_face_minor=body.amount_minor,
    )


def _require_buyers(invoice: Invoice | None, sender: str, invoice_id: str) -> Invoice:
    found = require_invoice(invoice, invoice_id)
    if sender != found.buyer:
        raise Refusal(RefusalCode.NOT_THE_BUYER, f"only {found.buyer} can do this")
    return found


def pay_early(invoice: Invoice, facility: Facility, quote: Quote, day: str, transaction_id: str) -> Invoice:
    """The invoice after its early payment: assigned to the financier, with a notice to the buyer.

    Raises: Refusal: NOT_RELEASABLE: it is not owed to the supplier. The release check has seen to it that it is.
    """
    if invoice.status != "approved" or invoice.holder != invoice.supplier:
        raise Refusal(RefusalCode.NOT_RELEASABLE, f"the invoice is {invoice.status}")
    payment = EarlyPayment(
        facility_id=facility.facility_id,
        financier=facility.financier,
        deposit=facility.deposit,
        rate_bps=facility.rate_bps,
        days=quote.days,
        maturity=quote.maturity,
        discount_minor=quote.discount_minor,
        fee_minor=quote.fee_minor,
        net_minor=quote.net_minor,
        day=day,
        transaction_id=transaction_id,
    )
    return replace(
        invoice, status="early-paid", holder=facility.financier, early_payment=payment, notice=Notice(day, "")
    )


def acknowledge(invoice: Invoice | None, sender: str, invoice_id: str, day: str) -> Invoice:
    """Acknowledge, as its buyer, to whom an invoice is owed.

    Raises: Refusal: INVOICE_UNKNOWN, NOT_THE_BUYER, NO_NOTICE, ALREADY_ACKNOWLEDGED.
    """
    found = _require_buyers(invoice, sender, invoice_id)
    if found.notice is None:
        raise Refusal(RefusalCode.NO_NOTICE, "the invoice has not been assigned")
    if found.notice.acknowledged_on:
        raise Refusal(RefusalCode.ALREADY_ACKNOWLEDGED, f"acknowledged on {found.notice.acknowledged_on}")
    return replace(found, notice=replace(found.notice, acknowledged_on=day))


def settle(invoice: Invoice | None, sender: str, body: bodies.SettleInvoice, day: str, transaction_id: str) -> Invoice:
    """Settle, as its buyer, an invoice in full. Whether the money is there is for the books.

    Raises: Refusal: INVOICE_UNKNOWN, NOT_THE_BUYER, STATUS_WRONG, SETTLEMENT_NOT_IN_FULL, DEPOSIT_DIFFERS.
    """
    found = _require_buyers(invoice, sender, body.invoice_id)
    if found.status not in ("approved", "early-paid"):
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {found.status}")
    if body.amount_minor != found.open_face_minor:
        raise Refusal(RefusalCode.SETTLEMENT_NOT_IN_FULL, f"{found.open_face_minor} is open, not {body.amount_minor}")
    if found.early_payment and body.deposit != found.early_payment.deposit:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"the holder takes {found.early_payment.deposit}")
    if deposit_currency(body.deposit) != found.facts.currency:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"the invoice is in {found.facts.currency}")
    settlement = Settlement(body.amount_minor, body.deposit, day, transaction_id)
    return replace(found, status="settled", open_face_minor=0, settlement=settlement)
