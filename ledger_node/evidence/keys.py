"""The organisation's post-quantum key: ML-DSA-65, kept as PKCS#8 with nothing but its seed, mode 0600.

Other programs (OpenSSL 3.5, Node 24, BouncyCastle) write seed and expanded key together by default; of those the seed
is taken, after the expanded key was found to belong to it.
Source: FIPS 204 section 4 (the expanded key begins rho ‖ K ‖ tr), RFC 9881 section 6 (the forms of a private key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import mldsa

from ledger_node.errors import ConfigError

SEED_BYTES, EXPANDED_BYTES = 32, 4032
RHO, TR = slice(0, 32), slice(64, 128)
TR_BYTES = 64
OID = bytes.fromhex("0609608648016503040312")  # id-ml-dsa-65, 2.16.840.1.101.3.4.3.18
BOTH = b"\x30\x82" + (2 + SEED_BYTES + 4 + EXPANDED_BYTES).to_bytes(2, "big") + b"\x04\x20"


def own_key(path: Path) -> mldsa.MLDSA65PrivateKey:
    """The key in a file, which is made when there is none; of several that make it at once all get the same.

    Raises: ConfigError when it cannot be read or is no such key.
    """
    try:
        if not path.exists():
            _make(path)
        if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077:
            raise ConfigError(f"others can read {path} (mode {mode:04o})", f"Close it: chmod 600 {path}")
        return imported(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read or made: {error.strerror}", "Look at evidence_key_file.") from error
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", "Put the key back from a backup.") from error


def _make(path: Path) -> None:
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(exported(mldsa.MLDSA65PrivateKey.generate()))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(fresh, path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)  # or a power cut takes the name away, and the next start makes another key
        finally:
            os.close(folder)
    finally:
        fresh.unlink(missing_ok=True)


def exported(key: mldsa.MLDSA65PrivateKey) -> bytes:
    """PKCS#8, PEM, with the seed alone."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def imported(pem: bytes) -> mldsa.MLDSA65PrivateKey:
    """A key from PKCS#8, PEM: with its seed, or with seed and expanded key.

    Raises: ValueError for any other key, and when the expanded key is not that of the seed.
    """
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        return _of_both(pem, error)
    if not isinstance(key, mldsa.MLDSA65PrivateKey):
        raise ValueError("it is no key for ML-DSA-65")
    return key


def public_bytes(key: mldsa.MLDSA65PrivateKey) -> bytes:
    """The public half, 1952 bytes."""
    return key.public_key().public_bytes_raw()


def _of_both(pem: bytes, error: Exception) -> mldsa.MLDSA65PrivateKey:
    der = _der(pem)
    at = der.find(BOTH)
    if OID not in der or at < 0:
        raise ValueError(f"it is no key for ML-DSA-65 with a seed: {error}") from error
    seed = der[at + len(BOTH) :][:SEED_BYTES]
    expanded = der[at + len(BOTH) + SEED_BYTES + 4 :]
    key = mldsa.MLDSA65PrivateKey.from_seed_bytes(seed)
    public = public_bytes(key)
    if expanded[RHO] != public[RHO] or expanded[TR] != hashlib.shake_256(public).digest(TR_BYTES):
        raise ValueError("its expanded key is not that of its seed")
    return key


def _der(pem: bytes) -> bytes:
    body = b"".join(line for line in pem.splitlines() if line and not line.startswith(b"-----"))
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise ValueError("it is no PEM") from error
