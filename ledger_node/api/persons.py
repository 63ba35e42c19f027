"""Own persons and their signatures: who acts for this organisation, and who stands behind which command.

A private key never comes here: a person signs on its own machine and sends the signature.
"""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from cryptography.hazmat.primitives import serialization
from pydantic import Field

from chaincode.records import keys
from ledger_node.api.answers import PageQuery, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node, idempotency_key
from ledger_node.api.list_records import PersonAnswerOut, PersonsOut
from ledger_node.api.lists import person_record
from ledger_node.api.problem import Problem
from ledger_node.api.shape import Plain
from ledger_node.api.submissions import existing_submission
from ledger_node.api.wire import AmountText, Currency, In, Nothing, Text, to_minor
from ledger_node.api.writes import EXAMPLE, WRITERS, Answer, SubmissionOut, answer, submit, to_sign, writes
from ledger_node.people.persons import OwnPerson, read_person

routes = APIBlueprint("persons", __name__, tag="Persons")


class PersonIn(In):
    """A person by its certificate (PEM); name and certificate stay with this node."""

    name: Text
    certificate: str = Field(max_length=10_000, examples=["-----BEGIN CERTIFICATE-----\nMIIB..."])


class ThresholdIn(In):
    """Up to this amount one person approves an invoice, moves a deposit or funds by hand."""

    currency: Currency
    amount: AmountText


class SignatureIn(In):
    """A person's signature of the submission's `signing.message`: DER in base64."""

    signature: str = Field(pattern=r"^[A-Za-z0-9+/=]{4,200}$")


@routes.post("/v1/persons")
@writes(routes, "operator", PersonIn)
def enrol(body: PersonIn) -> Answer:
    """Let a person act for this organisation; with the second one it is under four eyes, for ever."""
    node = current_node()
    person = read_person(body.name, body.certificate, node.authority, node.fingerprint_key)
    _require_key_of_its_own(person)
    return submit(
        "EnrolPerson",
        {"commitment": person.commitment},
        beside=node.persons.insertion(person),
        created=True,
        **_about(person.commitment),
    )


@routes.post("/v1/persons/<person_id>/retirement")
@writes(routes, "operator", Nothing)
def retire(person_id: str, body: Nothing) -> Answer:
    """Let a person no longer act for this organisation, for ever."""
    return submit("RetirePerson", {"commitment": person_id}, **_about(person_id))


@routes.post("/v1/approval-thresholds")
@writes(routes, "operator", ThresholdIn, {"currency": "EUR", "amount": "10000.00"})
def set_threshold(body: ThresholdIn) -> Answer:
    """Let one person approve, pay out, give away or fund by hand up to an amount, from the next day."""
    command = {"currency": body.currency, "amount_minor": to_minor(body.amount, body.currency, "amount")}
    return submit("SetFourEyesThreshold", command, resource=f"/v1/parties/{current_node().msp_id}")


@routes.get("/v1/persons")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(PersonsOut)
def show_all(query: PageQuery) -> dict[str, Any]:
    """Persons of all parties; names are known of own ones only."""
    found = seen()
    page = current_node().readmodel.records("person", page=query.page, per_page=query.per_page)
    names = _names()
    items = [person_record(record, names) for record in page.items]
    return {**found, "items": items, "total": page.total, "page": page.page, "per_page": page.per_page}


@routes.get("/v1/persons/<person_id>")
@routes.auth_required(bearer)
@routes.output(PersonAnswerOut)
def show(person_id: str) -> Plain:
    """One own person."""
    found, record = seen(), _own_record(person_id)
    if record is None:
        text = f"this organisation has no person {person_id} on the ledger"
        raise Problem(404, "PERSON_UNKNOWN", text, "Look at the list: GET /v1/persons.")
    return {**person_record(record, _names()), **found}


@routes.post("/v1/submissions/<submission_id>/signatures")
@routes.auth_required(bearer, roles=list(WRITERS))
@routes.input(SignatureIn, arg_name="body")
@routes.output(SubmissionOut, 202, example=EXAMPLE, description="Stored; ask the submission.")
def sign(submission_id: str, body: SignatureIn) -> Answer:
    """Add a person's signature to a command that awaits it; with the last one it goes to the ledger."""
    idempotency_key()
    submission = existing_submission(submission_id)
    person = _signer(to_sign(submission), body.signature)
    return answer(current_node().outbox.sign(submission_id, person.commitment, body.signature))


def _signer(content: bytes, signature: str) -> OwnPerson:
    """The active person of this organisation whose signature of `content` it is."""
    signers = current_node().persons.signers(content, signature)
    if not signers:
        text = "that is no signature of this command by a person of this organisation"
        raise Problem(422, "SIGNATURE_INVALID", text, "Sign the submission's own signing.message, with the own key.")
    for person in signers:
        if _status(person) == "active":
            return person
    text = f"{signers[0].name} may not act for this organisation: retired, or never enrolled on the ledger"
    raise Problem(403, "PERSON_NOT_ACTIVE", text, "Let an active person sign: GET /v1/persons.")


def _require_key_of_its_own(person: OwnPerson) -> None:
    """Two certificates of one key would be one person with two names."""
    for other in current_node().persons.all():
        same = _key(other) == _key(person) and other.commitment != person.commitment
        if same and _status(other) != "retired":
            text = f"the certificate has the key of {other.name}"
            raise Problem(409, "PERSON_KEY_KNOWN", text, "Each person has a key of its own; retire the other first.")


def _key(person: OwnPerson) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return person.key.public_bytes(serialization.Encoding.DER, form)


def _status(person: OwnPerson) -> str:
    """What the ledger says of a person; empty when it does not know it."""
    record = _own_record(person.commitment)
    return "" if record is None else str(record["status"])


def _own_record(commitment: str) -> Plain | None:
    node = current_node()
    return node.readmodel.record(keys.person(node.msp_id, commitment))


def _names() -> dict[str, str]:
    return {person.commitment: person.name for person in current_node().persons.all()}


def _about(commitment: str) -> dict[str, Any]:
    return {"resource": f"/v1/persons/{commitment}", "record_id": commitment}
