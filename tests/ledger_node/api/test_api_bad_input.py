"""Bad input: each a clear refusal with a name, and nothing is stored."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from api_world import DEPOSIT, Json, People, facility, invoice_file, proof_file
from consortium import BUYER, CARRIER, FINANCIER, Consortium, eventually, organisations

from ledger_node.door.application import REPEATED, _headers
from ledger_node.ledger.interface import EndorseError
from ledger_node.outbox.submission import SubmissionStatus

ID = "0" * 32
DEPOSIT_BODY = {
    "deposit": DEPOSIT,
    "to": BUYER,
    "amount": "10.00",
    "credit_reference": "CAMT 1",
    "booked_on": "2026-01-02",
}
SMALL_BYTES = 100_000


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A founded consortium whose nodes take documents of 100 000 bytes at most."""
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home, limits={"document_size_bytes_max": SMALL_BYTES})
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "NOT_JSON"),
        (b"hello", 400, "NOT_JSON"),
        (b"\xff\xfe", 400, "NOT_JSON"),
        (b'{"date": "\\ud800"}', 400, "NOT_JSON"),
        (b"[" * 100_000, 400, "NOT_JSON"),
        (b'{"date": 1' + b"0" * 5000 + b"}", 400, "NOT_JSON"),
        (b'{"date": NaN}', 400, "NUMBER_NOT_TAKEN"),
        (b'{"date": 1.5}', 400, "NUMBER_NOT_TAKEN"),
        (b'{"date": "2030-01-01", "date": "2030-01-02"}', 400, "DUPLICATE_FIELD"),
        (b'{"date": "2030-01-01", "dates": 1}', 400, "INVALID_INPUT"),
        (b'{"date": 20300101}', 400, "INVALID_INPUT"),
        (b'{"date": "2030-02-30"}', 400, "INVALID_INPUT"),
        (b'["2030-01-01"]', 400, "INVALID_INPUT"),
        (b"{}", 400, "INVALID_INPUT"),
        (b"", 400, "INVALID_INPUT"),
        (b'{"date": "' + b"x" * 1_000_001 + b'"}', 413, "TOO_LARGE"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_not_strict_json_of_the_right_shape_is_refused(
    people: People, content: bytes, status: int, code: str
) -> None:
    before = people.supplier.stored()
    answer = people.supplier.raw("operator", "/v1/days", content)
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert people.supplier.stored() == before


def test_an_unknown_field_is_named(people: People) -> None:
    answer = people.supplier.post("operator", "/v1/days", {"date": "2030-01-01", "dates": 1})
    assert answer.body["fields"] == [
        {"place": "json", "field": "dates", "fault": "is not known here"},
    ]


def test_who_may_not_is_told_which_role_it_has_and_which_is_needed(people: People) -> None:
    answer = people.supplier.post("auditor", "/v1/shipments", {})
    assert (answer.status, answer.code) == (403, "TOKEN_ROLE")
    assert answer.body["detail"] == "this token has the role auditor, and this needs the role uploader"
    assert answer.body["remedy"].endswith("ledger-node token create --role uploader")


def test_a_method_that_an_address_does_not_have_is_answered_with_those_that_it_has(people: People) -> None:
    answer = people.supplier.http.delete("/v1/invoices", headers=people.supplier.bearer("uploader"))
    assert answer.status_code == 405
    said = answer.get_json()["detail"]
    assert said == "DELETE is not among the methods of this address: GET, HEAD, OPTIONS, POST"


def test_what_is_too_large_is_told_the_limit_that_it_is_over(people: People) -> None:
    large = people.supplier.raw("operator", "/v1/days", b"x" * 1_000_001)
    assert large.body["detail"] == "the request is larger than 1000000 bytes"
    file = people.supplier.upload("invoice", "application/xml", b"x" * 2 * SMALL_BYTES, [BUYER])
    assert file.body["detail"] == f"the request is larger than {SMALL_BYTES + 65_536} bytes"
    form = people.supplier.upload("invoice", "application/xml", b"x", [BUYER], note="x" * 70_000)
    assert form.status == 413
    assert form.body["detail"] == "the form has more than 50 parts, or fields of more than 65536 bytes in all"


def test_an_id_of_something_else_is_told_what_it_is_the_id_of(people: People) -> None:
    """In a read, in a write that the node looks up itself, and in one that the contract refuses."""
    document = people.supplier.upload("invoice", "application/xml", invoice_file("MIXED UP"), [BUYER]).body
    of_document, of_submission = document["record_id"], document["id"]
    there = f"/v1/documents/{of_document}"
    eventually(lambda: people.supplier.get(there).status == people.buyer.get(there).status == 200, "both know of it")
    read = people.supplier.get(f"/v1/invoices/{of_document}")
    assert (read.code, read.body["remedy"].partition(".")[0]) == ("INVOICE_UNKNOWN", "This is the id of a document")
    read = people.supplier.get(f"/v1/documents/{of_submission}")
    assert read.body["remedy"].startswith("This is the id of a submission, whose record has an id of its own.")
    refused = people.buyer.post("approver", f"/v1/invoices/{of_document}/assignment-acknowledgement")
    assert (refused.code, refused.body["remedy"].partition(".")[0]) == (
        "INVOICE_UNKNOWN",
        "This is the id of a document",
    )
    asked = people.supplier.get(f"/v1/submissions/{of_document}")
    assert (asked.code, asked.body["remedy"]) == (
        "SUBMISSION_UNKNOWN",
        "This is the id of a document. Ask the node you wrote to.",
    )
    register = people.supplier.post("uploader", "/v1/invoices", {"document_id": of_submission, "buyer": BUYER})
    assert (register.code, register.body["remedy"].partition(",")[0]) == (
        "DOCUMENT_UNKNOWN",
        "This is the id of a submission",
    )
    assert people.supplier.get(f"/v1/invoices/{ID}").body["remedy"].startswith("Look at its id")


def test_a_submission_that_failed_says_what_helps(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure of this test is played: a real one takes a ledger that breaks."""
    document = people.supplier.upload("invoice", "application/xml", invoice_file("FAILS"), [BUYER]).body
    known = people.supplier.node.outbox.get(document["id"])
    assert known is not None
    assert people.supplier.get(f"/v1/submissions/{document['id']}").body["remedy"] == ""
    failed = dataclasses.replace(known, status=SubmissionStatus.FAILED, code="NOT_ENDORSED", text="it broke")
    monkeypatch.setattr(people.supplier.node.outbox, "get", lambda _: failed)
    shown = people.supplier.get(f"/v1/submissions/{document['id']}").body
    assert (shown["status"], shown["remedy"].partition(",")[0]) == ("failed", "Let it go again under its own id")


def test_a_body_of_another_media_type_is_refused(people: People) -> None:
    before = people.supplier.stored()
    answer = people.supplier.raw("operator", "/v1/days", b'{"date": "2030-01-01"}', "text/plain")
    assert (answer.status, answer.code) == (415, "MEDIA_TYPE")
    assert people.supplier.stored() == before


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        ("10.001", "EUR", "AMOUNT_EXPONENT"),
        ("10.5", "JPY", "AMOUNT_EXPONENT"),
        ("-10.00", "EUR", "AMOUNT_NEGATIVE"),
        ("1" + "0" * 20, "EUR", "AMOUNT_TOO_LARGE"),
        ("90071992547409.92", "EUR", "AMOUNT_TOO_LARGE"),
        ("1e3", "EUR", "AMOUNT_NOT_DECIMAL"),
        ("1,000.00", "EUR", "AMOUNT_NOT_DECIMAL"),
        ("١٠.00", "EUR", "AMOUNT_NOT_DECIMAL"),
        (" 1.00", "EUR", "AMOUNT_NOT_DECIMAL"),
        ("", "EUR", "AMOUNT_NOT_DECIMAL"),
        ("10.00", "XXX", "CURRENCY_UNKNOWN"),
    ],
)
def test_an_amount_that_the_currency_does_not_have_is_refused(
    people: People, amount: str, currency: str, code: str
) -> None:
    before = people.financier.stored()
    body = DEPOSIT_BODY | {"amount": amount, "deposit": f"{currency}@{FINANCIER}"}
    answer = people.financier.post("issuer", "/v1/deposits", body)
    assert (answer.status, answer.code) == (422, code)
    assert people.financier.stored() == before


def test_an_amount_as_a_number_is_refused(people: People) -> None:
    answer = people.financier.post("issuer", "/v1/deposits", DEPOSIT_BODY | {"amount": 10})
    assert (answer.status, answer.code) == (400, "INVALID_INPUT")


def test_the_largest_amount_is_understood_as_it_is(people: People) -> None:
    answer = people.financier.post("issuer", "/v1/deposits", DEPOSIT_BODY | {"amount": "90071992547409.91"})
    assert (answer.status, answer.code) == (409, "ISSUE_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("kind", "media_type", "content", "status", "code"),
    [
        ("invoice", "application/xml", b"", 400, "EMPTY"),
        ("invoice", "application/xml", b"<Invoice>", 422, "NOT_WELL_FORMED"),
        ("invoice", "application/xml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", 422, "DOCTYPE"),
        ("invoice", "application/xml", b"<x/>", 422, "NOT_AN_INVOICE"),
        ("invoice", "application/xml", b"%PDF-1.7", 415, "MEDIA_TYPE"),
        ("invoice", "image/png", b"\x89PNG", 415, "MEDIA_TYPE"),
        ("invoice", "application/json", b"{}", 415, "NOT_SUPPORTED"),
        ("proof_of_delivery", "application/pdf", b"%PDF-1.7 broken", 422, "NOT_A_PDF"),
        ("transport_events", "application/json", b"{}", 422, "NOT_EVENTS"),
        ("invoice", "application/xml", b"<x>" + b"a" * SMALL_BYTES + b"</x>", 422, "NOT_AN_INVOICE"),
        ("invoice", "application/xml", b"<x>" + b"a" * 2 * SMALL_BYTES + b"</x>", 413, "TOO_LARGE"),
        ("letter", "application/pdf", proof_file(), 400, "INVALID_INPUT"),
    ],
    ids=lambda value: repr(value)[:25],
)
def test_a_document_that_is_not_what_it_should_be_is_refused(
    people: People, kind: str, media_type: str, content: bytes, status: int, code: str
) -> None:
    before = people.supplier.stored()
    answer = people.supplier.upload(kind, media_type, content, [BUYER])
    assert (answer.status, answer.code) == (status, code)
    assert people.supplier.stored() == before


def test_a_good_document_that_is_a_little_too_large_is_refused(people: People) -> None:
    before = people.supplier.stored()
    large = invoice_file() + b"<!--" + b"x" * SMALL_BYTES + b"-->"
    answer = people.supplier.upload("invoice", "application/xml", large, [BUYER])
    assert (answer.status, answer.code) == (413, "TOO_LARGE")
    assert people.supplier.stored() == before


def test_an_invoice_due_before_its_issue_is_refused(people: People) -> None:
    before = people.supplier.stored()
    paper = invoice_file(due_date=dt.date(2026, 1, 1), issue_date=dt.date(2026, 2, 1))
    answer = people.supplier.upload("invoice", "application/xml", paper, [BUYER])
    assert (answer.status, answer.code) == (422, "DUE_BEFORE_ISSUE")
    assert people.supplier.stored() == before


def test_an_invoice_past_due_is_refused_by_the_contract(people: People) -> None:
    paper = invoice_file("PAST", due_date=dt.date(2020, 2, 1), issue_date=dt.date(2020, 1, 1))
    document = people.supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER])
    body = {"document_id": document.body["record_id"], "buyer": BUYER}
    answer = people.supplier.post("uploader", "/v1/invoices", body)
    assert (answer.status, answer.code) == (422, "DUE_DATE_PASSED")
    assert answer.body["submission"].startswith("/v1/submissions/")


@pytest.mark.parametrize(
    "extra",
    [
        {"note": "x"},
        {"other": (__import__("io").BytesIO(b"x"), "x", "text/plain")},
        {"entitled": ""},
        {"entitled": "a b"},
    ],
    ids=["unknown field", "unknown file", "nobody entitled", "no MSP id"],
)
def test_a_form_that_is_not_as_described_is_refused(people: People, extra: Any) -> None:
    before = people.supplier.stored()
    fields = {"entitled": [BUYER]} | extra
    answer = people.supplier.upload("invoice", "application/xml", invoice_file(), **fields)
    assert (answer.status, answer.code) == (400, "INVALID_INPUT")
    assert people.supplier.stored() == before


def test_an_upload_that_is_no_form_is_refused(people: People) -> None:
    before = people.supplier.stored()
    answer = people.supplier.raw("uploader", "/v1/documents", invoice_file(), "application/xml")
    assert (answer.status, answer.code) == (415, "MEDIA_TYPE")
    assert people.supplier.stored() == before


def test_an_unknown_party_is_refused_by_the_contract(people: People) -> None:
    answer = people.supplier.upload("invoice", "application/xml", invoice_file(), ["NobodyMSP"])
    assert (answer.status, answer.code) == (422, "PARTY_UNKNOWN")
    body = {"buyer": "NobodyMSP", "carrier": CARRIER, "reference": "1"}
    assert people.supplier.post("uploader", "/v1/shipments", body).code == "PARTY_UNKNOWN"


@pytest.mark.parametrize(
    ("role", "path", "body"),
    [
        ("uploader", "/v1/invoices", {"document_id": ID, "buyer": BUYER}),
        (
            "uploader",
            f"/v1/invoices/{ID}/early-payment-request",
            {"facility_ids": [ID], "net_min": "1", "valid_until": "2030-01-01"},
        ),
        ("approver", f"/v1/invoices/{ID}/assignment-acknowledgement", {}),
        ("approver", f"/v1/shipments/{ID}/carrier-acceptance", {}),
        ("funder", f"/v1/invoices/{ID}/funding", {"facility_id": ID}),
    ],
)
def test_what_does_not_exist_is_not_found(people: People, role: str, path: str, body: Json) -> None:
    assert people.supplier.post(role, path, body).status in (404, 409)  # 409: the sender's role comes first


@pytest.mark.parametrize(
    "path",
    [
        f"invoices/{ID}",
        f"documents/{ID}",
        f"documents/{ID}/content",
        f"shipments/{ID}",
        f"facilities/{ID}",
        "parties/NobodyMSP",
        f"submissions/{ID}",
    ],
)
def test_a_record_that_does_not_exist_is_a_problem_with_a_code(people: People, path: str) -> None:
    answer = people.supplier.get(f"/v1/{path}")
    assert (answer.status, answer.code.endswith("_UNKNOWN")) == (404, True)


def test_a_proof_is_no_invoice(people: People) -> None:
    proof = people.supplier.upload("proof_of_delivery", "application/pdf", proof_file(), [BUYER])
    before = people.supplier.stored()
    body = {"document_id": proof.body["record_id"], "buyer": BUYER}
    answer = people.supplier.post("uploader", "/v1/invoices", body)
    assert (answer.status, answer.code) == (422, "DOCUMENT_KIND_WRONG")
    assert people.supplier.stored() == before


def test_an_invoice_whose_file_was_changed_in_the_vault_is_not_registered(people: People) -> None:
    uploaded = people.supplier.upload("invoice", "application/xml", invoice_file("SWAPPED"), [BUYER, FINANCIER])
    document_id = uploaded.body["record_id"]
    own = people.supplier.node.documents.get(document_id)
    assert own is not None
    people.supplier.node.vault.path(own.digest).write_bytes(invoice_file("OTHER"))
    answer = people.supplier.post("uploader", "/v1/invoices", {"document_id": document_id, "buyer": BUYER})
    assert (answer.status, answer.code) == (409, "VAULT_DIFFERS")


def test_a_document_of_somebody_else_is_not_handed_on(people: People) -> None:
    uploaded = people.supplier.upload("proof_of_delivery", "application/pdf", proof_file("OWN"), [FINANCIER])
    path = f"/v1/documents/{uploaded.body['record_id']}"
    block = str(uploaded.body["block_number"])
    shown = people.buyer.get(path, Ledger_Block_Min=block)
    assert (shown.status, shown.body["own"]) == (200, None)
    refused = people.buyer.get(f"{path}/content")
    assert (refused.status, refused.code) == (403, "NOT_YOUR_DOCUMENT")
    own = people.supplier.http.get(f"{path}/content", headers=people.supplier.bearer("auditor"))
    assert (own.status_code, own.data, own.mimetype) == (200, proof_file("OWN"), "application/pdf")
    assert own.headers["Content-Disposition"].startswith("attachment")


def test_facilities_of_two_currencies_cannot_be_asked_in_one_request(people: People) -> None:
    ids = []
    for deposit in (DEPOSIT, f"USD@{FINANCIER}"):
        opened = people.financier.post("funder", "/v1/facilities", facility() | {"deposit": deposit})
        ids.append(opened.body["record_id"])
        people.supplier.get("/v1/facilities", Ledger_Block_Min=str(opened.body["block_number"]))
    body = {"facility_ids": ids, "net_min": "1.00", "valid_until": "2999-01-01"}
    answer = people.supplier.post("uploader", "/v1/early-payment-requests", body)
    assert (answer.status, answer.code) == (422, "CURRENCY_DIFFERS")
    single = people.supplier.post("uploader", "/v1/early-payment-requests", body | {"facility_ids": ids[:1]})
    assert single.status == 200


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=501", "colour=red", "status=lost", "sort=colour"])
def test_a_query_that_is_not_understood_is_refused(people: People, query: str) -> None:
    assert people.supplier.get(f"/v1/invoices?{query}").status == 400


def test_a_peer_that_is_down_is_told_without_the_words_of_its_wire(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The peer of this test is played: its words are gRPC's own."""

    def evaluate(*_: object) -> bytes:
        raise EndorseError("UNAVAILABLE failed to connect to all addresses; last error: ipv4:127.0.0.1:7051")

    monkeypatch.setattr(people.buyer.node.ledger, "evaluate", evaluate)
    answer = people.buyer.get(f"/v1/invoices/{ID}/quote")
    assert (answer.status, answer.code) == (502, "NOT_ENDORSED")
    assert answer.body["detail"] == "the organisation's own peer does not answer, or not as it should"
    assert answer.body["remedy"].endswith("ledger-node network status")


@pytest.mark.parametrize(
    "address",
    [
        "/v1/invoices?status=approved&status=settled",
        "/v1/invoices?page=1&page=1",
        "/v1/reports/statement?party=BuyerMSP&party=SupplierMSP",
        "/v1/ids?kind=invoice&name=a&name=b",
        "/v1/documents?q=a&q=",
        "/health/ready?a=1&a=2",
    ],
)
def test_a_parameter_that_stands_twice_is_refused_and_neither_of_its_values_taken(people: People, address: str) -> None:
    refused = people.supplier.get(address)
    assert (refused.status, refused.code) == (400, "PARAMETER_TWICE")
    once = people.supplier.get(address.rpartition("&")[0])
    assert once.code != "PARAMETER_TWICE" if once.status >= 400 else once.status == 200


@pytest.mark.parametrize("name", ["Idempotency-Key", "Authorization", "Ledger-Block-Min", "Content-Type"])
def test_a_header_that_came_twice_is_refused_and_neither_of_its_values_taken(people: People, name: str) -> None:
    sent = [(b"accept", b"a"), (name.lower().encode(), b"1"), (b"accept", b"b")]
    told = _headers({"headers": [*sent, (name.lower().encode(), b"2")]})
    refused = people.supplier.http.post("/v1/days", environ_overrides={REPEATED: told[REPEATED]}, json={})
    assert (refused.status_code, refused.get_json()["code"]) == (400, "HEADER_TWICE")
    assert name.lower() in refused.get_json()["detail"]
    assert REPEATED not in _headers({"headers": sent})
