"""What a channel's configuration says of whom to believe, as plain data.

Source: Fabric's MSP documentation (chains, NodeOUs, revocation), `common/policies` for how policies are evaluated.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from network.blocks import Identity
from network.proofs import signatures

CHAIN_LENGTH_MAX = 4  # a leaf, two intermediate authorities, a root


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation: whose certificates are its own, and which of them it has revoked.

    `authorities` are its root and `intermediates` its further authorities, PEM; `revoked` are serial numbers;
    `units` says which organisational unit of a certificate stands for which role ("peer", "client", ...).
    """

    msp_id: str
    authorities: tuple[bytes, ...]
    intermediates: tuple[bytes, ...] = ()
    revoked: frozenset[int] = frozenset()
    units: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Consenter:
    """Who signs blocks under this number: an organisation, and the one certificate (PEM) of its orderer."""

    number: int
    msp_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Rule:
    """A signature policy: one signer of a role ("member" is any) of an organisation, or `out_of` several rules."""

    msp_id: str = ""
    role: str = ""
    out_of: int = 0
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Who orders and endorses from the block after `block` on; `quorum` consenters sign each block."""

    block: int
    quorum: int
    consenters: tuple[Consenter, ...]
    members: tuple[Member, ...]
    endorsement: Rule

    def member(self, msp_id: str) -> Member | None:
        """The organisation of that id."""
        return next((each for each in self.members if each.msp_id == msp_id), None)

    @property
    def majority(self) -> int:
        """More than half of the organisations."""
        return len(self.members) // 2 + 1


def fault(identity: Identity, configuration: Configuration, at: dt.datetime, role: str = "member") -> str:
    """Why a certificate is not what it says it is; empty when it is.

    Args:
        identity: MSP id and certificate.
        configuration: whom to believe.
        at: when it was used.
        role: what its holder has to be.
    """
    member = configuration.member(identity.msp_id)
    if member is None:
        return f"{identity.msp_id or 'nobody'} is no organisation of the channel"
    try:
        return _fault(load(identity.certificate), member, at, role)
    except (ValueError, UnsupportedAlgorithm):  # of some parts only when they are asked for
        return f"what {identity.msp_id} shows is no certificate that can be read"


def _fault(certificate: x509.Certificate, member: Member, at: dt.datetime, role: str) -> str:
    who = f"the certificate {certificate.serial_number:x} of {member.msp_id}"
    if certificate.serial_number in member.revoked:
        return f"{who} is revoked"
    if not _is_within(certificate, at):
        return f"{who} was not valid at {at.isoformat()}"
    if not _is_issued(certificate, member, at, CHAIN_LENGTH_MAX):
        return f"{who} comes from no authority of {member.msp_id}"
    if role != "member" and role not in roles(certificate, member):
        return f"{who} is none of a {role}"
    return ""


def roles(certificate: x509.Certificate, member: Member) -> set[str]:
    """What the holder of a certificate is, beside a member."""
    units = {each.value for each in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)}
    return {role for role, unit in member.units.items() if unit in units}


def satisfied(rule: Rule, signers: Sequence[Identity], configuration: Configuration) -> bool:
    """Whether signers, whose signatures and certificates hold, are all that a policy asks for; each counts once.

    One is who holds a key: a certificate has many spellings in PEM.
    """
    distinct = {(each.msp_id, _key(each)): each for each in signers}
    return _used(rule, list(distinct.values()), configuration, frozenset()) is not None


def _key(identity: Identity) -> bytes:
    key = load(identity.certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


_PEM = re.compile(
    rb"[ \t\r\n]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/= \t\r\n]+)-----END CERTIFICATE-----[ \t\r\n]*", re.ASCII
)


def is_one_pem(text: bytes) -> bool:
    """Whether a text is one certificate in PEM and nothing else: no headers, no words around it."""
    found = _PEM.fullmatch(text)
    body = found[1].translate(None, b" \t\r\n") if found else b""
    try:
        return found is not None and base64.b64encode(base64.b64decode(body, validate=True)) == body
    except binascii.Error:
        return False


@functools.lru_cache(maxsize=256)
def load(certificate: bytes) -> x509.Certificate:
    """A certificate from PEM, which readers take with much around it, and here without. Raises: ValueError."""
    if not is_one_pem(certificate):
        raise ValueError("it is no certificate in PEM and nothing else")
    return _read(x509.load_pem_x509_certificate, certificate)


def load_der(certificate: bytes) -> x509.Certificate:
    """A certificate from DER. Raises: ValueError."""
    return _read(x509.load_der_x509_certificate, certificate)


def _read(reader: Callable[[bytes], x509.Certificate], certificate: bytes) -> x509.Certificate:
    try:
        return reader(certificate)
    except (x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise ValueError(f"it is no certificate that can be read: {error}") from error


def _used(
    rule: Rule, signers: Sequence[Identity], configuration: Configuration, used: frozenset[int]
) -> frozenset[int] | None:
    if rule.rules:
        met = 0
        for each in rule.rules:
            after = _used(each, signers, configuration, used)
            if after is not None:
                met, used = met + 1, after
        return used if met >= rule.out_of else None
    for place, signer in enumerate(signers):
        member = configuration.member(signer.msp_id)
        if place in used or member is None or signer.msp_id != rule.msp_id:
            continue
        if rule.role == "member" or rule.role in roles(load(signer.certificate), member):
            return used | {place}
    return None


def _is_within(certificate: x509.Certificate, at: dt.datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _is_issued(certificate: x509.Certificate, member: Member, at: dt.datetime, length: int) -> bool:
    """Whether a chain of at most that many certificates leads to an authority of the member."""
    if length < 2:
        return False
    if any(_issued_by(certificate, load(pem), at) for pem in member.authorities):
        return True
    return any(
        _issued_by(certificate, authority, at)
        and authority.serial_number not in member.revoked
        and _is_issued(authority, member, at, length - 1)
        for authority in map(load, member.intermediates)
    )


def _issued_by(certificate: x509.Certificate, authority: x509.Certificate, at: dt.datetime) -> bool:
    if certificate.issuer != authority.subject or not _is_within(authority, at) or not _is_authority(authority):
        return False
    return signatures.holds(authority, certificate.signature, certificate.tbs_certificate_bytes, low_s=False)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False
    return constraints.value.ca
