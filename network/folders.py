"""Where an organisation keeps its identities and data: folder names only, it reads and writes nothing.

Layout below `organisations/<name>/`, in the form Fabric's own tools expect (an MSP folder has cacerts, tlscacerts,
signcerts, keystore and config.yaml; a TLS folder has server.crt, server.key and ca.crt).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TlsFolder:
    """A TLS pair and the root it was issued under, as PEM files."""

    path: Path

    @property
    def certificate(self) -> Path:
        return self.path / "server.crt"

    @property
    def key(self) -> Path:
        return self.path / "server.key"

    @property
    def ca(self) -> Path:
        return self.path / "ca.crt"


@dataclass(frozen=True, slots=True)
class MspFolder:
    """An MSP folder; the organisation's own has no key, those of its members do."""

    path: Path

    @property
    def certificate(self) -> Path:
        return self.path / "signcerts" / "cert.pem"

    @property
    def key(self) -> Path:
        return self.path / "keystore" / "key.pem"

    @property
    def ca(self) -> Path:
        return self.path / "cacerts" / "ca.pem"

    @property
    def tls_ca(self) -> Path:
        return self.path / "tlscacerts" / "tlsca.pem"


@dataclass(frozen=True, slots=True)
class OrganisationFolders:
    """All folders of one organisation.

    `user` is the client identity (OU client) that the organisation's node signs with; `node_tls` is the pair for
    mutual TLS between nodes; `tls_ca` is the root by which others recognise this organisation's nodes and peers.
    """

    root: Path

    @property
    def authority(self) -> Path:
        return self.root / "authority"

    @property
    def msp(self) -> MspFolder:
        return MspFolder(self.root / "msp")

    @property
    def user(self) -> MspFolder:
        return MspFolder(self.root / "user" / "msp")

    def person(self, name: str) -> MspFolder:
        """A person's own certificate and key; the key belongs on that person's machine."""
        return MspFolder(self.root / "persons" / name / "msp")

    @property
    def admin(self) -> MspFolder:
        return MspFolder(self.root / "admin" / "msp")

    @property
    def peer(self) -> MspFolder:
        return MspFolder(self.root / "peer" / "msp")

    @property
    def orderer(self) -> MspFolder:
        return MspFolder(self.root / "orderer" / "msp")

    @property
    def admin_tls(self) -> TlsFolder:
        return TlsFolder(self.root / "admin" / "tls")

    @property
    def peer_tls(self) -> TlsFolder:
        return TlsFolder(self.root / "peer" / "tls")

    @property
    def orderer_tls(self) -> TlsFolder:
        return TlsFolder(self.root / "orderer" / "tls")

    @property
    def node_tls(self) -> TlsFolder:
        return TlsFolder(self.root / "node" / "tls")

    @property
    def chaincode_tls(self) -> TlsFolder:
        return TlsFolder(self.root / "chaincode" / "tls")

    @property
    def chaincode_client_tls(self) -> TlsFolder:
        """The pair with which the peer shows itself to the chaincode."""
        return TlsFolder(self.root / "peer" / "chaincode-client")

    @property
    def chaincode_connection(self) -> Path:
        """connection.json for the peer's external builder; it holds a key, so it is no part of the package."""
        return self.root / "peer" / "chaincode-connection.json"

    @property
    def tls_ca(self) -> Path:
        return self.msp.tls_ca

    @property
    def peer_data(self) -> Path:
        return self.root / "data" / "peer"

    @property
    def orderer_data(self) -> Path:
        return self.root / "data" / "orderer"
