"""Who signs, and how: an MSP id with a certificate, and a function that signs digests.

Fabric takes ECDSA signatures only with a low S (of the two that are valid, the smaller), so that nobody can turn one
signed transaction into a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from fabric_protos.msp.identities_pb2 import SerializedIdentity

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

Sign = Callable[[bytes], bytes]  # SHA-256 digest (32 bytes) -> DER-encoded ECDSA signature with a low S


@dataclass(frozen=True, slots=True)
class Identity:
    """A member of an organisation: its MSP id and its certificate (PEM)."""

    msp_id: str
    certificate: bytes

    @property
    def creator(self) -> bytes:
        """The serialized identity that proposals carry."""
        return bytes(SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate).SerializeToString())


def software_signer(key_pem: bytes) -> Sign:
    """Make a signing function of a private key held in memory.

    Args:
        key_pem: an ECDSA P-256 key, PEM without a password.

    Raises:
        ValueError: it is no such key.
    """
    key = serialization.load_pem_private_key(key_pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("Fabric identities need an ECDSA P-256 key")
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    return lambda digest: low_s(key.sign(digest, algorithm))


def low_s(signature: bytes) -> bytes:
    """Replace a DER-encoded P-256 signature by its equal with a low S."""
    r, s = utils.decode_dss_signature(signature)
    return signature if s <= P256_ORDER // 2 else utils.encode_dss_signature(r, P256_ORDER - s)
