"""Names in answers and requests: what people call a record, shown beside it, and taken instead of its id.

Whoever may read a document may read the names that it says: on this node that is every token, so names are shown
behind a token and nowhere else. An id is always an id: a name that looks like one is none. Nothing is guessed: where a
name or the beginning of an id fits several records, all are refused, with what there is to choose from. Only what this
organisation typed or registered itself comes before what others wrote into theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from chaincode.money import deposit_issuer
from ledger_node.api.access import say_of_act
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.wire import Plain
from ledger_node.errors import BadRequest
from ledger_node.formats.fingerprints import reference
from ledger_node.operations.fields import NAMED_KINDS
from ledger_node.people.document_names import (
    AGREEMENT,
    BUYER_REFERENCE,
    FILE,
    INSTEAD_OF_IDS,
    NUMBER,
    PAYMENT_REFERENCE,
    REFERENCE,
)
from ledger_node.people.names import Named, folded
from ledger_node.readmodel import Record, Sought, name_keys

ID = re.compile(r"[0-9a-f]{32}")
ID_PREFIX = re.compile(r"[0-9a-f]{4,31}")
CANDIDATES_MAX = 10
FOUND_MAX = 500
WRITERS: dict[str, Callable[[Record], str]] = {
    AGREEMENT: lambda record: str(record["financier"]),
    BUYER_REFERENCE: lambda record: str(record["buyer"]),
    PAYMENT_REFERENCE: lambda record: deposit_issuer(record["deposit"]),
}
"""Who types each of the names that stand in no document, for its record."""
REGISTERED_BY = {"credit_note": "supplier", "document": "submitter", "invoice": "supplier", "shipment": "supplier"}
"""The field that says who has registered a record that others may call alike."""
SAID_OF = ("supplier", "submitter", "financier", "party", "buyer", "status", "day")


def sought(text: str) -> Sought | None:
    """What a list is searched for; None for an empty text. Raises: BadRequest when too much would fit."""
    if not text.strip():
        return None
    found = current_node().names.holding(text)
    return Sought(tuple(found), text if ID_PREFIX.fullmatch(text) or ID.fullmatch(text) else "")


def record_id(kind: str, text: str) -> str:
    """The id of a record that is named by it, by the beginning of it, or by a name.

    Args:
        kind: of the record, such as "invoice".
        text: as it was typed.

    Raises: Problem 404 when it names nothing, 409 when it names several.
    """
    if ID.fullmatch(text):
        return text
    node = current_node()
    fields = (*INSTEAD_OF_IDS, FILE) if kind == "document" else INSTEAD_OF_IDS
    # Digits alone are a number: an id is chosen by who makes the record, and may begin with somebody else's.
    prefix = text if ID_PREFIX.fullmatch(text) and not text.isdecimal() else ""
    called = node.names.called(text, fields)
    found = node.readmodel.found(kind, Sought(tuple(called), prefix), FOUND_MAX)
    begun = [each for each in found if prefix and _last(each).startswith(prefix)]
    others = [each for each in found if each not in begun]
    own, others = _called(kind, others, folded(text), fields)
    found = begun + (own or others)
    if not found:
        text = f"there is no {kind.replace('_', ' ')} {text!r} that this node knows"
        remedy = (
            "Give its id, at least 4 digits of it with a letter, or its name in full; the lists take ?q= to search."
        )
        raise Problem(404, f"{kind.upper()}_UNKNOWN", text, remedy)
    if len(found) > 1:
        raise _ambiguous(text, kind, found)
    return _last(found[0])


def identified(named: Mapping[str, Any]) -> dict[str, Any]:
    """What an address names, with ids where it has names. Raises: as `record_id`."""
    found = {
        field: record_id(NAMED_KINDS[field], value) if field in NAMED_KINDS else value for field, value in named.items()
    }
    say_of_act(**{field: str(value) for field, value in found.items() if field in NAMED_KINDS})
    return found


def names_of(kind: str, records: Sequence[Record]) -> list[Named]:
    """The names of records of a kind, and of the invoice that a record speaks of, as `invoice`.

    Args:
        kind: the first part of their keys on the ledger.
        records: as the read model gives them.
    """
    node = current_node()
    others = {} if kind == "invoice" else {f"invoice/{record.get('invoice_id')}" for record in records}
    of_invoices = node.readmodel.name_keys(others)
    known = node.names.of({key for keys in of_invoices.values() for key in keys})
    named = _own_names(kind, records)
    for record, names in zip(records, named, strict=True):
        if number := _merged(known, of_invoices.get(f"invoice/{record.get('invoice_id')}", ())).get(NUMBER):
            names["invoice"] = number
    return named


def with_names(kind: str, records: Sequence[Record], shown: Sequence[Plain]) -> list[Plain]:
    """Records as they are shown, each with its `names`."""
    return [{**plain, "names": named} for plain, named in zip(shown, names_of(kind, records), strict=True)]


def _called(kind: str, records: Sequence[Record], wanted: str, fields: Collection[str]) -> tuple[list[Record], ...]:
    """Which of some records are called so: those that this organisation typed or registered itself, and the others."""
    node = current_node()
    known = node.names.of({key for record in records for key in name_keys(kind, record)})
    own: list[Record] = []
    others: list[Record] = []
    for record in records:
        names = [item for key in name_keys(kind, record) for item in known.get(key, {}).items()]
        by = {field for field, value in names if folded(value) == wanted and _is_called(kind, record, field, value)}
        registered_here = record.get(REGISTERED_BY.get(kind, "")) == node.msp_id
        if by & set(fields):
            (own if registered_here or by & WRITERS.keys() else others).append(record)
    return own, others


def _own_names(kind: str, records: Sequence[Record]) -> list[Named]:
    """What each record is called; not what it only seems to be, having copied another's fingerprint or commitment."""
    keys = [name_keys(kind, record) for record in records]
    known = current_node().names.of({key for own in keys for key in own})
    merged = [_merged(known, own) for own in keys]
    return [
        {field: value for field, value in named.items() if _is_called(kind, record, field, value)}
        for record, named in zip(records, merged, strict=True)
    ]


