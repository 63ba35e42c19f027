"""What a write of an invoice's life is called: by what it changed, and by what its transaction did besides.

The ledger keeps of a command its digest and no type, but every command of an invoice's life leaves a mark of its own:
a field that it alone changes, an entry's step, or a record that stands beside. Several commands of one transaction
leave one write of a key, which is called by all that they changed. Pure: whoever knows the writes asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from chaincode.records import EarlyPayment, Invoice, canonical

GOODS = {"counts": "counted", "full": "in full", "part": "in part", "unclear": "unclear"}


@dataclass(frozen=True, slots=True)
class Beside:
    """What one transaction did to an invoice besides the write in question.

    `steps` are those of the invoice's entries; `out_of_reserve`: the early payment was paid out of money set aside;
    `by_decision`: a financier decided it; `wholes` are the invoices that were split; `registered`: the invoice stood
    on the ledger before.
    """

    steps: frozenset[str] = frozenset()
    out_of_reserve: bool = False
    by_decision: bool = False
    wholes: frozenset[str] = frozenset()
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One write of a key: its records before and after, None where none stood or stands.

    `invoice_id` is the invoice of whose life this is told; empty when it is told of a shipment's.
    """

    kind: str
    invoice_id: str
    before: Any
    after: Any
    beside: Beside

    def new(self, field: str) -> bool:
        """Whether a field holds something that it did not hold before."""
        return bool(getattr(self.after, field)) and getattr(self.after, field) != getattr(self.before, field)

    def gone(self, field: str) -> bool:
        """Whether a field is empty that was not."""
        return bool(getattr(self.before, field)) and not getattr(self.after, field)


def words(change: Change) -> str:
    """What a write is called; empty when it deletes what was not there.

    The first write of a key always has a name; what has none says which fields changed.
    """
    if change.after is None:
        return "" if change.before is None else _DELETED[change.kind](change)
    return "; ".join(_NAMED[change.kind](change)) or _unnamed(change)


def decision_digest(payment: EarlyPayment, invoice_id: str) -> str:
    """The digest of the command by which a financier decides at once, which the ledger keeps if it did.

    Nothing else tells that decision from a check that found all seven classes to hold.
    """
    body = {"invoice_id": invoice_id, "facility_id": payment.facility_id}
    return hashlib.sha256(canonical({"type": "FundInvoice", "body": body})).hexdigest()


def _unnamed(change: Change) -> str:
    noun = change.kind.replace("_", " ")
    names = [field.name for field in fields(change.after)]
    changed = [name for name in names if getattr(change.after, name) != getattr(change.before, name)]
    return f"{noun} changed: {', '.join(changed)}" if changed else f"{noun} written as it was"


# Invoices


def _invoice(change: Change) -> Iterator[str]:
    after = change.after
    if after.split_from == change.invoice_id:
        yield "part split off"
        return
    if after.invoice_id != change.invoice_id:  # a part tells of the whole that it comes of, whose entries are not its
        of_whole = Change("invoice", after.invoice_id, change.before, after, replace(change.beside, steps=frozenset()))
        yield f"whole: {words(of_whole)}"
        return
    if change.before is None:
        yield "split off a whole" if after.split_from else "invoice registered"
        if after.duplicate_of:
            yield "a duplicate of another"
        if after.stated_due_date and not after.split_from:
            yield f"due date {after.stated_due_date} stated by its supplier, not from the file"
        change = replace(change, before=_as_registered(after))
    yield from filter(None, (called(change) for called in _EVENTS))


def _as_registered(invoice: Invoice) -> Invoice:
    """An invoice before what its supplier can do to it in the very transaction that registers it."""
    credited_minor = invoice.credited_minor if invoice.split_from else 0
    return replace(invoice, status="registered", credited_minor=credited_minor)


def _approval_taken_back(change: Change) -> str:
    if not (change.gone("approval") or "void_approval" in change.beside.steps):
        return ""
    other = change.new("dispute") or _cancelled(change) or change.new("credited_minor")
    return "approval void" if other else "approval withdrawn"


def _cancelled(change: Change) -> str:
    if change.after.status != "cancelled" or change.before.status == "cancelled":
        return ""
    return "invoice split into parts" if change.after.invoice_id in change.beside.wholes else "invoice cancelled"


def _paid_early(change: Change) -> str:
    if not change.new("early_payment"):
        by_buyer = "early_payment" in change.beside.steps and "assignment" not in change.beside.steps
        return "paid early by the buyer at a discount" if by_buyer else ""
    if change.beside.out_of_reserve:
        return "paid early out of the money set aside"
    return "paid early by decision of the financier" if change.beside.by_decision else "paid early"


def _acknowledged(change: Change) -> str:
    before, after = change.before.notice, change.after.notice
    if not (after and after.acknowledged_on) or (before and before.acknowledged_on == after.acknowledged_on):
        return ""
    return "assignment acknowledged"


def _approved(change: Change) -> str:
    if not (change.new("approval") or "approve" in change.beside.steps):
        return ""
    stated = ", with the due date that only its supplier states" if change.after.stated_due_date else ""
    return f"invoice approved{stated}"


def _extended(change: Change) -> str:
    return f"due date extended to {change.after.extended_due_date}" if change.new("extended_due_date") else ""


