"""Four eyes through a node's REST API, with real certificates and keys: who can stand behind a command, and who not."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_world import Caller, Json, People, Reply
from consortium import SUPPLIER, Consortium, eventually, organisations
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from people_world import Human, by_both, enrol, human, shown, signed, under_four_eyes

from ledger_node.people.persons import sign
from network.identities import load_authority
from network.topology import demo_topology

ACCEPTED = {"supplier": SUPPLIER, "agreement": "RPA 1", "screened_until": "2999-01-01", "group_id": "group-supplier"}


def renewed(home: Path, person: Human) -> str:
    """Another certificate of the same key, by the same authority."""
    folder = demo_topology(home, 20000).folders("financier").authority
    authority = load_authority(folder / "ca.crt", folder / "ca.key")
    old = x509.load_pem_x509_certificate(person.certificate.encode())
    builder = x509.CertificateBuilder().subject_name(old.subject).issuer_name(old.issuer).public_key(old.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(old.not_valid_before_utc)
    fresh = builder.not_valid_after(old.not_valid_after_utc).sign(authority.key, hashes.SHA256())
    return fresh.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("world")


@pytest.fixture(scope="module")
def people(home: Path) -> Iterator[People]:
    organisations(home)
    world = Consortium(home, home)
    world.start()
    people = People(world)
    people.found()
    yield people
    world.close()


@pytest.fixture(scope="module")
def anna(home: Path, people: People) -> Human:
    return human(home, "anna")


@pytest.fixture(scope="module")
def bert(home: Path, people: People) -> Human:
    return human(home, "bert")


@pytest.fixture(scope="module")
def financier(people: People, anna: Human, bert: Human) -> Caller:
    """The financier's node, under four eyes: Anna and Bert act for it."""
    under_four_eyes(people.financier, anna, bert)
    return people.financier


def accept(caller: Caller, **changes: str) -> Reply:
    """A write that two persons of a financier under four eyes must stand behind."""
    return caller.post("funder", "/v1/supplier-acceptances", ACCEPTED | changes)


def envelope_persons(caller: Caller, submission: Reply) -> list[Json]:
    with caller.node.state.read() as session:
        text = session.connection().exec_driver_sql(
            f"SELECT persons FROM outbox WHERE command_id = '{submission.body['id']}'"
        )
        return list(json.loads(text.scalar_one()))


def test_a_write_under_four_eyes_goes_to_the_ledger_when_two_persons_have_signed(
    financier: Caller, anna: Human, bert: Human
) -> None:
    asked = accept(financier)
    assert (asked.status, asked.body["status"], asked.body["code"]) == (
        202,
        "awaiting_persons",
        "TWO_PERSONS_REQUIRED",
    )
    assert (asked.body["signing"]["persons_needed"], asked.body["signing"]["signed_by"]) == (2, [])
    assert "Retry-After" not in asked.headers
    first = signed(financier, asked, anna.signature(asked))
    assert (first.status, first.body["status"], len(first.body["signing"]["signed_by"])) == (202, "awaiting_persons", 1)
    assert financier.get("/v1/supplier-acceptances").body["items"] == []
    second = signed(financier, asked, bert.signature(asked))
    assert (second.status, second.body["status"], second.body["signing"]) == (200, "applied", None)
    named = [each["person"] for each in envelope_persons(financier, asked)]
    persons = {each["person_id"]: each["name"] for each in financier.get("/v1/persons").body["items"]}
    assert sorted(persons[each] for each in named) == ["anna", "bert"]


def test_a_signature_of_another_command_is_not_taken(financier: Caller, anna: Human) -> None:
    asked, other = accept(financier), accept(financier, agreement="RPA 2")
    stolen = signed(financier, asked, anna.signature(other))
    assert (stolen.status, stolen.code) == (422, "SIGNATURE_INVALID")
    assert signed(financier, asked, anna.signature(asked)).status == 202


