"""An organisation's card: what others have to know of it to found a channel with it, and nothing that is secret.

A card holds certificates, host and ports, and is signed by the organisation's own authority, so that nobody changes it
on its way. That the authority is the organisation's is for people to compare: the card's fingerprint, by telephone.
This room starts nothing and asks nobody.
Source: RFC 5280; FIPS 186-5 (ECDSA). A signature has a nonce, so cards are compared by their content.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from network import certificates
from network.errors import SetupError
from network.faults import described, faults
from network.folders import OrganisationFolders
from network.identities import load_authority
from network.topology import FORMS, Organisation, Port

CARD_BYTES_MAX = 64 * 1024
PEM_CHARACTERS_MAX = 8000
_PURPOSE = b"ledger-node organisation card 1\n"
_ANEW = "Ask the organisation for it again."
T = TypeVar("T", bound=BaseModel)
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What reading a stranger's certificate may end with; of some parts only when they are asked for."""

Pem = Annotated[str, Field(max_length=PEM_CHARACTERS_MAX)]
Signature = Annotated[str, Field(pattern=r"^([0-9a-f]{2}){8,80}$")]
FORMS_OF_FILES = FORMS | {r"^([0-9a-f]{2}){8,80}$": "a signature in hex"}


class Strict(BaseModel):
    """What travels has these fields and no other, and is never changed in place."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Card(Strict):
    """The public part of an organisation; certificates are PEM. `node` is of its node's door for other nodes."""

    form: Literal["organisation card 1"] = "organisation card 1"
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    msp_id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9.-]{0,60}$")
    host: str = Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")
    orderer_port: Port
    peer_port: Port
    authority: Pem
    tls_authority: Pem
    orderer: Pem
    orderer_tls: Pem
    admin: Pem
    node: Pem

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content, 64 hex digits in groups of four: to be compared by telephone."""
        digest = hashlib.sha256(canonical(self)).hexdigest()
        return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


class SignedCard(Strict):
    """A card with the signature (ECDSA over P-256 and SHA-256, DER, hex) of the organisation's authority."""

    card: Card
    signature: Signature


