"""Steps 2 and 3: who made the bundle, by both of its signatures.

The classical one is by the issuer's identity on the channel, the post-quantum one by a key that the trust file names.
Source: RFC 7515, RFC 7518 section 3.4 (ES256), FIPS 204 and RFC 9964 (ML-DSA in JOSE).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, utils
from pydantic import ValidationError

from ledger_node.verify.canonical import MalformedError, decode
from ledger_node.verify.case import Case
from ledger_node.verify.format import (
    ES256,
    ML_DSA_65,
    Es256Header,
    JwsSignature,
    MlDsaHeader,
    base64url_encoded,
    read,
    read_time,
)
from ledger_node.verify.report import INVALID, SKIPPED, VALID, Outcome
from network.blocks import Identity
from network.proofs.configuration import fault, load_der
from network.proofs.signatures import p256_key

INTEGER_BYTES = 32


def signing_input(protected: bytes, payload: bytes) -> bytes:
    """What a JWS signature is over (RFC 7515 section 5.1)."""
    return f"{base64url_encoded(protected)}.{base64url_encoded(payload)}".encode()


def classical(case: Case) -> Outcome:
    """Step 2: signed by a member of the issuing organisation."""
    signed = _only(case, ES256)
    if isinstance(signed, Outcome):
        return signed
    issuer, at = case.bundle.issuer, issued_at(case)
    try:
        header = read(Es256Header, signed.protected, "the header of the ES256 signature")
        certificate = load_der(header.x5c[0])
    except (MalformedError, ValueError) as error:
        return Outcome(INVALID, f"{error}")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    last = max(each.block for each in case.bundle.transactions)
    faults = [fault(Identity(issuer, pem), each, at) for each in case.believed.since(last)]
    if all(faults):
        return Outcome(INVALID, f"{faults[-1]} (in no configuration since block {last} that the trust file knows)")
    key, message = p256_key(certificate), signing_input(signed.protected, case.jws.payload)
    if key is None:
        return Outcome(INVALID, "the issuer's key is none of P-256")
    if len(signed.signature) != 2 * INTEGER_BYTES:
        return Outcome(INVALID, "the signature has another length than ES256 has")
    r, s = (
        int.from_bytes(part, "big") for part in (signed.signature[:INTEGER_BYTES], signed.signature[INTEGER_BYTES:])
    )
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return Outcome(INVALID, "the signature does not hold: the bundle was changed after it was signed")
    return Outcome(VALID, f"{issuer}, at {case.bundle.issued_at} by its own word")


def post_quantum(case: Case) -> Outcome:
    """Step 3: signed by the issuer's post-quantum key."""
    signed = _only(case, ML_DSA_65)
    if isinstance(signed, Outcome):
        return signed
    issuer = case.bundle.issuer
    try:
        header = read(MlDsaHeader, signed.protected, "the header of the ML-DSA-65 signature")
    except MalformedError as error:
        return Outcome(INVALID, str(error))
    keys = case.believed.keys(issuer)
    if not keys:
        return Outcome(SKIPPED, f"the trust file names no post-quantum key of {issuer}")
    if header.kid not in keys:
        return Outcome(INVALID, f"the trust file names another key of {issuer}")
    try:
        key = mldsa.MLDSA65PublicKey.from_public_bytes(keys[header.kid])
        key.verify(signed.signature, signing_input(signed.protected, case.jws.payload))
    except InvalidSignature:
        return Outcome(INVALID, "the signature does not hold: the bundle was changed after it was signed")
    except ValueError:
        return Outcome(INVALID, "the key or the signature has another length than ML-DSA-65 has")
    return Outcome(VALID, f"{issuer}, key {header.kid[:16]}")


def issued_at(case: Case) -> dt.datetime:
    """When the issuer says that it made the bundle."""
    return read_time(case.bundle.issued_at)


def _only(case: Case, algorithm: str) -> JwsSignature | Outcome:
    """The one signature of that algorithm; others than the two that there are to be spoil the bundle."""
    found = [each for each in case.jws.signatures if _algorithm(each) == algorithm]
    known = [each for each in case.jws.signatures if _algorithm(each) in (ES256, ML_DSA_65)]
    if len(found) != 1:
        return Outcome(INVALID, f"there are {len(found)} signatures by {algorithm}, and one is needed")
    if len(known) != len(case.jws.signatures):
        return Outcome(INVALID, "there is a signature of another kind besides")
    return found[0]


def _algorithm(signature: JwsSignature) -> Any:
    try:
        header = decode(signature.protected, "a signature's header")
    except (MalformedError, ValidationError):
        return None
    return header.get("alg") if isinstance(header, dict) else None