def test_a_person_cannot_sign_twice(financier: Caller, anna: Human, bert: Human) -> None:
    asked = accept(financier)
    first = anna.signature(asked)
    assert signed(financier, asked, first).body["status"] == "awaiting_persons"
    again = signed(financier, asked, anna.signature(asked))
    assert (again.status, again.code) == (409, "SIGNATURE_NOT_TAKEN")
    repeated = signed(financier, asked, first)
    assert (repeated.status, len(repeated.body["signing"]["signed_by"])) == (202, 1)
    assert signed(financier, asked, bert.signature(asked)).body["status"] == "applied"
    assert signed(financier, asked, first).body["status"] == "applied"
    late = signed(financier, asked, sign(anna.key, b"something else"))
    assert late.code == "SIGNATURE_INVALID"


def test_who_holds_a_token_but_is_no_person_cannot_sign(financier: Caller, home: Path, bert: Human) -> None:
    stranger, employee = human(home, "mallory", "buyer"), human(home, "eve")
    asked = accept(financier)
    for nobody in (stranger, employee):
        answer = signed(financier, asked, nobody.signature(asked))
        assert (answer.status, answer.code) == (422, "SIGNATURE_INVALID")
    garbage = signed(financier, asked, base64.b64encode(b"no signature").decode())
    assert garbage.code == "SIGNATURE_INVALID"
    assert signed(financier, asked, bert.signature(asked)).status == 202


def test_a_retired_person_cannot_sign(financier: Caller, home: Path, anna: Human, bert: Human) -> None:
    carla = human(home, "carla")
    joined = by_both(financier, enrol(financier, carla), anna, bert)
    assert joined.body["status"] == "applied"
    shown(financier, joined)
    before, after = accept(financier), accept(financier)
    assert signed(financier, before, carla.signature(before)).status == 202
    person_id = next(
        each["person_id"] for each in financier.get("/v1/persons").body["items"] if each["name"] == "carla"
    )
    retiring = financier.post("operator", f"/v1/persons/{person_id}/retirement")
    retired = by_both(financier, retiring, anna, bert)
    assert retired.body["result"] == {"active_persons": 2}
    shown(financier, retired)
    assert financier.get(f"/v1/persons/{person_id}").body["status"] == "retired"
    answer = signed(financier, after, carla.signature(after))
    assert (answer.status, answer.code) == (403, "PERSON_NOT_ACTIVE")
    too_late = signed(financier, before, anna.signature(before))
    assert (too_late.status, too_late.code) == (422, "PERSON_UNKNOWN")


def test_one_key_is_one_person_whatever_its_certificates(financier: Caller, home: Path, anna: Human) -> None:
    answer = enrol(financier, anna, renewed(home, anna))
    assert (answer.status, answer.code) == (409, "PERSON_KEY_KNOWN")
    assert enrol(financier, human(home, "dora")).body["status"] == "awaiting_persons"


def test_a_certificate_of_another_authority_is_not_enrolled(financier: Caller, home: Path) -> None:
    foreign = enrol(financier, human(home, "mallory", "buyer"))
    assert (foreign.status, foreign.code) == (400, "BAD_REQUEST")
    assert enrol(financier, human(home, "mallory", "buyer"), "no certificate").status == 400
    assert enrol(financier, human(home, "emil")).status == 202


def test_what_awaits_persons_outlives_the_node_and_holds_up_nobody(
    people: People, financier: Caller, anna: Human, bert: Human
) -> None:
    asked = accept(financier)
    assert signed(financier, asked, anna.signature(asked)).status == 202
    people.world.stop("financier")
    people.world.start("financier")
    again = Caller(people.world, "financier")
    listed = again.get(f"/v1/submissions/{asked.body['id']}").body
    assert (listed["status"], len(listed["signing"]["signed_by"])) == ("awaiting_persons", 1)
    shipment = again.post("operator", "/v1/parties/own/peer-url", {"peer_url": "https://127.0.0.1:1"})
    assert shipment.status == 200, shipment
    assert signed(again, asked, bert.signature(asked)).body["status"] == "applied"
    eventually(lambda: again.get("/v1/supplier-acceptances").body["items"], "the acceptance is shown")


