"""Transport events in EPCIS 2.0 (JSON-LD): who had which goods where and when, in the words of CBV 2.0.

The file is read as plain JSON against our own JSON Schema; no context is ever fetched. What a schema cannot say is
checked here: names that stand there twice, dates that do not exist, words that CBV does not have. An event that the
file itself declares erroneous, in whatever spelling, is never a delivery, and one that stands there twice is one. XML
(EPCIS 1.2 and 2.0) is not read.
Source: GS1 EPCIS 2.0 (ISO/IEC 19987), GS1 CBV 2.0 (ISO/IEC 19988), JSON Schema 2020-12.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from importlib import resources
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ledger_node.formats import cbv
from ledger_node.formats.event_identity import event_id, identity, utc
from ledger_node.formats.facts import EventFacts, EventKind, FormatCode, FormatError, TransportFacts, clean_text
from ledger_node.formats.recognised import is_dcsa

EVENTS_MAX = 2000
# Far above real events; where Python itself gives up differs between its versions, and nodes must agree.
NESTING_LEVELS_MAX = 64
_BUSINESS_TRANSACTION = re.compile(r"urn:epcglobal:cbv:bt:[^:]*:(.+)")
_SCHEMA = json.loads(resources.files("ledger_node.formats").joinpath("schemas/epcis_2_0.json").read_text("utf-8"))
_VALIDATOR = Draft202012Validator(_SCHEMA)


def read_events(content: bytes) -> TransportFacts:
    """What a file of EPCIS 2.0 events says.

    Args:
        content: the whole JSON file: an EPCISDocument, an EPCISQueryDocument or a single event.

    Raises: FormatError, and nothing else whatever the content is.
    """
    # 1. JSON with each name once. 2. The shape of EPCIS. 3. Every event, in the words of CBV and with real dates.
    document = _load(content)
    _check_nesting(document)
    _check_schema(document)
    events = _events(document)
    if "creationDate" in document:
        utc(document["creationDate"])
    # 4. What the file takes back, it does not say; what it says twice, it says once.
    named = [(event, identity(event)) for event in events]
    erroneous = [(event, name) for event, name in named if "errorDeclaration" in event]
    retracted = {name for _, name in erroneous} | {event_id(event) for event, _ in erroneous if event_id(event)}
    once = {(name, "errorDeclaration" in event): (event, name) for event, name in reversed(named)}
    return TransportFacts(
        events=tuple(
            _event(event, not retracted.isdisjoint({name, event_id(event)})) for event, name in reversed(once.values())
        )
    )


def _load(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_constant, parse_float=Decimal
        )
    except UnicodeDecodeError as error:
        raise FormatError(FormatCode.NOT_WELL_FORMED, f"the JSON is not UTF-8: {error}", "save it as UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except (ValueError, ArithmeticError) as error:
        raise FormatError(FormatCode.NOT_WELL_FORMED, f"the JSON is broken: {error}", "export it again") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand there once: of two values, two readers may take two different ones."""
    names = dict(pairs)
    if len(names) != len(pairs):
        raise FormatError(FormatCode.DUPLICATE_NAME, "a JSON object holds the same name twice", "state it once")
    return names


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _too_deep() -> FormatError:
    return FormatError(
        FormatCode.NOT_WELL_FORMED, f"the JSON is nested deeper than {NESTING_LEVELS_MAX} levels", "flatten it"
    )


def _check_nesting(document: Any) -> None:
    values = [document] if isinstance(document, dict | list) else []
    for _ in range(NESTING_LEVELS_MAX):
        containers = [value.values() if isinstance(value, dict) else value for value in values]
        values = [inner for container in containers for inner in container if isinstance(inner, dict | list)]
    if values:
        raise _too_deep()


def _check_schema(document: Any) -> None:
    error = best_match(_VALIDATOR.iter_errors(document))
    if error is None:
        return
    if is_dcsa(document):
        raise FormatError(
            FormatCode.NOT_EVENTS,
            "this is DCSA Track & Trace, which is not read",
            "send the same events as an EPCISDocument in JSON-LD",
        )
    # jsonschema's own message begins with the value it refuses, which may be the whole document.
    rule = error.message if error.validator == "required" else f"breaks its rule {error.validator!r}"
    raise FormatError(
        FormatCode.SCHEMA if isinstance(document, dict) and "type" in document else FormatCode.NOT_EVENTS,
        f"no EPCIS 2.0 at {error.json_path[:200]}: {rule[:200]}",
        "send an EPCISDocument in JSON-LD",
    )


def _events(document: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [document]
    if document["type"] == "EPCISDocument":
        events = document["epcisBody"]["eventList"]
    elif document["type"] == "EPCISQueryDocument":
        events = document["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    if len(events) > EVENTS_MAX:
        raise FormatError(
            FormatCode.TOO_LARGE, f"{len(events)} events in one file, {EVENTS_MAX} is the most", "split the file"
        )
    return events


def _event(event: dict[str, Any], retracted: bool) -> EventFacts:
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
