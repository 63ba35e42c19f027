"""Goods on their way, in every standard that is read: what happened, where, when, which goods, who says so."""

from __future__ import annotations

import copy
import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from goods_papers import Json, despatch_advice, envelope, epcis_xml, jws, sha256, transport_document
from trade_papers import cii

from ledger_node.demo import samples
from ledger_node.formats import EventKind, FormatError, GoodsFacts
from ledger_node.formats.transport import read_events, read_events_xml
from ledger_node.formats.ubl_cii import read_invoice

EVENT: Json = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:6e2f3f6e-0f5f-4a36-8c3c-5d3a1b0a0001",
    "eventTime": "2026-10-30T16:00:00.000+02:00",
    "recordTime": "2026-10-30T15:00:00Z",
    "eventTimeZoneOffset": "+02:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "disposition": "in_progress",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.1", "urn:epc:id:sgtin:4012345.011111.2"],
    "quantityList": [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 12.50, "uom": "KGM"}],
    "readPoint": {"id": "urn:epc:id:sgln:8710000.00001.0"},
    "bizTransactionList": [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:4260000000011:DES-1"}],
    "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4260000.00001"}],
    "ext:note": ["a", "b"],
    "ext:deep": {"ext:count": 3, "ext:good": True},
}
CONTEXT = ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"ext": "https://ns.example.com/"}]


def _document(*events: Json) -> Json:
    return {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-10-30T14:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }


def _xml(*events: Json) -> bytes:
    return epcis_xml(_document(), events)


def _code(reader: Any, content: bytes) -> tuple[str, str]:
    with pytest.raises(FormatError) as refusal:
        reader(content)
    return str(refusal.value.code), refusal.value.text


def test_an_epcis_document_says_the_same_in_xml_and_in_json() -> None:
    wrong = {"declarationTime": "2026-10-31T08:00:00Z", "reason": "incorrect_data", "correctiveEventIDs": ["urn:x:y"]}
    again = EVENT | {"eventTime": "2026-10-31T16:00:00.000+02:00", "errorDeclaration": wrong}
    in_json = read_events(json.dumps(_document(EVENT, again)).encode())
    assert read_events_xml(_xml(EVENT, again)) == in_json
    assert [event.kind for event in in_json.events] == [EventKind.RETRACTED, EventKind.RETRACTED]


def test_an_event_tells_of_each_thing_once_and_of_goods_by_class() -> None:
    event = read_events(json.dumps(_document(EVENT)).encode()).events[0]
    things = [GoodsFacts(identifiers=(("gtin", "04012345111118"), ("serial", text)), quantity="1") for text in "12"]
    counted = GoodsFacts(identifiers=(("gtin", "04012345123456"), ("lot", "L1")), quantity="12.5", unit="KGM")
    assert event.goods == (*things, counted)
    assert (event.kind, event.recorded_at) == (EventKind.DELIVERY, "2026-10-30T15:00:00Z")
    assert event.event_hash.startswith("ni:///sha-256;")


@pytest.mark.parametrize(
    "number",
    ["1e21", "1E+21", "-1", "-0.5", "1e-21", "0e21", "1" * 22, "0." + "1" * 27, "12345678901.1234567890123456"],
)
def test_a_quantity_that_no_goods_have_is_refused_before_it_is_written_out(number: str) -> None:
    content = json.dumps(_document(EVENT)).encode()
    assert content.count(b"12.5,") == 1
    assert _code(read_events, content.replace(b"12.5,", f"{number},".encode())) == (
        "QUANTITY", f"a quantity of goods is {str(Decimal(number))[:40]}"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "plain"), [("1e20", "1" + "0" * 20), ("1e-20", "0." + "0" * 19 + "1"), ("0", "0"), ("7.50", "7.50")]
)
def test_a_quantity_within_the_bounds_is_read_exactly(number: str, plain: str) -> None:
    content = json.dumps(_document(EVENT)).encode().replace(b"12.5,", f"{number},".encode())
    assert read_events(content).events[0].goods[-1].quantity == plain


def test_one_element_twice_and_a_word_that_cbv_does_not_have_are_refused_in_xml_as_in_json() -> None:
    twice = _xml(EVENT).replace(b"<action>OBSERVE</action>", b"<action>OBSERVE</action><action>ADD</action>")
    assert _code(read_events_xml, twice)[0] == "DUPLICATE_NAME"
    for field, value, code in (
        ("bizStep", "flying", "VOCABULARY"),
        ("eventTime", "2026-02-30T16:00:00Z", "DATE"),
        ("action", "LOOK", "SCHEMA"),
        ("quantityList", [{"epcClass": "urn:x:y", "quantity": "many"}], "SCHEMA"),
        ("quantityList", [{"epcClass": "urn:x:y", "quantity": -1}], "QUANTITY"),
    ):
        event = EVENT | {field: value}
        assert _code(read_events, json.dumps(_document(event)).encode())[0] == code
        assert _code(read_events_xml, _xml(event))[0] == code
    assert _code(read_events_xml, b'<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2"/>')[0] == "SCHEMA"
    assert _code(read_events_xml, b'<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1"/>')[0] == "NOT_EVENTS"


