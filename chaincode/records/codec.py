"""The strict codec: frozen dataclasses to canonical JSON and back, and the one JSON reader of the contract.

Canonical JSON is that of RFC 8785 for what we use: strings, booleans, null, lists, objects and integers below 2^53;
keys sorted, compact, UTF-8. Decoding takes nothing on trust: an unknown or missing field, a wrong type, an integer
where a boolean should be, a string outside its pattern, all raise `RecordError` with the path of the field. The
decoder of a class is made once, from its annotations (see `fields`).

A record class that has changed since it was first written carries `UPGRADES`: its first function makes plain data of
version 2 out of version 1, the next version 3, and so on. Its own version is one more than their number; bytes of an
older version are upgraded as they are read, and a record that is written again is written in the newest version.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NoReturn, Protocol, TypeVar

from chaincode.errors import RecordError
from chaincode.money import MINOR_MAX

DEPTH_MAX = 32
DECODED_MAX = 16_384
"""How many decoded records are kept: a party, a day or a facility is read over and over in the same bytes."""
GROWING_DECODED_MAX = 1_024
"""How many of those that grow: one of them, full, is some 70 KiB, and each of its versions is another."""
JUST_ENCODED_MAX = 1_024
"""Of how many bytes that were written last the records are kept; more than one transaction writes."""

R = TypeVar("R")
Decoder = Callable[[Any, str], Any]
Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Plain data of one version of a record to plain data of the next one; the dict it is given is its own."""

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
_SCALARS = (str, int, type(None))  # a tuple: `str | int` would be made anew at each call
_just_encoded: dict[tuple[type[Any], bytes], Any] = {}
_class_decoders: dict[type[Any], Decoder] = {}
_class_fields: dict[type[Any], tuple[str, ...]] = {}


class Check(Protocol):
    """A further condition on a value; put into `Annotated`."""

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when `value`, whose type is right, is not acceptable."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of plain data (dicts, lists or tuples, strings, integers, booleans, None), UTF-8."""
    return _encoder.encode(value).encode("utf-8")


def encode(record: Any) -> bytes:
    """The canonical bytes of a record, with the newest version of its class.

    `GROWING` of its class names a list of records that it is written with again and again, each time with one more:
    what was encoded of them before is not encoded again, nor is the whole decoded again by who has just written it.
    """
    growing: str = getattr(type(record), "GROWING", "")
    if not growing:
        return canonical({"version": 1 + len(_upgrades(type(record))), **plain(record)})
    parts = ",".join(map(_encoded_part, getattr(record, growing)))
    rest = _encoded_around(record, growing)
    data = rest.replace(f'"{growing}":[]', f'"{growing}":[{parts}]', 1).encode("utf-8")
    if len(_just_encoded) >= JUST_ENCODED_MAX:
        _just_encoded.clear()
    _just_encoded[type(record), data] = record
    return data


def _encoded_around(record: Any, growing: str) -> str:
    """The JSON text of a record whose growing list is empty; no value can hold an unescaped quotation mark."""
    fields = {name: _plain_value(getattr(record, name)) for name in _field_names(type(record)) if name != growing}
    return _encoder.encode({"version": 1 + len(_upgrades(type(record))), growing: [], **fields})


@functools.lru_cache(maxsize=DECODED_MAX)
def _encoded_part(part: Any) -> str:
    return _encoder.encode(plain(part))


def decode(record_type: type[R], data: bytes) -> R:
    """Read a record back from its bytes. The same bytes give the same, frozen, object: do not change a dict in it.

    Args:
        record_type: the frozen dataclass it should be.
        data: canonical JSON with a "version" field.

    Raises: RecordError: these bytes are no such record, or of a newer version than this program knows.
    """
    record: R = (_growing if hasattr(record_type, "GROWING") else _other)(record_type, data)[0]
    return record


def decode_newest(record_type: type[R], data: bytes) -> tuple[R, bytes]:
    """The record of some bytes as `decode` gives it, and its bytes in the newest version of its class."""
    record, is_newest = (_growing if hasattr(record_type, "GROWING") else _other)(record_type, data)
    return record, data if is_newest else encode(record)


