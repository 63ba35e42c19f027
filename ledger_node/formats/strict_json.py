"""JSON from strangers: UTF-8, each name once, numbers exact, bounded depth; or a refusal with a name.

Source: RFC 8259 section 4 (of two values under one name, two readers may take two different ones).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from ledger_node.formats.facts import FormatCode, FormatError

# Far above real documents; where Python itself gives up differs between its versions, and nodes must agree.
NESTING_LEVELS_MAX = 64


def load_json(content: bytes) -> Any:
    """What a JSON text says.

    Args:
        content: the whole file.

    Returns: objects, lists, strings, booleans, null, integers, and Decimals for all other numbers.

    Raises: FormatError.
    """
    try:
        document = json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=Decimal
        )
    except UnicodeDecodeError as error:
        raise FormatError(FormatCode.NOT_WELL_FORMED, f"the JSON is not UTF-8: {error}", "save it as UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except (ValueError, ArithmeticError) as error:
        raise FormatError(FormatCode.NOT_WELL_FORMED, f"the JSON is broken: {error}", "export it again") from error
    _check_nesting(document)
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand there once."""
    names = dict(pairs)
    if len(names) != len(pairs):
        raise FormatError(FormatCode.DUPLICATE_NAME, "a JSON object holds the same name twice", "state it once")
    return names


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _too_deep() -> FormatError:
    return FormatError(
        FormatCode.NOT_WELL_FORMED, f"the JSON is nested deeper than {NESTING_LEVELS_MAX} levels", "flatten it"
    )


def _check_nesting(document: Any) -> None:
    values = [document] if isinstance(document, dict | list) else []
    for _ in range(NESTING_LEVELS_MAX):
        containers = [value.values() if isinstance(value, dict) else value for value in values]
        values = [inner for container in containers for inner in container if isinstance(inner, dict | list)]
    if values:
        raise _too_deep()
