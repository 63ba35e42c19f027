"""Identities: chains, roles, modes, and that what exists is kept."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import shutil
import socket
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from network import certificates, components, identities
from network.errors import SetupError
from network.folders import OrganisationFolders
from network.processes import Component
from network.topology import Topology, demo_topology


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    topology = demo_topology(tmp_path_factory.mktemp("identities"), 20000)
    identities.ensure_identities(topology)
    return topology


@pytest.fixture
def supplier(topology: Topology, tmp_path: Path) -> OrganisationFolders:
    """A copy that a test may damage."""
    shutil.copytree(topology.folders("supplier").root, tmp_path / "supplier")
    return OrganisationFolders(tmp_path / "supplier")


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_identity_comes_from_its_own_organisations_authority(topology: Topology) -> None:
    for _, folders in topology.all_folders():
        root = certificate(folders.msp.ca)
        for msp, role in ((folders.peer, "peer"), (folders.orderer, "orderer"), (folders.admin, "admin")):
            leaf = certificate(msp.certificate)
            leaf.verify_directly_issued_by(root)
            unit = leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[0].value
            assert unit == role
        user = certificate(folders.user.certificate)
        assert user.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)[0].value == "client"


def test_an_identity_of_another_organisation_does_not_verify(topology: Topology) -> None:
    foreign = certificate(topology.folders("buyer").user.certificate)
    with pytest.raises((ValueError, TypeError)):
        foreign.verify_directly_issued_by(certificate(topology.folders("supplier").msp.ca))


def test_tls_certificates_hold_for_this_host_and_chain_to_the_tls_authority(topology: Topology) -> None:
    for _, folders in topology.all_folders():
        store = Store([certificate(folders.tls_ca)])
        for pair in identities.tls_folders(folders):
            leaf = certificate(pair.certificate)
            for subject in (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))):
                assert PolicyBuilder().store(store).build_server_verifier(subject).verify(leaf, [])
            assert PolicyBuilder().store(store).build_client_verifier().verify(leaf, []).chain[0] == leaf


def test_a_tls_pair_loads_and_its_key_belongs_to_it(topology: Topology) -> None:
    for pair in identities.tls_folders(topology.folders("carrier")):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pair.certificate, pair.key)


@pytest.mark.parametrize("name", ["", "Anna", "../anna", "a" * 41, "änna"])
def test_a_persons_name_leads_to_no_other_folder(topology: Topology, supplier: OrganisationFolders, name: str) -> None:
    with pytest.raises(SetupError, match="is no name for a folder"):
        identities.ensure_person(topology.organisation("supplier"), supplier, name)


def test_every_key_is_for_its_owner_alone(topology: Topology) -> None:
    keys = [path for path in topology.data.rglob("*") if path.name.endswith(".key") or path.name == "key.pem"]
    assert len(keys) == 4 * (2 + 4 + 6)
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}
    assert all(path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----") for path in keys)


def test_running_again_keeps_every_file(topology: Topology) -> None:
    before = {path: path.read_bytes() for path in topology.data.rglob("*") if path.is_file()}
    identities.ensure_identities(topology)
    assert {path: path.read_bytes() for path in topology.data.rglob("*") if path.is_file()} == before


def test_a_kill_between_key_and_certificate_leaves_a_pair_that_is_made_anew(
    topology: Topology, supplier: OrganisationFolders
) -> None:
    supplier.peer_tls.certificate.unlink()
    identities.ensure_organisation(topology.organisation("supplier"), supplier)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(supplier.peer_tls.certificate, supplier.peer_tls.key)


def test_an_authority_with_another_key_is_refused(topology: Topology, supplier: OrganisationFolders) -> None:
    shutil.copyfile(supplier.authority / "tlsca.key", supplier.authority / "ca.key")
    with pytest.raises(SetupError, match="is not the key of"):
        identities.ensure_organisation(topology.organisation("supplier"), supplier)


def test_an_authority_without_its_key_is_refused_not_replaced(
    topology: Topology, supplier: OrganisationFolders
) -> None:
    (supplier.authority / "ca.key").unlink()
    with pytest.raises(SetupError, match="certificate authority") as refused:
        identities.ensure_organisation(topology.organisation("supplier"), supplier)
    assert refused.value.remedy == "Restore its files from a backup."


def test_the_expiry_of_a_certificate_is_read(topology: Topology, supplier: OrganisationFolders) -> None:
    left = certificates.expiry(supplier.user.certificate) - dt.datetime.now(dt.UTC)
    assert dt.timedelta(days=364) < left < dt.timedelta(days=365)
    with pytest.raises(SetupError, match="no readable certificate"):
        certificates.expiry(supplier.user.key)


@contextmanager
def showing(folders: OrganisationFolders) -> Iterator[int]:
    """A server that shows the orderer's TLS certificate as it is now; its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folders.orderer_tls.certificate, folders.orderer_tls.key)
    context.set_alpn_protocols(["h2"])

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True):
                    pass
            except ssl.SSLError:
                continue
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=serve, args=(listener,))
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def test_a_process_that_shows_a_certificate_that_has_ended_is_told_from_one_that_cannot_show_another(
    supplier: OrganisationFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def orderer(port: int) -> Component:
        tls = supplier.orderer_tls.certificate
        return Component("supplier.orderer", ("x",), {}, (port,), f"127.0.0.1:{port}", tls, lambda: True, "")

    with showing(supplier) as port:
        assert not components.shows_ended(orderer(port))
    with monkeypatch.context() as patched:
        patched.setattr(identities, "IDENTITY_DAYS", 1 / (24 * 3600))  # backdated by more than that: ended already
        identities.renew(supplier)
    with showing(supplier) as port:
        assert not components.shows_ended(orderer(port)), "it was not renewed: there is nothing else to show"
        identities.renew(supplier)
        assert components.shows_ended(orderer(port))
    assert not components.shows_ended(orderer(port)), "nobody listens"


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, subject: str = "admin.supplier") -> bytes:
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    asked = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    return asked.public_bytes(serialization.Encoding.PEM)


