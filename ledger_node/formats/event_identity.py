"""Spellings of EPCIS as CBV 2.0 normalises them: times in UTC, EPC URIs as canonical GS1 Digital Links, event ids.

Source: GS1 CBV 2.0 section 8.9, GS1 EPC Tag Data Standard 2.0 (EPC URIs), GS1 Digital Link 1.2, GS1 General
Specifications section 7.9 (check digits).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from ledger_node.formats.facts import FormatCode, FormatError

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})")
_EPC = re.compile(r"urn:epc:(?:id|idpat|class):([a-z]+):([0-9]{6,12})\.([^.]*)(?:\.(.*))?", re.DOTALL)
_LINK = re.compile(
    r"https?://[^/?#]+/(?:[^/?#]+/)*?"
    r"((?:00|01|253|255|401|402|414|417|8003|8004|8006|8010|8017|8018"
    r"|gtin|itip|cpid|gln|party|gsrnp?|gcn|sscc|gdti|ginc|gsin|grai|giai)/[0-9][^?#]*)(?:[?#].*)?",
    re.DOTALL,
)
_NAMES = {
    "gtin": "01",
    "itip": "8006",
    "cpid": "8010",
    "gln": "414",
    "party": "417",
    "gsrnp": "8017",
    "gsrn": "8018",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
    "lot": "10",
    "ser": "21",
}
"""Words of earlier Digital Links for application identifiers."""
_CANONICAL = "https://id.gs1.org/"
_FINEST = ("21", "235", "10")
"""Of a GTIN's qualifiers the finest one says it: a serial number, a serial of a third party, a lot."""
# What a Digital Link need not escape in a value: its table 7-1 names the rest of what GS1 keys may hold.
_PLAIN = "-._~;='"


def event_id(event: dict[str, Any]) -> str:
    """An event's own id in one spelling, or "": the letters of a UUID have no case."""
    found = str(event.get("eventID", ""))
    return found.lower() if found.lower().startswith("urn:uuid:") else found


def utc(text: str) -> str:
    """A time that exists, in UTC; fractions finer than a microsecond are cut.

    Raises: FormatError.
    """
    return moment(text).isoformat().removesuffix("+00:00") + "Z"


def day_at(text: str, offset: str) -> str:
    """The date of a time at a place, YYYY-MM-DD.

    Args:
        offset: of the place from UTC, such as "+02:00".

    Raises: FormatError.
    """
    try:
        place = datetime.datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
        return moment(text).astimezone(place).date().isoformat()
    except (ValueError, OverflowError) as error:
        raise FormatError(FormatCode.DATE, f"{text[:60]!r} at {offset[:10]!r} is no day", "mend the time") from error


def moment(text: str) -> datetime.datetime:
    """A time that exists, in UTC; fractions finer than a microsecond are cut.

    Raises: FormatError.
    """
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError("not RFC 3339")
        offset = "+00:00" if match[3] == "Z" else match[3]
        found = datetime.datetime.fromisoformat(f"{match[1]}.{(match[2] or '0')[:6].ljust(6, '0')}{offset}")
        return found.astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise FormatError(
            FormatCode.DATE, f"{text[:60]!r} is no time: {error}", "write it as 2026-01-31T12:00:00+01:00"
        ) from error


def digital_link(text: str) -> str:
    """An EPC URI or GS1 Digital Link as canonical Digital Link of its finest key; any other text as it is."""
    if epc := _EPC.fullmatch(text):
        return _from_epc(text, *epc.groups(default=""))
    if link := _LINK.fullmatch(text):
        return _CANONICAL + _path(link[1].rstrip("/").split("/"))
    return text


def _path(parts: list[str]) -> str:
    key, value, *rest = (quote(unquote(part), safe=_PLAIN) for part in parts)
    if key == "01" and value.isdecimal():
        value = value.zfill(14)
    key = _NAMES.get(key, key)
    qualifiers = {_NAMES.get(each, each): text for each, text in zip(rest[::2], rest[1::2], strict=False)}
    if key == "01" and value.isdecimal():
        value = value.zfill(14)
    if key in ("01", "8006"):
        finest = next((each for each in _FINEST if each in qualifiers), "")
        qualifiers = {finest: qualifiers[finest]} if finest else {}
    return "/".join([key, value, *(each for pair in qualifiers.items() for each in pair)])


def _from_epc(text: str, scheme: str, prefix: str, reference: str, serial: str) -> str:
    """The canonical Digital Link of an EPC URI; the URI itself when it is of a scheme without one."""
    make = _LINKS.get(scheme)
    if make is None or (reference and not reference.isdecimal() and scheme not in ("giai", "ginc", "cpi")):
        return text
    parts = make(prefix, reference, "" if serial == "*" else serial).split("/")
    return _CANONICAL + "/".join(quote(unquote(part), safe=_PLAIN) for part in parts)


def checked(digits: str) -> str:
    """A GS1 key with its check digit."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _gtin(prefix: str, reference: str) -> str:
    return checked(reference[:1] + prefix + reference[1:])


def _with(qualifier: str, value: str) -> str:
    return f"/{qualifier}/{value}" if value else ""


def _itip(prefix: str, item: str, rest: str) -> str:
    """A piece of a whole: number and count of pieces stand between item and serial number."""
    piece, _, others = rest.partition(".")
    total, _, serial = others.partition(".")
    return f"8006/{_gtin(prefix, item)}{piece}{total}{_with('21', '' if serial == '*' else serial)}"


_LINKS: dict[str, Callable[[str, str, str], str]] = {
    "itip": _itip,
    "sgtin": lambda prefix, item, serial: f"01/{_gtin(prefix, item)}{_with('21', serial)}",
    "lgtin": lambda prefix, item, lot: f"01/{_gtin(prefix, item)}{_with('10', lot)}",
    "upui": lambda prefix, item, serial: f"01/{_gtin(prefix, item)}{_with('235', serial)}",
    "sscc": lambda prefix, reference, _: f"00/{_gtin(prefix, reference)}",
    "sgln": lambda prefix, place, extension: (
        f"414/{checked(prefix + place)}{_with('254', '' if extension == '0' else extension)}"
    ),
    "pgln": lambda prefix, party, _: f"417/{checked(prefix + party)}",
    "grai": lambda prefix, asset, serial: f"8003/{checked('0' + prefix + asset)}{serial}",
    "giai": lambda prefix, asset, _: f"8004/{prefix}{asset}",
    "gsrn": lambda prefix, service, _: f"8018/{checked(prefix + service)}",
    "gsrnp": lambda prefix, service, _: f"8017/{checked(prefix + service)}",
    "gdti": lambda prefix, document, serial: f"253/{checked(prefix + document)}{serial}",
    "sgcn": lambda prefix, coupon, serial: f"255/{checked(prefix + coupon)}{serial}",
    "cpi": lambda prefix, part, serial: f"8010/{prefix}{part}{_with('8011', serial)}",
    "gsin": lambda prefix, shipment, _: f"402/{checked(prefix + shipment)}",
    "ginc": lambda prefix, consignment, _: f"401/{prefix}{consignment}",
}