def _is_called(kind: str, record: Record, field: str, value: str) -> bool:
    """Whether a name is this record's own: anybody may copy what the ledger has of a name into a record of its own.

    A shipment's fingerprint is of its own supplier's and buyer's reference. What was typed here was typed for a record
    of which this organisation is the one that types it.
    """
    node = current_node()
    if field in WRITERS:
        return WRITERS[field](record) == node.msp_id
    if kind != "shipment" or field != REFERENCE:
        return True
    try:
        made = reference(node.fingerprint_key, record["supplier"], record["buyer"], value)
    except BadRequest:
        return False
    return bool(made == record["reference_fingerprint"])


def _merged(known: Mapping[str, Named], keys: Sequence[str]) -> Named:
    """All names of one record; of several of one kind the first."""
    merged: Named = {}
    for key in keys:
        merged = known.get(key, {}) | merged
    return merged


def _ambiguous(text: str, kind: str, found: Sequence[Record]) -> Problem:
    candidates = [
        {"id": _last(record), "label": _label(record, named)}
        for record, named in zip(found[:CANDIDATES_MAX], names_of(kind, found[:CANDIDATES_MAX]), strict=True)
    ]
    more = "" if len(found) <= CANDIDATES_MAX else " and more"
    listed = "; ".join(f"{each['id']} ({each['label']})" for each in candidates)
    return Problem(
        409,
        "NAME_AMBIGUOUS",
        f"{text!r} fits several: {listed}{more}",
        "Give the id of the one that you mean, or the beginning of it that no other has.",
        candidates=candidates,
    )


def _label(record: Record, named: Named) -> str:
    name = named.get(NUMBER) or named.get(REFERENCE) or named.get("file") or ""
    return ", ".join(str(part) for part in (name, *(record.get(field) for field in SAID_OF)) if part)


def _last(record: Record) -> str:
    return str(record["key"].rpartition("/")[2])
