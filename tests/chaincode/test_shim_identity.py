"""Who asked, read as the Go library `cid` reads it: the id below is what Go computed from the same certificate."""

from __future__ import annotations

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp.identities_pb2 import SerializedIdentity

from chaincode.shim.identity import ATTRIBUTES_OID, ClientIdentity

ISSUER = [
    (NameOID.COUNTRY_NAME, "DE"),
    (NameOID.STATE_OR_PROVINCE_NAME, "Hessen"),
    (NameOID.LOCALITY_NAME, "Frankfurt"),
    (NameOID.STREET_ADDRESS, "Zeil 1"),
    (NameOID.POSTAL_CODE, "60313"),
    (NameOID.ORGANIZATION_NAME, "Müller, Söhne + Co"),
    (NameOID.SERIAL_NUMBER, "42"),
    (NameOID.COMMON_NAME, " #ca "),
]
SUBJECT = [
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
    (NameOID.ORGANIZATIONAL_UNIT_NAME, "trade"),
    (NameOID.DOMAIN_COMPONENT, "example"),
    (NameOID.COMMON_NAME, "first"),
    (NameOID.COMMON_NAME, 'Zoë "Z" <z>;\\'),
]
# cid.GetID() of fabric-chaincode-go 2.3.0, built with Go 1.26, for these two names.
GO_ID = (
    "eDUwOTo6Q049Wm/DqyBcIlpcIiBcPHpcPlw7XFwsT1U9Y2xpZW50K09VPXRyYWRlOjpTRVJJQUxOVU1CRVI9NDIsQ049XCAjY2FcICxPPU3DvGxs"
    "ZXJcLCBTw7ZobmUgXCsgQ28sUE9TVEFMQ09ERT02MDMxMyxTVFJFRVQ9WmVpbCAxLEw9RnJhbmtmdXJ0LFNUPUhlc3NlbixDPURF"
)


def name(parts: list[tuple[x509.ObjectIdentifier, str]]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def creator(attributes: bytes | None = b'{"attrs":{"role":"treasurer","hf.Affiliation":""}}') -> ClientIdentity:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(SUBJECT))
        .issuer_name(name(ISSUER))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
    )
    if attributes is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(ATTRIBUTES_OID, attributes), critical=False)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return ClientIdentity(SerializedIdentity(mspid="SupplierMSP", id_bytes=pem).SerializeToString())


def test_a_client_has_the_id_that_go_gives_it() -> None:
    assert creator().get_id() == GO_ID
    assert creator().get_msp_id() == "SupplierMSP"


def test_attributes_of_the_authority_are_read_and_asserted() -> None:
    client = creator()
    assert [client.get_attribute_value(each) for each in ("role", "hf.Affiliation", "nope")] == ["treasurer", "", None]
    client.assert_attribute_value("role", "treasurer")
    with pytest.raises(ValueError, match="'role' equals 'treasurer', not 'clerk'"):
        client.assert_attribute_value("role", "clerk")
    with pytest.raises(ValueError, match="'nope' was not found"):
        client.assert_attribute_value("nope", "")
    assert creator(None).get_attribute_value("role") is None
    assert creator(b"{}").get_attribute_value("role") is None


@pytest.mark.parametrize("content", [b"", b'{"attrs":[1]}', b'{"attrs":{"role":1}}', b"[]", b"\xff"])
def test_attributes_that_cannot_be_read_are_an_error_and_not_absent(content: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        creator(content).get_attribute_value("role")


def test_organisational_units_are_those_of_the_subject() -> None:
    client = creator()
    assert [client.has_ou_value(unit) for unit in ("client", "trade", "admin")] == [True, True, False]
    units = client.get_x509_certificate().subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    assert [each.value for each in units] == ["client", "trade"]


def test_a_creator_without_a_certificate_is_a_clear_error() -> None:
    with pytest.raises(ValueError, match="the creator of SupplierMSP has no"):
        ClientIdentity(SerializedIdentity(mspid="SupplierMSP", id_bytes=b"idemix").SerializeToString())
