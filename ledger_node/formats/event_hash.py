"""The event hash of CBV 2.0: what happened, in one spelling, so that two files tell whether they tell of one event.

What is said of an event from outside (its id, when it was recorded, that it was declared erroneous) is left out. An
event is given in the shape of EPCIS in JSON, however it was written; names of other vocabularies are `{namespace}name`
or have a prefix. Source: GS1 CBV 2.0 section 8.9.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ledger_node.formats.event_identity import digital_link, moment

_COMMENTS = frozenset({"rdfs:comment", "comment", "{http://www.w3.org/2000/01/rdf-schema#}comment"})
_OUTSIDE = frozenset({"@context", "type", "eventID", "recordTime", "errorDeclaration"})
_VOC, _CBV = "https://gs1.org/voc/", "https://ref.gs1.org/cbv/"
PREFIXES = {"gs1": _VOC, "cbv": _CBV, "cbvmda": "urn:epcglobal:cbv:mda:", "epcis": "https://ref.gs1.org/epcis/"}
"""Those that EPCIS's own context declares."""
_LISTS = {
    "epcList": "epc",
    "inputEPCList": "epc",
    "outputEPCList": "epc",
    "childEPCs": "epc",
    "quantityList": "quantityElement",
    "childQuantityList": "quantityElement",
    "inputQuantityList": "quantityElement",
    "outputQuantityList": "quantityElement",
    "bizTransactionList": "",
    "sourceList": "",
    "destinationList": "",
    "sensorElementList": "sensorElement",
}
"""Lists, and what XML calls what is in them; "" where that name goes before the value."""
_EVENT = (
    "eventTime eventTimeZoneOffset certificationInfo parentID epcList inputEPCList childEPCs quantityList"
    " childQuantityList inputQuantityList outputEPCList outputQuantityList action transformationID bizStep disposition"
    " persistentDisposition readPoint bizLocation sensorElementList"
)
# The lists of transactions, sources and destinations stand with all others, by name: so do the hashes of the standard's
# own examples, though its text has an order for them.
_AMONG_OTHERS = ("bizTransactionList", "sourceList", "destinationList")
_REPORT = (
    "type exception deviceID deviceMetadata rawData dataProcessingMethod time microorganism chemicalSubstance value"
    " component stringValue booleanValue hexBinaryValue uriValue minValue maxValue meanValue sDev percRank percValue"
    " uom coordinateReferenceSystem"
)
_ORDERS = {
    "": _EVENT,
    "quantityElement": "epcClass quantity uom",
    "persistentDisposition": "set unset",
    "readPoint": "id",
    "bizLocation": "id",
    "bizTransactionList": "type bizTransaction",
    "sourceList": "type source",
    "destinationList": "type destination",
    "sensorElement": "sensorMetadata sensorReport",
    "sensorMetadata": "time startTime endTime deviceID deviceMetadata rawData dataProcessingMethod bizRules",
    "sensorReport": _REPORT,
}
_ORDER = {kind: tuple(names.split(" ")) for kind, names in _ORDERS.items()}
_TIMES = frozenset({"eventTime", "time", "startTime", "endTime"})
_WORDS = {
    "bizStep": _CBV + "BizStep-",
    "disposition": _CBV + "Disp-",
    "set": _CBV + "Disp-",
    "unset": _CBV + "Disp-",
    "bizTransactionList": _CBV + "BTT-",
    "sourceList": _CBV + "SDT-",
    "destinationList": _CBV + "SDT-",
    "sensorReport": _VOC,
    "component": _CBV + "Comp-",
    "exception": _VOC,
}
_URNS = {"bizstep": "BizStep-", "disp": "Disp-", "btt": "BTT-", "sdt": "SDT-", "er": "ER-"}
_URN = re.compile(r"urn:epcglobal:cbv:(bizstep|disp|btt|sdt|er):(.*)", re.DOTALL)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


def pre_hash(event: Mapping[str, Any], namespaces: Mapping[str, str]) -> str:
    """What is hashed: all that an event says, in one order and spelling.

    Args:
        event: in the shape of EPCIS in JSON.
        namespaces: of the prefixes that its document declares.

    Raises: FormatError for a time that does not exist.
    """
    known = PREFIXES | dict(namespaces)
    return f"eventType={_text('type', event['type'], known)}" + _object("", event, known, _OUTSIDE)


