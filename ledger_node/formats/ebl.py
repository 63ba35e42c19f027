"""An electronic bill of lading as platforms hand it on: the DCSA PINT 3.0 envelope, intact by its own checksums.

What is checked is that the parts belong together: the transport document has the checksum that the manifest and every
entry of the chain of transfers name, and each entry the checksum of the one before it. Whose the signatures are is not
checked: no register of platforms' keys is known to a node. The document says that the goods went on board.
Source: DCSA eBL 3.0 (TransportDocument), DCSA EBL PINT 3.0 (EblEnvelope), RFC 7515 section 7.1, RFC 8785, RFC 6234.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import re
from decimal import Decimal
from typing import Any

import rfc8785

from ledger_node.formats.facts import (
    EventFacts,
    EventKind,
    FormatCode,
    FormatError,
    GoodsFacts,
    TransportFacts,
    clean_text,
)
from ledger_node.formats.strict_json import load_json

ENTRIES_MAX = 1000
_DOCUMENT, _MANIFEST, _CHAIN = "transportDocument", "envelopeManifestSignedContent", "envelopeTransferChain"
_OF_DOCUMENT = "transportDocumentChecksum"
_OF_LAST = "lastEnvelopeTransferChainEntrySignedContentChecksum"
_OF_PREVIOUS = "previousEnvelopeTransferChainEntrySignedContentChecksum"
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*)?", re.ASCII)
_Object = dict[str, Any]


def is_envelope(document: Any) -> bool:
    """Whether JSON is an envelope of an electronic bill of lading, or the transport document without one."""
    return isinstance(document, dict) and (_DOCUMENT in document or "transportDocumentReference" in document)


def transport_of(document: _Object) -> TransportFacts:
    """What an envelope's transport document says, once its checksums hold.

    Args:
        document: one that `is_envelope`.

    Raises: FormatError, CHECKSUM for parts that do not belong together.
    """
    if not isinstance(document.get(_DOCUMENT), dict):
        raise _wrong(_DOCUMENT, "is missing: a transport document alone has no checksum to be checked by")
    _check_intact(document)
    return TransportFacts(events=(_on_board(document[_DOCUMENT]),))


def _check_intact(envelope: _Object) -> None:
    # 1. The transport document is the one that was signed for. 2. The chain ends where the manifest says, and each
    # entry names the one before it and that same document.
    found = _checksum(_canonical(envelope[_DOCUMENT]))
    chain = envelope.get(_CHAIN)
    if not isinstance(chain, list) or not 0 < len(chain) <= ENTRIES_MAX:
        raise _wrong(_CHAIN, f"is no list of 1 to {ENTRIES_MAX} entries")
    manifest = _payload(_MANIFEST, envelope.get(_MANIFEST))
    _require(manifest, _OF_DOCUMENT, found, _MANIFEST)
    _require(manifest, _OF_LAST, _checksum(_signed(_CHAIN, chain[-1])), _MANIFEST)
    for place, signed in enumerate(chain):
        entry = _payload(f"{_CHAIN}[{place}]", signed)
        _require(entry, _OF_DOCUMENT, found, f"{_CHAIN}[{place}]")
        if place:
            _require(entry, _OF_PREVIOUS, _checksum(_signed(_CHAIN, chain[place - 1])), f"{_CHAIN}[{place}]")
        elif entry.get(_OF_PREVIOUS):
            raise _differs(f"{_CHAIN}[0] names an entry before it, which is not there")


def _require(holder: _Object, name: str, expected: str, where: str) -> None:
    stated = holder.get(name)
    if not isinstance(stated, str) or stated.lower() != expected:
        raise _differs(f"{where} names the {name} {str(stated)[:64]!r}, but it is {expected}")


def _payload(where: str, signed: Any) -> _Object:
    """The signed content of a JWS in compact form."""
    parts = _signed(where, signed).split(b".")
    try:
        decoded = load_json(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (IndexError, binascii.Error) as error:
        raise _wrong(where, "is no JWS in compact form") from error
    if not isinstance(decoded, dict):
        raise _wrong(where, "signs no JSON object")
    return decoded


def _signed(where: str, signed: Any) -> bytes:
    if not isinstance(signed, str) or not signed.isascii() or signed.count(".") != 2:
        raise _wrong(where, "is no JWS in compact form")
    return signed.encode("ascii")


def _canonical(document: _Object) -> bytes:
    try:
        return bytes(rfc8785.dumps(_floats(document)))
    except (rfc8785.CanonicalizationError, OverflowError, UnicodeError) as error:
        raise _wrong(_DOCUMENT, f"has no canonical form: {str(error)[:100]}") from error


def _floats(value: Any) -> Any:
    """Numbers as RFC 8785 knows them: it writes what a double holds."""
    if isinstance(value, dict):
        return {name: _floats(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_floats(inner) for inner in value]
    return float(value) if isinstance(value, Decimal) else value


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _on_board(document: _Object) -> EventFacts:
    reference = _text(document, "transportDocumentReference")
    issued = _day(document, "issueDate")
    day = _day(document, "shippedOnBoardDate") or issued
    if not reference or not day:
        raise _wrong(_DOCUMENT, "has no transportDocumentReference, or neither shippedOnBoardDate nor issueDate")
    parties, transports = _object(document, "documentParties"), _object(document, "transports")
    return EventFacts(
        kind=EventKind.DEPARTURE if document.get("isShippedOnBoardType") is True else EventKind.OTHER,
        event_type="TransportDocument",
        event_id="",
        time=day,
        action="",
        biz_step=_text(document, "transportDocumentStatus"),
        disposition="",
        location=_place(_object(transports, "portOfLoading")),
        parties_from=_party(parties, "shipper"),
        parties_to=_party(parties, "consignee"),
        shipment_references=(reference,),
        order_references=_orders(document),
        goods=_goods(document),
        said_by=_text(document, "carrierCode"),
        recorded_at=issued,
    )


def _goods(document: _Object) -> tuple[GoodsFacts, ...]:
    """The containers; packages are described in words, so they are counted as nothing's."""
    found = {
        _text(_object(each, "equipment"), "equipmentReference") or _text(each, "equipmentReference")
        for each in _objects(document, "utilizedTransportEquipments")
    }
    return tuple(GoodsFacts(identifiers=(("container", each),)) for each in sorted(found - {""}))