def test_a_key_that_was_made_elsewhere_is_certified_as_a_persons_and_as_nothing_else(
    topology: Topology, supplier: OrganisationFolders
) -> None:
    own, key = topology.organisation("supplier"), ec.generate_private_key(ec.SECP256R1())
    path = identities.certify_person(own, supplier, "petra", request_of(key))
    made = x509.load_pem_x509_certificate(path.read_bytes())
    assert made.public_key() == key.public_key() and "admin" not in made.subject.rfc4514_string()
    made.verify_directly_issued_by(x509.load_pem_x509_certificate((supplier.authority / "ca.crt").read_bytes()))
    assert not supplier.person("petra").key.exists()
    identities.certify_person(own, supplier, "petra.m_1", request_of(ec.generate_private_key(ec.SECP256R1())))
    assert path in identities.renew(supplier)
    renewed = x509.load_pem_x509_certificate(path.read_bytes())
    assert (renewed.subject, renewed.public_key()) == (made.subject, made.public_key()) and renewed != made
    assert identities.certify_person(own, supplier, "petra", request_of(key)).read_bytes() == path.read_bytes()
    other = ec.generate_private_key(ec.SECP256R1())
    forged = bytearray(x509.load_pem_x509_csr(request_of(other)).public_bytes(serialization.Encoding.DER))
    forged[-1] ^= 1
    unsigned = (
        b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(forged) + b"-----END CERTIFICATE REQUEST-----"
    )
    for request, name, said in (
        (request_of(other), "petra", "another key"),
        (request_of(other), "../admin", "no name for a folder"),
        (request_of(ec.generate_private_key(ec.SECP384R1())), "paul", "curve P-256"),
        (request_of(rsa.generate_private_key(65537, 2048)), "paul", "curve P-256"),
        (unsigned, "paul", "not signed by its own key"),
        (b"nothing", "paul", "no request"),
    ):
        with pytest.raises(SetupError, match=said):
            identities.certify_person(own, supplier, name, request)
    assert not supplier.person("paul").certificate.exists()
