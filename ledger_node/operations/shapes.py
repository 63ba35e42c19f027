"""Requests and answers, made from the contract's own records by three rules of naming.

1. What the address names, and the id of what is made, is not in the body of a request.
2. `x_minor`, an integer of minor units, is the decimal string `x`, in requests and in answers.
3. `reason_commitment` is sent as the typed `reason`.

A request is checked by the model that is made here; an answer is described by one and not checked again.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from chaincode import records
from chaincode.records.fields import Currency, Pattern, Range, Size
from ledger_node.operations.fields import SENT, SENT_AS, AmountText, In, Out, Text

MINOR = "_minor"
REASON = "reason_commitment"
NO_DEFAULTS: Mapping[str, Any] = types.MappingProxyType({})
OTHER_NAMES = {"FoundingParty": "ProposedPartyOut"}
"""Answers that are called otherwise than their record with `Out`."""


def request_shape(
    name: str, record: type[Any], leave_out: Collection[str] = (), defaults: Mapping[str, Any] = NO_DEFAULTS
) -> type[In]:
    """The body of a request, from the body of its command.

    Args:
        name: of the model.
        record: the frozen dataclass of the command's body.
        leave_out: fields that the request does not have.
        defaults: of fields that the request need not have, by the request's own names.
    """
    fields: dict[str, Any] = {}
    for field, hint in _fields(record, leave_out):
        sent = request_name(field)
        kind = AmountText if field.endswith(MINOR) else Text if field == REASON else SENT_AS.get(field) or _sent(hint)
        default = defaults.get(sent, ...)
        fields[sent] = (kind, list(default) if isinstance(default, tuple) else default)
    return create_model(name, __base__=In, __doc__=record.__doc__, **fields)


def answer_shape(
    record: type[Any],
    name: str = "",
    base: type[Out] = Out,
    leave_out: Collection[str] = (),
    more: Mapping[str, Any] = NO_DEFAULTS,
) -> type[Out]:
    """How a record is shown.

    Args:
        record: the frozen dataclass on the ledger.
        name: of the model; else that of the record with `Out`.
        base: what every answer of its kind has.
        leave_out: fields that are not shown.
        more: further fields, as `pydantic.create_model` takes them.
    """
    shown = {field.removesuffix(MINOR): (_shown(field, hint), ...) for field, hint in _fields(record, leave_out)}
    name = name or OTHER_NAMES.get(record.__name__, f"{record.__name__}Out")
    return create_model(name, __base__=base, __doc__=record.__doc__, **{**shown, **more})


def request_name(field: str) -> str:
    """What a field of a command is called in a request."""
    return "reason" if field == REASON else field.removesuffix(MINOR)


def _fields(record: type[Any], leave_out: Collection[str] = ()) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(record, include_extras=True)
    return [(field.name, hints[field.name]) for field in dataclasses.fields(record) if field.name not in leave_out]


def _sent(hint: Any) -> Any:
    """How a value of the contract's type is written in a request."""
    if hint in SENT:
        return SENT[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return Annotated[_sent(arguments[0]), Field(**_bounds(arguments[1:]))]
    if origin is tuple:
        return list[_sent(arguments[0])]  # type: ignore[misc]
    if origin is dict:  # of amounts by their currency: there is no other in any body
        return dict[_sent(arguments[0]), AmountText]  # type: ignore[misc]
    return hint


def _bounds(checks: tuple[Any, ...]) -> dict[str, Any]:
    """The contract's checks as pydantic and JSON Schema say them."""
    bounds: dict[str, Any] = {}
    for check in checks:
        match check:
            case Range(low, high):
                bounds |= {"ge": low, "le": high}
            case Size(low, high):
                bounds |= {"min_length": low or None, "max_length": high}
            case Pattern():
                bounds["pattern"] = f"^{check.pattern}$"
    return bounds


def _shown(field: str, hint: Any) -> Any:
    """How a value of the contract's type is shown; bounds and patterns are left to the ledger."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _shown(field, arguments[0])
    if origin in (types.UnionType, typing.Union):
        return _shown(field, arguments[0]) | None
    if origin is tuple:
        return list[_shown(field, arguments[0])]  # type: ignore[misc]
    if origin is dict:
        amounts = field in MAPS_IN_UNIT | MAPS_BY_CURRENCY and arguments[1] is not Any and _is_int(arguments[1])
        return dict[str, str if amounts else _shown("", arguments[1])]  # type: ignore[misc]
    if dataclasses.is_dataclass(hint):
        return answer_shape(typing.cast(type[Any], hint))
    return str if field.endswith(MINOR) else Literal[arguments] if origin is Literal else hint


def _is_int(hint: Any) -> bool:
    return hint is int or (typing.get_origin(hint) is Annotated and typing.get_args(hint)[0] is int)


def _maps() -> Iterator[tuple[str, Any, Any]]:
    """Fields of the contract's records that map something: name, type of the keys, type of the values."""
    for record in vars(records).values():
        for field, hint in _fields(record) if isinstance(record, type) and dataclasses.is_dataclass(record) else ():
            bare = typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint
            if typing.get_origin(bare) is dict:
                yield (field, *typing.get_args(bare))


MAPS_BY_CURRENCY = frozenset(field for field, key, _ in _maps() if key == Currency)
"""Fields that hold amounts, or records with amounts, by their currency."""
MAPS_IN_UNIT = frozenset(field for field, key, value in _maps() if key != Currency and _is_int(value))
"""Fields that hold amounts in the record's own currency, by something else."""
