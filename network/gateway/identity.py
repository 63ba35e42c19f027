"""Who signs, and how: an MSP id with a certificate, and a function that signs digests.

A signer is any function from a digest to a signature: of a key in memory (`software_signer`), of a key in a hardware
security module (`network.gateway.hsm`), of a service elsewhere; it may be asynchronous. For identities with an Ed25519
key (channels with the capability V3_0) what is signed is the message itself; for all others its SHA-256, whatever the
curve.

Fabric takes ECDSA signatures only with a low S (of the two that are valid, the smaller), so that nobody can turn one
signed transaction into a second.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from fabric_protos.msp.identities_pb2 import SerializedIdentity

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
P384_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
ORDERS = {"secp256r1": P256_ORDER, "secp384r1": P384_ORDER}

Sign = Callable[[bytes], bytes]  # SHA-256 digest (32 bytes) -> DER-encoded ECDSA signature with a low S
AsyncSign = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Identity:
    """A member of an organisation: its MSP id and its certificate (PEM)."""

    msp_id: str
    certificate: bytes

    @property
    def creator(self) -> bytes:
        """The serialized identity that proposals carry."""
        return bytes(SerializedIdentity(mspid=self.msp_id, id_bytes=self.certificate).SerializeToString())

    @property
    def signs_whole_messages(self) -> bool:
        """Whether the key is Ed25519, which signs messages and no digests. Raises: ValueError for no certificate."""
        return isinstance(x509.load_pem_x509_certificate(self.certificate).public_key(), ed25519.Ed25519PublicKey)


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
        try:
            key = serialization.load_pem_private_key(key_pem, None)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is no private key that can be read without a password: {error}") from error
        if key.public_key() == public_key:
            return Identity(msp_id, certificate), software_signer(key_pem)
    raise ValueError(f"no key in {folder / 'keystore'} belongs to the certificate {certificates[0]}")


def software_signer(key_pem: bytes, password: bytes | None = None) -> Sign:
    """Make a signing function of a private key held in memory.

    Args:
        key_pem: an ECDSA key on P-256 or P-384, or an Ed25519 key, PEM.
        password: what the key is encrypted with, if it is.

    Raises:
        ValueError: it is no such key, or the password does not open it.
        TypeError: it is encrypted and no password was given, or the other way round.
    """
    key = serialization.load_pem_private_key(key_pem, password)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in ORDERS:
        raise ValueError("Fabric identities need an ECDSA key on P-256 or P-384, or an Ed25519 key")
    order = ORDERS[key.curve.name]
    algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    return lambda digest: low_s(key.sign(digest, algorithm), order)


def low_s(signature: bytes, order: int = P256_ORDER) -> bytes:
    """Replace a DER-encoded signature by its equal with a low S; the order is that of the key's curve."""
    r, s = utils.decode_dss_signature(signature)
    return signature if s <= order // 2 else utils.encode_dss_signature(r, order - s)
