"""Transport events: a delivery is what CBV calls one, and nothing that the file takes back or says in two ways."""

from __future__ import annotations

import copy
import datetime
import json
from typing import Any

import pytest

from ledger_node.demo import samples
from ledger_node.formats import EventKind, FormatError, facts_json
from ledger_node.formats.epcis import EVENTS_MAX
from ledger_node.formats.reported import reports
from ledger_node.formats.strict_json import NESTING_LEVELS_MAX
from ledger_node.formats.transport import read_events

Json = dict[str, Any]


@pytest.fixture
def document() -> Json:
    utc = datetime.UTC
    content = samples.delivery_events_epcis(
        "DES-1",
        "PO-1",
        samples.SUPPLIER,
        samples.BUYER,
        datetime.datetime(2026, 10, 28, 8, 30, tzinfo=utc),
        datetime.datetime(2026, 10, 30, 14, 0, tzinfo=utc),
    )
    loaded: Json = json.loads(content)
    return loaded


def _received(document: Json) -> Json:
    event: Json = document["epcisBody"]["eventList"][1]
    return event


def _kinds(document: Json) -> list[EventKind]:
    return [event.kind for event in read_events(json.dumps(document).encode()).events]


def _code(content: bytes) -> str:
    with pytest.raises(FormatError) as refusal:
        read_events(content)
    assert refusal.value.text
    return str(refusal.value.code)


@pytest.mark.parametrize(
    ("biz_step", "kind"),
    [
        ("receiving", EventKind.DELIVERY),
        ("accepting", EventKind.DELIVERY),
        ("urn:epcglobal:cbv:bizstep:receiving", EventKind.DELIVERY),
        ("https://ref.gs1.org/cbv/BizStep-receiving", EventKind.DELIVERY),
        ("cbv:BizStep-receiving", EventKind.DELIVERY),
        ("shipping", EventKind.DEPARTURE),
        ("departing", EventKind.DEPARTURE),
        ("arriving", EventKind.OTHER),
        ("unloading", EventKind.OTHER),
        ("void_shipping", EventKind.OTHER),
        ("https://example.com/steps/receiving", EventKind.OTHER),
    ],
)
def test_what_a_business_step_means_to_a_shipment(document: Json, biz_step: str, kind: EventKind) -> None:
    _received(document)["bizStep"] = biz_step
    assert kind is _kinds(document)[1]


@pytest.mark.parametrize("disposition", ["damaged", "mismatch_quantity", "urn:epcglobal:cbv:disp:returned", "stolen"])
def test_goods_that_came_but_not_as_agreed_are_no_delivery(document: Json, disposition: str) -> None:
    _received(document)["disposition"] = disposition
    assert _kinds(document)[1] is EventKind.OTHER


def test_a_received_pallet_is_a_delivery_and_a_dissolved_one_is_none(document: Json) -> None:
    event = _received(document)
    event.update(type="AggregationEvent", childEPCs=event.pop("epcList"))
    assert _kinds(document)[1] is EventKind.DELIVERY
    event["action"] = "DELETE"
    assert _kinds(document)[1] is EventKind.OTHER


def test_an_event_that_the_file_declares_erroneous_is_retracted_wherever_it_stands(document: Json) -> None:
    declared = copy.deepcopy(_received(document))
    declared["errorDeclaration"] = {"declarationTime": "2026-10-31T09:00:00Z", "reason": "did_not_occur"}
    document["epcisBody"]["eventList"].append(declared)
    assert _kinds(document) == [EventKind.DEPARTURE, EventKind.RETRACTED, EventKind.RETRACTED]


def test_an_event_without_id_is_retracted_by_a_declaration_that_repeats_it(document: Json) -> None:
    del _received(document)["eventID"]
    declared = copy.deepcopy(_received(document))
    declared |= {"errorDeclaration": {"declarationTime": "2026-10-31T09:00:00Z"}, "recordTime": "2026-10-31T09:00:01Z"}
    document["epcisBody"]["eventList"].append(declared)
    assert _kinds(document) == [EventKind.DEPARTURE, EventKind.RETRACTED, EventKind.RETRACTED]


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("urn:epcglobal:cbv:bt:4260000000011:DES-1", "DES-1"),
        ("urn:epcglobal:cbv:bt:4260000000011:DES%2F1%3A2", "DES/1:2"),
        ("https://nordwind.example/desadv/DES-1/", "DES-1"),
        ("https://nordwind.example", "https://nordwind.example"),
        ("urn:epc:id:gdti:4260000.00001.7", "urn:epc:id:gdti:4260000.00001.7"),
    ],
)
def test_a_reference_is_the_number_that_people_know(document: Json, uri: str, reference: str) -> None:
    _received(document)["bizTransactionList"] = [{"type": "urn:epcglobal:cbv:btt:bol", "bizTransaction": uri}]
    event = read_events(json.dumps(document).encode()).events[1]
    assert ((reference,), ()) == (event.shipment_references, event.order_references)


