"""Certificate authorities and identities of an organisation, made with `cryptography`.

Each organisation has two authorities: one for identities (MSP) and one for TLS. Keys are P-256, PKCS#8, mode 0600.
What exists is kept, so running it again changes nothing; a key is written before its certificate, and a pair counts
as existing only when the certificate is there. This room never sends a key anywhere.
Source: Fabric's MSP documentation (NodeOUs: client, peer, admin and orderer as organisational unit), RFC 5280.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from network.errors import SetupError
from network.folders import MspFolder, OrganisationFolders, TlsFolder
from network.topology import Organisation, Topology

AUTHORITY_DAYS = 3650
IDENTITY_DAYS = 365
PERSON_NAME = r"[a-z0-9][a-z0-9._-]{0,39}"  # as persons are called where they sign in, but for its length
BACKDATED = dt.timedelta(minutes=5)  # clocks of other organisations may be a little behind

NODE_OUS = "NodeOUs:\n  Enable: true\n" + "".join(
    f"  {role}OUIdentifier:\n    Certificate: cacerts/ca.pem\n    OrganizationalUnitIdentifier: {role.lower()}\n"
    for role in ("Client", "Peer", "Admin", "Orderer")
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure_identities(topology: Topology) -> None:
    """Make every identity of every organisation that does not exist yet."""
    for organisation, folders in topology.all_folders():
        ensure_organisation(organisation, folders)


def ensure_organisation(organisation: Organisation, folders: OrganisationFolders) -> None:
    """Make the authorities, the MSP and the identities of one organisation; existing ones are kept."""
    identities = _authority(folders.authority, "ca", organisation.name)
    tls = _authority(folders.authority, "tlsca", organisation.name)
    roots = _pem(identities.certificate), _pem(tls.certificate)
    _ensure_msp(folders.msp, roots)
    for msp, role in (
        (folders.peer, "peer"),
        (folders.orderer, "orderer"),
        (folders.admin, "admin"),
        (folders.user, "client"),
    ):
        _ensure_msp(msp, roots)
        subject = _name(organisation.name, role, f"{msp.path.parent.name}.{organisation.name}")
        _ensure_pair(msp.certificate, msp.key, identities, subject, ())
    for pair in tls_folders(folders):
        _ensure_tls(pair, tls, organisation)


def ensure_person(organisation: Organisation, folders: OrganisationFolders, name: str) -> MspFolder:
    """Make the certificate and key of a person who acts for an organisation; an existing pair is kept.

    Args:
        organisation: whose authority issues it.
        folders: of that organisation.
        name: 1 to 40 small letters, digits, dots, dashes and underscores.

    Returns: the folder with both.

    Raises: SetupError when the name is none, or the authority is missing.
    """
    if not re.fullmatch(PERSON_NAME, name, re.ASCII):
        raise SetupError(f"{name!r} is no name for a folder", "Use 1 to 40 small letters, digits, . - and _.")
    authority = load_authority(folders.authority / "ca.crt", folders.authority / "ca.key")
    person = folders.person(name)
    subject = _name(organisation.name, "client", f"{name}.{organisation.name}")
    _ensure_pair(person.certificate, person.key, authority, subject, ())
    return person


def certify_person(organisation: Organisation, folders: OrganisationFolders, name: str, request: bytes) -> Path:
    """Certify the key of a person who made it elsewhere, such as in a browser, and keeps it there.

    Args:
        organisation: whose authority issues it.
        folders: of that organisation.
        name: 1 to 40 small letters, digits, dots, dashes and underscores.
        request: PKCS #10, PEM, signed by its key.

    Returns: the certificate; the one that is there already if it is of that key.

    Raises: SetupError when it is no such request, the name is none or has another key already, or the authority is
        missing.
    """
    remedy = "Have the request made anew, or take another name for another key."
    if not re.fullmatch(PERSON_NAME, name, re.ASCII):
        raise SetupError(f"{name!r} is no name for a folder", "Use 1 to 40 small letters, digits, . - and _.")
    try:
        asked = x509.load_pem_x509_csr(request)
        key = asked.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SetupError(f"that is no request for a certificate: {error}", remedy) from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SetupError("the request's key is not on the curve P-256", remedy)
    if not asked.is_signature_valid:
        raise SetupError("the request is not signed by its own key", remedy)
    person = folders.person(name)
    if person.certificate.exists():
        if x509.load_pem_x509_certificate(person.certificate.read_bytes()).public_key() != key:
            raise SetupError(f"{name} has a certificate of another key: {person.certificate}", remedy)
        return person.certificate
    authority = load_authority(folders.authority / "ca.crt", folders.authority / "ca.key")
    subject = _name(organisation.name, "client", f"{name}.{organisation.name}")  # ours: nobody chooses its own role
    _write(person.certificate, _pem(_leaf(authority, subject, key).sign(authority.key, hashes.SHA256())), 0o644)
    return person.certificate


def tls_folders(folders: OrganisationFolders) -> tuple[TlsFolder, ...]:
    """Every TLS pair an organisation has."""
    return (
        folders.peer_tls,
        folders.orderer_tls,
        folders.admin_tls,
        folders.node_tls,
        folders.chaincode_tls,
        folders.chaincode_client_tls,
    )


def renew(folders: OrganisationFolders) -> list[Path]:
    """Issue anew, under the same keys, every certificate that the channel's configuration holds no copy of.

    Those are all but the orderer's signing certificate: consenters know each other by that one, so it takes an update
    of the channel. A person's key that was made elsewhere stays there: its certificate is enough. Each file is
    replaced in one step; processes go on with what they have read until they are started again.

    Returns: the certificates that were replaced.

    Raises: SetupError when an authority or a key is missing.
    """
    identities = load_authority(folders.authority / "ca.crt", folders.authority / "ca.key")
    tls = load_authority(folders.authority / "tlsca.crt", folders.authority / "tlsca.key")
    persons = [MspFolder(path / "msp") for path in sorted((folders.root / "persons").glob("*"))]
    signing: list[tuple[Path, Path | None]]
    signing = [(each.certificate, each.key) for each in (folders.peer, folders.admin, folders.user)]
    signing += [(each.certificate, each.key if each.key.exists() else None) for each in persons]
    mutual = [(each.certificate, each.key) for each in tls_folders(folders)]
    for issuer, pairs in ((identities, signing), (tls, mutual)):
        for certificate, key in pairs:
            _renew_pair(certificate, key, issuer)
    return [certificate for certificate, _ in (*signing, *mutual)]


def _renew_pair(certificate: Path, key: Path | None, issuer: Authority) -> None:
    """The same certificate, from now on; what it says and its key stay, which is elsewhere where it is None."""
    try:
        before = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = None if key is None else serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise SetupError(f"{certificate} and its key cannot be read: {error}", "Restore both from a backup.") from error
    if private is not None and private.public_key() != before.public_key():
        raise SetupError(f"{key} is not the key of {certificate}", "Restore both from a backup.")
    start = dt.datetime.now(dt.UTC) - BACKDATED
    builder = (
        x509.CertificateBuilder()
        .subject_name(before.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(before.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=IDENTITY_DAYS))
    )
    for extension in before.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    _write(certificate, _pem(builder.sign(issuer.key, hashes.SHA256())), 0o644)


def _authority(folder: Path, name: str, organisation: str) -> Authority:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not certificate.exists():
        fresh = ec.generate_private_key(ec.SECP256R1())
        subject = _name(organisation, "", f"{name}.{organisation}")
        builder = _builder(subject, subject, fresh.public_key(), AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        _write(key, _key_pem(fresh), 0o600)
        _write(certificate, _pem(builder.sign(fresh, hashes.SHA256())), 0o644)
    return load_authority(certificate, key)


def load_authority(certificate: Path, key: Path) -> Authority:
    """Read an authority from its two files.

    Raises: SetupError when a file is missing, or the two do not belong together.
    """
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise SetupError(f"certificate authority {certificate}: {error}", "Restore its files from a backup.") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or loaded.public_key() != private.public_key():
        raise SetupError(f"{key} is not the key of {certificate}", "Restore both from a backup.")
    return Authority(loaded, private)


def _ensure_msp(msp: MspFolder, roots: tuple[bytes, bytes]) -> None:
    for path, content in (
        (msp.ca, roots[0]),
        (msp.tls_ca, roots[1]),
        (msp.path / "config.yaml", NODE_OUS.encode()),
    ):
        if not path.exists():
            _write(path, content, 0o644)


def _ensure_tls(pair: TlsFolder, authority: Authority, organisation: Organisation) -> None:
    label = pair.path.parent.name
    subject = _name(organisation.name, "", f"{label}.{organisation.name}")
    hosts = tuple(dict.fromkeys(("localhost", "127.0.0.1", f"{label}.{organisation.name}", organisation.host)))
    if not pair.ca.exists():
        _write(pair.ca, _pem(authority.certificate), 0o644)
    _ensure_pair(pair.certificate, pair.key, authority, subject, hosts)


def _ensure_pair(certificate: Path, key: Path, issuer: Authority, subject: x509.Name, hosts: tuple[str, ...]) -> None:
    """A leaf under `issuer`; `hosts` makes it a TLS certificate for servers and clients."""
    if certificate.exists():
        return
    fresh = ec.generate_private_key(ec.SECP256R1())
    builder = _leaf(issuer, subject, fresh.public_key())
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    _write(key, _key_pem(fresh), 0o600)
    _write(certificate, _pem(builder.sign(issuer.key, hashes.SHA256())), 0o644)


def _leaf(issuer: Authority, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    builder = _builder(subject, issuer.certificate.subject, key, IDENTITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return builder.add_extension(issuer_id, critical=False)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    start = dt.datetime.now(dt.UTC) - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _key_usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(organisation: str, unit: str, common_name: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)]
    if unit:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    """Write in one step, so that a kill leaves the whole file or none; the mode is there from the first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        target.write(content)
    fresh.replace(path)
