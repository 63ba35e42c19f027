"""Containers on their way, as carriers tell of them: events of DCSA Track & Trace 2.2 and 3.0, in JSON.

The three ways to write one (flat in 2.2; `metadata` and `payload` in 3.0 Beta 1; `eventClassification` and details in
3.0) are read into the model of events that all standards share. What is only planned or estimated has not happened. A
later version of an event takes the place of an earlier one, and one that is retracted says nothing.
Source: DCSA Track & Trace 2.2.0, 3.0.0-Beta-1 and 3.0.0.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from ledger_node.formats.event_identity import utc
from ledger_node.formats.facts import (
    EventFacts,
    EventKind,
    FormatCode,
    FormatError,
    GoodsFacts,
    TransportFacts,
    clean_text,
)

EVENTS_MAX = 2000
_TYPES = frozenset({"SHIPMENT", "TRANSPORT", "EQUIPMENT", "IOT", "REEFER"})
_ACTUAL = frozenset({"ACT", "ACTUAL"})
_DEPARTED = frozenset({"DEPA", "DEPARTED"})
# Custody passes where a full container is left with its consignee, or is emptied; at a terminal nobody has taken it.
_DROPPED, _STRIPPED = frozenset({"DROP", "DROPPED_OFF"}), frozenset({"STRP", "STRIPPED"})
_CUSTOMER, _LADEN = frozenset({"CLOC", "CUSTOMER_LOCATION"}), frozenset({"LADEN", ""})
_TRANSPORT_DOCUMENT = frozenset({"TRD", "TRANSPORT_DOCUMENT"})
_ORDER = frozenset({"PO", "PURCHASE_ORDER"})
_Object = dict[str, Any]


def is_track_and_trace(document: Any) -> bool:
    """Whether JSON is an event, or a list of events, of DCSA Track & Trace."""
    first = next(iter(_listed(document)), None)
    return isinstance(first, dict) and _is_event(first) and "type" not in first


def transport_of(document: Any) -> TransportFacts:
    """What a document of Track & Trace events says.

    Args:
        document: one that `is_track_and_trace`.

    Raises: FormatError.
    """
    events = _listed(document)
    if len(events) > EVENTS_MAX:
        raise FormatError(
            FormatCode.TOO_LARGE, f"{len(events)} events in one file, {EVENTS_MAX} is the most", "split the file"
        )
    latest: dict[str, EventFacts] = {}
    retracted: set[str] = set()
    for place, event in enumerate(events):
        if not isinstance(event, dict) or not _is_event(event):
            raise _wrong(place, "eventType", "is missing, or none of Track & Trace")
        found = _event(place, event)
        retracted |= {_string(place, _object(event, "metadata"), "retractedEventID")}
        before = latest.get(found.event_id or str(place))
        if before is None or before.recorded_at <= found.recorded_at:
            latest[found.event_id or str(place)] = found
    return TransportFacts(events=tuple(_kept(event, retracted - {""}) for event in latest.values()))


def _kept(event: EventFacts, retracted: set[str]) -> EventFacts:
    return dataclasses.replace(event, kind=EventKind.RETRACTED) if event.event_id in retracted else event


def _listed(document: Any) -> list[Any]:
    """The events of a list, of an object that holds one, or a single event."""
    if isinstance(document, dict):
        document = document["events"] if isinstance(document.get("events"), list) else [document]
    return document if isinstance(document, list) else []


def _is_event(event: _Object) -> bool:
    said = _types(event).get("eventType")
    return isinstance(said, str) and said in _TYPES


def _types(event: _Object) -> _Object:
    """Where an event says what type it is of: in itself, its metadata or its classification."""
    within = event.get("eventClassification", event.get("metadata", event))
    return within if isinstance(within, dict) else {}


def _event(place: int, event: _Object) -> EventFacts:
    types, metadata = _types(event), _object(event, "metadata") or event
    said = _object(event, "payload") or event
    event_type = _string(place, types, "eventType")
    code = _first(place, [types, said], [f"{event_type.lower()}EventType", f"{event_type.lower()}EventTypeCode"])
    classifier = _first(place, [types, said], ["eventClassifier", "eventClassifierCode"])
    equipment = _object(said, "equipmentDetails") or said
    empty = _first(place, [equipment], ["emptyIndicator", "emptyIndicatorCode"])
    call = _object(_object(said, "transportDetails"), "transportCall") or _object(said, "transportCall")
    where = [_object(said, "eventLocation"), call, _object(call, "location")]
    facility = _first(place, where, ["facilityType", "facilityTypeCode"])
    container = _string(place, equipment, "equipmentReference")
    recorded = _first(place, [metadata], ["eventUpdatedDateTime", "eventCreatedDateTime"])
    kind = _kind(classifier, code, facility, empty)
    happened = _required(place, said, "eventDateTime")
    return EventFacts(
        kind=EventKind.RETRACTED if event.get("isRetracted") is True else kind,
        event_type=event_type,
        event_id=_string(place, metadata, "eventID"),
        time=utc(happened),
        action=classifier,
        biz_step=code,
        disposition=empty,
        location=_first(place, where, ["UNLocationCode", "facilityCode", "locationName"]),
        parties_from=(),
        parties_to=(),
        shipment_references=_references(place, event, said, _TRANSPORT_DOCUMENT),
        order_references=_references(place, event, said, _ORDER),
        goods=(GoodsFacts(identifiers=(("container", container),)),) if container else (),
        said_by=_said_by(place, event),
        recorded_at=utc(recorded) if recorded else "",
        own_day=happened[:10],
    )


def _kind(classifier: str, code: str, facility: str, empty: str) -> EventKind:
    if classifier not in _ACTUAL:
        return EventKind.OTHER
    if code in _STRIPPED or (code in _DROPPED and facility in _CUSTOMER and empty in _LADEN):
        return EventKind.DELIVERY
    return EventKind.DEPARTURE if code in _DEPARTED else EventKind.OTHER


def _references(place: int, event: _Object, said: _Object, types: frozenset[str]) -> tuple[str, ...]:
    """The numbers of documents of some types, in any of the ways in which events name documents."""
    shipment = _object(said, "shipmentDetails")
    entries = [_object(shipment, "documentReference")]
    for holder, name in (
        (event, "documentReferences"),
        (said, "relatedDocumentReferences"),
        (said, "references"),
        (shipment, "additionalDocumentReferences"),
        (shipment, "shipmentReferences"),
    ):
        listed = holder.get(name, [])
        entries += [each for each in (listed if isinstance(listed, list) else []) if isinstance(each, dict)]
    named = {"type": said.get("documentTypeCode"), "value": said.get("documentReference", said.get("documentID"))}
    found = set()
    for entry in [*entries, named]:
        kinds = [entry.get(name) for name in ("type", "typeCode", "documentReferenceType", "referenceType")]
        if types.intersection(kind for kind in kinds if isinstance(kind, str)):
            found.add(_first(place, [entry], ["reference", "value", "documentReferenceValue", "referenceValue"]))
    return tuple(sorted(found - {""}))


def _said_by(place: int, event: _Object) -> str:
    publisher = _object(_object(event, "metadata"), "publisher")
    parties = _object(event, "eventRouting").get("originatingParties", [])
    first = parties[0] if isinstance(parties, list) and parties and isinstance(parties[0], dict) else {}
    return _first(place, [first, publisher], ["partyCode", "carrierCode", "partyName"])


def _object(holder: _Object, name: str) -> _Object:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _first(place: int, holders: list[_Object], names: list[str]) -> str:
    """The first text that is there, under any of the names."""
    found = (_string(place, holder, name) for name in names for holder in holders)
    return next(filter(None, found), "")


def _required(place: int, holder: _Object, name: str) -> str:
    text = _string(place, holder, name)
    if not text:
        raise _wrong(place, name, "is missing")
    return text


def _string(place: int, holder: _Object, name: str) -> str:
    value = holder.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(place, name, "is no text")
    return clean_text(value, name)


def _wrong(place: int, name: str, what: str) -> FormatError:
    return FormatError(
        FormatCode.SCHEMA,
        f"no DCSA Track & Trace at events[{place}].{name}: it {what}",
        "send what DCSA Track & Trace 2.2 or 3.0 says of that field",
    )