def withdraw(caller: Caller, submission: Reply, role: str = "funder") -> Reply:
    return caller.post(role, f"/v1/submissions/{submission.body['id']}/withdrawal", wait=0)


def test_what_awaits_persons_is_withdrawn_for_good(people: People, financier: Caller, anna: Human, bert: Human) -> None:
    asked = financier.post("funder", "/v1/supplier-acceptances", ACCEPTED, key="changed-my-mind")
    signature = bert.signature(asked)
    assert signed(financier, asked, anna.signature(asked)).status == 202
    assert withdraw(financier, asked, "auditor").status == 403
    withdrawn = withdraw(financier, asked)
    assert (withdrawn.status, withdrawn.body["status"], withdrawn.body["signing"]) == (200, "withdrawn", None)
    token = financier.node.tokens.check(financier.tokens["funder"])
    assert token is not None and withdrawn.body["text"].endswith(f" by token {token.id}")
    assert withdraw(financier, asked).body == withdrawn.body
    late = signed(financier, asked, signature)
    assert (late.status, late.code) == (409, "SIGNATURE_NOT_TAKEN")
    again = financier.post("funder", "/v1/supplier-acceptances", ACCEPTED, key="changed-my-mind")
    place = f"/v1/submissions/{asked.body['id']}"
    assert (again.status, again.code, again.body["submission"]) == (409, "SUBMISSION_WITHDRAWN", place)
    other = financier.post("funder", "/v1/supplier-acceptances", ACCEPTED | {"agreement": "2"}, key="changed-my-mind")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    people.world.stop("financier")
    people.world.start("financier")
    assert Caller(people.world, "financier").get(place).body == withdrawn.body


def test_what_goes_to_the_ledger_or_is_there_cannot_be_withdrawn(
    people: People, financier: Caller, anna: Human, bert: Human
) -> None:
    financier = Caller(people.world, "financier")
    asked = accept(financier)
    by_both(financier, asked, anna, bert)
    applied = withdraw(financier, asked)
    assert (applied.status, applied.code) == (409, "WITHDRAWAL_NOT_TAKEN")
    people.world.stop("financier")
    idle = Caller(people.world, "financier")
    waiting = idle.post("operator", "/v1/parties/own/peer-url", {"peer_url": "https://127.0.0.1:1"}, wait=0)
    assert (waiting.body["status"], withdraw(idle, waiting).code) == ("waiting", "WITHDRAWAL_NOT_TAKEN")
    people.world.start("financier")
    nowhere = idle.post("funder", f"/v1/submissions/{'0' * 32}/withdrawal")
    assert (nowhere.status, nowhere.code) == (404, "SUBMISSION_UNKNOWN")


def test_an_organisation_without_persons_is_asked_for_nothing(people: People, home: Path) -> None:
    enrolled = enrol(people.buyer, human(home, "bruno", "buyer"))
    assert (enrolled.status, enrolled.body["result"]) == (201, {"four_eyes": False})
    threshold = people.buyer.post("operator", "/v1/approval-thresholds", {"currency": "EUR", "amount": "5000.00"})
    assert threshold.status == 200, threshold
    unknown = people.buyer.post("operator", f"/v1/persons/{'0' * 64}/retirement")
    assert (unknown.status, unknown.code) == (422, "PERSON_UNKNOWN")
    assert people.buyer.get(f"/v1/persons/{'0' * 64}").code == "PERSON_UNKNOWN"
    nowhere = people.buyer.post("approver", f"/v1/submissions/{'0' * 32}/signatures", {"signature": "AAAA"})
    assert (nowhere.status, nowhere.code) == (404, "SUBMISSION_UNKNOWN")
