"""What is wrong with a request or a file of settings, field by field and in words of people: none of a library's.

Knows the kinds of faults that pydantic tells (https://docs.pydantic.dev/latest/errors/validation_errors/) and the
forms that fields have. A form without words here fails a test.
"""

from __future__ import annotations

import json
import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails

FORMS = {
    r"^[0-9a-f]{32}$": "an id: 32 lower-case hexadecimal digits",
    r"^([0-9a-f]{32})?$": "an id: 32 lower-case hexadecimal digits; or empty",
    r"^[0-9a-f]{64}$": "64 lower-case hexadecimal digits",
    r"^[A-Za-z][A-Za-z0-9.-]{0,60}$": "an MSP id such as BuyerMSP",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date such as 2027-03-31",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?$": (
        "a date such as 2026-11-22, or a time with its zone such as 2026-11-22T08:00+09:00"
    ),
    r"^[A-Z]{3}$": "a currency's three capital letters such as EUR",
    r"^[A-Z]{3}@[A-Za-z][A-Za-z0-9.-]{0,60}$": "a deposit, CURRENCY@MSP, such as EUR@FinancierMSP",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "a name of up to 64 letters, digits, dots and dashes such as acme-group",
    r"^[^\x00-\x1f\x7f]+$": "one line of text, without control characters",
    r"^https://[!-~]{1,200}$": "an address such as https://127.0.0.1:8002",
    r"^[A-Za-z0-9:._-]{1,20}$": "a scheme such as VAT, LEI or 0199",
    r"^[A-Za-z0-9 ]*$": "an account of letters, digits and spaces",
    r"^[A-Za-z0-9+/=]{4,200}$": "a signature in base64",
    r"^[A-Za-z0-9.-]+:[0-9]+$": "HOST:PORT",
    r"^[a-z][a-z0-9-]{0,30}$": "a name of up to 31 small letters, digits and dashes",
}
"""What fields have to be, by their patterns."""

_FAULTS = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "has to be text",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_parsing_size": "has too many digits",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "list_type": "has to be a list",
    "dict_type": "has to be an object",
    "model_type": "has to be an object",
    "greater_than_equal": "has to be at least {ge}",
    "less_than_equal": "has to be at most {le}",
    "string_too_short": "has fewer than {min_length} characters",
    "string_too_long": "has more than {max_length} characters",
    "too_short": "has fewer than {min_length} entries",
    "too_long": "has more than {max_length} entries",
    "literal_error": "has to be {expected}",
    "value_error": "{error}",
}
_BRANCH = re.compile(r"literal\[|function-|constrained-|nullable|(str|int|list\[.*|\[key\])$")
"""What pydantic puts into a place besides names and numbers: which of several forms it tried."""


def faults(error: ValidationError) -> list[tuple[str, str]]:
    """All that is wrong, as pairs of a field and its fault; the field is "body" where it is no single one."""
    found = [(_field(one), _fault(one)) for one in error.errors(include_url=False)]
    named = {field for field, fault in found if fault}
    return list(
        dict.fromkeys((field, fault or "is not empty") for field, fault in found if fault or field not in named)
    )


def _field(error: ErrorDetails) -> str:
    """Its name, within lists with the number of its entry: "parties.0.msp_id"."""
    where = list(error["loc"])
    unknown = [where.pop()] if error["type"] == "extra_forbidden" else []  # as it was sent, whatever it looks like
    named = [part for part in where if isinstance(part, int) or not _BRANCH.match(part)]
    return ".".join(map(str, [*named, *unknown])) or "body"


def _fault(error: ErrorDetails) -> str:
    """What is wrong with it; empty for "it might also have been left empty", which another fault of it says better."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "literal_error" and context["expected"] == "''":
        return ""
    if kind == "string_pattern_mismatch":
        return f"has to be {FORMS.get(context['pattern'], 'in another form')}"
    if context.get("min_length") == 1:
        return "is empty"
    return _FAULTS.get(kind, "is not what it should be").format(**context)


def not_json(error: ValueError | RecursionError) -> str:
    """Why a body is no JSON, in words of people."""
    if isinstance(error, json.JSONDecodeError):
        return f"at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeError):
        return "it is not text in UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "a number in it has too many digits"


def described(found: list[tuple[str, str]]) -> str:
    """All of them in one sentence."""
    return "; ".join(f"{field}: {fault}" for field, fault in found)
