"""Cards of organisations: what is in them, and what a card that travelled is refused for."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from founders import begun, card_of

from network import cards, identities, organisation
from network.cards import Card, SignedCard
from network.errors import SetupError
from network.topology import Topology


@pytest.fixture(scope="module")
def buyer(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    return begun(tmp_path_factory.mktemp("one"), "buyer")


@pytest.fixture(scope="module")
def supplier(tmp_path_factory: pytest.TempPathFactory) -> Topology:
    return begun(tmp_path_factory.mktemp("other"), "supplier")


def travelled(signed: SignedCard) -> SignedCard:
    return cards.read(cards.written(signed).encode(), "buyer.card")


def resigned(topology: Topology, **changed: Any) -> SignedCard:
    """A card with other content that the organisation's own authority has signed, as it can."""
    folders = topology.folders(topology.organisations[0].name)
    card = Card(**card_of(topology).card.model_dump() | changed)
    key = (folders.authority / "ca.key").read_bytes()
    return SignedCard(card=card, signature=cards.sign(key, b"ledger-node organisation card 1\n", card))


def leaf(topology: Topology, authority: str, like: str, **options: Any) -> str:
    """A certificate as one of the card's, issued by the organisation's authority with something else in it."""
    folders = topology.folders("buyer")
    issuer = identities.load_authority(folders.authority / f"{authority}.crt", folders.authority / f"{authority}.key")
    before = x509.load_pem_x509_certificate(like.encode())
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().issuer_name(issuer.certificate.subject).public_key(before.public_key())
    builder = builder.subject_name(options.get("subject", before.subject)).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=9)).not_valid_after(
        options.get("ends", now.replace(year=now.year + 1))
    )
    for each in before.extensions:
        if not isinstance(each.value, x509.ExtendedKeyUsage):
            builder = builder.add_extension(each.value, each.critical)
    if usage := options.get("usage"):
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_card_arrives_as_it_was_written_and_holds_only_what_is_public(buyer: Topology) -> None:
    signed = card_of(buyer)
    assert travelled(signed) == signed
    assert "PRIVATE" not in cards.written(signed)
    assert (signed.card.host, signed.card.orderer_port, signed.card.peer_port) == ("buyer.example", 7050, 7053)


def test_a_fingerprint_is_of_the_content_and_the_same_each_time(buyer: Topology, supplier: Topology) -> None:
    assert card_of(buyer).card.fingerprint == card_of(buyer).card.fingerprint
    assert card_of(buyer).card.fingerprint != card_of(supplier).card.fingerprint
    assert len(card_of(buyer).card.fingerprint.replace(" ", "")) == 64


@pytest.mark.parametrize("changed", [{"host": "evil.example"}, {"orderer_port": 7051}, {"name": "bayer"}])
def test_a_card_that_was_changed_on_its_way_is_refused(buyer: Topology, changed: dict[str, Any]) -> None:
    content = json.loads(cards.written(card_of(buyer)))
    content["card"] |= changed
    with pytest.raises(SetupError, match="changed on the way"):
        cards.read(json.dumps(content).encode(), "buyer.card")


def test_a_certificate_that_was_put_in_by_another_is_refused(buyer: Topology, supplier: Topology) -> None:
    for name in ("orderer", "admin", "orderer_tls", "node"):
        foreign = getattr(card_of(supplier).card, name)
        with pytest.raises(SetupError, match="not issued by the card's authority"):
            travelled(resigned(buyer, **{name: foreign}))
    travelled(resigned(buyer))  # the control


def test_a_private_key_in_a_card_is_told_before_anything_else(buyer: Topology) -> None:
    key = buyer.folders("buyer").admin.key.read_text()
    content = json.loads(cards.written(card_of(buyer)))
    content["card"]["admin"] += key
    with pytest.raises(SetupError, match=r"there is a private key in buyer\.card") as refused:
        cards.read(json.dumps(content).encode(), "buyer.card")
    assert "make new keys" in refused.value.remedy


@pytest.mark.parametrize("name", ["authority", "orderer", "node"])
def test_a_second_certificate_behind_the_first_is_refused(buyer: Topology, name: str) -> None:
    card = card_of(buyer).card
    with pytest.raises(SetupError, match="there is more"):
        travelled(resigned(buyer, **{name: getattr(card, name) + card.admin}))


