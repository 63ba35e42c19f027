"""What goes over the wire: strict JSON, and money as decimal strings.

A body is UTF-8 JSON without duplicate names, NaN or fractions, and an unknown field is refused: what the caller did
not mean to say is never guessed. Amounts are decimal strings, read by the currency's exponent. No business rule here.
Source: RFC 8259, RFC 7493 (I-JSON), ISO 4217.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import IO, Any, NoReturn

from flask import Request, current_app
from pydantic import BaseModel, ConfigDict

from chaincode.money import CURRENCY_EXPONENTS, MINOR_MAX, Money, deposit_currency
from ledger_node.api.problem import Problem
from ledger_node.faults import not_json
from ledger_node.operations.shapes import MAPS_BY_CURRENCY, MINOR, REASON, request_name

Plain = dict[str, Any]
JSON_BYTES_MAX = 1_000_000
JSON_MEDIA_TYPES = ("application/json",)
_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
SPOOL = "SPOOL"  # name of the app setting: makes the file into which an upload is spooled


class StrictRequest(Request):
    """A request whose JSON is read strictly and whose uploads are spooled where the vault keeps them."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The JSON body; an empty body is the empty object.

        Raises: Problem 400, 413 or 415.
        """
        self.max_content_length = JSON_BYTES_MAX
        raw = self.get_data(cache=cache)
        if not raw:
            return {}
        if self.mimetype not in JSON_MEDIA_TYPES:
            raise Problem(
                415,
                "MEDIA_TYPE",
                f"the body has the media type {self.mimetype or 'none'!r}, not application/json",
                "Send the header Content-Type: application/json.",
            )
        return strict_json(raw)

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        spooled: IO[bytes] = current_app.config[SPOOL]()  # on disk, so that a large document costs no memory
        return spooled


def strict_json(raw: bytes) -> Any:
    """Read JSON of strings, booleans, null, integers, lists and objects.

    Raises: Problem 400 naming the fault.
    """
    try:
        value = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_number, parse_float=_no_number
        )
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # lone surrogates cannot be stored
    except (ValueError, RecursionError) as error:
        text = f"the body is not JSON: {not_json(error)}"
        raise Problem(400, "NOT_JSON", text, "Send one JSON object in UTF-8.") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise Problem(400, "DUPLICATE_FIELD", f"the field {twice[0]!r} stands twice in one object", "Send it once.")
    return fields


def _no_number(text: str) -> NoReturn:
    raise Problem(
        400,
        "NUMBER_NOT_TAKEN",
        f"the number {text[:40]} is no integer",
        'Send amounts as decimal strings, such as "1234.50".',
    )


class Query(BaseModel):
    """Base of every query string: numbers arrive as text, an unknown parameter is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def to_minor(amount: str, currency: str, field: str) -> int:
    """An amount of a request in minor units.

    Args:
        amount: decimal string.
        currency: ISO 4217 code.
        field: its name in the request, for the error.

    Returns: 0 to MINOR_MAX.

    Raises: Problem 422 CURRENCY_UNKNOWN, AMOUNT_NEGATIVE, AMOUNT_TOO_LARGE, AMOUNT_EXPONENT or AMOUNT_NOT_DECIMAL.
    """
    exponent = CURRENCY_EXPONENTS.get(currency)
    if exponent is None:
        raise Problem(422, "CURRENCY_UNKNOWN", f"{currency!r} has no minor unit in ISO 4217", "Use a code such as EUR.")
    match = _DECIMAL.fullmatch(amount)
    if match is None:
        raise _bad_amount("AMOUNT_NOT_DECIMAL", field, amount, "is no decimal number", "Write it as 1234.50.")
    whole, fraction = match[2], match[3] or ""
    if match[1]:
        raise _bad_amount("AMOUNT_NEGATIVE", field, amount, "is below zero", "Send a positive amount.")
    if len(fraction.rstrip("0")) > exponent:
        fault = f"is finer than the minor unit of {currency}"
        raise _bad_amount("AMOUNT_EXPONENT", field, amount, fault, f"Use at most {exponent} digits after the point.")
    if len(whole.lstrip("0")) > 16 or int(whole + fraction[:exponent].ljust(exponent, "0")) > MINOR_MAX:
        fault = f"is more than the ledger can hold ({Money(MINOR_MAX, currency).decimal()} {currency})"
        raise _bad_amount("AMOUNT_TOO_LARGE", field, amount, fault, "Send a smaller amount.")
    return Money.parse(f"{whole.lstrip('0') or '0'}.{fraction.rstrip('0') or '0'}", currency).amount_minor


def _bad_amount(code: str, field: str, amount: str, fault: str, remedy: str) -> Problem:
    return Problem(422, code, f"{field}: {amount!r} {fault}", remedy)


def to_decimal(amount_minor: int, unit: str) -> str:
    """An amount for an answer.

    Args:
        amount_minor: in minor units.
        unit: a currency, or a deposit kind such as "EUR@BankMSP".
    """
    return Money(amount_minor, deposit_currency(unit)).decimal()


def in_ledger_form(record: type[Any], body: BaseModel, given: Mapping[str, Any], currency: Callable[[], str]) -> Plain:
    """The fields of a record, but for a reason's commitment, from what is given and from a request's body.

    Args:
        record: the contract's dataclass.
        body: made for it by `request_shape`.
        given: fields that the body does not have.
        currency: of the body's amounts; asked when it has any.

    Raises: Problem 422.
    """
    fields: Plain = {}
    for field in dataclasses.fields(record):
        sent = getattr(body, request_name(field.name), None)
        if field.name in given:
            fields[field.name] = given[field.name]
        elif field.name.endswith(MINOR):
            fields[field.name] = to_minor(str(sent), currency(), request_name(field.name))
        elif field.name in MAPS_BY_CURRENCY and isinstance(sent, dict):
            fields[field.name] = limits_minor(sent, field.name)
        elif field.name != REASON:
            fields[field.name] = sent
    return fields


def limits_minor(limits: Mapping[str, str], field: str) -> dict[str, int]:
    """Amounts by their currency in minor units. Raises: Problem 422."""
    return {currency: to_minor(limit, currency, field) for currency, limit in limits.items()}