def _decoded(record_type: Any, data: bytes) -> tuple[Any, bool]:
    if known := _just_encoded.pop((record_type, data), None):
        return known, True
    value = parse_json(data)
    if not isinstance(value, dict):
        raise RecordError("", "a record is a JSON object")
    version = value.pop("version", None)
    upgrades = _upgrades(record_type)
    if type(version) is not int or not 1 <= version <= 1 + len(upgrades):
        raise RecordError("version", f"{version!r} is not known here, only 1 to {1 + len(upgrades)}")
    for upgrade in upgrades[version - 1 :]:
        value = _upgraded(upgrade, value)
    return from_plain(record_type, value), version == 1 + len(upgrades)


_other: Callable[[Any, bytes], tuple[Any, bool]] = functools.lru_cache(maxsize=DECODED_MAX)(_decoded)
_growing: Callable[[Any, bytes], tuple[Any, bool]] = functools.lru_cache(maxsize=GROWING_DECODED_MAX)(_decoded)


class WithinOrNone(dict[str, Any]):
    """In a `LATER`: the fields that an object came to have later than the object itself, which is null before."""


def adding(**fields: Any) -> Upgrade:
    """An upgrade that adds fields with these values. Raises: RecordError: older data has one of them."""

    def upgrade(old: dict[str, Any]) -> dict[str, Any]:
        early = sorted(old.keys() & fields.keys())
        if early:
            raise RecordError(early[0], "is a field of a newer version")
        return old | fields

    return upgrade


def _upgraded(upgrade: Upgrade, value: dict[str, Any]) -> dict[str, Any]:
    try:
        return upgrade(value)
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError("", f"an older version of this record is not as it should be: {error}") from error


def _upgrades(record_type: type[Any]) -> tuple[Upgrade, ...]:
    return getattr(record_type, "UPGRADES", ())


def from_plain(record_type: type[R], value: Any) -> R:
    """Make a record (or a command's body) of plain data. Raises: RecordError."""
    return typing.cast(R, _class_decoder(record_type)(value, ""))


def from_body(body_type: type[R], value: dict[str, Any]) -> R:
    """Make a command's body of plain data, as `from_plain` does.

    `LATER` of its class are the fields that the commands of an earlier release do not have, with what they mean then:
    plain data, one level of objects within it, or of the objects of a list; `WithinOrNone` where the object is null
    when it is missing. So a command that waits while the contract is upgraded can be sent.

    Raises: RecordError.
    """
    later: dict[str, Any] = getattr(body_type, "LATER", {})
    for name, meant in later.items():
        value = value | {name: _filled(meant, value.get(name, None if isinstance(meant, WithinOrNone) else meant))}
    return from_plain(body_type, value)


def _filled(meant: Any, given: Any) -> Any:
    """What was given, with the fields that an object in it lacks."""
    if isinstance(meant, dict) and isinstance(given, list):
        return [_filled(meant, one) for one in given]
    return meant | given if isinstance(meant, dict) and isinstance(given, dict) else given


def plain(record: Any) -> dict[str, Any]:
    """A record as plain dicts, lists and scalars, without a version."""
    return {name: _plain_value(getattr(record, name)) for name in _field_names(type(record))}


def parse_json(data: bytes) -> Any:
    """Parse JSON as the contract accepts it from outside.

    Args:
        data: UTF-8 bytes.

    Raises: RecordError: not UTF-8, not JSON, a duplicate key, a number that is no integer within +-(2^53-1), a lone
        surrogate, or nesting deeper than DEPTH_MAX.
    """
    try:
        text = data.decode("utf-8")
        value = _json.decode(text)
        if text.count("[") + text.count("{") > DEPTH_MAX and _is_deeper(value, DEPTH_MAX):
            raise RecordError("", f"nested deeper than {DEPTH_MAX}")
        if "\\u" in text:
            _refuse_lone_surrogates(value)
    except RecordError:
        raise
    except RecursionError as error:
        raise RecordError("", f"nested deeper than {DEPTH_MAX}") from error
    except ValueError as error:
        raise RecordError("", f"not JSON in UTF-8: {error}") from error
    return value