def test_a_transaction_without_type_is_no_reference(document: Json) -> None:
    _received(document)["bizTransactionList"] = [{"bizTransaction": "urn:x:y"}]
    assert read_events(json.dumps(document).encode()).events[1].shipment_references == ()


def test_a_single_event_and_a_query_answer_are_read_like_a_document(document: Json) -> None:
    events = document["epcisBody"]["eventList"]
    single = {"@context": document["@context"], **events[1]}
    assert _kinds(single) == [EventKind.DELIVERY]
    answer = {
        "@context": document["@context"],
        "type": "EPCISQueryDocument",
        "epcisBody": {"queryResults": {"resultsBody": {"eventList": events}}},
    }
    assert _kinds(answer) == [EventKind.DEPARTURE, EventKind.DELIVERY]


def test_the_time_of_an_event_is_read_in_utc_and_cut_at_microseconds(document: Json) -> None:
    _received(document)["eventTime"] = "2026-01-01T00:30:00.12345678+05:30"
    event = read_events(json.dumps(document).encode()).events[1]
    assert event.time == "2025-12-31T19:00:00.123456Z"


def test_a_byte_order_mark_and_a_foreign_event_type_do_no_harm(document: Json) -> None:
    _received(document)["type"] = "example:OwnEvent"
    facts = read_events(b"\xef\xbb\xbf" + json.dumps(document).encode())
    assert facts.events[1].kind is EventKind.OTHER
    assert facts_json(facts) == json.loads(json.dumps(facts_json(facts)))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("bizStep", "recieving", "VOCABULARY"),
        ("bizStep", "urn:epcglobal:cbv:bizstep:recieving", "VOCABULARY"),
        ("bizStep", "urn:epcglobal:cbv:disp:in_transit", "VOCABULARY"),
        ("bizStep", "", "SCHEMA"),
        ("bizStep", 7, "SCHEMA"),
        ("bizStep", "https://example.com/\ud800", "TEXT"),
        ("disposition", "lost", "VOCABULARY"),
        ("persistentDisposition", {"set": ["lost"]}, "VOCABULARY"),
        ("persistentDisposition", {}, "SCHEMA"),
        ("eventTime", "2026-02-30T12:00:00Z", "DATE"),
        ("eventTime", "2026-02-28T12:00:60Z", "DATE"),
        ("eventTime", "0001-01-01T00:00:00+14:00", "DATE"),
        ("eventTime", "2026-02-28T12:00:00Z\n", "DATE"),
        ("eventTime", "2026-02-28T12:00:00", "SCHEMA"),
        ("eventTime", "2026-02-28", "SCHEMA"),
        ("recordTime", "2026-13-01T12:00:00Z", "DATE"),
        ("errorDeclaration", {"declarationTime": "2026-13-01T12:00:00Z"}, "DATE"),
        ("eventTimeZoneOffset", "+25:00", "SCHEMA"),
        ("action", "MOVE", "SCHEMA"),
        ("epcList", ["not a uri"], "SCHEMA"),
        ("readPoint", {"id": "gate 4"}, "SCHEMA"),
        ("ilmd", {"example:x": 1}, "SCHEMA"),
        ("type", "OwnEvent", "SCHEMA"),
        ("unknown", 1, "SCHEMA"),
        ("sourceList", [{"type": "owner", "source": "urn:x:y"}], "VOCABULARY"),
        ("bizTransactionList", [{"type": "delivery", "bizTransaction": "urn:x:y"}], "VOCABULARY"),
        ("eventID", "urn:x:" + "y" * 1001, "SCHEMA"),
    ],
)
def test_an_event_that_cannot_be_relied_on_is_refused_by_name(
    document: Json, name: str, value: object, code: str
) -> None:
    _received(document)[name] = value
    assert code == _code(json.dumps(document).encode())


