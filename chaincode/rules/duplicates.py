"""Rules of invoices that look alike: clearing one by a person, and splitting one into parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Clearance, Fingerprint, Invoice, Shipment, bodies
from chaincode.rules.fingerprints import Standing, standing
from chaincode.rules.invoices import (
    require_buyers,
    require_other_persons,
    require_own_shipment,
    require_status,
    require_suppliers,
)
from chaincode.rules.parties import require_new
from chaincode.rules.shipments import require_shipment
from chaincode.words import digits, said

Persons = tuple[str, ...]


def clear(
    invoice: Invoice,
    claimed: Sequence[Fingerprint | None],
    sender: str,
    persons: Persons,
    body: bodies.ClearDuplicate,
    day: str,
) -> Invoice:
    """Say, as the buyer, that an invoice is no duplicate. It is then never paid without a financier's decision.

    Args:
        claimed: what stands under its `claim_keys`, in that order.

    Raises: Refusal: NOT_THE_BUYER, NOT_A_DUPLICATE, STATUS_WRONG, APPROVER_CANNOT_CLEAR.
    """
    require_buyers(invoice, sender)
    if not invoice.duplicate_of and standing(invoice, claimed) is Standing.UNIQUE:
        raise Refusal(RefusalCode.NOT_A_DUPLICATE, "nobody claimed its fingerprints before, or is financed on one")
    require_status(invoice, "registered", "approved")
    if invoice.approval:
        require_other_persons(persons, invoice.approval.persons)
    return replace(invoice, clearance=Clearance(body.reason_commitment, persons, day))


def split(
    invoice: Invoice,
    taken: Sequence[Invoice | None],
    shipments: Mapping[str, Shipment | None],
    sender: str,
    body: bodies.SplitInvoice,
    day: str,
) -> tuple[Invoice, list[Invoice]]:
    """Split an invoice, as its supplier and before approval, into parts that rest on the same documents.

    What came in part is answered for by it: the part with that shipment claims what came, if the buyer approves it.

    Args:
        taken: what stands under the parts' ids, in the body's order.
        shipments: what stands under each of the parts' shipment ids.

    Returns: the invoice, cancelled, and its parts.
    Raises: Refusal: NOT_THE_SUPPLIER, STATUS_WRONG, ALREADY_SPLIT, ID_TAKEN, SPLIT_INVALID, SHIPMENT_UNKNOWN,
        NOT_YOUR_SHIPMENT, SHIPMENT_DIFFERS.
    """
    require_suppliers(invoice, sender)
    require_status(invoice, "registered")
    if invoice.funded_on:
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice was paid early on {invoice.funded_on}")
    if invoice.split_from or invoice.clearance:
        raise Refusal(RefusalCode.ALREADY_SPLIT, "a part, or an invoice cleared by a person, is not split")
    for part, existing in zip(body.parts, taken, strict=True):
        require_new(existing, part.invoice_id)
    _require_whole(invoice, body)
    for shipment_id, shipment in shipments.items():
        require_own_shipment(require_shipment(shipment, shipment_id), sender, invoice.buyer)
    return replace(invoice, status="cancelled"), [_part(invoice, part, day) for part in body.parts]


def _require_whole(invoice: Invoice, body: bodies.SplitInvoice) -> None:
    """The parts make the whole: each id once, each amount above zero, each shipment in just one part.

    A part may rest on another shipment too, which brings what the first one did not.
    """
    ids = [part.invoice_id for part in body.parts]
    if len(set(ids)) != len(ids):
        raise Refusal(RefusalCode.SPLIT_INVALID, "two parts have one id")
    total = sum(part.amount_minor for part in body.parts)
    if total != invoice.amount_due_minor:
        whole, currency = invoice.amount_due_minor, invoice.facts.currency
        text = f"the parts make {said(total, currency)}, the invoice {digits(whole, currency)}"
        raise Refusal(RefusalCode.SPLIT_INVALID, text)
    if any(part.amount_minor < 1 for part in body.parts):
        raise Refusal(RefusalCode.SPLIT_INVALID, "each part has an amount above zero")
    shipments = [shipment_id for part in body.parts for shipment_id in part.shipment_ids]
    if len(set(shipments)) != len(shipments) or not set(shipments) >= set(invoice.shipment_ids):
        raise Refusal(RefusalCode.SPLIT_INVALID, "each shipment of the invoice belongs to exactly one part")


def _part(invoice: Invoice, part: bodies.InvoicePart, day: str) -> Invoice:
    """A part says of the same document that all but its own amount is credited."""
    return replace(
        invoice,
        invoice_id=part.invoice_id,
        shipment_ids=part.shipment_ids,
        credited_minor=invoice.facts.amount_minor - part.amount_minor,
        split_from=invoice.invoice_id,
        voided_reference="",
        day=day,
    )