def canonical(content: BaseModel) -> bytes:
    """The one spelling that is signed: JSON in ASCII, keys in order, no blanks."""
    return json.dumps(content.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode("ascii")


def written(content: BaseModel) -> str:
    """A document as it travels: JSON for people to look at."""
    return json.dumps(content.model_dump(mode="json"), indent=1)


def make(organisation: Organisation, folders: OrganisationFolders) -> SignedCard:
    """The organisation's card, from its own files.

    Raises: SetupError when a file is missing, or is not what others could take.
    """
    files = {
        "authority": folders.authority / "ca.crt",
        "tls_authority": folders.authority / "tlsca.crt",
        "orderer": folders.orderer.certificate,
        "orderer_tls": folders.orderer_tls.certificate,
        "admin": folders.admin.certificate,
        "node": folders.node_tls.certificate,
    }
    try:
        content: dict[str, Any] = {name: path.read_text("ascii") for name, path in files.items()}
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Make the organisation's keys first: ledger-node org init. Or restore them from a backup."
        raise SetupError(f"a certificate of {organisation.name} cannot be read: {error}", remedy) from error
    card = Card(
        name=organisation.name,
        msp_id=organisation.msp_id,
        host=organisation.host,
        orderer_port=organisation.ports.orderer,
        peer_port=organisation.ports.peer,
        **content,
    )
    authority = load_authority(folders.authority / "ca.crt", folders.authority / "ca.key")
    signature = authority.key.sign(_PURPOSE + canonical(card), ec.ECDSA(hashes.SHA256()))
    signed = SignedCard(card=card, signature=signature.hex())
    check(signed, dt.datetime.now(dt.UTC))
    return signed


def read(content: bytes, name: str) -> SignedCard:
    """A card from its file, checked.

    Args:
        content: of the file.
        name: of the file, for errors.

    Raises: SetupError saying what is wrong with it.
    """
    signed = parsed(content, name, SignedCard, CARD_BYTES_MAX)
    check(signed, dt.datetime.now(dt.UTC))
    return signed


def parsed(content: bytes, name: str, kind: type[T], bytes_max: int) -> T:
    """A document that came from another organisation, of the right form; nothing of what it says is believed yet.

    Raises: SetupError, also when there is a private key in it.
    """
    if b"PRIVATE KEY" in content:
        remedy = "Delete it. Whose key it is has to make new keys, since others may have read it on the way."
        raise SetupError(f"there is a private key in {name}, which nobody else may have", remedy)
    if len(content) > bytes_max:
        raise SetupError(f"{name} has {len(content)} bytes, more than {bytes_max}", _ANEW)
    try:
        return kind.model_validate(json.loads(content))
    except ValidationError as error:
        raise SetupError(f"{name}: {described(faults(error, FORMS_OF_FILES))}", _ANEW) from error
    except (ValueError, RecursionError) as error:
        raise SetupError(f"{name} is not JSON", _ANEW) from error


def check(signed: SignedCard, now: dt.datetime) -> None:
    """Whether a card is whole: signed by its own authority, and each certificate fit for its use now.

    Raises: SetupError naming the organisation and the fault.
    """
    card = signed.card
    try:
        fault = next(_faults(signed, now), "")
    except UNREADABLE as error:
        fault = f"one of its certificates cannot be read: {error}"
    if fault:
        raise SetupError(f"the card of {card.msp_id} cannot be used: {fault}", "Have the organisation write it anew.")


def check_together(cards: Sequence[Card]) -> None:
    """Whether organisations can be on one channel: nothing that tells them apart is two organisations' own.

    Raises: SetupError naming both.
    """
    unique: tuple[tuple[str, Callable[[Card], object]], ...] = (
        ("MSP id", lambda card: card.msp_id),
        ("name", lambda card: card.name),
        ("authority", lambda card: card.authority),
        ("TLS authority", lambda card: card.tls_authority),
    )
    for what, of in unique:
        owners: dict[object, Card] = {}
        for card in cards:
            other = owners.setdefault(of(card), card)
            if other is not card:
                who = f"{other.name} ({other.msp_id}) and {card.name} ({card.msp_id})"
                raise SetupError(f"two cards have one {what}: {who}", "Leave one of them out, or have it made anew.")
    places: dict[tuple[str, int], str] = {}
    for card in cards:
        for kind, port in (("orderer", card.orderer_port), ("peer", card.peer_port)):
            here = f"the {kind} of {card.msp_id}"
            other_place = places.setdefault((card.host.lower(), port), here)
            if other_place != here:
                text = f"{other_place} and {here} are both at {card.host}:{port}"
                raise SetupError(text, "One of them has to move to another port or host, and to write its card anew.")
    near = sorted({is_loopback(card.host) for card in cards})
    if len(near) > 1:
        lonely = ", ".join(card.msp_id for card in cards if is_loopback(card.host))
        raise SetupError(f"{lonely} cannot be reached by the others: the host is this machine's own", "Give a name.")


def is_loopback(host: str) -> bool:
    """Whether a host is reached from its own machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def verify(signature: str, purpose: bytes, content: BaseModel, certificate: str) -> bool:
    """Whether the owner of a certificate has signed this content for that purpose."""
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    try:
        if not isinstance(public, ec.EllipticCurvePublicKey):
            return False
        public.verify(bytes.fromhex(signature), purpose + canonical(content), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def sign(key: bytes, purpose: bytes, content: BaseModel) -> str:
    """Sign content for a purpose by a private key in PEM; hex.

    Raises: ValueError when it is no key on an elliptic curve.
    """
    private = load_pem_private_key(key, None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("the private key is not on an elliptic curve")
    return private.sign(purpose + canonical(content), ec.ECDSA(hashes.SHA256())).hex()


def issued_by(certificate: str, authority: str, unit: str, now: dt.datetime) -> str:
    """Why a certificate is not one of an authority's for an organisational unit; empty when it is.

    Args:
        certificate: PEM.
        authority: PEM.
        unit: that its subject has to name; empty for any.
        now: UTC.

    Raises: one of UNREADABLE when one of them is no certificate.
    """
    leaf, root = (x509.load_pem_x509_certificate(each.encode()) for each in (certificate, authority))
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        return f"it is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d} only"
    try:
        leaf.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return "it was not issued by the card's authority"
    units = [each.value for each in leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)]
    return (
        f"its organisational unit is {', '.join(map(str, units)) or 'none'}, not {unit}"
        if unit and unit not in units
        else ""
    )


def _faults(signed: SignedCard, now: dt.datetime) -> Iterator[str]:
    card = signed.card
    for pem in (card.authority, card.tls_authority, card.orderer, card.orderer_tls, card.admin, card.node):
        if x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.PEM).decode() != pem:
            yield "where one certificate has to be, there is more"
    for name, authority in (("authority", card.authority), ("TLS authority", card.tls_authority)):
        if fault := _unfit_authority(authority, now):
            yield f"its {name}: {fault}"
    if not verify(signed.signature, _PURPOSE, card, card.authority):
        yield "its authority has signed something else, so it was changed on the way"
    identities = (("orderer", card.orderer, "orderer"), ("admin", card.admin, "admin"))
    tls = (("orderer's TLS", card.orderer_tls), ("node's TLS", card.node))
    for name, certificate, unit in identities:
        if fault := issued_by(certificate, card.authority, unit, now) or certificates.unfit(
            certificate.encode(), tls=False
        ):
            yield f"the {name} certificate: {fault}"
    for name, certificate in tls:
        fault = issued_by(certificate, card.tls_authority, "", now) or certificates.unfit(
            certificate.encode(), tls=True
        )
        if fault or (fault := _unnamed(certificate, card.host)):
            yield f"the {name} certificate: {fault}"


def _unfit_authority(pem: str, now: dt.datetime) -> str:
    root = x509.load_pem_x509_certificate(pem.encode())
    if not root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        return "its certificate is none of an authority"
    if not isinstance(key := root.public_key(), ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return "its key is not on P-256"
    return issued_by(pem, pem, "", now)


def _unnamed(certificate: str, host: str) -> str:
    """Whether a TLS certificate lacks the host: nobody would connect there."""
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    known = {str(each.value).lower() for each in names}
    return "" if host.lower() in known else f"it does not name the host {host}"
