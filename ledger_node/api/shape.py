"""Ledger records as the API shows them: minor units become decimal strings, the record's version is left out."""

from __future__ import annotations

from typing import Any

from ledger_node.api.wire import Plain, to_decimal
from ledger_node.operations.shapes import MAPS_BY_CURRENCY, MAPS_IN_UNIT, MINOR


def shaped(record: Plain, unit: str = "") -> Plain:
    """A record with every `x_minor` shown as the decimal string `x`.

    Args:
        record: plain data of the ledger.
        unit: currency or deposit kind of its amounts; what the record (or a part of it) names itself comes first.
    """
    unit = record.get("currency") or record.get("deposit") or record.get("unit") or _facts_currency(record) or unit
    return dict(_field(name, value, unit) for name, value in record.items() if name != "version")


def written(record: Plain, unit: str = "") -> Plain:
    """A record of the read model, with the block and transaction that wrote it apart from its own fields."""
    own = {name: value for name, value in record.items() if name not in ("block_number", "transaction_id")}
    place = {"block_number": record["block_number"], "transaction_id": record["transaction_id"]}
    return {**shaped(own, unit), "written": place}


def _field(name: str, value: Any, unit: str) -> tuple[str, Any]:
    if name.endswith(MINOR) and isinstance(value, int):
        return name.removesuffix(MINOR), to_decimal(value, unit)
    if name in MAPS_BY_CURRENCY:
        return name, {currency: _amount(part, currency) for currency, part in value.items()}
    if name in MAPS_IN_UNIT:
        return name, {key: to_decimal(part, unit) for key, part in value.items()}
    if isinstance(value, dict) and name != "fingerprints":
        return name, shaped(value, unit)
    return name, value


def _amount(value: Any, currency: str) -> Any:
    return shaped(value, currency) if isinstance(value, dict) else to_decimal(value, currency)


def _facts_currency(record: Plain) -> str:
    facts = record.get("facts")
    return str(facts["currency"]) if isinstance(facts, dict) else ""
