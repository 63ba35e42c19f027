"""Which certificates and revocation lists an organisation has, and when each ends. It reads files and asks nobody.

All of them stop something: an orderer or peer that nobody connects to, an administrator whom no peer hears, a node that
cannot sign. So all are dated, also those of persons, and the authorities' own.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from network.errors import NetworkError, SetupError
from network.folders import OrganisationFolders
from network.topology import Organisation, Topology

DAYS_WARNED = 30
ORDERER_SIGNING = "orderer.signing"


@dataclass(frozen=True, slots=True)
class Dated:
    """A certificate or a revocation list, and when it ends.

    Args:
        name: whose and what for, for example "supplier.peer.tls".
        path: the file.
        ends: in UTC.
    """

    name: str
    path: Path
    ends: dt.datetime

    def days_left(self, now: dt.datetime) -> int:
        """Whole days until it ends; negative when it has ended."""
        return (self.ends - now).days


def dated(topology: Topology) -> list[Dated]:
    """All certificates and revocation lists that are there: of the own organisations, then the others' TLS roots.

    Raises: SetupError when a file is no certificate or no list.
    """
    own = [each for organisation, folders in topology.all_folders() for each in of_organisation(organisation, folders)]
    roots = [(other.name, topology.root_of(other)) for other in topology.others]
    return own + [Dated(f"{name}.authority.tls", path, expiry(path)) for name, path in roots if path.exists()]


def of_organisation(organisation: Organisation, folders: OrganisationFolders) -> list[Dated]:
    """All certificates and revocation lists of an organisation that are there.

    Raises: SetupError when a file is no certificate or no list.
    """
    found = []
    for name, path in _files(folders):
        if path.exists():
            found.append(Dated(f"{organisation.name}.{name}", path, expiry(path)))
    return found


def expiry(path: Path) -> dt.datetime:
    """When a certificate or a revocation list ends, in UTC.

    Raises: SetupError when the file is missing or neither.
    """
    try:
        content = path.read_bytes()
        if b"X509 CRL" in content:
            return x509.load_pem_x509_crl(content).next_update_utc or dt.datetime.max.replace(tzinfo=dt.UTC)
        return x509.load_pem_x509_certificate(content).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise SetupError(f"{path} is no readable certificate: {error}", "Restore it from a backup.") from error


def ended(topology: Topology, name: str, now: dt.datetime) -> list[Dated]:
    """Those of an organisation that have ended."""
    found = of_organisation(topology.organisation(name), topology.folders(name))
    return [each for each in found if each.ends <= now]


def renewal(each: Dated) -> str:
    """What renews it, for the error that names it."""
    organisation, _, name = each.name.partition(".")
    if name == ORDERER_SIGNING:
        return "The channel holds a copy of this one: see docs/how-to/monitor.md, When a certificate ends."
    if name.startswith("authority") or name.startswith("revocation"):
        return "An authority's own: see docs/how-to/monitor.md, When a certificate ends."
    return f"Renew it: ledger-node network renew {organisation}, then ledger-node network restart"


def refused(topology: Topology, name: str, what: str, error: ssl.SSLError) -> NetworkError:
    """The error for a TLS connection that did not come about: an ended certificate is named with its date.

    Args:
        topology: the network.
        name: the organisation whose both ends are.
        what: was connected to, in words.
        error: of the handshake.
    """
    gone = ended(topology, name, dt.datetime.now(dt.UTC))
    if not gone:
        return NetworkError(f"{what}: no TLS connection: {error}", "Do certificate, key and authority belong together?")
    dates = ", ".join(f"{each.name} ({each.path}) ended on {each.ends:%Y-%m-%d %H:%M} UTC" for each in gone)
    return NetworkError(f"{what}: no TLS connection: {dates}", renewal(gone[0]))


def unfit(pem: bytes, *, tls: bool) -> str:
    """Why the purposes that a certificate is limited to (extendedKeyUsage) keep it from being used here.

    Certificates of a company's own authority, or from a smart card, are often limited. Fabric takes the identity of an
    orderer, peer or client if it may serve TLS, or is not limited; limited to clients or mail it is "creator is
    malformed". A pair for TLS is shown on both ends, so it must be good for both. Seen with Fabric 3.1.0.

    Args:
        pem: the certificate.
        tls: whether it is for TLS, and not an identity.

    Returns: the fault in words; empty when it can be used, or is no certificate, which others tell.
    """
    try:
        usage = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, x509.ExtensionNotFound):
        return ""
    needed = {ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if tls else [])}
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage or needed <= set(usage):
        return ""
    if tls:
        return "its extendedKeyUsage lacks serverAuth or clientAuth: have it issued with both, or without the extension"
    return "its extendedKeyUsage lacks serverAuth, so Fabric refuses it: have it issued without the extension"


def unfit_files(folders: OrganisationFolders) -> Iterator[tuple[str, Path, str]]:
    """Those of an organisation's certificates that cannot be used for what they are for: name, file, fault."""
    for name, path in _files(folders):
        is_tls = name.endswith(".tls") and not name.startswith("authority")
        if path.exists() and (is_tls or name.endswith(".signing")) and (fault := unfit(path.read_bytes(), tls=is_tls)):
            yield name, path, fault


def _files(folders: OrganisationFolders) -> Iterator[tuple[str, Path]]:
    yield "authority", folders.authority / "ca.crt"
    yield "authority.tls", folders.authority / "tlsca.crt"
    yield ORDERER_SIGNING, folders.orderer.certificate
    yield "orderer.tls", folders.orderer_tls.certificate
    yield "peer.signing", folders.peer.certificate
    yield "peer.tls", folders.peer_tls.certificate
    yield "peer.chaincode-client.tls", folders.chaincode_client_tls.certificate
    yield "chaincode.tls", folders.chaincode_tls.certificate
    yield "admin.signing", folders.admin.certificate
    yield "admin.tls", folders.admin_tls.certificate
    yield "user.signing", folders.user.certificate
    yield "node.tls", folders.node_tls.certificate
    for person in sorted((folders.root / "persons").glob("*")):
        yield f"person.{person.name}", folders.person(person.name).certificate
    for revoked in sorted(folders.root.glob("**/crls/*.pem")):
        yield f"revocation list.{revoked.relative_to(folders.root)}", revoked