@pytest.mark.parametrize("name", ["type", "eventTime", "eventTimeZoneOffset", "action"])
def test_an_event_without_what_every_event_has_is_refused(document: Json, name: str) -> None:
    del _received(document)[name]
    assert _code(json.dumps(document).encode()) == "SCHEMA"


@pytest.mark.parametrize("name", ["@context", "schemaVersion", "creationDate", "epcisBody"])
def test_a_document_without_what_every_document_has_is_refused(document: Json, name: str) -> None:
    del document[name]
    assert _code(json.dumps(document).encode()) == "SCHEMA"


@pytest.mark.parametrize("term", ["bizStep", "receiving", "eventTime"])
def test_a_context_that_gives_our_words_another_meaning_is_refused(document: Json, term: str) -> None:
    document["@context"].append({term: "https://example.com/other"})
    assert _code(json.dumps(document).encode()) == "SCHEMA"


def test_a_creation_date_that_does_not_exist_is_refused(document: Json) -> None:
    document["creationDate"] = "2026-02-30T12:00:00Z"
    assert _code(json.dumps(document).encode()) == "DATE"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "NOT_WELL_FORMED"),
        (b"{", "NOT_WELL_FORMED"),
        (b'"\xff"', "NOT_WELL_FORMED"),
        (b"[" * 200_000, "NOT_WELL_FORMED"),
        (b'{"a":NaN}', "NOT_WELL_FORMED"),
        (b'{"a":1e99999999999999999999}', "NOT_WELL_FORMED"),
        (b'{"a":' + b"9" * 5000 + b"}", "NOT_WELL_FORMED"),
        (b'{"type":"ObjectEvent","type":"ObjectEvent"}', "DUPLICATE_NAME"),
        (b"[]", "NOT_EVENTS"),
        (b"7", "NOT_EVENTS"),
        (b'{"invoice":1}', "NOT_EVENTS"),
        (b'{"type":["EPCISDocument"],"@context":"urn:x:y"}', "SCHEMA"),
    ],
)
def test_json_that_is_no_epcis_is_refused_by_name(content: bytes, code: str) -> None:
    assert code == _code(content)


def test_an_extension_is_nested_as_deep_as_the_limit_and_no_deeper(document: Json) -> None:
    nested: object = []
    for _ in range(NESTING_LEVELS_MAX - 5):
        nested = [nested]
    _received(document)["example:extension"] = nested
    assert _kinds(document)[1] is EventKind.DELIVERY
    _received(document)["example:extension"] = [nested]
    assert _code(json.dumps(document).encode()) == "NOT_WELL_FORMED"


def test_more_events_than_the_limit_are_refused(document: Json) -> None:
    event = _received(document)
    document["epcisBody"]["eventList"] = [event] * (EVENTS_MAX + 1)
    assert _code(json.dumps(document).encode()) == "TOO_LARGE"


def _error_of(event: Json) -> Json:
    return {**event, "errorDeclaration": {"declarationTime": "2026-10-31T08:00:00Z"}}


def _without_id(event: Json) -> Json:
    return {name: value for name, value in event.items() if name != "eventID"}


@pytest.mark.parametrize(
    "respelt",
    [
        {"eventTime": "2026-10-30T16:00:00.000+02:00", "eventTimeZoneOffset": "+02:00"},
        {"bizStep": "urn:epcglobal:cbv:bizstep:receiving"},
        {"bizStep": "https://ref.gs1.org/cbv/BizStep-receiving", "disposition": "cbv:Disp-in_progress"},
        {"readPoint": {"id": "urn:epc:id:sgln:8710000.00001.0"}},
        {"sourceList": [{"type": "urn:epcglobal:cbv:sdt:owning_party", "source": "urn:epc:id:pgln:4260000.00001"}]},
    ],
)
def test_a_declaration_of_error_is_matched_in_whatever_spelling(document: Json, respelt: Json) -> None:
    received = _without_id(_received(document))
    document["epcisBody"]["eventList"][1] = received
    declared = _error_of(received | respelt)
    document["epcisBody"]["eventList"].append(declared)
    assert _kinds(document)[1:] == [EventKind.RETRACTED] * 2
    declared["eventTime"] = "2026-10-30T14:00:01.000Z"
    assert _kinds(document)[1:] == [EventKind.DELIVERY, EventKind.RETRACTED]