def _plain_value(value: Any) -> Any:
    if isinstance(value, _SCALARS):  # most are; then what costs least to tell apart
        return value
    if isinstance(value, tuple):
        return [_plain_value(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain_value(item) for key, item in value.items()}
    return plain(value) if dataclasses.is_dataclass(value) else value


def _field_names(record_type: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields; made once."""
    if record_type not in _class_fields:
        _class_fields[record_type] = tuple(field.name for field in dataclasses.fields(record_type))
    return _class_fields[record_type]


def _is_deeper(value: Any, left: int) -> bool:
    """Whether lists and objects are nested more than `left` deep."""
    if isinstance(value, dict):
        value = list(value.values())
    return isinstance(value, list) and (left == 0 or any(_is_deeper(item, left - 1) for item in value))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise RecordError("", "an object has a key twice")
    return value


def _integer(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MINOR_MAX:
        raise RecordError("", "an integer is beyond 2^53-1")
    return int(digits)


def _no_number(digits: str) -> NoReturn:
    raise RecordError("", f"{digits[:20]} is not an integer")


_json = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
)


def _refuse_lone_surrogates(value: Any) -> None:
    """An escape such as \\ud800 alone is no character, and no UTF-8 could carry it."""
    json.dumps(value, ensure_ascii=False).encode("utf-8")


def _class_decoder(record_type: type[Any]) -> Decoder:
    """The decoder of a dataclass; made once."""
    if record_type not in _class_decoders:
        _class_decoders[record_type] = _make_class_decoder(record_type)
    return _class_decoders[record_type]


def _make_class_decoder(record_type: type[Any]) -> Decoder:
    hints = typing.get_type_hints(record_type, include_extras=True)
    decoders = {name: _decoder(hints[name]) for name in _field_names(record_type)}

    def decode_class(value: Any, path: str) -> Any:
        if type(value) is not dict:
            raise RecordError(path, "must be an object")
        if value.keys() != decoders.keys():
            _raise_field_difference(set(value), set(decoders), path)
        prefix = f"{path}." if path else ""
        return record_type(**{name: decoder(value[name], prefix + name) for name, decoder in decoders.items()})

    return decode_class


def _raise_field_difference(present: set[str], wanted: set[str], path: str) -> NoReturn:
    missing, unknown = sorted(wanted - present), sorted(present - wanted)
    texts = [f"field missing: {name}" for name in missing] + [f"field unknown: {name[:40]}" for name in unknown[:5]]
    raise RecordError(path, "; ".join(texts))


def _decoder(hint: Any) -> Decoder:
    """The decoder of one annotation. Only the forms that `fields` and the records use are known."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return _checked(_decoder(arguments[0]), arguments[1:])
    if origin is Literal:
        return _one_of(arguments)
    if origin is tuple:
        return _list_of(_decoder(arguments[0]))
    if origin is dict:
        return _map_of(_decoder(arguments[0]), _decoder(arguments[1]))
    if origin in (types.UnionType, typing.Union):  # the second is that of an alias that is Annotated
        return _optional(_decoder(arguments[0]))
    if hint is Any:
        return _anything
    if dataclasses.is_dataclass(hint):
        return _class_decoder(typing.cast(type[Any], hint))
    return _scalar(hint)


def _anything(value: Any, _path: str) -> Any:
    return value


def _scalar(wanted: type[Any]) -> Decoder:
    names = {str: "a string", int: "an integer", bool: "true or false"}

    def decode_scalar(value: Any, path: str) -> Any:
        if type(value) is not wanted:
            raise RecordError(path, f"must be {names[wanted]}")
        return value

    return decode_scalar


def _one_of(choices: tuple[str, ...]) -> Decoder:
    def decode_choice(value: Any, path: str) -> Any:
        if type(value) is not str or value not in choices:
            raise RecordError(path, f"must be one of {', '.join(choices)}")
        return value

    return decode_choice


def _list_of(item: Decoder) -> Decoder:
    def decode_list(value: Any, path: str) -> Any:
        if type(value) is not list:
            raise RecordError(path, "must be a list")
        return tuple(item(part, f"{path}[{number}]") for number, part in enumerate(value))

    return decode_list


def _map_of(key: Decoder, item: Decoder) -> Decoder:
    def decode_map(value: Any, path: str) -> Any:
        if type(value) is not dict:
            raise RecordError(path, "must be an object")
        return {key(name, path): item(value[name], f"{path}.{name[:40]}") for name in sorted(value)}

    return decode_map


def _optional(inner: Decoder) -> Decoder:
    def decode_optional(value: Any, path: str) -> Any:
        return None if value is None else inner(value, path)

    return decode_optional


def _checked(inner: Decoder, checks: tuple[Check, ...]) -> Decoder:
    def decode_checked(value: Any, path: str) -> Any:
        decoded = inner(value, path)
        for check in checks:
            check.check(decoded, path)
        return decoded

    return decode_checked