def _orders(document: _Object) -> tuple[str, ...]:
    listed = [*_objects(document, "references")]
    listed += [each for item in _objects(document, "consignmentItems") for each in _objects(item, "references")]
    values: set[str] = set()
    for each in listed:
        if each.get("type") == "PO":
            many = each.get("values")
            stated = many if isinstance(many, list) else [each.get("value")]
            values |= {clean_text(one, "a reference") for one in stated if isinstance(one, str)}
    return tuple(sorted(values - {""}))


def _place(port: _Object) -> str:
    return _text(port, "UNLocationCode") or _text(port, "locationName")


def _party(parties: _Object, name: str) -> tuple[str, ...]:
    found = _text(_object(parties, name), "partyName")
    return (found,) if found else ()


def _object(holder: _Object, name: str) -> _Object:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _objects(holder: _Object, name: str) -> list[_Object]:
    found = holder.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _text(holder: _Object, name: str) -> str:
    found = holder.get(name)
    return clean_text(found, name) if isinstance(found, str) else ""


def _day(holder: _Object, name: str) -> str:
    """A day; of a date and time only the day."""
    text = _text(holder, name)
    match = _DAY.fullmatch(text)
    try:
        if text and match is None:
            raise ValueError("not plain")
        return datetime.date.fromisoformat(match[1]).isoformat() if match else ""
    except ValueError as error:
        raise FormatError(
            FormatCode.DATE, f"{name} is {text[:40]!r}, which is no day", "write it as 2026-01-31"
        ) from error


def _wrong(where: str, what: str) -> FormatError:
    return FormatError(FormatCode.SCHEMA, f"no DCSA eBL envelope: {where} {what}", "send the whole EblEnvelope")


def _differs(what: str) -> FormatError:
    return FormatError(
        FormatCode.CHECKSUM, f"the electronic bill of lading is not intact: {what}", "have it sent to you again"
    )
