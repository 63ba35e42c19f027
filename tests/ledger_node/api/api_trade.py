"""What people do with one invoice through the REST APIs, up to the step that a test is about; each step is awaited."""

from __future__ import annotations

import datetime as dt
import itertools

from api_world import DEPOSIT, Caller, Json, People, Reply, invoice_file, proof_file
from consortium import BUYER, CARRIER, FINANCIER, eventually

DAYS_AGO = itertools.count()  # the same amount on the same day would be a duplicate


def done(reply: Reply, people: People) -> Json:
    """The result of a write that was applied and is shown by every node."""
    assert reply.status in (200, 201), reply
    block = str(reply.body["block_number"])
    for caller in people.each():
        assert caller.get("/v1/days/current", Ledger_Block_Min=block).status == 200
    return dict(reply.body["result"])


def uploaded(supplier: Caller, people: People, number: str) -> str:
    paper = invoice_file(number, issue_date=people.day - dt.timedelta(days=next(DAYS_AGO)), due_date=people.due)
    reply = supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER])
    done(reply, people)
    return str(reply.body["record_id"])


def registered(people: People, number: str, document_id: str = "") -> str:
    """An invoice of 10,000.00 EUR, without shipments."""
    body = {"document_id": document_id or uploaded(people.supplier, people, number), "buyer": BUYER}
    reply = people.supplier.post("uploader", "/v1/invoices", body)
    done(reply, people)
    return str(reply.body["record_id"])


def approved(people: People, number: str) -> str:
    invoice_id = registered(people, number)
    done(people.buyer.post("approver", f"/v1/invoices/{invoice_id}/approval", approval(people, number)), people)
    return invoice_id


def approval(people: People, number: str) -> Json:
    """The body of the buyer's undertaking."""
    owed = {"amount": "10000.00", "currency": "EUR", "due_date": people.due.isoformat()}
    return owed | {"buyer_reference": f"AP {number}"}


def offered(people: People, number: str, facility_id: str) -> str:
    """The path of an invoice with all its evidence, approved and offered to a facility."""
    supplier, entitled = people.supplier, [BUYER, FINANCIER, CARRIER]
    document_id = uploaded(supplier, people, number)
    proof = supplier.upload("proof_of_delivery", "application/pdf", proof_file(number), entitled)
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": f"SHIP {number}"}
    shipment_id = supplier.post("uploader", "/v1/shipments", goods).body["record_id"]
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    arrived = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", arrived), people)
    resting = {"document_id": document_id, "proof_ids": [proof.body["record_id"]], "shipment_ids": [shipment_id]}
    reply = supplier.post("uploader", "/v1/invoices", resting | {"buyer": BUYER})
    done(reply, people)
    path = f"/v1/invoices/{reply.body['record_id']}"
    asked = {"facility_ids": [facility_id], "net_min": "1.00", "valid_until": people.due.isoformat()}
    done(supplier.post("uploader", f"{path}/early-payment-request", asked), people)
    done(people.buyer.post("approver", f"{path}/approval", approval(people, number)), people)
    return path


def releasable(people: People, number: str, facility_id: str) -> str:
    """The path of an invoice for which only the financier's decision is missing."""
    path = offered(people, number, facility_id)
    eventually(lambda: reasons(people, path) == {"FACILITY": "DECISION_MISSING"}, "only the decision is missing")
    return path


def reasons(people: People, path: str) -> dict[str, str]:
    """Why it is not paid yet, by class."""
    classes = people.supplier.get(path).body["classes"]
    return {each["class"]: each["reason"] for each in classes if each["verdict"] != "VALID"}


def money(people: People, to: str, amount: str, reference: str) -> None:
    """Deposit money for a party."""
    body = {"deposit": DEPOSIT, "to": to, "amount": amount, "credit_reference": reference}
    done(people.financier.post("issuer", "/v1/deposits", body | {"booked_on": people.day.isoformat()}), people)


def balances(people: People, **query: str) -> dict[str, str]:
    """Balances as every node shows them, by name of the account."""
    asked = "/v1/accounts?" + "&".join(f"{name}={value}" for name, value in query.items())
    shown = [caller.get(asked).body["items"] for caller in people.each()]
    without_names = [[each | {"names": {}} for each in items] for items in shown]
    assert all(items == without_names[0] for items in without_names)
    return {each["name"]: each["balance"] for each in shown[0]}


def steps(people: People, path: str) -> list[str]:
    """The movements of an invoice, in the order of the ledger."""
    invoice_id = path.rpartition("/")[2]
    return [each["step"] for each in people.buyer.get(f"/v1/accounts/entries?invoice_id={invoice_id}").body["items"]]


def status(people: People, path: str) -> str:
    """The status of an invoice, which every node shows."""
    (found,) = {str(caller.get(path).body["status"]) for caller in people.each()}
    return found
