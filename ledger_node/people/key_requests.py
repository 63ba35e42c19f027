"""Persons who ask for a certificate of a signing key that their browser made: one open request each.

The private key stays in that browser and cannot be read out of it. What comes here is a certification request
(PKCS #10), which the key itself has signed; the organisation's authority certifies it, wherever that is kept.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import delete
from sqlmodel import Field, col, select

from ledger_node.database import Database, StateTable, replacing, table_of
from ledger_node.errors import BadRequest

REQUEST_CHARACTERS_MAX = 4000
FINGERPRINT_DIGITS = 32
"""Shown of a key's SHA-256, for people to compare: 128 bits, which nobody finds a second key for."""


class KeyRequestRow(StateTable, table=True):
    """One open request, PEM."""

    __tablename__ = "key_request"
    login_id: str = Field(primary_key=True)
    request: str
    made_at: str


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """Somebody asks for a certificate. `request` is PEM; `fingerprint` is of its key, as `fingerprint_of` gives it."""

    login_id: str
    request: str
    fingerprint: str
    made_at: str


class KeyRequests:
    """The open requests, in the state database.

    Args:
        database: the state database.
        now: the clock; UTC.
    """

    def __init__(self, database: Database, now: Callable[[], dt.datetime]) -> None:
        self._database = database
        self._now = now

    def put(self, login_id: str, name: str, pem: str) -> KeyRequest:
        """Keep a person's request, in the place of an earlier one.

        Args:
            login_id: of the person.
            name: what the person signs in as.
            pem: the request.

        Raises: BadRequest when it is none, or asks for more than a certificate of this key in this name.
        """
        key = read_request(pem)
        _require_modest(x509.load_pem_x509_csr(pem.encode()), name)
        row = {"login_id": login_id, "request": pem, "made_at": self._now().isoformat(timespec="seconds")}
        with self._database.write() as session:
            session.connection().execute(replacing(self._database.dialect, table_of(KeyRequestRow)).values(row))
        return KeyRequest(**row, fingerprint=fingerprint_of(key))

    def all(self) -> list[KeyRequest]:
        """The open requests, the oldest first."""
        with self._database.read() as session:
            rows = session.exec(select(KeyRequestRow).order_by(col(KeyRequestRow.made_at))).all()
        return [
            KeyRequest(row.login_id, row.request, fingerprint_of(read_request(row.request)), row.made_at)
            for row in rows
        ]

    def get(self, login_id: str) -> KeyRequest | None:
        """A person's open request."""
        return next((each for each in self.all() if each.login_id == login_id), None)

    def remove(self, login_id: str) -> None:
        """It was answered."""
        with self._database.write() as session:
            session.connection().execute(delete(KeyRequestRow).where(col(KeyRequestRow.login_id) == login_id))


def read_request(pem: str) -> ec.EllipticCurvePublicKey:
    """The key that a certification request is for, which has signed it. Raises: BadRequest. Source: RFC 2986."""
    try:
        if len(pem) > REQUEST_CHARACTERS_MAX:
            raise ValueError("it is too long")
        request = x509.load_pem_x509_csr(pem.encode())
        key = request.public_key()
        is_own = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadRequest(f"that is no request for a certificate: {error}", "Make the key anew.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1) or not is_own:
        raise BadRequest("the request is not of a key on the curve P-256 that has signed it", "Make the key anew.")
    return key


def _require_modest(request: x509.CertificateSigningRequest, name: str) -> None:
    """Some authorities copy what a request asks for: nobody asks to be an administrator, or an authority."""
    try:
        is_modest = [(each.oid, each.value) for each in request.subject] == [(NameOID.COMMON_NAME, name)]
        is_modest = is_modest and not len(request.attributes)
    except ValueError:
        is_modest = False
    if not is_modest:
        text = f"the request asks for more than a certificate of its key in the name {name}"
        raise BadRequest(text, "Make the key anew.")


def fingerprint_of(key: ec.EllipticCurvePublicKey) -> str:
    """The first digits of the SHA-256 of a key's SubjectPublicKeyInfo, hex, as browsers compute it too."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:FINGERPRINT_DIGITS]
