"""Who asked: the creator's certificate, its attributes as fabric-ca writes them, and its organisational units.

Needs cryptography, so nothing else here imports it. Source: `pkg/cid` and `pkg/attrmgr` of fabric-chaincode-go; ids and
attributes are the same, so contracts in Go and Python recognise the same client. Idemix credentials are not read.
"""

from __future__ import annotations

import base64
import json
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from fabric_protos.msp.identities_pb2 import SerializedIdentity

ATTRIBUTES_OID = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
# What Go's `pkix.Name` keeps of a name, in the order in which Go 1.26 writes it, and whether it keeps all or the last.
_NAME_PARTS = (
    (NameOID.SERIAL_NUMBER, "SERIALNUMBER", False),
    (NameOID.COMMON_NAME, "CN", False),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "OU", True),
    (NameOID.ORGANIZATION_NAME, "O", True),
    (NameOID.POSTAL_CODE, "POSTALCODE", True),
    (NameOID.STREET_ADDRESS, "STREET", True),
    (NameOID.LOCALITY_NAME, "L", True),
    (NameOID.STATE_OR_PROVINCE_NAME, "ST", True),
    (NameOID.COUNTRY_NAME, "C", True),
)


class ClientIdentity:
    """The creator of a transaction.

    Args:
        creator: what `get_creator` returns.

    Raises:
        ValueError: its certificate cannot be read.
    """

    def __init__(self, creator: bytes) -> None:
        identity = SerializedIdentity.FromString(creator)
        self.msp_id: str = identity.mspid
        try:
            self._certificate = x509.load_pem_x509_certificate(identity.id_bytes)
        except ValueError as error:
            raise ValueError(f"the creator of {self.msp_id} has no X.509 certificate: {error}") from error

    def get_id(self) -> str:
        """An id that is unique within the MSP and survives a renewal of the certificate."""
        subject, issuer = _name(self._certificate.subject), _name(self._certificate.issuer)
        return base64.b64encode(f"x509::{subject}::{issuer}".encode()).decode()

    def get_msp_id(self) -> str:
        """The MSP id."""
        return self.msp_id

    def get_attribute_value(self, name: str) -> str | None:
        """An attribute that the organisation's authority put into the certificate, None when there is none.

        Raises: ValueError when the certificate's attributes cannot be read.
        """
        return self._attributes.get(name)

    def assert_attribute_value(self, name: str, value: str) -> None:
        """Raise ValueError unless the attribute is there and has this value."""
        found = self.get_attribute_value(name)
        if found is None:
            raise ValueError(f"attribute {name!r} was not found")
        if found != value:
            raise ValueError(f"attribute {name!r} equals {found!r}, not {value!r}")

    def has_ou_value(self, unit: str) -> bool:
        """Whether the certificate names this organisational unit ("client", "admin", ...)."""
        units = self._certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        return any(each.value == unit for each in units)

    def get_x509_certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return self._certificate

    @cached_property
    def _attributes(self) -> dict[str, str]:
        try:
            extension = self._certificate.extensions.get_extension_for_oid(ATTRIBUTES_OID)
        except x509.ExtensionNotFound:
            return {}
        try:
            content: Any = json.loads(extension.value.public_bytes())
            attributes: dict[str, str] = content.get("attrs") or {}
            if not all(isinstance(value, str) for value in attributes.values()):
                raise ValueError("not all are text")
        except (ValueError, AttributeError) as error:
            raise ValueError(f"the attributes in the creator's certificate cannot be read: {error}") from error
        return attributes


def _name(name: x509.Name) -> str:
    parts = []
    for oid, label, all_of_them in _NAME_PARTS:
        values = [_escaped(str(each.value)) for each in name.get_attributes_for_oid(oid)]
        if values:
            parts.append("+".join(f"{label}={value}" for value in (values if all_of_them else values[-1:])))
    return ",".join(parts)


def _escaped(value: str) -> str:
    """As RFC 2253 wants it; Go finds a space at the end by its place in bytes."""
    last = len(value.encode()) - 1
    escaped, place = [], 0
    for character in value:
        at_edge = (place == 0 and character in " #") or (place == last and character == " ")
        escaped.append("\\" + character if at_edge or character in ',+"\\<>;' else character)
        place += len(character.encode())
    return "".join(escaped)