@pytest.mark.parametrize(
    ("time", "offset", "day"),
    [
        ("2026-10-30T23:30:00Z", "+02:00", "2026-10-31"),
        ("2026-10-31T01:30:00+02:00", "+02:00", "2026-10-31"),
        ("2026-10-31T03:30:00Z", "-05:00", "2026-10-30"),
        ("2026-10-30T23:30:00Z", "+00:00", "2026-10-30"),
    ],
)
def test_the_day_of_an_event_is_that_of_the_place_where_it_happened(
    document: Json, time: str, offset: str, day: str
) -> None:
    _received(document).update({"eventTime": time, "eventTimeZoneOffset": offset})
    facts = read_events(json.dumps(document).encode())
    assert facts.events[1].day == day
    assert {each["type"]: each["occurred_on"] for each in reports(facts, "s", bool)} == {
        "picked_up": "2026-10-28",
        "delivered": day,
    }


@pytest.mark.parametrize(
    ("time", "offset"),
    [
        ("9999-12-31T23:30:00Z", "+02:00"),
        ("0001-01-01T00:30:00Z", "-02:00"),
        ("2026-10-30T23:30:00Z", "+02:00\n"),
    ],
)
def test_a_day_that_no_calendar_has_is_refused(document: Json, time: str, offset: str) -> None:
    _received(document).update({"eventTime": time, "eventTimeZoneOffset": offset})
    assert _code(json.dumps(document).encode()) == "DATE"


def test_the_id_of_an_event_has_no_case_and_is_enough_to_take_it_back(document: Json) -> None:
    received = _received(document)
    declared = _error_of(received) | {"eventID": received["eventID"].upper().replace("URN:UUID", "urn:uuid")}
    declared["readPoint"] = {"id": "https://id.gs1.org/414/4260000000011"}
    document["epcisBody"]["eventList"].append(declared)
    assert _kinds(document)[1:] == [EventKind.RETRACTED] * 2


def test_the_same_event_twice_is_one_and_another_is_another(document: Json) -> None:
    received = _received(document)
    again = received | {"eventTime": "2026-10-30T15:00:00.000+01:00", "recordTime": "2026-10-31T08:00:00Z"}
    document["epcisBody"]["eventList"] += [again, received]
    assert len(read_events(json.dumps(document).encode()).events) == 2
    again["disposition"] = "damaged"
    assert len(read_events(json.dumps(document).encode()).events) == 3


@pytest.mark.parametrize(
    ("urn", "link"),
    [
        ("urn:epc:id:sgtin:4012345.011122.25", "https://id.gs1.org/01/04012345111224/21/25"),
        ("urn:epc:class:lgtin:4012345.011122.L%2F1", "https://example.com/a/01/04012345111224/10/L%2F1?17=270101"),
        ("urn:epc:idpat:sgtin:4012345.011122.*", "https://id.gs1.org/01/04012345111224"),
        ("urn:epc:id:sscc:4260000.0123456789", "https://id.gs1.org/00/042600001234567899"),
        ("urn:epc:id:sgln:8710000.00001.0", "https://id.gs1.org/414/8710000000017"),
        ("urn:epc:id:sgln:8710000.00001.G4", "https://id.gs1.org/414/8710000000017/254/G4"),
        ("urn:epc:id:grai:4012345.55555.987", "https://id.gs1.org/8003/04012345555554987"),
        ("urn:epc:id:giai:4012345.A1", "https://id.gs1.org/8004/4012345A1"),
        ("urn:epc:id:gdti:4012345.55555.987", "https://id.gs1.org/253/4012345555554987"),
        ("urn:epc:id:gsin:4012345.222333444", "https://id.gs1.org/402/40123452223334442"),
        ("urn:epc:id:ginc:4012345.ABC", "https://id.gs1.org/401/4012345ABC"),
        ("urn:epc:id:nobody:4012345.1.2", "urn:epc:id:nobody:4012345.1.2"),
    ],
)
def test_goods_are_the_same_as_urn_and_as_digital_link(document: Json, urn: str, link: str) -> None:
    received = _without_id(_received(document)) | {"epcList": [urn]}
    document["epcisBody"]["eventList"] = [received, received | {"epcList": [link]}]
    assert len(read_events(json.dumps(document).encode()).events) == 1


def test_no_refusal_prints_the_document(document: Json) -> None:
    document["epcisBody"]["eventList"][0]["epcList"] = ["confidential goods"] * 500
    with pytest.raises(FormatError) as refusal:
        read_events(json.dumps(document).encode())
    assert (refusal.value.code, "confidential" in refusal.value.text) == ("SCHEMA", False)
    assert "epcList" in refusal.value.text
