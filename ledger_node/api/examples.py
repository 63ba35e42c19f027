"""Examples of answers for the API's description: made from each answer's own shape, so that none can fall behind it.

What a field holds is told by its name, as everywhere in the house; a field without a rule here shows its type's.
"""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]
DEPTH_MAX = 6
ID, HEX = "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c", "5d41402abc4b2a76b9719d911017c592ae2c59a4f0a1c3d5e7f90817265f0c8b"
MSP_FIELDS = (
    "supplier|buyer|financier|holder|carrier|submitter|party|to|payer|payee|issuer|reporter|msp_id|sender|owner|who|for"
)
BY_NAME: tuple[tuple[str, Any], ...] = (
    (r"names", {"number": "INV-2026-17"}),
    (rf"{MSP_FIELDS}|guard_parties|votes|unreachable|refused|entitled", "BuyerMSP"),
    (r".*transaction_id|.*commitment.*|.*fingerprint.*|digest|salt|.*hash|person|persons|signed_by|root", HEX),
    (r"id|.*_ids?|released|candidates", ID),
    (r"since|timestamp|.*_at", "2026-11-22T12:00:00.000000Z"),
    (r".*(_on|_until|_date|day|maturity|date)", "2026-11-22"),
    (r"amount.*|.*(balance|face|net|discount|fee|limit|used|left|open|amount|net_min|paid)", "1234.50"),
    (r"currency", "EUR"),
    (r"deposit|unit", "EUR@FinancierMSP"),
    (r".*url|resource", f"/v1/invoices/{ID}"),
    (r"media_type", "application/xml"),
)
"""What fields hold, by their names: the first that fits."""
_RULES = tuple((re.compile(pattern), example) for pattern, example in BY_NAME)
_BY_TYPE: Json = {"string": "", "integer": 7, "number": 7, "boolean": True, "null": None}


def example_of(schema: Json, shapes: Json, name: str = "", depth: int = 0) -> Any:
    """An example that fits a schema.

    Args:
        schema: of JSON Schema, as the framework writes it.
        shapes: the schemas that it may refer to, by name.
        name: of the field that it is of.
    """
    if "$ref" in schema:
        return example_of(shapes[schema["$ref"].rpartition("/")[2]], shapes, name, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("examples"):
        return schema["examples"][0]
    if "anyOf" in schema:
        return _first(schema["anyOf"], shapes, name, depth)
    kind = schema.get("type")
    if kind == "array":
        return [] if depth > DEPTH_MAX else [example_of(schema.get("items", {}), shapes, name, depth + 1)]
    if "properties" in schema:
        return {field: example_of(part, shapes, field, depth + 1) for field, part in schema["properties"].items()}
    if kind == "object":
        return _mapping(schema, shapes, name, depth)
    if kind == "string":
        return next((said for rule, said in _RULES if rule.fullmatch(name) and isinstance(said, str)), name)
    return _BY_TYPE.get(str(kind))


def _first(choices: list[Json], shapes: Json, name: str, depth: int) -> Any:
    """Of the first that is something; of a shape that is within itself, nothing."""
    something = [choice for choice in choices if choice.get("type") != "null"]
    if depth > DEPTH_MAX and len(something) < len(choices):
        return None
    return example_of(something[0], shapes, name, depth)


def _mapping(schema: Json, shapes: Json, name: str, depth: int) -> Json:
    """One entry of what maps something, or nothing where anything may be in it."""
    known = next((said for rule, said in _RULES if rule.fullmatch(name) and isinstance(said, dict)), None)
    if known is not None:
        return dict(known)
    within = schema.get("additionalProperties")
    if not isinstance(within, dict) or not within:
        return {}
    return {"EUR": example_of(within, shapes, name, depth + 1)}