def test_xml_that_is_nested_without_end_and_too_many_broken_events_end_in_a_named_refusal() -> None:
    deep = "<x:a>" * 200 + "</x:a>" * 200
    content = _xml(EVENT).replace(b"</ObjectEvent>", f'<x:b xmlns:x="urn:x">{deep}</x:b></ObjectEvent>'.encode())
    assert _code(read_events_xml, content)[0] == "NOT_WELL_FORMED"
    many = b"<ObjectEvent>" + b"<a/>" * 3 + b"</ObjectEvent>"
    content = _xml(EVENT).replace(b"<EventList>", b"<EventList>" + many * 100_000)
    assert _code(read_events_xml, content.replace(b"<a/><a/><a/>", b"<a/>"))[0] == "TOO_LARGE"
    broken = [{"type": "ObjectEvent"}] * 2_000
    assert _code(read_events, json.dumps(_document(*broken)).encode())[0] == "SCHEMA"


def test_a_despatch_advice_is_an_event_that_goods_left_with_its_lines_as_goods() -> None:
    event = read_events_xml(despatch_advice()).events[0]
    by = (("gtin", "07611104117056"), ("order", "PO-1/1"), ("seller", "S-1"))
    assert event.goods == (GoodsFacts(line="1", identifiers=by, quantity="10", unit="EA"),)
    assert (event.kind, event.time, event.recorded_at) == (EventKind.DEPARTURE, "2026-10-29", "2026-10-28")
    assert (event.shipment_references, event.order_references) == (("DES-1",), ("PO-1",))
    assert (event.said_by, event.parties_to) == ("4260000000011", ("8710000000017",))


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b"<cbc:ID>DES-1</cbc:ID>", b"", "MISSING"),
        (b"<cbc:IssueDate>2026-10-28</cbc:IssueDate>", b"", "MISSING"),
        (b"2026-10-28", b"2026-02-30", "DATE"),
        (b"2026-10-29", b"2026-10-29+01:00", "DATE"),
        (b">10<", b">ten<", "QUANTITY"),
        (b">10<", b">-1<", "QUANTITY"),
        (b">10<", b">1e21<", "QUANTITY"),
        (b"<cbc:ID>DES-1</cbc:ID>", b"<cbc:ID>DES-1</cbc:ID><cbc:ID>DES-2</cbc:ID>", "AMBIGUOUS"),
    ],
)
def test_a_despatch_advice_that_cannot_be_relied_on_is_refused_by_name(before: bytes, after: bytes, code: str) -> None:
    content = despatch_advice().replace(before, after)
    assert content != despatch_advice()
    assert _code(read_events_xml, content)[0] == code


def test_a_despatch_advice_without_lines_or_with_one_quantity_too_many_is_refused() -> None:
    assert _code(read_events_xml, despatch_advice(lines=[]))[0] == "MISSING"
    counted = b'<cbc:DeliveredQuantity unitCode="EA">10</cbc:DeliveredQuantity>'
    content = despatch_advice().replace(counted, counted + counted.replace(b"10", b"11"))
    assert _code(read_events_xml, content)[0] == "AMBIGUOUS"


FLAT: Json = {
    "eventID": "3cecb101-7a1a-43a4-9d62-e88a131651e2",
    "eventCreatedDateTime": "2026-10-29T14:12:56Z",
    "eventType": "TRANSPORT",
    "eventClassifierCode": "ACT",
    "eventDateTime": "2026-10-29T14:12:56+01:00",
    "transportEventTypeCode": "DEPA",
    "transportCall": {"transportCallID": "1", "UNLocationCode": "NLRTM", "facilityTypeCode": "POTE"},
    "documentReferences": [
        {"documentReferenceType": "TRD", "documentReferenceValue": "BL-1"},
        {"documentReferenceType": "BKG", "documentReferenceValue": "B-1"},
    ],
    "references": [{"referenceType": "PO", "referenceValue": "PO-1"}],
}
BETA: Json = {
    "metadata": {
        "eventID": "2",
        "eventCreatedDateTime": "2026-10-29T14:12:56Z",
        "eventType": "EQUIPMENT",
        "publisher": {"partyName": "Line", "carrierCode": "MSC"},
    },
    "payload": {
        "eventClassifierCode": "ACT",
        "eventDateTime": "2026-11-12T07:41:00Z",
        "equipmentEventTypeCode": "DROP",
        "equipmentReference": "APZU4812090",
        "emptyIndicatorCode": "LADEN",
        "transportCall": {"facilityTypeCode": "CLOC", "location": {"UNLocationCode": "SGSIN"}},
        "relatedDocumentReferences": [{"type": "TRD", "value": "BL-1"}],
    },
}
FINAL: Json = {
    "eventRouting": {"originatingParties": [{"partyCode": "MAEU", "partyFunction": "CA"}]},
    "eventID": "3",
    "eventDateTime": "2026-11-13T01:00:00Z",
    "eventUpdatedDateTime": "2026-11-13T01:23:45Z",
    "eventLocation": {"UNLocationCode": "FRPAR", "facilityType": "DEPOT"},
    "eventClassification": {
        "eventType": "EQUIPMENT",
        "eventClassifier": "ACTUAL",
        "equipmentEventType": "GATED_IN",
    },
    "shipmentDetails": {
        "documentReference": {"type": "BOOKING", "reference": "B-1"},
        "additionalDocumentReferences": [{"type": "TRANSPORT_DOCUMENT", "reference": "BL-1"}],
    },
    "equipmentDetails": {"equipmentReference": "APZU4812090", "emptyIndicator": "EMPTY"},
}


