"""Founding together: what is proposed and signed, what it is refused for, and the block that everybody makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.common.configuration_pb2 import Orderers
from founders import NAMES, begun, card_of, now, proposed, signed_by

from network import cards, channel, founding, tools
from network.errors import SetupError
from network.founding import SignedFounding
from network.topology import Topology, demo_topology

pytestmark = pytest.mark.alone  # configtxgen is another program


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> list[Topology]:
    home = tmp_path_factory.mktemp("founders")
    return [begun(home, name) for name in NAMES]


@pytest.fixture(scope="module")
def unsigned(four: list[Topology]) -> SignedFounding:
    return proposed(four)


@pytest.fixture(scope="module")
def signed(four: list[Topology], unsigned: SignedFounding) -> SignedFounding:
    return signed_by(four, unsigned)


@pytest.fixture(scope="module")
def block(signed: SignedFounding) -> bytes:
    return founding.genesis(tools.find_or_build(print), signed)


def file_of(whole: SignedFounding) -> tuple[str, bytes]:
    return "founding.json", cards.written(whole).encode()


def changed(whole: SignedFounding, **content: Any) -> SignedFounding:
    return whole.model_copy(update={"founding": whole.founding.model_copy(update=content)})


def test_whoever_proposes_the_cards_stand_in_one_order(four: list[Topology]) -> None:
    for order in (four, four[::-1]):
        names = [each.card.name for each in proposed(order).founding.cards]
        assert names == ["buyer", "carrier", "financier", "supplier"]


def test_copies_that_are_signed_apart_are_put_together(
    four: list[Topology], unsigned: SignedFounding, signed: SignedFounding
) -> None:
    apart = [founding.sign(each, unsigned) for each in four]
    assert [len(each.signatures) for each in apart] == [1] * 4
    whole = founding.read(map(file_of, apart))
    assert whole.missing() == []
    assert signed.missing() == []
    assert founding.read([file_of(signed), file_of(apart[0])]).founding == signed.founding


def test_a_signature_that_is_missing_is_named_and_no_block_is_made(
    four: list[Topology], unsigned: SignedFounding
) -> None:
    with pytest.raises(SetupError, match="not signed yet by CarrierMSP, FinancierMSP"):
        founding.genesis(tools.find_or_build(print), signed_by(four[:2], unsigned))


def test_what_all_have_signed_cannot_be_changed(four: list[Topology], signed: SignedFounding) -> None:
    other = [each for each in signed.founding.cards if each.card.name != "carrier"]
    for whole, text in (
        (changed(signed, channel="other"), "is of another founding"),
        (changed(signed, consensus="raft"), "is of another founding"),
        (changed(signed, proposed_at="2026-01-01T00:00:00Z"), "is of another founding"),
        (changed(signed, cards=tuple(other)), "CarrierMSP has signed the founding and is no founder"),
        (changed(signed, cards=signed.founding.cards[::-1]), "order of MSP ids"),
    ):
        with pytest.raises(SetupError, match=text):
            founding.read([file_of(whole)])
    with pytest.raises(SetupError, match="of different foundings"):
        founding.read([file_of(signed), file_of(changed(proposed(four), channel="other"))])


def test_somebody_elses_signature_is_not_taken_for_ones_own(signed: SignedFounding) -> None:
    swapped = signed.signatures | {"BuyerMSP": signed.signatures["SupplierMSP"]}
    with pytest.raises(SetupError, match="the signature of BuyerMSP is of another founding"):
        founding.read([file_of(signed.model_copy(update={"signatures": swapped}))])


def test_nobody_signs_a_founding_with_another_card_than_the_own(four: list[Topology], tmp_path: Path) -> None:
    impostor = begun(tmp_path, "buyer")
    with pytest.raises(SetupError, match="is not what its own files say"):
        founding.sign(impostor, proposed(four))
    with pytest.raises(SetupError, match="StrangerMSP is not among the founders"):
        founding.sign(begun(tmp_path, "stranger"), proposed(four))


def test_nobody_signs_another_channel_than_the_own_file_says(four: list[Topology], tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"the founding says channel: other, and .*network.yaml says scf"):
        founding.sign(four[0], changed(proposed(four), channel="other"))
    with pytest.raises(SetupError, match="one machine runs alone"):
        founding.sign(demo_topology(tmp_path, 20000), proposed(four))


def test_bft_with_fewer_than_four_is_refused_when_it_is_proposed(four: list[Topology]) -> None:
    with pytest.raises(SetupError, match="3 orderers tolerate none"):
        founding.propose(four[0], [card_of(each) for each in four[:3]], now())


def test_everybody_makes_the_same_block_from_the_same_file(signed: SignedFounding, block: bytes) -> None:
    programs = tools.find_or_build(print)
    assert all(founding.genesis(programs, founding.read([file_of(signed)])) == block for _ in range(3))
    later = changed(signed, proposed_at="2026-01-01T00:00:00Z")
    assert founding.settled(block, later.founding) != block


def test_the_block_names_every_founder_by_its_card(signed: SignedFounding, block: bytes) -> None:
    payload = Payload.FromString(Envelope.FromString(Block.FromString(block).data.data[0]).payload)
    assert ChannelHeader.FromString(payload.header.channel_header).channel_id == "scf"
    group = ConfigEnvelope.FromString(payload.data).config.channel_group
    msp_ids = ["BuyerMSP", "CarrierMSP", "FinancierMSP", "SupplierMSP"]
    assert sorted(group.groups["Application"].groups) == sorted(group.groups["Orderer"].groups) == msp_ids
    mapping = Orderers.FromString(group.groups["Orderer"].values["Orderers"].value).consenter_mapping
    assert [each.msp_id for each in mapping] == msp_ids
    assert [each.identity.decode() for each in mapping] == [each.card.orderer for each in signed.founding.cards]


def test_joining_keeps_the_block_and_the_others_and_can_be_repeated(
    signed: SignedFounding, block: bytes, tmp_path: Path
) -> None:
    four = [begun(tmp_path, name) for name in NAMES]
    whole, programs = signed_by(four, proposed(four)), tools.find_or_build(print)
    made, buyer = founding.genesis(programs, whole), four[1]
    with pytest.raises(SetupError, match="is not the one that all have signed"):
        founding.join(buyer, programs, whole, block)  # of the other founding
    assert Topology.load(buyer.file).others == ()
    text = buyer.file.read_text()
    buyer.file.write_text("# ours\n" + text)
    for _ in range(2):
        digest = founding.join(Topology.load(buyer.file), programs, whole, made)
    joined = Topology.load(buyer.file)
    assert digest == founding.digest(made)
    assert joined.genesis_block.read_bytes() == made
    assert [each.msp_id for each in joined.others] == ["CarrierMSP", "FinancierMSP", "SupplierMSP"]
    assert buyer.file.read_text().startswith("# ours\n")
    assert joined.root_of(joined.others[2]).read_bytes() == four[0].folders("supplier").tls_ca.read_bytes()
    assert sorted(path.name for path in (joined.data / "organisations").iterdir()) == ["buyer"]
    joined.genesis_block.write_bytes(block)
    with pytest.raises(SetupError, match="is the block of another channel"):
        founding.join(joined, programs, whole, made)


def test_killed_before_the_block_was_kept_nothing_is_founded_alone(four: list[Topology]) -> None:
    with pytest.raises(SetupError, match="there is no genesis block of the channel scf here yet"):
        channel.write_genesis(four[0], tools.find_or_build(print))


@pytest.mark.parametrize("content", [b"", b"\x0a\x02\x08\x01", b"no block"])
def test_what_is_no_block_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(SetupError, match="this is no genesis block"):
        founding.digest(content)


def test_what_is_no_founding_is_refused_in_words(signed: SignedFounding) -> None:
    content = json.loads(file_of(signed)[1])
    content["founding"]["cards"] = []
    for broken, text in (
        (b"", "is not JSON"),
        (b"[]", "founding.json"),
        (json.dumps(content).encode(), "founding.cards: is empty"),
        (file_of(changed(signed, proposed_at="2026-02-30T00:00:00Z"))[1], "was proposed at no time"),
        (b" " * (founding.FOUNDING_BYTES_MAX + 1), "more than"),
    ):
        with pytest.raises(SetupError, match=text):
            founding.read([("founding.json", broken)])


def test_who_runs_elsewhere_is_known_by_name_and_never_started(four: list[Topology]) -> None:
    content = four[1].model_dump(mode="json", exclude_none=True)
    other = {"name": "supplier", "msp_id": "SupplierMSP", "host": "supplier.example", "orderer": 7050, "peer": 7053}
    topology = Topology.model_validate(content | {"others": [other]})
    assert [each.name for each in topology.members] == ["buyer", "supplier"]
    assert topology.place(topology.organisations[0]) == 0
    with pytest.raises(SetupError, match="there is no organisation 'supplier'"):
        topology.folders("supplier")
    for wrong, text in (
        ({"others": [other], "founding": "alone"}, "founding is alone"),
        ({"others": [other | {"name": "buyer"}]}, "name 'buyer' is used by more than one"),
        ({"others": [other | {"msp_id": "BuyerMSP"}]}, "msp_id 'BuyerMSP' is used by more than one"),
        ({"others": [other | {"host": "buyer.example"}]}, "port 7050 of buyer.example is given to both"),
    ):
        with pytest.raises(ValueError, match=text):
            Topology.model_validate(content | wrong)
