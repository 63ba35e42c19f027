"""Certificates of a company's own authority may be limited to purposes: what Fabric would refuse is told beforehand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from consortium import organisations, write_settings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from ledger_node.api.peer import tls_context
from ledger_node.errors import ConfigError
from ledger_node.ledger.fabric import FabricLedger
from network.certificates import unfit
from network.identities import ensure_identities
from network.status import _certified
from network.topology import demo_topology

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
MAIL, ANY = ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


def limited(path: Path, *purposes: ObjectIdentifier) -> None:
    """Put in the place of a pair one whose certificate is limited to these purposes."""
    key = ec.generate_private_key(ec.SECP256R1())
    (key_path,) = [*path.parent.parent.glob("keystore/*.pem"), *path.parent.glob("*.key")]
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_path.write_bytes(key.private_bytes(*form))
    path.write_bytes(certificate(key, *purposes))


def certificate(key: ec.EllipticCurvePrivateKey, *purposes: ObjectIdentifier) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=99))
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    ("purposes", "identity", "tls"),
    [
        ((), True, True),
        ((SERVER, CLIENT), True, True),
        ((ANY,), True, True),
        ((SERVER,), True, False),
        ((CLIENT,), False, False),
        ((MAIL,), False, False),
        ((CLIENT, MAIL), False, False),
    ],
)
def test_what_fabric_takes_is_fit(purposes: tuple[ObjectIdentifier, ...], identity: bool, tls: bool) -> None:
    pem = certificate(ec.generate_private_key(ec.SECP256R1()), *purposes)
    assert (unfit(pem, tls=False) == "", unfit(pem, tls=True) == "") == (identity, tls)


def test_what_is_no_certificate_is_for_others_to_tell() -> None:
    assert unfit(b"no certificate", tls=True) == ""


def test_status_names_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    topology = demo_topology(tmp_path, 20000)
    ensure_identities(topology)
    assert _certified(topology)[0] == []  # control
    folders = topology.folders("buyer")
    limited(folders.orderer_tls.certificate, SERVER)
    limited(folders.admin.certificate, CLIENT)
    findings = _certified(topology)[0]
    assert [each.partition(" cannot be used")[0] for each in findings] == ["buyer.orderer.tls", "buyer.admin.signing"]


def test_a_node_whose_identity_no_peer_would_take_says_so_when_it_starts(tmp_path: Path) -> None:
    topology = demo_topology(tmp_path, 20000)
    ensure_identities(topology)
    user = topology.folders("buyer").user

    def opened() -> FabricLedger:
        return FabricLedger(
            endpoint="localhost:1",
            tls_roots=topology.folders("buyer").tls_ca,
            msp_id="BuyerMSP",
            certificate=user.certificate,
            key=user.key,
            channel="scf",
            chaincode="scf",
        )

    opened().close()
    limited(user.certificate, CLIENT)
    with pytest.raises(ConfigError, match="cannot be the node's identity"):
        opened()


def test_a_pair_that_is_good_for_one_end_only_is_refused_at_the_peer_door(tmp_path: Path) -> None:
    organisations(tmp_path)
    settings = write_settings(tmp_path, tmp_path, "supplier")
    tls_context(settings)
    limited(settings.at(settings.tls.certificate), SERVER)
    with pytest.raises(ConfigError, match="cannot be used between nodes"):
        tls_context(settings)
