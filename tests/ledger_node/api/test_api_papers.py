"""Invoices written, submitted and answered over REST: one request each, with one effect however often it is sent."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_trade import approval, done
from api_world import Caller, People, Reply, invoice_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, Consortium, organisations
from lxml import etree

from ledger_node.background import responder_of
from ledger_node.demo import samples
from ledger_node.formats.pdf import invoice_inside
from ledger_node.formats.ubl_cii import read_invoice
from ledger_node.issuing.draft import example

NO_ID = "0" * 32


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("papers")
    organisations(home)
    world = Consortium(home, home)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


def submit(caller: Caller, what: str, content: bytes, *, key: str = "", **fields: Any) -> Reply:
    form = {**fields, "file": (io.BytesIO(content), "paper", "application/octet-stream")}
    answer = caller.http.post(f"/v1/{what}-submissions", data=form, headers=caller.write_headers("uploader", key, 20))
    return Reply(answer.status_code, answer.get_json(), answer.headers)


def events(reference: str) -> bytes:
    arrived = dt.datetime.now(dt.UTC)
    left = arrived - dt.timedelta(days=2)
    return samples.delivery_events_epcis(reference, "PO 1", samples.SUPPLIER, samples.BUYER, left, arrived)


def test_a_file_is_submitted_in_one_request_and_a_repetition_is_the_same(people: People) -> None:
    supplier, told = people.supplier, events("SHIP S-1")
    shipped = submit(supplier, "shipment", told, key="s-1", buyer=BUYER, carrier=CARRIER, entitled=FINANCIER)
    assert (shipped.status, shipped.body["type"]) == (201, "RegisterShipment"), shipped
    shipment_id = shipped.body["record_id"]
    again = submit(supplier, "shipment", told, key="s-1", buyer=BUYER, carrier=CARRIER, entitled=FINANCIER)
    assert again.body["id"] == shipped.body["id"]
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    reported = submit(people.carrier, "shipment", told, shipment_id=shipment_id, entitled=BUYER)
    assert len(reported.body["result"]["event_ids"]) == 2, reported
    claim = {"buyer": BUYER, "entitled": [FINANCIER], "shipment_ids": [shipment_id]}
    before = supplier.stored()
    first = submit(supplier, "invoice", invoice_file("S-1"), key="i-1", **claim)
    assert (first.status, first.body["type"], first.body["notes"]) == (201, "RegisterInvoice", []), first
    assert submit(supplier, "invoice", invoice_file("S-1"), key="i-1", **claim).body["id"] == first.body["id"]
    after = supplier.stored()
    assert [now - then for now, then in zip(after, before, strict=True)] == [2, 1, 1]
    invoice = supplier.get(f"/v1/invoices/{first.body['record_id']}").body
    document = supplier.get(f"/v1/documents/{invoice['document_ids'][0]}").body
    assert (invoice["shipment_ids"], document["entitled"]) == ([shipment_id], sorted([BUYER, FINANCIER]))
    other = submit(supplier, "invoice", invoice_file("S-2"), key="i-1", **claim)
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_file_that_tells_of_another_shipment_delivers_nothing(people: People) -> None:
    mine = submit(people.supplier, "shipment", events("MINE 1"), buyer=BUYER, carrier=CARRIER, entitled=FINANCIER)
    shipment_id = done(mine, people)["shipment_id"]
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    before = people.carrier.stored()
    wrong = submit(people.carrier, "shipment", events("OTHER 1"), shipment_id=shipment_id, entitled=BUYER)
    assert (wrong.status, "the file tells of OTHER 1" in wrong.body["detail"]) == (400, True), wrong
    unknown = submit(people.carrier, "shipment", events("MINE 1"), shipment_id=NO_ID, entitled=BUYER)
    assert unknown.status == 404, unknown
    assert people.carrier.stored() == before
    both = json.loads(events("OTHER 1"))
    both["epcisBody"]["eventList"] += json.loads(events("mine-1"))["epcisBody"]["eventList"]
    told = submit(people.carrier, "shipment", json.dumps(both).encode(), shipment_id=shipment_id, entitled=BUYER)
    assert len(done(told, people)["event_ids"]) == 2, "the control: two of four are of this one"


def test_a_key_of_an_upload_is_no_key_of_a_submission(people: People) -> None:
    supplier, content = people.supplier, invoice_file("K-1")
    form = {"kind": "invoice", "entitled": BUYER, "file": (io.BytesIO(content), "paper", "application/octet-stream")}
    sent = supplier.http.post("/v1/documents", data=form, headers=supplier.write_headers("uploader", "k-1", 20))
    before = supplier.stored()
    reply = submit(supplier, "invoice", content, key="k-1", buyer=BUYER)
    assert (reply.status, reply.code) == (422, "IDEMPOTENCY_KEY_REUSED"), reply
    assert sent.get_json()["record_id"] in reply.body["detail"]
    assert supplier.stored() == before
    assert submit(supplier, "invoice", content, key="k-2", buyer=BUYER).status == 201


def test_what_is_refused_says_what_is_left_of_it(people: People) -> None:
    reply = submit(people.supplier, "invoice", invoice_file("S-3"), buyer=BUYER, shipment_ids=NO_ID)
    assert reply.code == "SHIPMENT_UNKNOWN"
    assert "The file is uploaded as document " in reply.body["remedy"]


@pytest.mark.parametrize(
    ("what", "fields", "told"),
    [
        ("invoice", {}, "entitled names 0 parties"),
        ("invoice", {"buyer": BUYER, "stated_due_date": "soon"}, "stated_due_date: has to be a date"),
        ("invoice", {"buyer": BUYER, "kind": "invoice"}, "unknown field 'kind'"),
        ("invoice", {"buyer": [BUYER, CARRIER]}, "'buyer' more than once"),
        ("shipment", {}, "say buyer and carrier, or shipment_id"),
        ("shipment", {"buyer": BUYER}, "say buyer and carrier, or shipment_id"),
        ("shipment", {"buyer": BUYER, "carrier": CARRIER, "shipment_id": NO_ID}, "say buyer and carrier, or"),
    ],
)
def test_a_form_that_cannot_be_right_stores_nothing(
    people: People, what: str, fields: dict[str, Any], told: str
) -> None:
    before = people.supplier.stored()
    reply = submit(people.supplier, what, events("SHIP S-4"), **fields)
    assert (reply.status, told in reply.body["detail"]) == (400, True), reply
    assert people.supplier.stored() == before


def test_events_of_two_shipments_are_not_submitted_as_one(people: People) -> None:
    document = json.loads(events("SHIP A"))
    document["epcisBody"]["eventList"] += json.loads(events("SHIP B"))["epcisBody"]["eventList"]
    reply = submit(people.supplier, "shipment", json.dumps(document).encode(), buyer=BUYER, carrier=CARRIER)
    assert (reply.status, "names 2 shipments" in reply.body["detail"]) == (400, True), reply


@pytest.mark.parametrize("form", ["ubl", "cii", "factur-x"])
def test_an_invoice_is_written_from_facts(people: People, form: str) -> None:
    supplier = people.supplier
    answer = supplier.http.post(f"/v1/invoice-files?form={form}", json=example(), headers=supplier.bearer("auditor"))
    assert answer.status_code == 200, answer.get_data()
    content = answer.get_data()
    facts = read_invoice(invoice_inside(content) if form == "factur-x" else content)
    assert (facts.invoice_number, facts.amount_minor) == ("INV-2026-17", 123_750)
    assert answer.mimetype == ("application/pdf" if form == "factur-x" else "application/xml")


def test_wrong_facts_are_refused_by_their_names(people: People) -> None:
    reply = people.supplier.post("auditor", "/v1/invoice-files", example() | {"lines": [{"name": "A"}]})
    assert (reply.status, reply.code) == (400, "INVALID_INPUT")
    assert "lines.0.quantity: is missing" in reply.body["detail"]


def test_the_buyer_answers_by_the_state_of_the_invoice_and_nobody_else_does(people: People) -> None:
    registered = submit(people.supplier, "invoice", invoice_file("R-1", amount_minor=1_000_000), buyer=BUYER)
    done(registered, people)
    path = f"/v1/invoices/{registered.body['record_id']}/response"
    others = people.supplier.get(path)
    assert (others.status, others.code) == (403, "NOT_THE_BUYER")
    rejected = people.buyer.get(f"{path}?code=RE&reason=REF&text=no+order")
    assert etree.fromstring(rejected.body.encode()).findtext(".//{*}ResponseCode") == "RE"
    again, other = (people.buyer.get(f"{path}?code=RE&reason=REF&text={text}") for text in ("no+order", "no+price"))
    first, same, third = (etree.fromstring(each.body.encode()).findtext("{*}ID") for each in (rejected, again, other))
    assert first == same != third
    mail = people.buyer.get(f"{path}?code=RE&reason=REF&sender=EM:ap@buyer.example&receiver=0088:42:6")
    ids = {each.get("schemeID"): each.text for each in etree.fromstring(mail.body.encode()).iter("{*}EndpointID")}
    assert ids == {"EM": "ap@buyer.example", "0088": "42:6"}
    early = people.buyer.get(f"{path}?code=AP")
    assert (early.status, "on the ledger it is not" in early.body["detail"]) == (400, True), early
    done(people.buyer.post("approver", path.replace("response", "approval"), approval(people, "R-1")), people)
    accepted = people.buyer.get(path)
    root = etree.fromstring(accepted.body.encode())
    assert root.findtext(".//{*}ResponseCode") == "AP"
    assert root.findtext("{*}ReceiverParty/{*}EndpointID") == samples.SUPPLIER.gln
    assert etree.fromstring(people.buyer.get(path).body.encode()).findtext("{*}ID") == root.findtext("{*}ID")
    lie = people.buyer.get(f"{path}?code=RE&reason=REF")
    assert (lie.status, "your approval stands" in lie.body["detail"]) == (400, True)
    wrong = people.buyer.get(f"{path}?sender=nobody")
    assert (wrong.status, wrong.code) == (400, "INVALID_INPUT")


def test_a_node_that_is_told_to_answers_each_change_by_itself_as_it_would_when_asked(
    people: People, tmp_path: Path
) -> None:
    responder = responder_of(people.buyer.node, tmp_path / "answers")
    while responder.put_down():
        pass
    registered = submit(people.supplier, "invoice", invoice_file("R-2", amount_minor=1_000_000), buyer=BUYER)
    done(registered, people)
    path = f"/v1/invoices/{registered.body['record_id']}"
    done(people.buyer.post("approver", f"{path}/approval", approval(people, "R-2")), people)
    while responder.put_down():
        pass
    responder.write(threading.Event())
    latest, *_ = people.buyer.get("/v1/invoice-responses?invoice_id=R-2").body["items"]
    assert (latest["code"], latest["status"]) == ("AP", "written")
    assert etree.fromstring(people.buyer.get(f"{path}/response").body.encode()).findtext("{*}ID") == latest["id"]
    written = etree.parse(tmp_path / "answers" / f"{latest['id']}.xml")
    assert written.findtext(".//{*}DocumentReference/{*}ID") == "R-2"
    assert people.buyer.get("/v1/invoice-responses?status=failed").body["total"] == 0
