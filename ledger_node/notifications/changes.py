"""Writes of the ledger as changes of state: which invoice was approved, which deposit redeemed. Pure.

A write that changes no state is no event, but for an invoice's, of which every change counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, get_args

from chaincode import records
from chaincode.records.evidence import DocumentStatus
from chaincode.records.fields import EventType, Verdict
from chaincode.records.invoices import Status
from ledger_node.readmodel.fold import KINDS
from ledger_node.readmodel.tables import HistoryRow
from ledger_node.readmodel.told import told_apart

TRANSFER = "transfer"
READ = (
    "attestation",
    "booked_credit",
    "decline",
    "document",
    "invoice",
    "membership",
    "party",
    "redemption",
    "request",
    "shipment",
    "shipment_event",
    "shipment_reports",
)
"""The kinds of records whose writes may be changes, beside entries of the step TRANSFER."""


def _named(state: str) -> str:
    return state.replace("-", "_")


TYPES: dict[str, str] = {
    **{f"invoice.{_named(status)}": f"An invoice is {status} now." for status in get_args(Status)},
    "invoice.changed": "Something else of an invoice changed: `changed` names its fields.",
    "early_payment.requested": "A supplier asks for early payment of an invoice.",
    "early_payment.declined": "A financier declined it.",
    "early_payment.reserved": "A financier set the money aside.",
    "early_payment.released": "Money that was set aside is free again, and was not paid.",
    "early_payment.paid": "An invoice was paid early.",
    "early_payment.taken_back": "An early payment was bought back or unwound.",
    "document.registered": "A document was registered.",
    **{f"document.{status}": f"A document is {status}." for status in get_args(DocumentStatus) if status != "current"},
    **{f"document.{verdict}": f"A party attested a document: {verdict}." for verdict in get_args(Verdict)},
    "shipment.registered": "A shipment was registered.",
    "shipment.accepted": "Its carrier accepted it.",
    **{f"shipment.{kind}": f"A party reports goods {kind.replace('_', ' ')}." for kind in get_args(EventType)},
    "shipment.report_withdrawn": "A party took such a report back.",
    "deposit.issued": "Deposit money was issued.",
    "deposit.reversed": "An issue of deposit money was reversed.",
    "deposit.transferred": "Deposit money moved from one party to another.",
    "deposit.redemption_requested": "A party wants deposit money paid out.",
    "deposit.redemption_confirmed": "It was paid out.",
    "deposit.redemption_rejected": "It was not, and is the party's again.",
    "membership.proposed": "A change of the membership was proposed.",
    "membership.voted": "A party voted for one.",
    "membership.passed": "One has passed, and waits for the new party's own consent.",
    "membership.applied": "One counts now.",
    "membership.withdrawn": "One was withdrawn.",
    "membership.party_proposed": "A party was proposed by a founding.",
    "membership.party_active": "A party takes part now.",
    "membership.party_suspended": "A party is suspended.",
}
"""Every type of event, and what it says."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state, by one write.

    `record` is the ledger key; `order` is what changes are told in the order of (`_order`);
    `state` and `previous_state` are empty where none is or was; `changed` names an invoice's fields; `place` is block,
    transaction and write, and which of the changes by that write this is, each from 0.
    """

    type: str
    record: str
    order: str
    state: str
    previous_state: str
    changed: tuple[str, ...]
    parties: tuple[str, ...]
    place: tuple[int, int, int, int]
    transaction_id: str
    by: str
    time: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one write changed: a type of TYPES, and the states."""

    type: str
    state: str
    previous_state: str = ""
    changed: tuple[str, ...] = ()


def changes(rows: Iterable[HistoryRow], start: int) -> Iterator[Change]:
    """The changes of some writes.

    Args:
        rows: in the order of the ledger, of kinds in READ and entries; before those of the first block the last write
            of each of their keys before it.
        start: the number of that block.
    """
    before: dict[str, Any] = {}
    last, number = (-1, -1, -1), 0
    for row in told_apart(rows):
        kind = row.key.partition("/")[0]
        after = None if row.value is None else records.decode(KINDS[kind], row.value.encode())
        former, before[row.key] = before.get(row.key), after
        if after is None or row.block_number < start:
            continue
        place = (row.block_number, row.transaction_index, row.write_index)
        number = number if place == last else 0
        last = place
        for told in _TOLD[kind](former, after):
            yield _change(row, after, told, number)
            number += 1


def _change(row: HistoryRow, after: Any, told: Told, number: int) -> Change:
    return Change(
        type=told.type,
        record=row.key,
        order=_order(row.key, after),
        state=told.state,
        previous_state=told.previous_state,
        changed=told.changed,
        parties=_parties(after),
        place=(row.block_number, row.transaction_index, row.write_index, number),
        transaction_id=row.transaction_id,
        by=row.msp_id,
        time=row.timestamp,
    )


