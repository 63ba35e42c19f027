"""Who may do what with which token, and what repeated requests do."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import Caller, People, Reply, invoice_file
from consortium import BUYER, CARRIER, FINANCIER, Consortium, eventually, organisations

from ledger_node.api import context
from ledger_node.people.roles import Role
from ledger_node.people.tokens import Tokens

SHIPMENT = {"buyer": BUYER, "carrier": CARRIER, "reference": "SHIP 1"}
ALL_BUT_AUDITOR = {role.value for role in Role} - {"auditor"}
WRITES = {
    "/v1/parties": {"operator"},
    "/v1/parties/confirmation": {"operator"},
    "/v1/days": {"operator"},
    "/v1/documents": {"uploader"},
    "/v1/seals": {"uploader"},
    "/v1/shipment-events": {"uploader"},
    "/v1/shipments": {"uploader"},
    "/v1/shipments/x/carrier-acceptance": {"approver"},
    "/v1/shipments/x/events": {"uploader"},
    "/v1/invoices": {"uploader"},
    "/v1/invoices/x/approval": {"approver"},
    "/v1/invoices/x/early-payment-request": {"uploader"},
    "/v1/early-payment-requests": {"uploader"},
    "/v1/invoices/x/funding": {"funder"},
    "/v1/invoices/x/assignment-acknowledgement": {"approver"},
    "/v1/invoices/x/settlement": {"approver"},
    "/v1/release-checks": ALL_BUT_AUDITOR,
    "/v1/supplier-acceptances": {"funder"},
    "/v1/facilities": {"funder"},
    "/v1/deposits": {"issuer"},
    "/v1/documents/x/revocation": {"uploader"},
    "/v1/shipments/x/events/x/withdrawal": {"uploader"},
    "/v1/invoices/x/dispute": {"approver"},
    "/v1/invoices/x/dispute-resolution": {"approver"},
    "/v1/invoices/x/approval-withdrawal": {"approver"},
    "/v1/invoices/x/duplicate-clearance": {"approver"},
    "/v1/invoices/x/cancellation": {"uploader"},
    "/v1/invoices/x/split": {"uploader"},
    "/v1/invoices/x/credit-notes": {"uploader"},
    "/v1/credit-notes/x/payment": {"approver"},
    "/v1/invoices/x/misdirected-payments": {"uploader", "approver", "funder"},
    "/v1/invoices/x/payment-outside": {"approver", "funder"},
    "/v1/invoices/x/discount-offer": {"uploader"},
    "/v1/invoices/x/early-settlement": {"approver"},
    "/v1/invoices/x/due-date": {"approver", "funder"},
    "/v1/overdue-checks": ALL_BUT_AUDITOR,
    "/v1/invoices/x/write-off": {"approver", "funder"},
    "/v1/invoices/x/recovery": {"approver"},
    "/v1/invoices/x/repurchase": {"approver"},
    "/v1/invoices/x/unwinding": {"approver", "funder"},
    "/v1/invoices/x/funding-posting": {"funder"},
    "/v1/invoices/x/funding-voiding": {"funder"},
    "/v1/invoices/x/funding-refusal": {"funder"},
    "/v1/funding-expiries": ALL_BUT_AUDITOR,
    "/v1/facilities/x/terms": {"funder"},
    "/v1/facilities/x/suspension": {"funder"},
    "/v1/facilities/x/resumption": {"funder"},
    "/v1/facilities/x/closure": {"funder"},
    "/v1/holds": {"funder"},
    "/v1/holds/x/lifting": {"funder"},
    "/v1/buyer-limits": {"funder"},
    "/v1/deposits/transfers": {"approver"},
    "/v1/deposits/reversals": {"issuer"},
    "/v1/deposits/covers": {"approver"},
    "/v1/bank-files": {"issuer"},
    "/v1/invoice-validations": {role.value for role in Role},
    "/v1/invoice-files": {role.value for role in Role},
    "/v1/invoice-submissions": {"uploader"},
    "/v1/shipment-submissions": {"uploader"},
    "/v1/redemptions": {"approver"},
    "/v1/redemptions/x/payment-order": {"issuer"},
    "/v1/redemptions/x/confirmation": {"issuer"},
    "/v1/redemptions/x/rejection": {"issuer"},
    "/v1/membership-changes/admissions": {"operator"},
    "/v1/membership-changes/suspensions": {"operator"},
    "/v1/membership-changes/reinstatements": {"operator"},
    "/v1/membership-changes/role-changes": {"operator"},
    "/v1/membership-changes/identity-changes": {"operator"},
    "/v1/membership-changes/x/votes": {"operator"},
    "/v1/membership-changes/x/vote-withdrawal": {"operator"},
    "/v1/membership-changes/x/activation": {"operator"},
    "/v1/parties/own/agreement-key": {"operator"},
    "/v1/parties/own/peer-url": {"operator"},
    "/v1/parties/own/payout-account": {"operator"},
    "/v1/persons": {"operator"},
    "/v1/persons/x/retirement": {"operator"},
    "/v1/approval-thresholds": {"operator"},
    "/v1/submissions/x/signatures": ALL_BUT_AUDITOR,
    "/v1/submissions/x/withdrawal": ALL_BUT_AUDITOR,
    "/v1/submissions/x/retry": ALL_BUT_AUDITOR,
    "/v1/webhooks": {"operator"},
    "/v1/webhooks/x/test": {"operator"},
    "/v1/webhooks/x/pause": {"operator"},
    "/v1/webhooks/x/resume": {"operator"},
    "/v1/webhooks/x/removal": {"operator"},
    "/v1/webhooks/x/rotation": {"operator"},
    "/v1/webhooks/x/replay": {"operator"},
    "/v1/webhooks/x/discard": {"operator"},
}


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    home = tmp_path_factory.mktemp("world")
    organisations(home)
    world = Consortium(home, home)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture
def supplier(people: People) -> Caller:
    return people.supplier


@pytest.mark.parametrize("path", sorted(WRITES))
def test_each_write_is_for_its_roles_only(supplier: Caller, path: str) -> None:
    before = supplier.stored()
    allowed = {role.value for role in Role if supplier.raw(role.value, path, b"x").status != 403}
    assert allowed == WRITES[path]
    assert supplier.stored() == before


def test_every_write_of_the_api_is_in_the_table_above(supplier: Caller) -> None:
    rules = supplier.http.application.url_map.iter_rules()
    posts = {rule.rule for rule in rules if "POST" in (rule.methods or ())}
    shown = {re.sub(r"<\w+>", "x", rule) for rule in posts}
    assert shown == set(WRITES)


def test_every_role_may_read(supplier: Caller) -> None:
    assert {supplier.get("/v1/parties", role.value).status for role in Role} == {200}


@pytest.mark.parametrize("path", ["/v1/parties", "/v1/invoices", "/v1/documents/x/content", "/v1/accounts/entries"])
def test_without_a_token_nothing_is_shown(supplier: Caller, path: str) -> None:
    answer = supplier.http.get(path)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "TOKEN_MISSING")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def expired(people: People) -> str:
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    return Tokens(people.supplier.node.state, lambda: long_ago).create("auditor", 1)[0]


def test_an_expired_a_foreign_and_a_made_up_token_open_nothing(people: People) -> None:
    for secret in (expired(people), people.buyer.tokens["auditor"], "lnt_made-up", "\u00e4"):
        headers = {"Authorization": f"Bearer {secret}"}
        answer = people.supplier.http.get("/v1/parties", headers=headers)
        assert (answer.status_code, answer.get_json()["code"]) == (401, "TOKEN_INVALID")


def test_a_revoked_token_opens_nothing_from_then_on(supplier: Caller) -> None:
    secret, token = supplier.node.tokens.create("auditor", 1)
    headers = {"Authorization": f"Bearer {secret}"}
    assert supplier.http.get("/v1/parties", headers=headers).status_code == 200
    supplier.node.tokens.revoke(token.id)
    assert supplier.http.get("/v1/parties", headers=headers).status_code == 401


def test_a_token_of_another_scheme_is_none(supplier: Caller) -> None:
    answer = supplier.http.get("/v1/parties", headers={"Authorization": f"Basic {supplier.tokens['auditor']}"})
    assert answer.status_code == 401


def test_a_write_needs_an_idempotency_key(supplier: Caller) -> None:
    before = supplier.stored()
    for key in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "two words"}, {"Idempotency-Key": "x" * 201}):
        answer = supplier.http.post("/v1/shipments", json=SHIPMENT, headers=supplier.bearer("uploader") | key)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert supplier.stored() == before


def test_the_same_request_again_is_the_same_submission(supplier: Caller) -> None:
    first = supplier.post("uploader", "/v1/shipments", SHIPMENT, key="again")
    before = supplier.stored()
    second = supplier.post("uploader", "/v1/shipments", SHIPMENT, key="again", wait=0)
    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert supplier.stored() == before


def test_another_request_under_the_same_key_is_refused(supplier: Caller) -> None:
    supplier.post("uploader", "/v1/shipments", SHIPMENT, key="other-body")
    before = supplier.stored()
    answer = supplier.post("uploader", "/v1/shipments", SHIPMENT | {"reference": "SHIP 2"}, key="other-body")
    assert (answer.status, answer.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = supplier.post("uploader", "/v1/invoices/x/early-payment-request", {}, key="other-body")
    assert elsewhere.status == 400
    assert supplier.stored() == before


def test_a_key_belongs_to_its_principal_whichever_token_it_comes_with(people: People) -> None:
    supplier, tokens = people.supplier, people.supplier.node.tokens
    first = supplier.post("uploader", "/v1/shipments", SHIPMENT, key="mine")
    others = {name: tokens.create("uploader", 1, name)[0] for name in ("uploader", "erp")}
    supplier.tokens["uploader"] = others["uploader"]
    before = supplier.stored()
    assert supplier.post("uploader", "/v1/shipments", SHIPMENT, key="mine").body == first.body
    other = supplier.post("uploader", "/v1/shipments", SHIPMENT | {"reference": "SHIP 2"}, key="mine")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert first.body["id"] in other.body["detail"]
    assert supplier.stored() == before
    supplier.tokens["uploader"] = others["erp"]
    of_another = supplier.post("uploader", "/v1/shipments", SHIPMENT, key="mine")
    assert (of_another.status, of_another.body["record_id"] == first.body["record_id"]) == (201, False)


def test_two_tokens_of_one_principal_with_one_key_at_once_make_one_record(people: People) -> None:
    supplier, secrets = people.supplier, [people.supplier.node.tokens.create("uploader", 1, "erp")[0] for _ in range(4)]
    answers = list[tuple[int, str]]()

    def post(secret: str, reference: str) -> None:
        headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "race-of-tokens", "Prefer": "wait=20"}
        answer = supplier.http.application.test_client().post(
            "/v1/shipments", json=SHIPMENT | {"reference": reference}, headers=headers
        )
        body = answer.get_json()
        answers.append((answer.status_code, body.get("record_id") or body["code"]))

    at_once = [threading.Thread(target=post, args=(each, f"RACE {n % 2}")) for n, each in enumerate(secrets)]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    assert {status for status, _ in answers} == {201, 422}
    assert len(set(answers)) == 2


def test_an_upload_repeated_is_one_document(supplier: Caller) -> None:
    paper = invoice_file("REPEATED")
    first = supplier.upload("invoice", "application/xml", paper, [BUYER, FINANCIER], key="upload")
    before = supplier.stored()
    again = supplier.upload("invoice", "application/xml", paper, f"{FINANCIER},{BUYER}", key="upload")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    assert supplier.stored() == before


def test_the_same_file_under_another_key_says_so_and_another_file_says_nothing(supplier: Caller) -> None:
    paper = invoice_file("SAME")
    first = supplier.upload("invoice", "application/xml", paper, [BUYER], key="first-time")
    second = supplier.upload("invoice", "application/xml", paper, [FINANCIER], key="second-time")
    assert (first.body["same_content"], second.body["same_content"]) == ([], [first.body["record_id"]])
    again = supplier.upload("invoice", "application/xml", paper, [BUYER], key="first-time")
    assert again.body["record_id"] == first.body["record_id"]
    assert supplier.upload("invoice", "application/xml", invoice_file("ELSE"), [BUYER]).body["same_content"] == []


def test_another_file_or_reader_under_the_same_key_is_refused_and_not_kept(supplier: Caller) -> None:
    supplier.upload("invoice", "application/xml", invoice_file("ONE"), [BUYER], key="one-file")
    before = supplier.stored()
    other = supplier.upload("invoice", "application/xml", invoice_file("TWO"), [BUYER], key="one-file")
    reader = supplier.upload("invoice", "application/xml", invoice_file("ONE"), [FINANCIER], key="one-file")
    assert [(each.status, each.code) for each in (other, reader)] == [(422, "IDEMPOTENCY_KEY_REUSED")] * 2
    assert supplier.stored() == before


def test_many_at_once_with_one_key_have_one_effect(supplier: Caller) -> None:
    paper, answers = invoice_file("RACE"), list[Reply]()

    def upload() -> None:
        answers.append(supplier.upload("invoice", "application/xml", paper, [BUYER], key="race"))

    threads = [threading.Thread(target=upload) for _ in range(8)]
    before = supplier.stored()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status, answer.body["record_id"]) for answer in answers} == {(201, answers[0].body["record_id"])}
    assert [after - earlier for earlier, after in zip(before, supplier.stored(), strict=True)] == [1, 1, 1]


def test_a_write_without_preference_is_answered_at_once_with_its_address(supplier: Caller) -> None:
    stored = supplier.post("uploader", "/v1/shipments", SHIPMENT, wait=0)
    assert (stored.status, stored.body["status"], stored.headers["Retry-After"]) == (202, "waiting", "1")
    where = stored.headers["Location"]
    assert where == f"/v1/submissions/{stored.body['id']}"
    done = supplier.get(where, Prefer="respond-async, wait=20")
    assert (done.body["status"], done.headers["Preference-Applied"]) == ("applied", "wait=20")
    assert done.body["result"]["shipment_id"] == stored.body["record_id"]
    block = str(done.body["block_number"])
    assert supplier.get(stored.body["resource"], Ledger_Block_Min=block).status == 200


@pytest.mark.parametrize("preference", ["wait=x", "wait=-1", "wait", "wait=1.5"])
def test_a_preference_that_is_not_understood_is_ignored(supplier: Caller, preference: str) -> None:
    headers = supplier.write_headers("uploader", "", 0) | {"Prefer": preference}
    assert supplier.http.post("/v1/shipments", json=SHIPMENT, headers=headers).status_code == 202


def test_a_refusal_stays_one_when_asked_again(supplier: Caller) -> None:
    body = {"digest": "0" * 64}
    answers = [supplier.post("operator", "/v1/parties/confirmation", body, key="no") for _ in range(2)]
    assert {(each.status, each.code) for each in answers} == {(409, "DIGEST_DIFFERS")}


def test_a_block_that_this_node_does_not_know_is_waited_for_and_then_said(
    supplier: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger_node.api.context.READ_WAIT_SECONDS_MAX", 0.1)
    answer = supplier.get("/v1/parties", Ledger_Block_Min="9000")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "READ_MODEL_BEHIND", "1")
    assert supplier.get("/v1/parties", Ledger_Block_Min="x").code == "BLOCK_MIN_INVALID"
    assert supplier.get("/v1/parties", Ledger_Block_Min="999999999999999").code == "BLOCK_MIN_INVALID"


def test_without_workers_nothing_is_lost_and_readiness_says_so(tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    try:
        people = People(world)
        stored = people.supplier.post("operator", "/v1/parties/confirmation", {"digest": "0" * 64}, wait=1)
        assert (stored.status, stored.headers["Preference-Applied"]) == (202, "wait=1")
        ready = people.supplier.get("/health/ready")
        assert (ready.status, ready.code, len(ready.body["reasons"])) == (503, "NOT_READY", 1)
        world.start("supplier")
        eventually(lambda: people.supplier.get("/health/ready").status == 200, "the workers run")
        assert people.supplier.get(stored.headers["Location"], Prefer="wait=20").body["code"] == "NOT_PROPOSED"
    finally:
        world.close()


def test_nobody_without_a_token_is_waited_for(supplier: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "READ_WAIT_SECONDS_MAX", 0.0)
    ahead = {"Ledger-Block-Min": str(supplier.node.readmodel.block_number() + 1000)}
    waits = supplier.http.get("/v1/parties", headers=supplier.bearer("auditor") | ahead)
    assert (waits.status_code, waits.get_json()["code"]) == (503, "READ_MODEL_BEHIND")
    for path, status in (("/v1/parties", 401), ("/health/live", 200), ("/nonsense", 404), ("/v1/nonsense", 404)):
        assert supplier.http.get(path, headers=ahead).status_code == status
    unknown = ahead | {"Authorization": "Bearer nobody"}
    assert supplier.http.get("/v1/parties", headers=unknown).status_code == 401


def test_words_that_are_no_method_make_no_figures(supplier: Caller) -> None:
    assert supplier.http.open("/health/live", method="WORD").status_code == 405
    figures = supplier.http.get("/metrics").get_data(as_text=True)
    assert 'method="other"' in figures
    assert "WORD" not in figures
