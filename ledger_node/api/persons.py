"""Own persons and their signatures: who acts for this organisation, and who stands behind which command.

A private key never comes here: a person signs on its own machine and sends the signature.
"""

from __future__ import annotations

from collections.abc import Callable

from apiflask import APIBlueprint
from cryptography.hazmat.primitives import serialization
from pydantic import Field

from chaincode.records import keys
from ledger_node.api.access import say_of_act
from ledger_node.api.answers import answers, reads
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node, idempotency_key
from ledger_node.api.problem import Problem
from ledger_node.api.records import PersonAnswerOut, SubmissionOut
from ledger_node.api.shape import written
from ledger_node.api.submissions import existing_submission
from ledger_node.api.wire import Plain
from ledger_node.api.writes import EXAMPLE, WRITERS, Answer, answer, to_sign
from ledger_node.operations.fields import In
from ledger_node.people.persons import OwnPerson

routes = APIBlueprint("persons", __name__, tag="Persons")


class SignatureIn(In):
    """A person's signature of the submission's `signing.message`: DER in base64."""

    signature: str = Field(pattern=r"^[A-Za-z0-9+/=]{4,200}$")


@reads(routes, "/v1/persons/<person_id>", PersonAnswerOut)
def show_person(person_id: str) -> Plain:
    """One own person."""
    record = _own_record(person_id)
    if record is None:
        text = f"this organisation has no person {person_id} on the ledger"
        raise Problem(404, "PERSON_UNKNOWN", text, "Look at the list: GET /v1/persons.")
    return named_person()(record)


@routes.post("/v1/submissions/<submission_id>/signatures")
@routes.auth_required(bearer, roles=list(WRITERS))
@routes.input(SignatureIn, arg_name="body")
@answers(routes, SubmissionOut, 202, example=EXAMPLE, description="Stored; ask the submission.")
def sign_submission(submission_id: str, body: SignatureIn) -> Answer:
    """Add a person's signature to a command that awaits it; with the last one it goes to the ledger."""
    idempotency_key()
    submission = existing_submission(submission_id)
    person = _signer(to_sign(submission), body.signature)
    say_of_act(person=person.commitment)
    return answer(current_node().outbox.sign(submission_id, person.commitment, body.signature))


def _signer(content: bytes, signature: str) -> OwnPerson:
    """The active person of this organisation whose signature of `content` it is."""
    signers = current_node().persons.signers(content, signature)
    if not signers:
        text = "that is no signature of this command by a person of this organisation"
        raise Problem(422, "SIGNATURE_INVALID", text, "Sign the submission's own signing.message, with the own key.")
    for person in signers:
        if status_of(person) == "active":
            return person
    text = f"{signers[0].name} may not act for this organisation: retired, or never enrolled on the ledger"
    raise Problem(403, "PERSON_NOT_ACTIVE", text, "Let an active person sign: GET /v1/persons.")


def require_key_of_its_own(person: OwnPerson) -> None:
    """Two certificates of one key would be one person with two names."""
    for other in current_node().persons.all():
        same = _key(other) == _key(person) and other.commitment != person.commitment
        if same and status_of(other) != "retired":
            text = f"the certificate has the key of {other.name}"
            raise Problem(409, "PERSON_KEY_KNOWN", text, "Each person has a key of its own; retire the other first.")


def _key(person: OwnPerson) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return person.key.public_bytes(serialization.Encoding.DER, form)


def status_of(person: OwnPerson) -> str:
    """What the ledger says of a person; empty when it does not know it."""
    record = _own_record(person.commitment)
    return "" if record is None else str(record["status"])


def _own_record(commitment: str) -> Plain | None:
    node = current_node()
    return node.readmodel.record(keys.person(node.msp_id, commitment))


def named_person() -> Callable[[Plain], Plain]:
    """What shows a person, with its name when it is an own one."""
    names = {person.commitment: person.name for person in current_node().persons.all()}

    def show(record: Plain) -> Plain:
        shown = written(record)
        return shown | {"person_id": shown.pop("commitment"), "name": names.get(record["commitment"], "")}

    return show
