"""Ledger records as the API shows them: minor units become decimal strings, the record's version is left out."""

from __future__ import annotations

from typing import Any

from ledger_node.api.wire import to_decimal

Plain = dict[str, Any]


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
    if name in ("issue_limits", "four_eyes_above"):
        return name, {currency: to_decimal(limit, currency) for currency, limit in value.items()}
    if name == "pending_four_eyes_above":
        return name, {currency: shaped(pending, currency) for currency, pending in value.items()}
    if name == "used_by_supplier":
        return name, {msp_id: to_decimal(used, unit) for msp_id, used in value.items()}
    if name.endswith("_minor") and isinstance(value, int):
        return name.removesuffix("_minor"), to_decimal(value, unit)
    if isinstance(value, dict) and name != "fingerprints":
        return name, shaped(value, unit)
    return name, value


def _facts_currency(record: Plain) -> str:
    facts = record.get("facts")
    return str(facts["currency"]) if isinstance(facts, dict) else ""
