"""The main job through four nodes' REST APIs, from founding to settlement, and what every node shows of it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from api_world import DEPOSIT, People, invoice_file, proof_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, SUPPLIER, Consortium, eventually, organisations

TODAY = dt.datetime.now(dt.UTC).date()
DUE = (TODAY + dt.timedelta(days=60)).isoformat()


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    for name in ORGANISATIONS:
        world.serve(name)
    world.start()
    yield People(world)
    world.close()


def register(people: People, facility_id: str) -> str:
    """Everything but the buyer's approval; the invoice's id."""
    supplier = people.supplier
    document = supplier.upload("invoice", "application/xml", invoice_file(), [BUYER, FINANCIER])
    assert document.status == 201, document
    proof = supplier.upload("proof_of_delivery", "application/pdf", proof_file(), f"{BUYER}, {FINANCIER},{CARRIER}")
    shipment = supplier.post(
        "uploader", "/v1/shipments", {"buyer": BUYER, "carrier": CARRIER, "reference": "SHIP INV-1"}
    )
    shipment_id = shipment.body["record_id"]
    assert people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance").status == 200
    delivered = {"type": "delivered", "occurred_on": TODAY.isoformat(), "partial": False, "document_id": ""}
    assert people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", delivered).status == 201
    body = {
        "document_id": document.body["record_id"],
        "proof_ids": [proof.body["record_id"]],
        "shipment_ids": [shipment_id],
        "buyer": BUYER,
    }
    registered = supplier.post("uploader", "/v1/invoices", body)
    assert registered.status == 201, registered
    invoice_id = str(registered.body["record_id"])
    assert registered.body["result"]["invoice_id"] == invoice_id
    request = {"facility_ids": [facility_id], "net_min": "9000.00", "valid_until": DUE}
    asked = supplier.post("uploader", f"/v1/invoices/{invoice_id}/early-payment-request", request)
    assert asked.status == 200, asked
    return invoice_id


def approve(people: People, invoice_id: str) -> None:
    body = {"amount": "10000.00", "currency": "EUR", "due_date": DUE, "buyer_reference": "AP-1"}
    approved = people.buyer.post("approver", f"/v1/invoices/{invoice_id}/approval", body)
    assert approved.status == 200, approved


def test_an_invoice_is_paid_early_and_settled_and_every_node_shows_it(people: People) -> None:
    people.found()
    invoice_id = register(people, people.open_facility())
    path = f"/v1/invoices/{invoice_id}"
    eventually(lambda: "AMOUNT" in missing(people, path, "NOT_APPROVED"), "the verifiers are done")
    shown = people.supplier.get(path).body
    assert [each["class"] for each in shown["classes"]] == CLASSES
    assert {each["class"]: each["verdict"] for each in shown["classes"]}["INTEGRITY"] == "VALID"

    approve(people, invoice_id)
    eventually(
        lambda: {caller.get(path).body["status"] for caller in people.each()} == {"early-paid"}, "the payment is shown"
    )
    paid = people.carrier.get(path).body
    assert {each["verdict"] for each in paid["classes"]} == {"VALID"}
    payment = paid["early_payment"]
    assert minor(payment["net"]) + minor(payment["discount"]) + minor(payment["fee"]) == 1_000_000
    assert (paid["holder"], paid["amount"], paid["currency"]) == (FINANCIER, "10000.00", "EUR")
    what = [moment["what"] for moment in paid["timeline"]]
    assert (what.count("attested verified"), what.count("entry early_payment")) == (5, 1)
    cash = people.financier.get(f"/v1/accounts?party={SUPPLIER}&book=cash").body["items"]
    assert [(each["unit"], each["balance"]) for each in cash] == [(DEPOSIT, payment["net"])]

    assert people.buyer.post("approver", f"{path}/assignment-acknowledgement").status == 200
    credit = {
        "deposit": DEPOSIT,
        "to": BUYER,
        "amount": "10000.00",
        "credit_reference": "CAMT 1",
        "booked_on": TODAY.isoformat(),
    }
    assert people.financier.post("issuer", "/v1/deposits", credit).status == 200
    settled = people.buyer.post("approver", f"{path}/settlement", {"amount": "10000.00", "deposit": DEPOSIT})
    assert settled.status == 200, settled
    block = str(settled.body["block_number"])
    assert {caller.get(path, Ledger_Block_Min=block).body["status"] for caller in people.each()} == {"settled"}
    entries = people.supplier.get(f"/v1/accounts/entries?invoice_id={invoice_id}").body
    assert [each["step"] for each in entries["items"]] == [
        "approve",
        "early_payment",
        "assignment",
        "settle",
        "discharge",
    ]
    again = people.buyer.post("approver", f"{path}/settlement", {"amount": "10000.00", "deposit": DEPOSIT})
    assert (again.status, again.code, again.body["type"]) == (
        409,
        "STATUS_WRONG",
        "urn:ledger-node:refusal:STATUS_WRONG",
    )


def test_a_manual_facility_pays_when_its_financier_decides(people: People) -> None:
    people.found()
    facility_id = people.open_facility("manual")
    invoice_id = register(people, facility_id)
    path = f"/v1/invoices/{invoice_id}"
    early = people.financier.post("funder", f"{path}/funding", {"facility_id": facility_id})
    assert (early.status, early.code) == (409, "NOT_RELEASABLE")
    approve(people, invoice_id)
    eventually(lambda: "FACILITY" in missing(people, path, "DECISION_MISSING"), "only the decision is missing")
    assert (
        people.supplier.post("uploader", "/v1/release-checks", {"invoice_ids": [invoice_id]}).body["result"]["released"]
        == []
    )
    funded = people.financier.post("funder", f"{path}/funding", {"facility_id": facility_id})
    assert funded.status == 200, funded
    assert funded.body["result"]["released"] == [invoice_id]


def test_lists_are_filtered_sorted_and_paged(people: People) -> None:
    people.found()
    facility_id = people.open_facility()
    invoice_id = register(people, facility_id)
    supplier = people.supplier
    eventually(lambda: supplier.get(f"/v1/invoices/{invoice_id}").status == 200, "the invoice is shown")
    found = supplier.get(f"/v1/invoices?status=registered&supplier={SUPPLIER}&sort=-face_minor&per_page=1").body
    assert [each["invoice_id"] for each in found["items"]] == [invoice_id]
    assert (found["total"], found["page"], found["per_page"]) == (1, 1, 1)
    assert supplier.get("/v1/invoices?status=settled").body["items"] == []
    assert supplier.get(f"/v1/documents?submitter={SUPPLIER}&kind=invoice").body["total"] == 1
    assert supplier.get("/v1/shipments").body["total"] == 1
    shipment_id = supplier.get("/v1/shipments").body["items"][0]["shipment_id"]
    assert [each["type"] for each in supplier.get(f"/v1/shipments/{shipment_id}").body["events"]] == ["delivered"]
    assert [each["facility_id"] for each in supplier.get("/v1/facilities").body["items"]] == [facility_id]
    facility = supplier.get(f"/v1/facilities/{facility_id}").body
    assert (facility["limit"], facility["used"], facility["fee"]) == ("1000000.00", "0.00", "0.00")
    assert [each["supplier"] for each in supplier.get("/v1/supplier-acceptances").body["items"]] == [SUPPLIER]
    parties = supplier.get("/v1/parties").body
    assert (parties["founding"]["active"], len(parties["items"])) == (True, 4)
    assert supplier.get(f"/v1/parties/{FINANCIER}").body["issue_limits"] == {"EUR": "1000000.00"}
    assert supplier.get("/v1/days/current").body["date"] == TODAY.isoformat()

    forget(people)
    shown = supplier.get(f"/v1/invoices/{invoice_id}").body
    assert (shown["status"], shown["classes"], shown["quote"]) == ("registered", [], None)
    assert shown["warning"] == "the own peer does not know this invoice"


def forget(people: People) -> None:
    """Take the state away from under the nodes, as if the own peer had lost it."""
    path = people.supplier.node.settings.embedded_database
    with closing(sqlite3.connect(people.supplier.node.settings.at(path or Path()), timeout=20)) as ledger, ledger:
        ledger.execute("DELETE FROM state")


CLASSES = ["PARTIES", "INTEGRITY", "AMOUNT", "DELIVERY", "UNIQUE", "FACILITY", "FUNDS"]


def missing(people: People, path: str, reason: str) -> list[str]:
    """The classes with that reason, once it is the only one that keeps the invoice from being paid."""
    answer = people.supplier.get(path)
    if answer.status != 200:
        return []
    open_ones = [each for each in answer.body["classes"] if each["verdict"] != "VALID"]
    return [each["class"] for each in open_ones] if {each["reason"] for each in open_ones} == {reason} else []


def minor(amount: str) -> int:
    return int(amount.replace(".", ""))
