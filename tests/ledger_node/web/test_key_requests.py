"""Requests for certificates of signing keys: what is taken, and what a page makes of any other."""

from __future__ import annotations

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import g
from page_world import signed_in

from ledger_node.errors import BadRequest
from ledger_node.node import Node
from ledger_node.people.key_requests import fingerprint_of
from ledger_node.people.persons import OwnPerson
from ledger_node.web import signed_words
from ledger_node.web.app import UserPort

pytest_plugins = ("sign_in_world",)
pytestmark = pytest.mark.usefixtures("node")
KEY = ec.generate_private_key(ec.SECP256R1())
COMMON, UNIT = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


def request_of(*subject: tuple[x509.ObjectIdentifier, str], is_authority: bool = False) -> bytes:
    """A request of one key, DER."""
    named = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    asked = x509.CertificateSigningRequestBuilder().subject_name(named)
    if is_authority:
        asked = asked.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return asked.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pem(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


OF_CURVE, OTHER_CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030109")
BAD = {
    "another name": request_of((COMMON, "admin")),
    "an administrator": request_of((COMMON, "anna"), (UNIT, "admin")),
    "no name": request_of(),
    "an authority": request_of((COMMON, "anna"), is_authority=True),
    "an unknown curve": request_of((COMMON, "anna")).replace(OF_CURVE, OTHER_CURVE),
}


@pytest.mark.parametrize("name", BAD)
def test_a_request_asks_for_a_certificate_of_its_key_in_the_own_name_and_nothing_else(node: Node, name: str) -> None:
    with pytest.raises(BadRequest):
        node.key_requests.put("1", "anna", pem(BAD[name]))
    assert node.key_requests.all() == []
    node.key_requests.put("1", "anna", pem(request_of((COMMON, "anna"))))


def test_the_page_says_what_is_the_matter_with_a_request(node: Node, port: UserPort) -> None:
    browser = signed_in(node, port)
    for name, request in BAD.items():
        browser.open("/signing-key")
        said = browser.submit(browser.form("request"), request=pem(request))
        assert browser.page.status_code == 400 and "Make the key anew" in said, name
    browser.open("/signing-key")
    browser.submit(browser.form("request"), request=pem(request_of((COMMON, "anna"))))
    assert browser.page.status_code == 200 and len(node.key_requests.all()) == 1


def test_who_signs_already_is_known_however_many_persons_a_page_of_the_list_has(
    node: Node, port: UserPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(node, port)
    made = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([])).serial_number(1)
    made = made.not_valid_before(node.clock).not_valid_after(node.clock + dt.timedelta(days=1))
    person = OwnPerson("5" * 64, "anna", made.public_key(KEY.public_key()).sign(KEY, hashes.SHA256()))
    with node.state.write() as session:
        session.connection().execute(node.persons.insertion(person))
    monkeypatch.setattr("ledger_node.api.persons._own_record", lambda _commitment: {"status": "active"})
    browser.open("/signing-key")
    assert f'data-enrolled="{fingerprint_of(KEY.public_key())}"' in browser.page.get_data(as_text=True)


def test_an_amount_without_a_currency_is_told_as_it_stands_in_the_message(
    port: UserPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    yen = {"ab": {"deposit": "JPY@BankMSP"}}
    monkeypatch.setattr(signed_words, "record_of", lambda _name, value: yen.get(value, {}))
    body = '"facility_ids":["%s"],"invoice_id":null,"net_min_minor":5000'
    with port.pages.test_request_context():
        g.login = None
        for facility_id, told in (("ab", ("JPY", 0)), ("cd", ("minor units", 0))):
            message = '{"body":{%s},"type":"RequestEarlyPayment"}' % (body % facility_id)
            known = signed_words.known_of(message)
            assert (known["currency"], known["digits"]) == told
