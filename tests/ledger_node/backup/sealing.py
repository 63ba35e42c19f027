"""Keys, certificates and sealed files for the tests of backups."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from ledger_node.backup.locks import Locking, Opening, to_certificate, with_key
from ledger_node.backup.sealed import SealedReader, SealedWriter

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
PASSWORD = "correct horse battery staple"
PIECE_BYTES = 1024

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Officer:
    """Somebody whom backups are locked to; both in PEM form."""

    certificate: bytes
    key: bytes

    @property
    def locking(self) -> Locking:
        return to_certificate(self.certificate, NOW)

    @property
    def opening(self) -> Opening:
        return with_key(self.key)


def officer(key: Key | None = None, days: int = 36500, password: bytes = b"") -> Officer:
    """An officer with a fresh key on P-256, or the given one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "officer")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + dt.timedelta(days=days))
    signed = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    kept: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password:
        kept = serialization.BestAvailableEncryption(password)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, kept)
    return Officer(signed.public_bytes(serialization.Encoding.PEM), pem)


@cache
def the_officer() -> Officer:
    """One officer for all tests."""
    return officer()


def sealed(content: bytes, locking: Locking | None = None) -> bytes:
    """A sealed file, in pieces of `PIECE_BYTES`."""
    target = io.BytesIO()
    writer = SealedWriter(target, [locking or the_officer().locking], PIECE_BYTES)
    writer.write(content)
    writer.finish()
    return target.getvalue()


def opened(file: bytes, opening: Opening | None = None) -> bytes:
    """The content of a sealed file, to its end."""
    reader = SealedReader(io.BytesIO(file), opening or the_officer().opening)
    content = reader.read()
    assert content is not None
    reader.finish()
    return content
