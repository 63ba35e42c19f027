"""Reading JSON that has to be in its canonical form, byte for byte: then two readers can never see two things.

Repeated keys, other spellings of a number, other orders and spaces are all refused by that one rule.
Source: RFC 8785, of which only strings, whole numbers, booleans, null, lists and objects with ASCII keys are used.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

WHOLE_MAX = 2**53 - 1


class MalformedError(Exception):
    """Bytes are not what the format says; the text says in which way."""


def encode(value: Any) -> bytes:
    """The canonical form of a value of the kinds named above."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def decode(data: bytes, what: str) -> Any:
    """The value of canonical JSON.

    Args:
        data: as it was read.
        what: it is called in errors.

    Raises: MalformedError.
    """
    try:
        value = json.loads(data.decode(), parse_float=_refuse, parse_constant=_refuse, parse_int=_whole)
        again = encode(value)
    except (ValueError, RecursionError) as error:
        text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise MalformedError(f"{what} is no JSON of this kind: {text}") from error
    if again != data:
        raise MalformedError(f"{what} is not in its canonical form (RFC 8785): it was changed, or written anew")
    return value


def _whole(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > WHOLE_MAX:
        raise ValueError(f"the number {text[:20]} has too many digits")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} is no whole number")
