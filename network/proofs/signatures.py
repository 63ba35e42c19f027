"""ECDSA signatures as Fabric takes them: over SHA-256, DER-encoded, with a low S.

Source: fabric `bccsp/sw/ecdsa.go`, `bccsp/utils/ecdsa.go`.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def holds(certificate: x509.Certificate, signature: bytes, message: bytes, *, low_s: bool = True) -> bool:
    """Whether the holder of a certificate has signed a message.

    Args:
        certificate: with a P-256 key; of any other kind nothing holds.
        signature: DER.
        message: what was signed, not its digest.
        low_s: a signature with a high S does not hold: anybody can make one of another. Authorities do sign with both.
    """
    key = p256_key(certificate)
    if key is None:
        return False
    try:
        _, s = utils.decode_dss_signature(signature)
        key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return not low_s or s <= P256_ORDER // 2


def p256_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey | None:
    """The key of a certificate; None when it is of another kind."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1) else None