def _order(key: str, record: Any) -> str:
    """The invoice, else the shipment, else the document that a record is about, else the record itself."""
    for noun in ("invoice", "shipment", "document"):
        if identity := getattr(record, f"{noun}_id", ""):
            return f"{noun}/{identity}"
    return "/".join(key.split("/")[:2])


_PARTY_FIELDS = ("supplier", "buyer", "holder", "carrier", "submitter", "party", "msp_id", "to")


def _parties(record: Any) -> tuple[str, ...]:
    """Whom a record is about."""
    named = {getattr(record, name, "") for name in _PARTY_FIELDS} | set(getattr(record, "entitled", ()))
    payment = getattr(record, "early_payment", None) or getattr(record, "reservation", None)
    named |= {payment.financier} if payment else set()
    if isinstance(record, records.Entry):
        named |= {name.partition(":")[2] for name in (record.debit, record.credit)}
    if isinstance(record, records.BookedCredit) and record.issued:
        named |= {record.issued.to, record.issued.deposit.partition("@")[2]}
    if isinstance(record, records.Redemption):
        named.add(record.deposit.partition("@")[2])
    return tuple(sorted(named - {""}))


def _invoice(before: Any, after: Any) -> Iterator[Told]:
    former = before.status if before else ""
    changed = tuple(
        field.name
        for field in fields(after)
        if before is not None and getattr(before, field.name) != getattr(after, field.name)
    )
    if after.status != former:
        yield Told(f"invoice.{_named(after.status)}", after.status, former, changed)
    elif changed:
        yield Told("invoice.changed", after.status, former, changed)
    yield from _early_payment(before, after)


def _early_payment(before: Any, after: Any) -> Iterator[Told]:
    paid, was_paid = after.early_payment, before.early_payment if before else None
    held, was_held = after.reservation, before.reservation if before else None
    if held and held != was_held:
        yield Told("early_payment.reserved", "reserved")
    if paid and not was_paid:
        yield Told("early_payment.paid", "paid", "reserved" if was_held else "")
    elif was_held and not held:
        yield Told("early_payment.released", "", "reserved")
    if after.taken_back and not (before and before.taken_back):
        yield Told("early_payment.taken_back", "taken back", "paid")


def _request(before: Any, after: Any) -> Iterator[Told]:
    if before != after:
        yield Told("early_payment.requested", "requested")


def _decline(before: Any, after: Any) -> Iterator[Told]:
    if before != after:
        yield Told("early_payment.declined", "declined")


def _document(before: Any, after: Any) -> Iterator[Told]:
    if before is None:
        yield Told("document.registered", "current")
    former = before.status if before else "current"
    if after.status != former:
        yield Told(f"document.{after.status}", after.status, former)


def _attestation(before: Any, after: Any) -> Iterator[Told]:
    former = before.verdict if before else ""
    if after.verdict != former:
        yield Told(f"document.{after.verdict}", after.verdict, former)


def _shipment(before: Any, after: Any) -> Iterator[Told]:
    if before is None:
        yield Told("shipment.registered", "registered")
    if after.carrier_accepted and not (before and before.carrier_accepted):
        yield Told("shipment.accepted", "accepted", "registered")


def _shipment_event(before: Any, after: Any) -> Iterator[Told]:
    if before is None:
        yield Told(f"shipment.{after.type}", after.type)
    if after.withdrawn_on and not (before and before.withdrawn_on):
        yield Told("shipment.report_withdrawn", "withdrawn", after.type)


def _booked_credit(before: Any, after: Any) -> Iterator[Told]:
    if after.issued and not (before and before.issued):
        yield Told("deposit.issued", "issued")
    if after.reversed and not (before and before.reversed):
        yield Told("deposit.reversed", "reversed", "issued")


def _redemption(before: Any, after: Any) -> Iterator[Told]:
    former = before.status if before else ""
    if after.status != former:
        yield Told(f"deposit.redemption_{after.status}", after.status, former)


def _entry(_before: Any, after: Any) -> Iterator[Told]:
    if after.step == TRANSFER:
        yield Told("deposit.transferred", "transferred")


def _membership(before: Any, after: Any) -> Iterator[Told]:
    if before is None:
        yield Told("membership.proposed", "open")
    elif after.votes != before.votes and after.status == "open":
        yield Told("membership.voted", "open", "open")
    former = before.status if before else "open"
    if after.status != former:
        yield Told(f"membership.{after.status}", after.status, former)


def _party(before: Any, after: Any) -> Iterator[Told]:
    former = before.status if before else ""
    if after.status != former:
        yield Told(f"membership.party_{after.status}", after.status, former)


_TOLD: dict[str, Callable[[Any, Any], Iterator[Told]]] = {
    "attestation": _attestation,
    "booked_credit": _booked_credit,
    "decline": _decline,
    "document": _document,
    "entry": _entry,
    "invoice": _invoice,
    "membership": _membership,
    "party": _party,
    "redemption": _redemption,
    "request": _request,
    "shipment": _shipment,
    "shipment_event": _shipment_event,
}
