"""Who can open a backup: its key is locked by a password, or to the certificates of whoever may restore it.

A backup is encrypted under a fresh key; here that key (32 bytes) is wrapped, once for each lock. A password goes
through scrypt; a certificate's key on an elliptic curve through ECDH with a fresh key and HKDF, an RSA key through
OAEP. The header with the locks is readable by everybody: it names neither organisation nor person. This room reads and
writes no file.
Source: RFC 7914 (scrypt; cost as OWASP advises), RFC 5869 (HKDF), NIST SP 800-38D (GCM), RFC 8017 (OAEP).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from typing import Annotated, Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from pydantic import BaseModel, ConfigDict, Field

from ledger_node.errors import BadRequest

KEY_BYTES = 32
PASSWORD_CHARACTERS_MIN = 12
SCRYPT_COST: Final = 131072  # with this block 128 MiB of memory
SCRYPT_BLOCK = 8
RSA_BITS_MIN = 2048
_PURPOSE = b"ledger-node backup 1"
_ONCE = bytes(12)  # each wrapping key wraps one key only
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), _PURPOSE)

Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){1,1024}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PasswordLock(_Strict):
    """The key under a password. `cost` is scrypt's N, bounded so that no file asks for more than a gigabyte."""

    type: Literal["password"] = "password"
    cost: Literal[16384, 32768, 65536, 131072, 262144, 524288, 1048576]
    salt: Hex
    wrapped: Hex


class CurveLock(_Strict):
    """The key for the owner of a key on an elliptic curve; `recipient` is SHA-256 of its public key (DER)."""

    type: Literal["curve"] = "curve"
    recipient: Hex
    ephemeral: Hex
    wrapped: Hex


class RsaLock(_Strict):
    """The key for the owner of an RSA key; `recipient` is SHA-256 of its public key (DER)."""

    type: Literal["rsa"] = "rsa"
    recipient: Hex
    wrapped: Hex


Lock = Annotated[PasswordLock | CurveLock | RsaLock, Field(discriminator="type")]
Locks = Annotated[tuple[Lock, ...], Field(min_length=1, max_length=20)]
Locking = Callable[[bytes], PasswordLock | CurveLock | RsaLock]
"""Makes a lock for a key."""
Opening = Callable[[Locks], bytes]
"""Finds the key behind some locks. Raises: WrongKey."""
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class WrongKey(BadRequest):
    """The password, or the private key, does not open the backup."""


def by_password(password: str) -> Locking:
    """Lock by a password. Raises: BadRequest when it is too short to withstand guessing off line."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        text = f"the password has {len(password)} characters, fewer than {PASSWORD_CHARACTERS_MIN}"
        raise BadRequest(text, "Whoever has the file can guess for ever: take several words.")

    def lock(key: bytes) -> PasswordLock:
        salt = secrets.token_bytes(16)
        wrapped = AESGCM(_stretched(password, salt, SCRYPT_COST)).encrypt(_ONCE, key, _PURPOSE)
        return PasswordLock(cost=SCRYPT_COST, salt=salt.hex(), wrapped=wrapped.hex())

    return lock


def to_certificate(pem: bytes, now: dt.datetime) -> Locking:
    """Lock to the key of a certificate.

    Args:
        pem: the certificate.
        now: to see whether it is valid; UTC.

    Raises: BadRequest when it is no certificate, not valid now, or has a key that cannot be locked to.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        public = certificate.public_key()
    except ValueError as error:
        raise BadRequest("this is no certificate in PEM form", "Give the owner's certificate.") from error
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        until = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise BadRequest(f"the certificate is valid from {until} only", "Does anybody still keep its key? Renew it.")
    if isinstance(public, ec.EllipticCurvePublicKey):
        return lambda key: _to_curve(public, key)
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= RSA_BITS_MIN:
        return lambda key: RsaLock(recipient=_name(public), wrapped=public.encrypt(key, _OAEP).hex())
    raise BadRequest(
        "the certificate's key cannot be locked to", f"Take an elliptic curve such as P-256, or RSA of {RSA_BITS_MIN}."
    )


def with_password(password: str) -> Opening:
    """Open by the password."""

    def open_(locks: Locks) -> bytes:
        found = [each for each in locks if isinstance(each, PasswordLock)]
        if not found:
            raise WrongKey("the backup is locked to certificates, not by a password", "Give a private key: --key")
        for lock in found:
            try:
                stretched = _stretched(password, bytes.fromhex(lock.salt), lock.cost)
                return AESGCM(stretched).decrypt(_ONCE, bytes.fromhex(lock.wrapped), _PURPOSE)
            except InvalidTag:
                continue
        raise WrongKey("the password is wrong", "Nothing was changed; try again with the right one.")

    return open_


def with_key(pem: bytes, password: str | None = None) -> Opening:
    """Open by a private key.

    Args:
        pem: the key.
        password: of the PEM file, where it has one.

    Raises: BadRequest when it is no private key, or of a kind that nothing is locked to.
    """
    try:
        key = serialization.load_pem_private_key(pem, None if password is None else password.encode())
    except (ValueError, TypeError) as error:
        raise BadRequest(f"the private key cannot be read: {error}", "Give the PEM file of the private key.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise BadRequest("the private key is of another kind", "Backups are locked to elliptic curves and RSA only.")
    return lambda locks: _opened(key, locks)


def _opened(key: PrivateKey, locks: Locks) -> bytes:
    own = _name(key.public_key())
    for lock in locks:
        if isinstance(lock, PasswordLock) or lock.recipient != own:
            continue
        try:
            if isinstance(lock, RsaLock) and isinstance(key, rsa.RSAPrivateKey):
                return key.decrypt(bytes.fromhex(lock.wrapped), _OAEP)
            if isinstance(lock, CurveLock) and isinstance(key, ec.EllipticCurvePrivateKey):
                return _from_curve(key, lock)
        except (ValueError, InvalidTag) as error:
            raise WrongKey("the backup names this key, and its lock does not open", "Take another copy.") from error
    known = ", ".join(each.recipient[:16] for each in locks if not isinstance(each, PasswordLock)) or "a password"
    raise WrongKey(f"the backup is locked to {known}, and this key is {own[:16]}", "Give the key that it is locked to.")


def _to_curve(public: ec.EllipticCurvePublicKey, key: bytes) -> CurveLock:
    fresh = ec.generate_private_key(public.curve)
    point = _point(fresh.public_key())
    wrapping = _agreed(fresh.exchange(ec.ECDH(), public), point, public)
    wrapped = AESGCM(wrapping).encrypt(_ONCE, key, _PURPOSE)
    return CurveLock(recipient=_name(public), ephemeral=point.hex(), wrapped=wrapped.hex())


def _from_curve(key: ec.EllipticCurvePrivateKey, lock: CurveLock) -> bytes:
    point = bytes.fromhex(lock.ephemeral)
    fresh = ec.EllipticCurvePublicKey.from_encoded_point(key.curve, point)
    wrapping = _agreed(key.exchange(ec.ECDH(), fresh), point, key.public_key())
    return AESGCM(wrapping).decrypt(_ONCE, bytes.fromhex(lock.wrapped), _PURPOSE)


def _agreed(shared: bytes, point: bytes, recipient: ec.EllipticCurvePublicKey) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, point + _point(recipient), _PURPOSE).derive(shared)


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _name(public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).hexdigest()


def _stretched(password: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt, KEY_BYTES, cost, SCRYPT_BLOCK, 1).derive(password.encode())
