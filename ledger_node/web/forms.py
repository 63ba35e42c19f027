"""The form of a command, made from the body of its request: what is typed in the reader's way, as the API takes it.

A field that is wrong is told at the field, and everything typed stays; nothing is guessed. Commands whose body has
parts of its own (a founding's parties) have no form.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from chaincode.money import CURRENCY_EXPONENTS
from ledger_node.operations.bodies import request_body
from ledger_node.operations.fields import NAMED_KINDS, SAID
from ledger_node.operations.operation import Operation
from ledger_node.operations.readings import READINGS
from ledger_node.operations.table import OPERATIONS
from ledger_node.web.asking import Plain, Refused, ask
from ledger_node.web.marks import gettext
from ledger_node.web.texts import AMOUNT_EXAMPLES, amount, language, party_name, read_amount

AMOUNT_SAID = "Decimal string with at most the currency's digits."
CHOICES_MAX = 200
DEPOSIT = "deposit"
CALLED = ("number", "reference", "invoice", "file", "name")
"""Fields with what people call a record, the best one first."""
_SHOWN_BY_HAND = ("document", "invoice", "shipment")
_ADDRESSES = {each.kind: each.address for each in READINGS if each.id_name or each.kind in _SHOWN_BY_HAND}
_FOR_A_PROMPT = re.compile(
    r",? such as [0-9]+\.[0-9]{2}|,? YYYY-MM-DD( or \S+:[0-9]{2})?(, or a time with zone)?|; repeat"
)


@dataclass(slots=True)
class FormField:
    """One field: its `kind` says how it is shown and read; `values` are in it, `fault` says what is wrong."""

    name: str
    kind: str
    required: bool
    text: str = ""
    values: list[str] = field(default_factory=list)
    choices: list[tuple[str, str]] = field(default_factory=list)
    fault: str = ""

    @property
    def value(self) -> str:
        """What is in a field that has one value."""
        return self.values[0] if self.values else ""


@functools.cache
def with_forms() -> dict[str, Operation]:
    """The operations that have a form, by name."""
    return {each.name: each for each in OPERATIONS if _kinds(each) is not None}


def form_of(operation: Operation, given: MultiDict[str, str], *, typed: bool) -> list[FormField]:
    """The fields of an operation.

    Args:
        operation: one of `with_forms`.
        given: values by name.
        typed: whether a reader typed them; otherwise they come from a link, as the API writes them.
    """
    kinds, model = _kinds(operation), request_body(operation)
    assert kinds is not None, "asked only for those with a form"
    fields = []
    for name, (kind, schema) in kinds.items():
        info = model.model_fields[name]
        values = [each for each in given.getlist(name) if len(each) <= 10_000]
        if not typed and not values and not info.is_required():
            default = info.get_default(call_default_factory=True)
            values = list(map(str, default)) if isinstance(default, list) else ["" if default is None else str(default)]
        if not typed and kind == "amount":
            values = [amount(each) if each else "" for each in values]
        choices = _choices(name, kind, schema)
        if not typed and not values and info.is_required() and len(choices) == 1:
            values = [choices[0][0]]
        fields.append(FormField(name, kind, info.is_required(), said_of(operation, name), values, choices))
    return fields


def said_of(operation: Operation, name: str) -> str:
    """What is said of a field, without how a prompt wants it written: a form has fields for days and amounts."""
    said = SAID.get(f"{operation.command}.{name}", SAID.get(name, ""))
    return _FOR_A_PROMPT.sub("", said).removeprefix("YYYY-MM-DD.")


def body_of(fields: list[FormField], digits: int) -> Plain | None:
    """The request's body; None when a field has a fault, which is noted at it.

    Args:
        fields: as they were typed.
        digits: of the currency that its amounts are in; see `digits_of`.
    """
    body: Plain = {}
    for each in fields:
        value = _read(each, digits)
        if each.fault:
            continue
        if value not in ("", None):
            body[each.name] = value
        elif each.required and each.kind != "checkboxes":
            each.fault = gettext("This is needed.")
    return None if any(each.fault for each in fields) else body


def digits_of(given: MultiDict[str, str]) -> int:
    """How many decimal digits the currency has that a form's amounts are in; 2 where the form does not say.

    That is the currency it names, or the one of the invoice, the deposit or the facility that it is about.
    Raises: Refused for an invoice that is not there.
    """
    currency = given.get("currency", "").strip()
    if not currency and given.get("invoice_id"):
        currency = ask(f"/v1/invoices/{given['invoice_id']}")["currency"]
    currency = currency or given.get(DEPOSIT, "")
    facility_id = given.get("facility_id") or given.get("facility_ids")
    if not currency and facility_id:
        found = [each for each in ask("/v1/facilities")["items"] if each["facility_id"] == facility_id]
        currency = found[0][DEPOSIT] if found else ""
    return CURRENCY_EXPONENTS.get(currency.partition("@")[0], 2)


def record_of(name: str, value: str) -> Plain:
    """The record that a part of the address names, for whoever decides about it; empty where it cannot be shown."""
    address = _ADDRESSES.get(NAMED_KINDS.get(name, ""))
    if address is None or not value.isalnum():
        return {}
    try:
        found: Plain = ask(f"{address}/{value}")
    except Refused:  # what is wrong with it, the ledger says when the form is sent
        return {}
    return found


def called(record: Plain) -> str:
    """What people call a record; empty where they have no name for it."""
    names: dict[str, str] = record.get("names", {})
    return next((names[each] for each in (*CALLED, *names) if names.get(each)), "")


def _read(each: FormField, digits: int) -> Any:
    value = each.value.strip()
    match each.kind:
        case "checkbox":
            return value == "True"
        case "checkboxes":
            return [value for value in each.values if value]
        case "lines":
            return [line.strip() for line in value.splitlines() if line.strip()]
        case "amount" if value:
            read = read_amount(value, digits)
            each.fault = "" if read else gettext("Write it like %(example)s.", example=AMOUNT_EXAMPLES[language()])
            return read
        case "number" if value:
            each.fault = "" if value.isascii() and value.isdecimal() else gettext("This is no whole number.")
            return None if each.fault else int(value[:18])
        case "date" if value:
            each.fault = "" if _is_day(value) else gettext("There is no such day.")
    return value


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


@functools.cache
def _kinds(operation: Operation) -> Mapping[str, tuple[str, Plain]] | None:
    """How each field of a request is shown; None when one cannot be."""
    model, kinds = request_body(operation), {}
    for name, schema in model.model_json_schema().get("properties", {}).items():
        kind = "select" if name == DEPOSIT else _kind(schema)
        if kind:
            kinds[name] = (kind, schema)
        elif model.model_fields[name].is_required():
            return None
    return kinds


def _kind(schema: Plain) -> str:
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if "enum" in schema:
        return "select"
    match schema.get("type"):
        case "boolean":
            return "checkbox"
        case "integer":
            return "number"
        case "array" if schema["items"].get("type") == "string":
            return "checkboxes" if "enum" in schema["items"] or "pattern" in schema["items"] else "lines"
        case "string" if schema.get("description") == AMOUNT_SAID:
            return "amount"
        case "string" if schema.get("format") == "date" or "T[0-9]" in schema.get("pattern", ""):
            return "date"
        case "string" if schema.get("examples") == ["BuyerMSP"]:
            return "select"
        case "string":
            return "text"
    return ""


def _choices(name: str, kind: str, schema: Plain) -> list[tuple[str, str]]:
    """Values with their words, for fields of which one chooses."""
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    listed = schema.get("enum") or schema.get("items", {}).get("enum")
    if listed:
        return [(each, each) for each in listed]
    if name == DEPOSIT:
        parties = ask("/v1/parties")["items"]
        return [(f"{unit}@{each['msp_id']}",) * 2 for each in parties for unit in each["issue_limits"]]
    if kind == "select" or name == "suppliers":
        parties = [each for each in ask("/v1/parties")["items"] if _role(name) in ("", *each["roles"])]
        return [(each["msp_id"], party_name(each["msp_id"])) for each in parties]
    if kind == "checkboxes" and NAMED_KINDS.get(name) in _LISTS:
        address, identity, title = _LISTS[NAMED_KINDS[name]]
        items = ask(address, per_page=CHOICES_MAX if address != "/v1/facilities" else None)["items"]
        return [(each[identity], title(each)) for each in items]
    return []


def _role(name: str) -> str:
    """The role of the parties that a field is about; empty for any."""
    role = name.removesuffix("s")
    return role if role in ("buyer", "carrier", "supplier") else ""


_LISTS: dict[str, tuple[str, str, Any]] = {
    "facility": (
        "/v1/facilities",
        "facility_id",
        lambda each: f"{party_name(each['financier'])} · {each['deposit']} · {each['rate_bps'] / 100:g} %",
    ),
    "invoice": ("/v1/invoices", "invoice_id", lambda each: each["names"].get("number") or each["invoice_id"][:8]),
    "shipment": (
        "/v1/shipments",
        "shipment_id",
        lambda each: each["names"].get("reference") or each["shipment_id"][:8],
    ),
    "document": ("/v1/documents", "document_id", lambda each: each["names"].get("file") or each["document_id"][:8]),
}
