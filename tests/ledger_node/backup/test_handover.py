"""The fingerprint key on its way: who can open it, and what it is refused for."""

from __future__ import annotations

from typing import Any

import pytest
from founders import NAMES, begun, now, proposed, signed_by

from ledger_node.backup import handover
from ledger_node.backup.handover import Identity, SignedHandover
from ledger_node.errors import BadRequest, VerificationError
from network import cards
from network.errors import SetupError
from network.founding import Founding
from network.topology import Topology

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Topology]:
    home = tmp_path_factory.mktemp("founders")
    return {name: begun(home, name) for name in NAMES}


@pytest.fixture(scope="module")
def founded(four: dict[str, Topology]) -> Founding:
    return signed_by(list(four.values()), proposed(list(four.values()))).founding


def giver(topology: Topology) -> Identity:
    own = topology.organisations[0]
    user = topology.folders(own.name).user
    return Identity(own.msp_id, user.certificate.read_text(), user.key.read_bytes())


@pytest.fixture(scope="module")
def given(four: dict[str, Topology], founded: Founding) -> SignedHandover:
    return handover.give(KEY, 1, giver(four["supplier"]), founded, now())


def taken(signed: SignedHandover, four: dict[str, Topology], name: str, founded: Founding) -> bytes:
    own = four[name].folders(name).node_tls.key.read_bytes()
    return handover.take(signed, f"{name.capitalize()}MSP", own, founded, now())


def test_every_other_founder_opens_it_and_nobody_else(
    given: SignedHandover, four: dict[str, Topology], founded: Founding
) -> None:
    for name in NAMES[1:]:
        assert taken(given, four, name, founded) == KEY
    with pytest.raises(BadRequest, match="not for SupplierMSP"):
        taken(given, four, "supplier", founded)
    stranger = four["buyer"].folders("buyer").user.key.read_bytes()
    with pytest.raises(BadRequest, match="and this key is"):
        handover.take(given, "BuyerMSP", stranger, founded, now())


def test_what_travels_does_not_show_the_key(given: SignedHandover) -> None:
    text = cards.written(given)
    assert KEY.hex() not in text
    assert cards.parsed(text.encode(), "key", SignedHandover, handover.HANDOVER_BYTES_MAX) == given


def resigned(given: SignedHandover, by: Identity, **changed: Any) -> SignedHandover:
    content = given.handover.model_copy(update=changed)
    signature = cards.sign(by.private_key, b"ledger-node fingerprint key 1\n", content)
    return SignedHandover(handover=content, signature=signature)


def test_another_key_cannot_be_put_in_its_place(
    given: SignedHandover, four: dict[str, Topology], founded: Founding
) -> None:
    carrier = giver(four["carrier"])
    other = handover.give(bytes(32), 1, carrier, founded, now())
    assert taken(other, four, "buyer", founded) == bytes(32)  # the control: a founder may give one
    admin = four["supplier"].folders("supplier").admin
    clerk = Identity("SupplierMSP", admin.certificate.read_text(), admin.key.read_bytes())
    for forged, text in (
        (given.model_copy(update={"handover": given.handover.model_copy(update={"epoch": 2})}), "it was changed"),
        (given.model_copy(update={"signature": other.signature}), "it was changed"),
        (resigned(given, carrier, sealed=other.handover.sealed), "it was changed"),
        (resigned(other, carrier, giver="SupplierMSP"), "was not issued by the card's authority"),
        (resigned(given, clerk, certificate=clerk.certificate), "organisational unit is admin, not client"),
        (resigned(other, carrier, giver="StrangerMSP"), "not of this founding"),
        (resigned(other, carrier, channel="other"), "not of this founding"),
        (resigned(other, carrier, sealed="%%%"), "not base64"),
        (resigned(other, carrier, certificate="none"), "cannot be read"),
    ):
        with pytest.raises(VerificationError, match=text):
            taken(forged, four, "buyer", founded)


def test_a_cut_off_lock_and_a_key_of_another_length_are_refused(
    given: SignedHandover, four: dict[str, Topology], founded: Founding
) -> None:
    supplier = giver(four["supplier"])
    with pytest.raises(VerificationError, match="cut off"):
        taken(resigned(given, supplier, sealed=given.handover.sealed[:-8]), four, "buyer", founded)
    with pytest.raises(VerificationError, match="has 31 bytes"):
        taken(handover.give(KEY[:31], 1, supplier, founded, now()), four, "buyer", founded)


def test_whoever_is_alone_has_nobody_to_give_it_to(four: dict[str, Topology], founded: Founding) -> None:
    stranger = giver(four["supplier"])
    with pytest.raises(BadRequest, match="has nobody in this founding"):
        handover.give(KEY, 1, Identity("StrangerMSP", stranger.certificate, stranger.private_key), founded, now())


def test_a_private_key_that_travels_with_it_is_told() -> None:
    with pytest.raises(SetupError, match="there is a private key"):
        cards.parsed(b"-----BEGIN PRIVATE KEY-----", "sealed", SignedHandover, 100)
