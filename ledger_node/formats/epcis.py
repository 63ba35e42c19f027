"""Transport events in EPCIS 2.0: who had which goods where and when, in the words of CBV 2.0.

A document is read in the shape that it has in JSON, against our own JSON Schema; no context is ever fetched. What a
schema cannot say is checked here: dates that do not exist, words that CBV does not have. An event that the document
itself declares erroneous, in whatever spelling, is never a delivery, and one that stands there twice is one.
Source: GS1 EPCIS 2.0 (ISO/IEC 19987), GS1 CBV 2.0 (ISO/IEC 19988), JSON Schema 2020-12.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ledger_node.formats import cbv
from ledger_node.formats.epcis_goods import goods_of
from ledger_node.formats.event_hash import event_hash, identity, pre_hash
from ledger_node.formats.event_identity import day_at, event_id, utc
from ledger_node.formats.facts import EventFacts, EventKind, FormatCode, FormatError, TransportFacts, clean_text

EVENTS_MAX = 2000
ERRORS_MAX = 20
"""Of so many the one that says most is told: a hostile file has hundreds of thousands."""
_BUSINESS_TRANSACTION = re.compile(r"urn:epcglobal:cbv:bt:[^:]*:(.+)")
_SCHEMA = json.loads(resources.files("ledger_node.formats").joinpath("schemas/epcis_2_0.json").read_text("utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA)
_FAST = jsonschema_rs.Draft202012Validator(_SCHEMA)


def transport_of(document: Any, namespaces: Mapping[str, str] | None = None) -> TransportFacts:
    """What a document of EPCIS 2.0 events says.

    Args:
        document: in the shape of EPCIS in JSON: an EPCISDocument, an EPCISQueryDocument or a single event.
        namespaces: of prefixes that are declared elsewhere than in the document's contexts.

    Raises: FormatError, and nothing else whatever the document is.
    """
    # 1. The shape of EPCIS, of not too many events. 2. Every event, in the words of CBV and with real dates.
    _check_number(document)
    _check_schema(document)
    events = _events(document)
    if "creationDate" in document:
        utc(document["creationDate"])
    # 3. What the document takes back, it does not say; what it says twice, it says once.
    prefixes = dict(namespaces or {}) | _prefixes(document)
    normal = [pre_hash(event, prefixes | _prefixes(event)) for event in events]
    named = [(event, identity(event, text), event_hash(text)) for event, text in zip(events, normal, strict=True)]
    erroneous = [(event, name) for event, name, _ in named if "errorDeclaration" in event]
    retracted = {name for _, name in erroneous} | {event_id(event) for event, _ in erroneous if event_id(event)}
    once = {(name, "errorDeclaration" in event): (event, name, hashed) for event, name, hashed in reversed(named)}
    return TransportFacts(
        events=tuple(
            _event(event, hashed, retracted=not retracted.isdisjoint({name, event_id(event)}))
            for event, name, hashed in reversed(once.values())
        )
    )


def _prefixes(holder: dict[str, Any]) -> dict[str, str]:
    """The namespaces that a document or event declares by prefix, in one object or a list of them."""
    stated = holder.get("@context", [])
    contexts = [each for each in (stated if isinstance(stated, list) else [stated]) if isinstance(each, dict)]
    return {name: text for each in contexts for name, text in each.items() if isinstance(text, str)}


def _check_schema(document: Any) -> None:
    if _is_valid(document):
        return
    error = best_match(islice(_VALIDATOR.iter_errors(document), ERRORS_MAX))
    if error is None:
        return
    # jsonschema's own message begins with the value it refuses, which may be the whole document.
    rule = error.message if error.validator == "required" else f"breaks its rule {error.validator!r}"
    raise FormatError(
        FormatCode.SCHEMA if isinstance(document, dict) and "type" in document else FormatCode.NOT_EVENTS,
        f"no EPCIS 2.0 at {error.json_path[:200]}: {rule[:200]}",
        "send an EPCISDocument in JSON-LD or XML",
    )


def _is_valid(document: Any) -> bool:
    """Whether it surely is valid, said in a hundredth of the time; why it is not, the other one says in words."""
    try:
        return _FAST.is_valid(document)
    except (ValueError, RecursionError):
        return False


def _events(document: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [document]
    if document["type"] == "EPCISDocument":
        events = document["epcisBody"]["eventList"]
    elif document["type"] == "EPCISQueryDocument":
        events = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    return events


def _check_number(document: Any) -> None:
    """Refuse too many events before any of them is looked at."""
    found = document
    for name in ("epcisBody", "queryResults", "resultsBody"):
        found = found.get(name, found) if isinstance(found, dict) else None
    listed = found.get("eventList") if isinstance(found, dict) else None
    if isinstance(listed, list) and len(listed) > EVENTS_MAX:
        raise FormatError(
            FormatCode.TOO_LARGE, f"{len(listed)} events in one file, {EVENTS_MAX} is the most", "split the file"
        )


def _event(event: dict[str, Any], hashed: str, retracted: bool) -> EventFacts:
    biz_step = cbv.word(event["bizStep"], cbv.BIZ_STEP) if "bizStep" in event else ""
    disposition = cbv.word(event["disposition"], cbv.DISPOSITION) if "disposition" in event else ""
    for words in event.get("persistentDisposition", {}).values():
        for persistent in words:
            cbv.word(persistent, cbv.DISPOSITION)
    action = event.get("action", "")
    for time in (event.get("recordTime"), event.get("errorDeclaration", {}).get("declarationTime")):
        if time is not None:
            utc(time)
    place = event.get("bizLocation") or event.get("readPoint") or {"id": ""}
    return EventFacts(
        kind=EventKind.RETRACTED if retracted else _kind(event["type"], biz_step, disposition, action),
        event_type=clean_text(event["type"], "an event's type"),
        event_id=clean_text(event.get("eventID", ""), "an event's id"),
        time=utc(event["eventTime"]),
        action=action,
        biz_step=clean_text(biz_step, "a business step"),
        disposition=clean_text(disposition, "a disposition"),
        location=clean_text(place["id"], "a location"),
        parties_from=_parties(event, "sourceList", "source"),
        parties_to=_parties(event, "destinationList", "destination"),
        shipment_references=_references(event, cbv.SHIPMENT_TYPES),
        order_references=_references(event, cbv.ORDER_TYPES),
        goods=goods_of(event),
        recorded_at=utc(event["recordTime"]) if "recordTime" in event else "",
        event_hash=hashed,
        own_day=day_at(event["eventTime"], event["eventTimeZoneOffset"]),
    )


def _kind(event_type: str, biz_step: str, disposition: str, action: str) -> EventKind:
    """A delivery or departure is something seen: DELETE ends an association, and says nothing of goods that move."""
    if event_type in ("ObjectEvent", "AggregationEvent", "TransactionEvent") and action != "DELETE":
        if biz_step in cbv.DELIVERY_STEPS and disposition not in cbv.ADVERSE_DISPOSITIONS:
            return EventKind.DELIVERY
        if biz_step in cbv.DEPARTURE_STEPS:
            return EventKind.DEPARTURE
    return EventKind.OTHER


def _parties(event: dict[str, Any], list_name: str, name: str) -> tuple[str, ...]:
    found = set()
    for entry in event.get(list_name, []):
        if cbv.word(entry["type"], cbv.PARTY_TYPE) in ("owning_party", "possessing_party"):
            found.add(clean_text(entry[name], f"a {name}"))
    return tuple(sorted(found))


def _references(event: dict[str, Any], types: frozenset[str]) -> tuple[str, ...]:
    found = set()
    for entry in event.get("bizTransactionList", []):
        if "type" in entry and cbv.word(entry["type"], cbv.TRANSACTION_TYPE) in types:
            found.add(clean_text(_number(entry["bizTransaction"]), "a reference"))
    return tuple(sorted(found))


def _number(uri: str) -> str:
    """The number that people know a business transaction by: CBV 2.0 section 8.5 wraps it into a URI."""
    if match := _BUSINESS_TRANSACTION.fullmatch(uri):
        return unquote(match[1])
    if uri.startswith(("http://", "https://")):
        return unquote(urlsplit(uri).path.rstrip("/").rpartition("/")[2]) or uri
    return uri
