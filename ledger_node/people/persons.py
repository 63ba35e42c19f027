"""The organisation's own persons: their certificates, what they sign, and whose signature something is.

The ledger knows a person by a keyed commitment of its certificate; the certificate stays here, and the private key
never comes here: it signs on its owner's machine. Whether somebody may still act is the ledger's to say.
Source: docs/adr/0010-persons-and-four-eyes.md, FIPS 186-5 (ECDSA over P-256 with SHA-256).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Executable
from sqlmodel import Field, col, select

from chaincode.records import canonical, parse_json
from ledger_node.database import Database, StateTable, replacing, table_of
from ledger_node.errors import BadRequest, ConfigError
from ledger_node.formats import fingerprints
from ledger_node.outbox.submission import Submission

ALGORITHM = ec.ECDSA(hashes.SHA256())


class PersonRow(StateTable, table=True):
    """One person's certificate, PEM."""

    __tablename__ = "person"
    commitment: str = Field(primary_key=True)
    name: str
    certificate: str


@dataclass(frozen=True, slots=True)
class OwnPerson:
    """A person of this organisation; `commitment` is 64 hex characters."""

    commitment: str
    name: str
    certificate: x509.Certificate

    @property
    def key(self) -> ec.EllipticCurvePublicKey:
        """The public key, on P-256."""
        key = self.certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey), "read_person has checked it"
        return key


def read_person(name: str, pem: str, authority: Path, key: bytes) -> OwnPerson:
    """A person by its certificate.

    Args:
        name: what the organisation calls it; it never leaves the node.
        pem: the certificate.
        authority: the certificate of the organisation's own authority, PEM.
        key: 32 bytes, the consortium's.

    Raises: BadRequest when it is no certificate with a key on P-256, or another authority issued it; ConfigError when
        the authority cannot be read.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest("that is no certificate in PEM form", "Send one as PEM, of a key on P-256.") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise BadRequest("the certificate's key is not on the curve P-256", "Have it issued for such a key.")
    try:
        issuer = x509.load_pem_x509_certificate(authority.read_bytes())
    except (OSError, ValueError) as error:
        remedy = "Put the authority's certificate into cacerts beside the node's own in its MSP folder."
        raise ConfigError(f"the authority {authority} cannot be read: {error}", remedy) from error
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadRequest(
            "the certificate is not of this organisation's own authority", "Have it issued there."
        ) from error
    der = certificate.public_bytes(serialization.Encoding.DER)
    return OwnPerson(fingerprints.certificate(key, der), name, certificate)


def message(submission: Submission, channel: str, msp_id: str) -> bytes:
    """What a person signs to stand behind a command: canonical JSON, which also says what the command does.

    Args:
        submission: the command.
        channel: where it is sent.
        msp_id: who sends it.
    """
    return canonical(
        {
            "channel": channel,
            "command_id": submission.id,
            "msp_id": msp_id,
            "type": submission.type,
            "body": parse_json(submission.body.encode()),
        }
    )


def sign(key: ec.EllipticCurvePrivateKey, content: bytes) -> str:
    """A signature over SHA-256 of `content`, DER in base64."""
    return base64.b64encode(key.sign(content, ALGORITHM)).decode()


class Persons:
    """Own persons, in the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insertion(self, person: OwnPerson) -> Executable:
        """The statement that keeps a person, to run in the very transaction that queues its enrolment."""
        pem = person.certificate.public_bytes(serialization.Encoding.PEM).decode()
        row = {"commitment": person.commitment, "name": person.name, "certificate": pem}
        return replacing(self._database.dialect, table_of(PersonRow)).values(row)

    def all(self) -> list[OwnPerson]:
        """All persons, retired ones and those whose enrolment was refused too, by name."""
        with self._database.read() as session:
            rows = session.exec(select(PersonRow).order_by(col(PersonRow.name), col(PersonRow.commitment))).all()
        return [
            OwnPerson(row.commitment, row.name, x509.load_pem_x509_certificate(row.certificate.encode()))
            for row in rows
        ]

    def signers(self, content: bytes, signature: str) -> list[OwnPerson]:
        """Whose signature of `content` it is: one person, or several whose certificates have the same key.

        Args:
            content: what was signed.
            signature: DER in base64.
        """
        try:
            der = base64.b64decode(signature, validate=True)
        except binascii.Error:
            return []
        return [person for person in self.all() if _is_signed(person.key, der, content)]


def _is_signed(key: ec.EllipticCurvePublicKey, der: bytes, content: bytes) -> bool:
    try:
        key.verify(der, content, ALGORITHM)
    except InvalidSignature:
        return False
    return True
