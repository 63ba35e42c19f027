"""Enrols one more member of an organisation, and revokes it by a channel configuration update.

The list of revoked certificates goes into the organisation's MSP in both groups, Application and Orderer, in one
update that the organisation's own administrator signs.
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID
from fabric_protos.common.common_pb2 import CONFIG_UPDATE, ChannelHeader, Envelope, Header, Payload, SignatureHeader
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
    ConfigValue,
)
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig

from network.gateway import Gateway, Identity, software_signer
from network.gateway.signing import digest_of
from network.identities import load_authority
from network.topology import Topology

GROUPS = ("Application", "Orderer")


def enrolled(
    topology: Topology, organisation: str, key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
) -> Identity:
    """A certificate of the organisation's authority for a client that holds the key."""
    issuer = load_authority(*authority_files(topology, organisation))
    now = dt.datetime.now(dt.UTC)
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([unit, x509.NameAttribute(NameOID.COMMON_NAME, secrets.token_hex(8))]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Identity(topology.organisation(organisation).msp_id, pem)


def stranger() -> Identity:
    """A well-formed identity that no authority vouches for, for peers that do not look."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return Identity("SupplierMSP", certificate.public_bytes(serialization.Encoding.PEM))


async def revoke(topology: Topology, organisation: str, identity: Identity) -> None:
    """Order the update; peers refuse the identity as soon as they have its block."""
    folders = topology.folders(organisation)
    msp_id = topology.organisation(organisation).msp_id
    sign = software_signer(folders.admin.key.read_bytes())
    admin = Identity(msp_id, folders.admin.certificate.read_bytes())
    endpoint = topology.organisation(organisation).peer_endpoint
    async with Gateway(endpoint, admin, sign, tls_roots=folders.tls_ca.read_bytes()) as gateway:
        contract = gateway.network(topology.channel).contract("cscc")
        answer = await contract.evaluate("GetChannelConfig", topology.channel, organisations=(msp_id,))
        update = _update(
            topology.channel, Config.FromString(answer).channel_group, msp_id, _list(topology, organisation, identity)
        )
        header = SignatureHeader(creator=admin.creator, nonce=secrets.token_bytes(24)).SerializeToString()
        signature = ConfigSignature(signature_header=header, signature=sign(digest_of(header + update)))
        envelope = ConfigUpdateEnvelope(config_update=update, signatures=[signature])
        channel = ChannelHeader(type=CONFIG_UPDATE, channel_id=topology.channel)
        channel.timestamp.GetCurrentTime()
        whole = Header(channel_header=channel.SerializeToString(), signature_header=header)
        payload = Payload(header=whole, data=envelope.SerializeToString()).SerializeToString()
        prepared = PreparedTransaction(envelope=Envelope(payload=payload)).SerializeToString()
        await gateway.transaction(prepared).submit()


def authority_files(topology: Topology, organisation: str) -> tuple[Path, Path]:
    """Certificate and key of the authority that issues identities."""
    folder = topology.folders(organisation).authority
    return folder / "ca.crt", folder / "ca.key"


def _list(topology: Topology, organisation: str, identity: Identity) -> bytes:
    """A certificate revocation list with one entry, PEM."""
    issuer = load_authority(*authority_files(topology, organisation))
    now = dt.datetime.now(dt.UTC)
    serial = x509.load_pem_x509_certificate(identity.certificate).serial_number
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(now)
        .next_update(now + dt.timedelta(days=1))
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .add_revoked_certificate(entry)
        .sign(issuer.key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def _update(channel: str, root: ConfigGroup, msp_id: str, revocation_list: bytes) -> bytes:
    """What is read, by version, and the two values that are written with the next version."""
    update = ConfigUpdate(channel_id=channel)
    for sets, is_written in ((update.read_set, False), (update.write_set, True)):
        sets.version = root.version
        for name in GROUPS:
            found = root.groups[name].groups[msp_id]
            sets.groups[name].version = root.groups[name].version
            sets.groups[name].groups[msp_id].version = found.version
            if is_written:
                value = found.values["MSP"]
                changed = ConfigValue(version=value.version + 1, mod_policy=value.mod_policy)
                changed.value = _with_list(value.value, revocation_list)
                sets.groups[name].groups[msp_id].values["MSP"].CopyFrom(changed)
    return bytes(update.SerializeToString())


def _with_list(value: bytes, revocation_list: bytes) -> bytes:
    msp = MSPConfig.FromString(value)
    fabric = FabricMSPConfig.FromString(msp.config)
    fabric.revocation_list.append(revocation_list)
    msp.config = fabric.SerializeToString()
    return bytes(msp.SerializeToString())
