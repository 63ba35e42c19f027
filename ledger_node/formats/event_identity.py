"""When two EPCIS events are one event: in any order, spelling or time zone, as CBV 2.0 normalises them before hashing.

Times become UTC, words of CBV their short form, EPC URIs the canonical GS1 Digital Link, lists are sorted; what is
said of an event from outside (its id, when it was recorded, that it was declared erroneous) is left out.
Source: GS1 CBV 2.0 section 8.9, GS1 EPC Tag Data Standard 2.0 (EPC URIs), GS1 Digital Link 1.2, GS1 General
Specifications section 7.9 (check digits).
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ledger_node.formats.facts import FormatCode, FormatError

_OUTSIDE = frozenset({"@context", "eventID", "recordTime", "errorDeclaration", "eventTimeZoneOffset"})
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})")
_WORD = re.compile(
    r"(?:urn:epcglobal:cbv:(?:bizstep|disp|btt|sdt|er):"
    r"|(?:https?://(?:ref|ns)\.gs1\.org/cbv/|cbv:)(?:BizStep|Disp|BTT|SDT|ER)-)([a-z_]+)"
)
_EPC = re.compile(r"urn:epc:(?:id|idpat|class):([a-z]+):([0-9]{6,12})\.([^.]*)(?:\.(.*))?", re.DOTALL)
_LINK = re.compile(
    r"https?://[^/?#]+/(?:[^/?#]+/)*?((?:00|01|253|255|401|402|414|417|8003|8004|8010|8017|8018)/[0-9][^?#]*)(?:[?#].*)?",
    re.DOTALL,
)
_CANONICAL = "https://id.gs1.org/"


def identity(event: dict[str, Any]) -> str:
    """What an event is, in one spelling: equal for two events that are one.

    Args:
        event: valid against the schema.

    Raises: FormatError for a time that does not exist.
    """
    rest = {name: value for name, value in event.items() if name not in _OUTSIDE}
    return json.dumps(_normal(rest), sort_keys=True, default=str)


def event_id(event: dict[str, Any]) -> str:
    """An event's own id in one spelling, or "": the letters of a UUID have no case."""
    found = str(event.get("eventID", ""))
    return found.lower() if found.lower().startswith("urn:uuid:") else found


def utc(text: str) -> str:
    """A time that exists, in UTC; fractions finer than a microsecond are cut.

    Raises: FormatError.
    """
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError("not RFC 3339")
        offset = "+00:00" if match[3] == "Z" else match[3]
        moment = datetime.datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6].ljust(6, '0')}{offset}")
        in_utc = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise FormatError(
            FormatCode.DATE, f"{text[:60]!r} is no time: {error}", "write it as 2026-01-31T12:00:00+01:00"
        ) from error
    return in_utc.isoformat().removesuffix("+00:00") + "Z"


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _normal(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted((_normal(inner) for inner in value), key=lambda inner: json.dumps(inner, default=str))
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    if _TIME.fullmatch(text):
        return utc(text)
    if word := _WORD.fullmatch(text):
        return word[1]
    if epc := _EPC.fullmatch(text):
        return _link(text, *epc.groups(default=""))
    if link := _LINK.fullmatch(text):
        return _CANONICAL + unquote(link[1].rstrip("/"))
    return text


def _link(text: str, scheme: str, prefix: str, reference: str, serial: str) -> str:
    """The canonical Digital Link of an EPC URI; the URI itself when it is of a scheme without one."""
    make = _LINKS.get(scheme)
    if make is None or (reference and not reference.isdecimal() and scheme not in ("giai", "ginc", "cpi")):
        return text
    return _CANONICAL + unquote(make(prefix, reference, "" if serial == "*" else serial))


def _checked(digits: str) -> str:
    """A GS1 key with its check digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _gtin(prefix: str, reference: str) -> str:
    return _checked(reference[:1] + prefix + reference[1:])


def _with(qualifier: str, value: str) -> str:
    return f"/{qualifier}/{value}" if value else ""


_LINKS: dict[str, Callable[[str, str, str], str]] = {
    "sgtin": lambda prefix, item, serial: f"01/{_gtin(prefix, item)}{_with('21', serial)}",
    "lgtin": lambda prefix, item, lot: f"01/{_gtin(prefix, item)}{_with('10', lot)}",
    "upui": lambda prefix, item, serial: f"01/{_gtin(prefix, item)}{_with('235', serial)}",
    "sscc": lambda prefix, reference, _: f"00/{_gtin(prefix, reference)}",
    "sgln": lambda prefix, place, extension: (
        f"414/{_checked(prefix + place)}{_with('254', '' if extension == '0' else extension)}"
    ),
    "pgln": lambda prefix, party, _: f"417/{_checked(prefix + party)}",
    "grai": lambda prefix, asset, serial: f"8003/{_checked('0' + prefix + asset)}{serial}",
    "giai": lambda prefix, asset, _: f"8004/{prefix}{asset}",
    "gsrn": lambda prefix, service, _: f"8018/{_checked(prefix + service)}",
    "gsrnp": lambda prefix, service, _: f"8017/{_checked(prefix + service)}",
    "gdti": lambda prefix, document, serial: f"253/{_checked(prefix + document)}{serial}",
    "sgcn": lambda prefix, coupon, serial: f"255/{_checked(prefix + coupon)}{serial}",
    "cpi": lambda prefix, part, serial: f"8010/{prefix}{part}{_with('8011', serial)}",
    "gsin": lambda prefix, shipment, _: f"402/{_checked(prefix + shipment)}",
    "ginc": lambda prefix, consignment, _: f"401/{prefix}{consignment}",
}