def _changed(event: Json, *path: str, to: Any) -> Json:
    changed = copy.deepcopy(event)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = to
    return changed


def _dcsa(*events: Json) -> bytes:
    return json.dumps(list(events)).encode()


@pytest.mark.parametrize("wrap", [lambda each: [each], lambda each: each, lambda each: {"events": [each]}])
def test_track_and_trace_is_recognised_as_a_list_an_object_or_one_event(wrap: Any) -> None:
    event = read_events(json.dumps(wrap(FLAT)).encode()).events[0]
    assert (event.kind, event.location, event.time) == (EventKind.DEPARTURE, "NLRTM", "2026-10-29T13:12:56Z")
    assert (event.shipment_references, event.order_references) == (("BL-1",), ("PO-1",))


def test_all_three_ways_to_write_track_and_trace_are_read() -> None:
    departed, dropped, gated = read_events(_dcsa(FLAT, BETA, FINAL)).events
    assert [departed.kind, dropped.kind, gated.kind] == [EventKind.DEPARTURE, EventKind.DELIVERY, EventKind.OTHER]
    container = (GoodsFacts(identifiers=(("container", "APZU4812090"),)),)
    assert [dropped.goods, gated.goods] == [container, container]
    assert [dropped.said_by, gated.said_by, gated.location] == ["MSC", "MAEU", "FRPAR"]
    assert gated.shipment_references == dropped.shipment_references == ("BL-1",)
    assert gated.recorded_at == "2026-11-13T01:23:45Z"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (_changed(FLAT, "eventClassifierCode", to="EST"), EventKind.OTHER),
        (_changed(FLAT, "transportEventTypeCode", to="ARRI"), EventKind.OTHER),
        (_changed(BETA, "payload", "emptyIndicatorCode", to="EMPTY"), EventKind.OTHER),
        (_changed(BETA, "payload", "transportCall", "facilityTypeCode", to="POTE"), EventKind.OTHER),
        (_changed(BETA, "payload", "eventClassifierCode", to="PLN"), EventKind.OTHER),
        (_changed(BETA, "payload", "equipmentEventTypeCode", to="STRP"), EventKind.DELIVERY),
        (_changed(FINAL, "eventClassification", "equipmentEventType", to="STRIPPED"), EventKind.DELIVERY),
        (_changed(FINAL, "isRetracted", to=True), EventKind.RETRACTED),
    ],
)
def test_only_what_happened_and_was_not_taken_back_is_a_departure_or_a_delivery(event: Json, kind: EventKind) -> None:
    assert [each.kind for each in read_events(_dcsa(event)).events] == [kind]


def test_a_later_version_of_an_event_takes_its_place_and_a_retracted_one_says_nothing() -> None:
    later = FLAT | {"eventCreatedDateTime": "2026-10-30T00:00:00Z", "eventClassifierCode": "EST"}
    assert [event.kind for event in read_events(_dcsa(later, FLAT)).events] == [EventKind.OTHER]
    taken_back = _changed(BETA, "metadata", "retractedEventID", to=FLAT["eventID"])
    kinds = [event.kind for event in read_events(_dcsa(FLAT, taken_back)).events]
    assert kinds == [EventKind.RETRACTED, EventKind.DELIVERY]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([FLAT, {"eventType": "PARTY"}], "SCHEMA"),
        ([FLAT, 7], "SCHEMA"),
        ([_changed(FLAT, "eventDateTime", to="")], "SCHEMA"),
        ([_changed(FLAT, "eventDateTime", to="yesterday")], "DATE"),
        ([_changed(FLAT, "eventID", to=7)], "SCHEMA"),
        ([FLAT, _changed(FLAT, "eventType", to=["EQUIPMENT"])], "SCHEMA"),
        ([FLAT, _changed(FLAT, "eventType", to={"EQUIPMENT": 1})], "SCHEMA"),
        ([_changed(FLAT, "eventType", to=["EQUIPMENT"])], "NOT_EVENTS"),
        ([FLAT] * 2001, "TOO_LARGE"),
    ],
)
def test_track_and_trace_that_cannot_be_relied_on_is_refused_by_name(events: list[Any], code: str) -> None:
    assert _code(read_events, _dcsa(*events))[0] == code


