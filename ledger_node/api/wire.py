"""What goes over the wire: strict JSON, the field types all resources share, and money as decimal strings.

A body is UTF-8 JSON without duplicate names, NaN or fractions, and an unknown field is refused: what the caller did
not mean to say is never guessed. Amounts are decimal strings, read by the currency's exponent. No business rule here.
Source: RFC 8259, RFC 7493 (I-JSON), ISO 4217.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import IO, Annotated, Any, NoReturn

from flask import Request, current_app
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chaincode.money import CURRENCY_EXPONENTS, MINOR_MAX, Money, deposit_currency
from ledger_node.api.problem import Problem
from ledger_node.config import MSP_ID

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
        raise Problem(400, "NOT_JSON", f"the body is not JSON: {error}", "Send one JSON object in UTF-8.") from error
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise Problem(400, "DUPLICATE_FIELD", f"the field {twice[0]!r} stands twice in one object", "Send it once.")
    return found


def _no_number(text: str) -> NoReturn:
    raise Problem(
        400,
        "NUMBER_NOT_TAKEN",
        f"the number {text[:40]} is no integer",
        'Send amounts as decimal strings, such as "1234.50".',
    )


class In(BaseModel):
    """Base of every JSON body: an unknown field is refused, and no type is turned into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(In):
    """The body of a request that says everything by its address: none, or an empty object."""


class Out(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid")


class Query(BaseModel):
    """Base of every query string: numbers arrive as text, an unknown parameter is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _calendar_date(text: str) -> str:
    dt.date.fromisoformat(text)
    return text


RecordId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"])]
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Msp = Annotated[str, Field(pattern=MSP_ID, examples=["BuyerMSP"])]
DateText = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-03-31"], json_schema_extra={"format": "date"}),
    AfterValidator(_calendar_date),
]
AmountText = Annotated[
    str,
    Field(max_length=40, examples=["1234.50"], description="Decimal string with at most the currency's digits."),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
Deposit = Annotated[str, Field(pattern=r"^[A-Z]{3}@[A-Za-z][A-Za-z0-9.-]{0,60}$", examples=["EUR@FinancierMSP"])]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Url = Annotated[str, Field(pattern=r"^https://[!-~]{1,200}$", examples=["https://127.0.0.1:8002"])]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


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
