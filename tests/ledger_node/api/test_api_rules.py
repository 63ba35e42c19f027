"""Public rules from upload to payment: told at upload, refused at registration, attested by verifiers, never paid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from api_trade import done, reasons
from api_world import People, Reply, invoice_file, proof_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, Consortium, eventually, organisations

from ledger_node.rules import default_folder, find_packs

NAMELESS = b"<cbc:RegistrationName>Atlas Machinebouw B.V.</cbc:RegistrationName>"
"""Without it an invoice breaks BR-07, and is read all the same: its buyer is named by the VAT number."""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """Nodes that check by rules and let register what breaks one, a facility that pays, and a standing request."""
    assert find_packs(default_folder()), "make installs the rules: ledger-node rules fetch"
    home = tmp_path_factory.mktemp("rules")
    organisations(home)
    world = Consortium(home, home, rules="warn")
    try:
        for name in ORGANISATIONS:
            world.serve(name)
        world.start()
        people = People(world)
        people.found()
        asked = {"facility_ids": [people.open_facility()], "net_min": "1.00", "valid_until": people.due.isoformat()}
        done(people.supplier.post("uploader", "/v1/early-payment-requests", asked), people)
        yield people
    finally:
        world.close()


def _uploaded(people: People, number: str, *, broken: bool) -> Reply:
    content = invoice_file(number, issue_date=people.day, due_date=people.due)
    assert NAMELESS in content
    content = content.replace(NAMELESS, b"") if broken else content
    return people.supplier.upload("invoice", "application/xml", content, [BUYER, FINANCIER])


def _approved(people: People, number: str, *, broken: bool) -> str:
    """The path of an invoice with all that it needs but what verifiers say."""
    supplier, document = people.supplier, _uploaded(people, number, broken=broken)
    assert any("BR-07" in note for note in document.body["notes"]) is broken
    proof = supplier.upload("proof_of_delivery", "application/pdf", proof_file(number), [BUYER, FINANCIER, CARRIER])
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": f"SHIP {number}"}
    shipment_id = supplier.post("uploader", "/v1/shipments", goods).body["record_id"]
    resting = {"document_id": document.body["record_id"], "proof_ids": [proof.body["record_id"]]}
    registered = supplier.post("uploader", "/v1/invoices", resting | {"buyer": BUYER, "shipment_ids": [shipment_id]})
    done(registered, people)
    path = f"/v1/invoices/{registered.body['record_id']}"
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    arrived = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", arrived), people)
    shown = supplier.get(path).body
    owed = {name: shown[name] for name in ("amount", "currency", "due_date")} | {"buyer_reference": f"AP {number}"}
    done(people.buyer.post("approver", f"{path}/approval", owed), people)
    return path


def test_what_breaks_a_rule_is_found_by_the_verifiers_and_never_paid_while_the_control_is(people: People) -> None:
    control = _approved(people, "R-1", broken=False)
    eventually(lambda: people.supplier.get(control).body["status"] == "early-paid", "the control is paid")
    (document_id,) = people.supplier.get(control).body["document_ids"]
    attested = people.supplier.get(f"/v1/documents/{document_id}").body["attestations"]
    assert [each["rules"] for each in attested] == [
        {"verdict": "valid", "model": "EN 16931-1:2017", "packs": ["en16931 1.3.16"], "broken": []}
    ] * 2
    broken = _approved(people, "R-2", broken=True)
    eventually(
        lambda: reasons(people, broken).get("AMOUNT") == "RULES_BROKEN", f"it is found out: {reasons(people, broken)}"
    )
    assert people.supplier.get(broken).body["status"] == "approved"


def test_where_fatal_rules_block_an_invoice_is_told_at_upload_and_refused_at_registration(people: People) -> None:
    node = people.supplier.node
    node.settings = node.settings.model_copy(update={"rules": "block"})
    try:
        for number, broken, status, code in (("B-1", True, 422, "RULES_BROKEN"), ("B-2", False, 201, "")):
            uploaded = _uploaded(people, number, broken=broken)
            assert any("it will not be registered" in note for note in uploaded.body["notes"]) is broken
            body = {"document_id": uploaded.body["record_id"], "buyer": BUYER}
            registered = people.supplier.post("uploader", "/v1/invoices", body)
            assert (registered.status, registered.code) == (status, code)
            assert ("BR-07" in str(registered.body)) is broken
    finally:
        node.settings = node.settings.model_copy(update={"rules": "warn"})


def test_a_file_is_validated_over_the_api_as_at_the_prompt_and_nothing_is_stored(people: People) -> None:
    content = invoice_file("V-1", issue_date=people.day, due_date=people.due)
    before = people.supplier.get("/v1/documents").body["total"]
    for file, ok, verdict in ((content, True, "valid"), (content.replace(NAMELESS, b""), False, "invalid")):
        reply = people.supplier.raw("auditor", "/v1/invoice-validations", file, "application/xml")
        assert (reply.status, reply.body["ok"]) == (200, ok)
        (found,) = reply.body["result"]
        assert set(found) == {"file", "format", "profile", "verdict", "findings", "facts"}
        assert (found["verdict"], found["facts"]["invoice_number"]) == (verdict, "V-1")
    wrong = people.supplier.raw("auditor", "/v1/invoice-validations", content, "application/json")
    assert (wrong.status, wrong.code) == (415, "MEDIA_TYPE")
    checker, people.supplier.node.checker = people.supplier.node.checker, None
    off = people.supplier.raw("auditor", "/v1/invoice-validations", content, "application/xml")
    people.supplier.node.checker = checker
    assert (off.status, off.code) == (409, "RULES_OFF")
    assert people.supplier.get("/v1/documents").body["total"] == before