def event_hash(normal: str) -> str:
    """The hash that an event has as its id when it has no other, "ni:///sha-256;<64 hex digits>?ver=CBV2.0".

    Args:
        normal: its `pre_hash`.
    """
    return f"ni:///sha-256;{hashlib.sha256(normal.encode('utf-8', 'surrogatepass')).hexdigest()}?ver=CBV2.0"


def identity(event: Mapping[str, Any], normal: str) -> str:
    """What makes two events one: all of it but in which time zone its clock stood, since the moment is the same.

    Args:
        event: in the shape of EPCIS in JSON.
        normal: its `pre_hash`.
    """
    return normal.replace(f"eventTimeZoneOffset={event['eventTimeZoneOffset']}", "", 1)


def _object(kind: str, value: Mapping[str, Any], known: Mapping[str, str], without: frozenset[str]) -> str:
    """The fields that the standard orders, then the others by name."""
    order = _ORDER[kind]
    ordered = "".join(_field(kind, name, value[name], known) for name in order if name in value)
    among = [name for name in _AMONG_OTHERS if name in value and not kind]
    others = {name: each for name, each in value.items() if name not in order and name not in (*without, *among)}
    return ordered + "".join(
        sorted([_field(kind, name, value[name], known) for name in among] + _others(others, known))
    )


def _field(kind: str, name: str, value: Any, known: Mapping[str, str]) -> str:
    if name in _LISTS and isinstance(value, list):
        entry = _LISTS[name]
        found = sorted(_entry(entry or name, entry, each, known) for each in value)
        return name + "".join(found) if "".join(found) else ""
    if isinstance(value, list):
        return "".join(sorted(_field(kind, name, each, known) for each in value))
    if isinstance(value, Mapping):
        inside = _object(name, value, known, frozenset()) if name in _ORDER else "".join(_others(value, known))
        return name + inside if inside else ""
    text = _text(kind if name == "type" else name, value, known)
    return f"{name}={text}" if text else ""


def _entry(kind: str, name: str, value: Any, known: Mapping[str, str]) -> str:
    """One element of a list of the standard."""
    if isinstance(value, Mapping):
        inside = _object(kind, value, known, frozenset())
        return name + inside if inside else ""
    return f"{name}={_text(name, value, known)}"


def _others(value: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    """What other vocabularies say, each with its name; each element of a list has the list's name."""
    found = []
    for name, inner in value.items():
        if name != "#text" and name not in _COMMENTS:
            found += [_other(_named(name, known), each, known) for each in _each(inner)]
    return sorted(found)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _other(name: str, value: Any, known: Mapping[str, str]) -> str:
    if isinstance(value, Mapping):
        text = _text("", value["#text"], known) if "#text" in value else ""
        return name + (f"={text}" if text else "") + "".join(_others(value, known))
    if isinstance(value, list):
        return name + "".join(sorted(_other("", each, known) for each in value))
    text = _text("", value, known)
    return f"{name}={text}" if text else name


def _named(name: str, known: Mapping[str, str]) -> str:
    prefix, colon, local = name.partition(":")
    return f"{{{known[prefix]}}}{local}" if colon and prefix in known else name


def _text(name: str, value: Any, known: Mapping[str, str]) -> str:
    """A value in its one spelling; booleans as XML writes them."""
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value).strip()
    if name in _TIMES and text:
        return _milliseconds(text)
    if name in _WORDS and _BARE.fullmatch(text):
        return _WORDS[name] + text
    if urn := _URN.fullmatch(text):
        return _CBV + _URNS[urn[1]] + urn[2]
    prefix, colon, local = text.partition(":")
    if colon and prefix in known and not local.startswith("//"):
        return known[prefix] + local
    if _NUMBER.fullmatch(text):
        return _plain_number(text)
    return digital_link(text)


def _plain_number(text: str) -> str:
    """A number without sign of plus and without leading and trailing zeros, exactly."""
    number = f"{Decimal(text):f}"
    plain = number.rstrip("0").rstrip(".") if "." in number else number
    return "0" if plain in ("-0", "") else plain


def _milliseconds(text: str) -> str:
    """A time in UTC, rounded to milliseconds, half of one to the even one."""
    found = moment(text)
    found += datetime.timedelta(microseconds=round(found.microsecond, -3) - found.microsecond)
    return found.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
