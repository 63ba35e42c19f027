"""A trade by file: variants of an invoice from upload to payment or a named refusal, as the documents page has them.

Every file goes the whole way over the REST API of real nodes: upload, registration, verifiers, approval, release. The
table of `docs/reference/documents.md` is what this test finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_trade import done, reasons
from api_world import People, proof_file
from consortium import BUYER, CARRIER, FINANCIER, ORGANISATIONS, Consortium, eventually, organisations
from trade_variants import AFTER_CHANGE, NEXT, NOT_PAID, PAID, STATED, UNDATED, VARIANTS, Made, in_ubl

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "documents.md"
WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """Four nodes at work, a facility that pays by itself, and a standing request of the supplier."""
    home = tmp_path_factory.mktemp("trade")
    organisations(home)
    world = Consortium(home, home)
    try:
        for name in ORGANISATIONS:
            world.serve(name)
        world.start()
        people = People(world)
        people.found()
        facility_id = people.open_facility()
        asked = {"facility_ids": [facility_id], "net_min": "1.00", "valid_until": NEXT.isoformat()}
        done(people.supplier.post("uploader", "/v1/early-payment-requests", asked), people)
        yield people
    finally:
        world.close()


def _result(people: People, made: Made, place: int, stated: str) -> str:
    """What becomes of a variant, in the words of the page."""
    path = _approved(people, made, f"V{place:03}-A", 100_000 + place * 100, stated)
    return _paid(people, path) if path.startswith("/") else path


def _approved(people: People, made: Made, number: str, net_minor: int, stated: str = "") -> str:
    """The address of an invoice that is registered, delivered and approved, or how it was refused before."""
    supplier, entitled = people.supplier, [BUYER, FINANCIER, CARRIER]
    uploaded = supplier.upload("invoice", "application/octet-stream", made(number, net_minor), [BUYER, FINANCIER])
    if uploaded.status != 201:
        return f"refused at upload: {uploaded.code}"
    proof = supplier.upload("proof_of_delivery", "application/pdf", proof_file(number), entitled)
    goods = {"buyer": BUYER, "carrier": CARRIER, "reference": f"SHIP {number}"}
    shipment_id = supplier.post("uploader", "/v1/shipments", goods).body["record_id"]
    body = {
        "document_id": uploaded.body["record_id"],
        "proof_ids": [proof.body["record_id"]],
        "shipment_ids": [shipment_id],
        "buyer": BUYER,
        "stated_due_date": stated,
    }
    registered = supplier.post("uploader", "/v1/invoices", body)
    if registered.status != 201:
        return f"refused at registration: {registered.code}"
    path = f"/v1/invoices/{registered.body['record_id']}"
    done(registered, people)
    done(people.buyer.post("approver", f"/v1/shipments/{shipment_id}/carrier-acceptance"), people)
    arrived = {"type": "delivered", "occurred_on": people.day.isoformat()}
    done(people.carrier.post("uploader", f"/v1/shipments/{shipment_id}/events", arrived), people)
    shown = supplier.get(path).body
    owed = {name: shown[name] for name in ("amount", "currency", "due_date")} | {"buyer_reference": f"AP {number}"}
    done(people.buyer.post("approver", f"{path}/approval", owed), people)
    return path


def _paid(people: People, path: str) -> str:
    eventually(
        lambda: people.supplier.get(path).body["status"] == "early-paid",
        f"paid early, but {reasons(people, path)}",
        WAIT_SECONDS,
    )
    return PAID


def _stopped(people: People, path: str) -> dict[str, tuple[str, str]]:
    """The classes that stop an invoice once no verifier has anything more to say: verdict and reason by class."""
    return {
        each["class"]: (each["verdict"], each["reason"])
        for each in people.supplier.get(path).body["classes"]
        if each["verdict"] != "VALID"
    }


@pytest.fixture(scope="module")
def financed(people: People) -> str:
    """The address of the invoice W000-A, paid early: the control of all that follow it."""
    path = _approved(people, in_ubl(), "W000-A", 70_000)
    _paid(people, path)
    return path


@pytest.mark.parametrize("name", NOT_PAID)
def test_what_must_not_be_paid_by_itself_is_stopped_by_one_class_alone(
    people: People, financed: str, name: str
) -> None:
    made, (class_, verdict, reason) = NOT_PAID[name]
    number = f"W{list(NOT_PAID).index(name) + 1:03}-A"
    path = _approved(people, made, number, 80_000 + 100 * list(NOT_PAID).index(name))
    assert path.startswith("/"), path
    eventually(
        lambda: _stopped(people, path) == {class_: (verdict, reason)},
        f"only {class_} stops it, but {reasons(people, path)}",
        WAIT_SECONDS,
    )
    assert people.supplier.get(path).body["status"] == "approved"


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_an_invoice_ends_as_the_page_says(people: People, name: str) -> None:
    made, expected = VARIANTS[name]
    assert expected == _result(people, made, list(VARIANTS).index(name), STATED.get(name, ""))


def test_what_a_file_lacks_is_said_at_upload_and_what_is_stated_instead_is_marked_everywhere(people: People) -> None:
    supplier = people.supplier
    for made, lacks in ((UNDATED, 1), (in_ubl(), 0)):
        uploaded = supplier.upload("invoice", "application/xml", made(f"N{lacks}", 90_000 + lacks), [BUYER])
        assert (uploaded.status, len(uploaded.body["notes"])) == (201, lacks)
        stated = NEXT.isoformat() if lacks else ""
        asked = {"document_id": uploaded.body["record_id"], "buyer": BUYER, "stated_due_date": stated}
        registered = supplier.post("uploader", "/v1/invoices", asked)
        done(registered, people)
        shown = supplier.get(f"/v1/invoices/{registered.body['record_id']}").body
        assert (shown["due_date"], shown["stated_due_date"]) == (NEXT.isoformat(), stated)
        assert shown["facts"]["due_date"] == ("" if lacks else NEXT.isoformat())
        marked = [moment["what"] for moment in shown["timeline"] if "not from the file" in moment["what"]]
        assert len(marked) == lacks


def _for_it(people: People, change_id: str) -> None:
    """More than half of the four are for a change that the supplier has asked for."""
    for caller in (people.buyer, people.financier):
        done(caller.post("operator", f"/v1/membership-changes/{change_id}/votes"), people)


@pytest.mark.parametrize("name", AFTER_CHANGE)
def test_what_named_nobody_is_paid_once_its_identifier_is_registered_and_it_is_uploaded_anew(
    people: People, name: str
) -> None:
    made, identifier = AFTER_CHANGE[name]
    number, net_minor = f"Y{list(AFTER_CHANGE).index(name):03}-A", 60_000 + 100 * list(AFTER_CHANGE).index(name)
    assert _approved(people, made, number, net_minor) == "refused at registration: PARTY_DIFFERS"
    asked = {"identifiers": [identifier]}
    changed = people.supplier.post("operator", "/v1/membership-changes/identity-changes", asked)
    done(changed, people)
    _for_it(people, changed.body["record_id"])
    path = _approved(people, made, f"{number} again", net_minor)
    assert path.startswith("/"), path
    assert _paid(people, path) == PAID


def test_the_page_lists_every_variant_with_its_result() -> None:
    texts = re.findall(r"^\| ([^|`]+) \| ((?:paid|refused|not paid)[^|]*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    stopped = {
        name: f"not paid: {class_} {verdict} {reason}" for name, (_, (class_, verdict, reason)) in NOT_PAID.items()
    }
    changed = dict.fromkeys(AFTER_CHANGE, "paid early, once that is registered and it is uploaded anew")
    assert {name: result for name, (_, result) in VARIANTS.items()} | stopped | changed == dict(texts)
    assert len(VARIANTS) >= 60