def test_certificates_that_have_ended_or_serve_another_use_are_refused(buyer: Topology) -> None:
    card = card_of(buyer).card
    gone = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    refused = {
        "valid from": {"orderer": leaf(buyer, "ca", card.orderer, ends=gone)},
        "lacks serverAuth or clientAuth": {
            "orderer_tls": leaf(buyer, "tlsca", card.orderer_tls, usage=ExtendedKeyUsageOID.SERVER_AUTH)
        },
        "lacks serverAuth, so Fabric refuses it": {
            "admin": leaf(buyer, "ca", card.admin, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        },
        "organisational unit is client, not admin": {
            "admin": leaf(buyer, "ca", card.admin, subject=subject_of(buyer.folders("buyer").user.certificate))
        },
        "does not name the host": {"host": "elsewhere.example"},
    }
    for text, changed in refused.items():
        with pytest.raises(SetupError, match=text):
            travelled(resigned(buyer, **changed))
    travelled(resigned(buyer, orderer=leaf(buyer, "ca", card.orderer)))  # the control


def subject_of(path: Path) -> x509.Name:
    return x509.load_pem_x509_certificate(path.read_bytes()).subject


def test_what_is_no_card_is_refused_in_words(buyer: Topology) -> None:
    whole = cards.written(card_of(buyer)).encode()
    for content, text in (
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 5000, "is not JSON"),
        (b"{}", "card: is missing"),
        (whole[:-30], "is not JSON"),
        (whole + b" " * cards.CARD_BYTES_MAX, "more than"),
        (whole.replace(b'"name"', b'"nom"', 1), "card.name: is missing"),
        (whole.replace(b"BEGIN CERTIFICATE", b"BEGIN ANYTHING", 1), "cannot be read|changed"),
    ):
        with pytest.raises(SetupError, match=text):
            cards.read(content, "buyer.card")


def test_a_key_on_another_curve_is_no_authority_for_fabric(buyer: Topology) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    own = x509.load_pem_x509_certificate(card_of(buyer).card.authority.encode())
    builder = x509.CertificateBuilder().subject_name(own.subject).issuer_name(own.subject).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(own.not_valid_before_utc).not_valid_after(own.not_valid_after_utc)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    with pytest.raises(SetupError, match="not on P-256"):
        travelled(resigned(buyer, authority=pem))


def together(*parts: Topology, **changed: Any) -> None:
    first, *rest = (card_of(each).card for each in parts)
    cards.check_together([first.model_copy(update=changed), *rest])


def test_two_organisations_that_could_be_taken_for_one_are_refused(buyer: Topology, supplier: Topology) -> None:
    together(buyer, supplier)  # the control
    for changed, text in (
        ({"msp_id": "SupplierMSP"}, "one MSP id: buyer .* and supplier"),
        ({"name": "supplier"}, "one name"),
        ({"authority": card_of(supplier).card.authority}, "one authority"),
        ({"tls_authority": card_of(supplier).card.tls_authority}, "one TLS authority"),
        ({"host": "supplier.example"}, "both at supplier.example:7050"),
        ({"host": "Supplier.Example", "orderer_port": 7053}, "both at"),
        ({"peer_port": 7050}, "the orderer of BuyerMSP and the peer of BuyerMSP are both at"),
        ({"host": "127.0.0.1"}, "BuyerMSP cannot be reached by the others"),
    ):
        with pytest.raises(SetupError, match=text):
            together(buyer, supplier, **changed)


def test_beginning_again_keeps_every_key_and_completes_what_a_kill_left(tmp_path: Path) -> None:
    topology = begun(tmp_path, "buyer")
    folders = topology.folders("buyer")
    before = {path: path.read_bytes() for path in folders.root.rglob("*") if path.is_file()}
    late = folders.user
    for path in (late.certificate, late.key):
        path.unlink()
    again = begun(tmp_path, "buyer")
    assert again == topology
    assert late.key.exists()
    for path, content in before.items():
        assert path.read_bytes() == content or path in (late.certificate, late.key)


def test_beginning_with_something_else_changes_nothing_and_is_refused(tmp_path: Path) -> None:
    begun(tmp_path, "buyer")
    file = tmp_path / "buyer" / "network.yaml"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for host, text in (
        ("other.example", "says something else about organisations"),
        ("a host", "a host's name or IPv4"),
    ):
        with pytest.raises(SetupError, match=text):
            organisation.begin(file, "buyer", host, "BuyerMSP", 7050, "scf", "bft")
    with pytest.raises(SetupError, match="something else about channel, consensus"):
        organisation.begin(file, "buyer", "buyer.example", "BuyerMSP", 7050, "other", "raft")
    file.rename(file.with_suffix(".old"))
    with pytest.raises(SetupError, match="that they belong to is gone"):
        organisation.begin(file, "buyer", "buyer.example", "BuyerMSP", 7050, "scf", "bft")
    file.with_suffix(".old").rename(file)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_lost_key_is_asked_for_and_not_made_anew(tmp_path: Path) -> None:
    topology = begun(tmp_path, "buyer")
    topology.folders("buyer").peer.key.unlink()
    with pytest.raises(SetupError, match="is missing, and its certificate is there"):
        begun(tmp_path, "buyer")
    topology.genesis_block.parent.mkdir(parents=True)
    topology.genesis_block.write_bytes(b"joined")
    topology.folders("buyer").peer.certificate.unlink()
    with pytest.raises(SetupError, match="the channel scf was joined with it"):
        begun(tmp_path, "buyer")
