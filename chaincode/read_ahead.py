"""Which keys the commands of a batch will read: asked for together they cost a few round trips, not a few a command.

A peer takes one request of a transaction at a time, so what each command reads for itself is waited for. Must never
decide anything: a key that is missing here is only read later, and one too many costs a little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import suppress
from typing import Any

from chaincode.errors import RecordError
from chaincode.records import Document, Invoice, Shipment, decode, keys

BY_ID: dict[str, Callable[[str], str]] = {
    "credit_note_id": keys.credit_note,
    "document_id": keys.document,
    "document_ids": keys.document,
    "facility_id": keys.facility,
    "facility_ids": keys.facility,
    "invoice_id": keys.invoice,
    "invoice_ids": keys.invoice,
    "proof_ids": keys.document,
    "redemption_id": keys.redemption,
    "shipment_id": keys.shipment,
    "shipment_ids": keys.shipment,
}
KINDS: dict[str, type[Document | Shipment | Invoice]] = {
    "document": Document,
    "invoice": Invoice,
    "shipment": Shipment,
}
PARTIES = ("buyer", "carrier", "entitled", "supplier", "to")
_is_id = re.compile(r"[0-9a-f]{32}", re.ASCII).fullmatch
_is_name = re.compile(r"[0-9A-Za-z.-]{1,64}", re.ASCII).fullmatch
_is_hex = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch


def named(msp_id: str, body: dict[str, Any]) -> Iterator[str]:
    """The keys of what a command names.

    Args:
        msp_id: the sender.
        body: of the command, plain data that its type can read.
    """
    for name, value in body.items():
        if name in BY_ID:
            yield from (BY_ID[name](one) for one in _strings(value) if _is_id(one))
        elif name in PARTIES:
            yield from (keys.party(one) for one in _strings(value) if _is_name(one))
        elif name == "buyer_reference" and isinstance(value, str) and _is_hex(value):
            yield keys.buyer_reference(msp_id, value)
        elif name == "fingerprints" and isinstance(value, dict) and isinstance(body.get("epoch"), int):
            found = [(kind, one) for kind, one in value.items() if isinstance(one, str) and _is_hex(one)]
            for field, kind in (("predecessors", "number"), ("deliveries", "delivery")):
                found += [(kind, one) for one in body["facts"].get(field, ()) if _is_hex(one)]
            yield from (keys.fingerprint(body["epoch"], kind, msp_id, one) for kind, one in found if kind.isalpha())
        elif name == "events":
            for event in value:
                yield from named(msp_id, event)
        elif name == "event_id":
            yield keys.shipment_reports(body["shipment_id"], msp_id)


def following(found: Iterable[tuple[str, bytes | None]]) -> Iterator[str]:
    """The keys of what documents, shipments and invoices name in their turn: givers, what rests on them, who owes.

    Args:
        found: keys and values of the first round trip.
    """
    for record in _records(found):
        if isinstance(record, Invoice):
            names = f"recv:{record.holder}", f"pay:{record.buyer}"
            yield from (keys.obligation_account(record.invoice_id, name) for name in names)
            continue
        if isinstance(record, Document):
            yield keys.party(record.submitter)
        yield from (keys.invoice(invoice_id) for invoice_id in record.invoice_ids or ())


def checked(found: Iterable[tuple[str, bytes | None]], approving: Set[str]) -> Iterator[Invoice]:
    """The invoices whose release is likely to be checked: approved ones, and those that are about to be.

    Args:
        found: keys and values of both round trips.
        approving: ids that commands approve, as they came.
    """
    for record in _records(dict(found).items()):
        if isinstance(record, Invoice) and (record.status == "approved" or record.invoice_id in approving):
            yield record


def _records(found: Iterable[tuple[str, bytes | None]]) -> Iterator[Document | Shipment | Invoice]:
    for key, value in found:
        kind = KINDS.get(key.partition("/")[0])
        if value is not None and kind is not None:
            with suppress(RecordError):  # whoever reads it for itself says so
                yield decode(kind, value)


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
