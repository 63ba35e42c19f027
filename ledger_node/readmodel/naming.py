"""Under which keys people's names of a record are kept: what the ledger itself holds of them.

The names are not here: the ledger does not have them, and the read model is a fold over the ledger alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sought:
    """What people look for: the keys of names that fit, and the beginning of an id that does; empty for none."""

    name_keys: tuple[str, ...] = ()
    id_prefix: str = ""


def name_keys(kind: str, record: Record) -> list[str]:
    """The keys of the names of a record; none of a kind that people give no names.

    Args:
        kind: such as "invoice".
        record: its fields.
    """
    found = KEYS[kind](record) if kind in KEYS else []
    return [key for key in found if key]


def _invoice(record: Record) -> list[str]:
    approval = record["approval"]
    return [*record["document_ids"], *([approval["buyer_reference"]] if approval else [])]


KEYS: dict[str, Callable[[Record], list[str]]] = {
    "acceptance": lambda record: [record["agreement_commitment"]],
    "credit_note": lambda record: [record["document_id"]],
    "document": lambda record: [record["document_id"]],
    "invoice": _invoice,
    "redemption": lambda record: [record["payment_reference"]],
    "shipment": lambda record: [record["reference_fingerprint"]],
}
