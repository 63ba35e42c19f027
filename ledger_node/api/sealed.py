"""Records with sealed terms as this node can show them: opened where it is one of the readers, else who may see them.

They are opened as they are read: the read model keeps what the ledger has, and a key that comes back opens all of it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import Field

from chaincode.records.sealed import DiscountTerms
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain
from ledger_node.sealing import NotVisible, Opened, unseal

SEALED = "sealed"
TERMS: dict[str, type[Any]] = {"discount_offer": DiscountTerms}
"""What is sealed of a record, by its kind; the record has fields of the same names."""
TERMS_SHOWN: dict[str, Any] = {
    "sealed_for": (list[str], Field(description="Who alone may read the terms; empty where all members may.")),
    "not_visible": (str, Field(description="Why the terms are null here, and who may see them; else empty.")),
}


def is_sealed(record_type: type[Any] | None) -> bool:
    """Whether records of a type can have sealed terms."""
    return record_type is not None and SEALED in {field.name for field in dataclasses.fields(record_type)}


def opened(kind: str, record_id: str, record: Plain) -> Opened:
    """The sealed terms of a record. Raises: NotVisible."""
    return unseal(current_node().agreement, f"{kind}/{record_id}", record[SEALED], TERMS[kind])


def with_terms(kind: str, record_id: str, record: Plain) -> Plain:
    """A record with its terms where they are in clear, or this node can open them; what says so stands beside."""
    sealed = record[SEALED]
    rest = {name: value for name, value in record.items() if name != SEALED}
    in_clear = all(rest[field.name] is not None for field in dataclasses.fields(TERMS[kind]))
    if sealed is None or in_clear:
        return rest | {"sealed_for": [], "not_visible": ""}
    readers = [wrap["party"] for wrap in sealed["wraps"]]
    try:
        terms = opened(kind, record_id, record).values
    except NotVisible as reason:
        return rest | {"sealed_for": readers, "not_visible": str(reason)}
    return rest | terms | {"sealed_for": readers, "not_visible": ""}
