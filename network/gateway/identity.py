"""Who signs, and how: an MSP id with a certificate, and a function that signs digests.

A signer is any function from a digest to a signature: of a key in memory (`software_signer`), of a key in a hardware
security module (`network.gateway.hsm`), of a service elsewhere.

Fabric takes ECDSA signatures only with a low S (of the two that are valid, the smaller), so that nobody can turn one
signed transaction into a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
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


def read_msp_folder(folder: Path, msp_id: str) -> tuple[Identity, Sign]:
    """Read an identity and its key from a folder as Fabric's tools lay it out.

    Args:
        folder: has the certificate in signcerts/ and its key in keystore/ (where keys of former ones may lie too).
        msp_id: of the organisation; it is not in the folder.

    Raises:
        ValueError: there is not exactly one certificate, or no key belongs to it.
        OSError: a file cannot be read.
    """
    certificates = sorted((folder / "signcerts").glob("*"))
    if len(certificates) != 1:
        raise ValueError(f"{folder / 'signcerts'} holds {len(certificates)} files; it must hold one certificate")
    certificate = certificates[0].read_bytes()
    public_key = x509.load_pem_x509_certificate(certificate).public_key()
    for path in sorted((folder / "keystore").glob("*")):
        key_pem = path.read_bytes()
        if serialization.load_pem_private_key(key_pem, None).public_key() == public_key:
            return Identity(msp_id, certificate), software_signer(key_pem)
    raise ValueError(f"no key in {folder / 'keystore'} belongs to the certificate {certificates[0]}")


def software_signer(key_pem: bytes, password: bytes | None = None) -> Sign:
    """Make a signing function of a private key held in memory.

    Args:
        key_pem: an ECDSA P-256 key, PEM.
        password: what the key is encrypted with, if it is.

    Raises:
        ValueError: it is no such key, or the password does not open it.
        TypeError: it is encrypted and no password was given, or the other way round.
    """
    key = serialization.load_pem_private_key(key_pem, password)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("Fabric identities need an ECDSA P-256 key")
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    return lambda digest: low_s(key.sign(digest, algorithm))


def low_s(signature: bytes) -> bytes:
    """Replace a DER-encoded P-256 signature by its equal with a low S."""
    r, s = utils.decode_dss_signature(signature)
    return signature if s <= P256_ORDER // 2 else utils.encode_dss_signature(r, P256_ORDER - s)