Called = Callable[[Change], str]
"""What happened to an invoice with a write; empty when it did not."""


def _new(field: str, text: str) -> Called:
    return lambda change: text if change.new(field) else ""


def _gone(field: str, text: str) -> Called:
    return lambda change: text if change.gone(field) else ""


def _step(step: str, text: str) -> Called:
    return lambda change: text if step in change.beside.steps else ""


def _in_part(step: str, text: str) -> Called:
    """A payment, or a loss, of all that is open or of a part."""

    def called(change: Change) -> str:
        if step not in change.beside.steps:
            return ""
        left = change.after.open_face_minor - (change.after.written_off_minor if step == "write_off" else 0)
        return f"{text} in part" if left else text

    return called


_EVENTS: tuple[Called, ...] = (
    _new("dispute", "invoice disputed"),
    _gone("dispute", "dispute resolved"),
    _cancelled,
    _new("credited_minor", "credit note recorded"),
    _approval_taken_back,
    _new("clearance", "cleared of being a duplicate"),
    _approved,
    _step("reserve", "money set aside"),
    _step("void", "money set aside taken back"),
    _step("expire", "money set aside expired"),
    _paid_early,
    _acknowledged,
    _new("overdue_since", "marked overdue"),
    _extended,
    _in_part("settle", "settled"),
    _in_part("paid_outside", "paid outside the ledger"),
    _in_part("write_off", "written off"),
    _in_part("recovery", "recovered"),
    _step("credit_note", "claim of a credit note recorded"),
    _step("claim_paid", "claim of a credit note paid"),
    _new("misdirected_minor", "misdirected payment reported"),
    _step("repurchase", "bought back by the supplier"),
    _step("unwind", "early payment unwound"),
)
"""In the order in which they are told of one transaction."""


# What an invoice rests on


def _linked(change: Change) -> Iterator[str]:
    """Whether the invoice, or another one, rests on a document or shipment from now on, or does no longer."""
    after = frozenset(change.after.invoice_ids or ())
    before = frozenset[str]()
    if change.before is not None and change.before.invoice_ids is not None:
        before = frozenset(change.before.invoice_ids)
    elif change.before is not None and change.after.invoice_ids is not None:  # an older ledger kept it elsewhere
        own = {change.invoice_id}
        before = after | own if change.beside.registered else after - own
    for verb, ids in (("linked", after - before), ("no longer linked", before - after)):
        if change.invoice_id in ids:
            yield f"{verb} to the invoice"
        if ids and not change.invoice_id:
            yield f"{verb} to {'an invoice' if len(ids) == 1 else f'{len(ids)} invoices'}"
        elif ids - {change.invoice_id}:
            yield f"{verb} to another invoice"


def _document(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None:
        yield f"document registered ({after.kind})"
    if after.status != (before.status if before else "current"):
        yield f"document {after.status}"
    yield from (f"document {linked}" for linked in _linked(change))


def _attestation(change: Change) -> Iterator[str]:
    again = f", {change.before.verdict} before" if change.before else ""
    rules = f", by the rules {change.after.rules.verdict}" if change.after.rules else ""
    goods = f", goods {GOODS[change.after.match.verdict]}" if change.after.match else ""
    yield f"attested {change.after.verdict}{rules}{goods}{again}"


def _shipment(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None:
        yield "shipment registered"
    if after.carrier_accepted and not (before and before.carrier_accepted):
        yield "carrier accepted"
    yield from (f"shipment {linked}" for linked in _linked(change))


def _event(change: Change) -> Iterator[str]:
    text = change.after.type.replace("_", " ") + (" in part" if change.after.partial else "")
    if change.before is None:
        yield f"shipment {text}"
    if change.after.withdrawn_on and not (change.before and change.before.withdrawn_on):
        yield f"report withdrawn: shipment {text}"


# What is said of an invoice


def _said(text: str) -> Callable[[Change], Iterator[str]]:
    """A record that is written whole each time."""

    def named(change: Change) -> Iterator[str]:
        yield f"{text} again" if change.before else text

    return named


def _discount_offer(change: Change) -> Iterator[str]:
    is_same = change.before is not None and change.before.sealed == change.after.sealed
    yield "terms of the discount shown" if change.after.sealed and is_same else "discount offered to the buyer"


def _credit_note(change: Change) -> Iterator[str]:
    yield f"credit note {change.after.status}"


def _entry(change: Change) -> Iterator[str]:
    yield f"entry {change.after.step}"


def _consent_ended(change: Change) -> str:
    return "consents to unwind carried out" if "unwind" in change.beside.steps else "consent to unwind lapsed"


_NAMED: dict[str, Callable[[Change], Iterator[str]]] = {
    "attestation": _attestation,
    "credit_note": _credit_note,
    "decline": _said("early payment declined"),
    "discount_offer": _discount_offer,
    "document": _document,
    "entry": _entry,
    "invoice": _invoice,
    "misdirected": _said("report of a misdirected payment"),
    "request": _said("early payment requested"),
    "shipment": _shipment,
    "shipment_event": _event,
    "unwind": _said("unwinding consented to"),
}
_DELETED: dict[str, Callable[[Change], str]] = {
    "decline": lambda _change: "early payment asked for anew after a decline",
    "unwind": _consent_ended,
}
