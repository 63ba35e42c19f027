"""Which keys a node holds or trusts: algorithm, end and use of each, as supervisors ask for (DORA, article 9).

Read from files on the node's machine; private keys are looked for and not read, but for agreement keys, whose public
halves stand nowhere else before they are named on the ledger. It judges nothing but whether an
algorithm falls to a large quantum computer: elliptic curves and RSA do, ML-DSA, HMAC and SHA-256 with 256 bits do not.
"""

from __future__ import annotations

import datetime as dt
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ledger_node.agreement import MAKE, load_keys
from ledger_node.config import Settings
from ledger_node.errors import ConfigError
from network.folders import MspFolder
from network.proofs.configuration import load

FALLS, HOLDS = "falls", "holds"
OWN, TRUSTED, SECRET = "own", "trusted", "secret"


@dataclass(frozen=True, slots=True)
class Key:
    """A key: the setting or place it has, its file, whose it is, and what it is good for.

    Args:
        name: of the setting, or what it is.
        path: the certificate, or the secret; empty where it lies in the state database.
        kind: `OWN`, `TRUSTED` (only the public half is here) or `SECRET` (symmetric).
        algorithm: such as "ECDSA P-256".
        ends: of the certificate, RFC 3339 in UTC; empty for what has no end.
        use: what it does.
        quantum: `FALLS` or `HOLDS` before a large quantum computer.
        fault: what is wrong with it; empty when nothing is.
    """

    name: str
    path: str
    kind: str
    algorithm: str
    ends: str
    use: str
    quantum: str
    fault: str = ""


METHODS = (
    ("SHA-256", "digests and commitments of documents, blocks, tokens (which are kept as digests)", HOLDS),
    (
        "TLS 1.2 or newer",
        "the doors between nodes, the peer's and the orderers': key exchange on elliptic curves",
        FALLS,
    ),
    ("AES-256-GCM", "backups, under a password (scrypt) or to certificates (ECDH, RSA-OAEP: those fall)", HOLDS),
    ("HMAC-SHA-256", "signatures of webhooks, by secrets in the state database", HOLDS),
    ("ECDSA P-256", "all that Fabric signs: transactions, endorsements, blocks, peers' answers", FALLS),
)
"""Algorithms without a key of the node's own: what they are for, and how they stand."""


def keys(settings: Settings, now: dt.datetime) -> list[Key]:
    """Every key of a node, in the order of its settings."""
    return [*_identity(settings, now), *_tls(settings, now), *_secrets(settings)]


def _identity(settings: Settings, now: dt.datetime) -> Iterator[Key]:
    fabric = settings.fabric
    own = settings.certificate if fabric is None else fabric.certificate
    assert own is not None  # Settings has checked it
    use = "who the node is: signs its transactions" + ("" if fabric is None else ", and evidence (ES256)")
    name = "certificate" if fabric is None else "fabric.certificate"
    private = None if fabric is None else settings.at(fabric.private_key)
    yield _certificate(name, settings.at(own), OWN, use, now, private)
    authority = MspFolder(settings.at(own).parent.parent).ca
    yield _certificate("authority", authority, TRUSTED, "issues the identities of this organisation's people", now)
    if fabric is not None:
        yield _certificate(
            "fabric.tls_root", settings.at(fabric.tls_root), TRUSTED, "whom the own peer is known by", now
        )


def _tls(settings: Settings, now: dt.datetime) -> Iterator[Key]:
    tls, use = settings.tls, "the peer port, and fetching from other nodes"
    yield _certificate("tls.certificate", settings.at(tls.certificate), OWN, use, now, settings.at(tls.private_key))
    for msp_id, path in tls.roots.items():
        yield _certificate(f"tls.roots.{msp_id}", settings.at(path), TRUSTED, f"whom {msp_id}'s node is known by", now)


def _secrets(settings: Settings) -> Iterator[Key]:
    evidence, fingerprints = settings.at(settings.evidence_key_file), settings.at(settings.fingerprint_key_file)
    fault = _exposed(evidence) if evidence.exists() else "not made yet: it is when evidence is first asked for"
    yield Key("evidence_key_file", str(evidence), OWN, "ML-DSA-65", "", "signs evidence besides", HOLDS, fault)
    fault = _exposed(fingerprints) if fingerprints.exists() else "it is not there"
    use = "fingerprints of what invoices say; the consortium's"
    yield Key("fingerprint_key_file", str(fingerprints), SECRET, "HMAC-SHA-256, 256 bits", "", use, HOLDS, fault)
    yield from _agreement(settings.at(settings.agreement_key_file))
    yield Key("record ids", "", SECRET, "HMAC-SHA-256, 256 bits", "", "makes record ids; in the state database", HOLDS)


def _agreement(path: Path) -> Iterator[Key]:
    """One row a key, by its public half: which of them counts on which day, the ledger says."""
    use, kind = "secrets with other parties, such as the keys of amounts' fingerprints", "X25519"
    try:
        found = list(load_keys(path))
    except ConfigError as error:
        yield Key("agreement_key_file", str(path), OWN, kind, "", use, FALLS, error.text)
        return
    for public in found:
        yield Key("agreement_key_file", str(path), OWN, kind, "", f"{use}: {public}", FALLS)
    if not found:
        yield Key("agreement_key_file", str(path), OWN, kind, "", use, FALLS, f"not made yet. {MAKE}")


def _certificate(name: str, path: Path, kind: str, use: str, now: dt.datetime, private: Path | None = None) -> Key:
    try:
        certificate = load(path.read_bytes())
    except OSError as error:
        return Key(name, str(path), kind, "", "", use, FALLS, f"it cannot be read: {error.strerror}")
    except ValueError:
        return Key(name, str(path), kind, "", "", use, FALLS, "it is no certificate")
    ends = certificate.not_valid_after_utc
    fault = f"it ended at {ends.isoformat()}" if ends < now else ""
    if private is not None:
        fault = fault or (_exposed(private) if private.exists() else f"its key {private} is not there")
    return Key(name, str(path), kind, _algorithm(certificate), ends.isoformat(), use, FALLS, fault)


def _exposed(path: Path) -> str:
    mode = stat.S_IMODE(path.stat().st_mode)
    return f"others can read {path} (mode {mode:04o})" if mode & 0o077 else ""


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "ECDSA P-256", "secp384r1": "ECDSA P-384"}.get(key.curve.name, f"ECDSA {key.curve.name}")
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else type(key).__name__