def test_a_bill_of_lading_whose_checksums_hold_says_that_goods_are_on_board() -> None:
    event = read_events(json.dumps(envelope(transport_document())).encode()).events[0]
    assert (event.kind, event.time, event.location) == (EventKind.DEPARTURE, "2026-10-20", "NLRTM")
    assert (event.shipment_references, event.order_references) == (("HHL71800000",), ("PO-1",))
    assert (event.said_by, event.goods[0].identifiers) == ("MAEU", (("container", "APZU4812090"),))


@pytest.mark.parametrize("name", ["shippedOnBoardDate", "issueDate"])
@pytest.mark.parametrize("text", ["not a day", "2026-02-30", "2026-W43-2", "20261020", "2026-10-201"])
def test_a_bill_of_lading_whose_day_is_none_is_refused(name: str, text: str) -> None:
    code, _ = _code(read_events, json.dumps(envelope(transport_document() | {name: text})).encode())
    assert code == "DATE"
    moment = transport_document() | {name: "2026-10-20T08:00:00+08:00"}
    assert read_events(json.dumps(envelope(moment)).encode()).events[0].time == "2026-10-20"


@pytest.mark.parametrize("values", [7, None, {"PO-2": 1}, [7]])
def test_references_of_a_bill_of_lading_that_are_no_list_of_texts_name_no_order(values: Any) -> None:
    items = [{"references": [{"type": "PO", "values": values}]}]
    sent = envelope(transport_document() | {"consignmentItems": items})
    assert read_events(json.dumps(sent).encode()).events[0].order_references == ()


def _tampered(change: str) -> Json:
    sent = envelope(transport_document())
    chain = sent["envelopeTransferChain"]
    if change == "document":
        sent["transportDocument"]["shippedOnBoardDate"] = "2026-10-01"
    elif change == "last entry":
        chain[-1] = jws({"transportDocumentChecksum": "0" * 64})
    elif change == "first entry":
        chain[0] = envelope(transport_document() | {"carrierCode": "MSCU"})["envelopeTransferChain"][0]
    elif change == "entry left out":
        del chain[0]
    elif change == "order":
        chain.reverse()
    else:
        manifest = {
            "transportDocumentChecksum": sha256("x"),
            "lastEnvelopeTransferChainEntrySignedContentChecksum": sha256(chain[-1]),
        }
        sent["envelopeManifestSignedContent"] = jws(manifest)
    return sent


@pytest.mark.parametrize("change", ["document", "last entry", "first entry", "entry left out", "order", "manifest"])
def test_a_bill_of_lading_of_which_a_part_was_changed_is_refused(change: str) -> None:
    code, text = _code(read_events, json.dumps(_tampered(change)).encode())
    assert (code, "not intact" in text) == ("CHECKSUM", True)


@pytest.mark.parametrize(
    "broken",
    [
        transport_document(),
        envelope(transport_document()) | {"envelopeTransferChain": []},
        envelope(transport_document()) | {"envelopeManifestSignedContent": "a.b"},
        envelope(transport_document()) | {"envelopeManifestSignedContent": "a.b.c"},
        envelope(transport_document()) | {"envelopeManifestSignedContent": 7},
        envelope({"transportDocumentReference": "X"}),
    ],
)
def test_what_is_no_whole_envelope_is_refused_in_words(broken: Json) -> None:
    code, text = _code(read_events, json.dumps(broken).encode())
    assert code in ("SCHEMA", "NOT_WELL_FORMED")
    assert len(text) < 300


def test_an_invoice_tells_what_its_lines_bill_in_both_syntaxes() -> None:
    in_cii = read_invoice(cii()).goods
    assert [(line.line, line.quantity, line.unit) for line in in_cii] == [("1", "1", "C62")]
    in_ubl = read_invoice(
        samples.invoice_ubl(
            "INV-1",
            samples.SUPPLIER,
            samples.BUYER,
            date(2026, 10, 28),
            date(2026, 11, 28),
            "EUR",
            100_050,
            "PO-1",
            "DES-1",
            samples.SUPPLIER_IBAN,
        )
    ).goods
    assert [(line.line, line.quantity, line.unit) for line in in_ubl] == [("1", "1", "C62")]
