"""Attacks on a true story: each changes one thing and signs anew whatever its forger could; one step finds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Envelope
from forge import JSON, NAMES, NOW, Authority, Consortium, Organisation, b64, sealed, unb64
from story import Story, replaced, writes


@dataclass(frozen=True)
class Forgery:
    """What the forger hands over, and what is believed."""

    bundle: bytes
    trust: JSON


Attack = Callable[[Story], Forgery]
ATTACKS: dict[str, tuple[str, Attack]] = {}
"""By what is done: the step that must find it, and how it is done."""


def attack(step: str) -> Callable[[Callable[[Story], Forgery | None]], Callable[[Story], Forgery | None]]:
    """Add one to the table; it changes its story, or hands over something of its own."""

    def add(change: Callable[[Story], Forgery | None]) -> Callable[[Story], Forgery | None]:
        def play(true: Story) -> Forgery:
            story = true.copy()
            return change(story) or Forgery(story.bundle(), story.trust)

        ATTACKS[change.__name__] = step, play
        return change

    return add


def sent(story: Story, place: int, **changed: object) -> bytes:
    """The envelope of a place, sent and endorsed anew with something changed."""
    name, wrote = writes()[place]
    own = next(each for each in story.payload["records"] if each["key"] in wrote)
    of = story.consortium.of
    parts: dict[str, object] = {
        "sender": of[name].client,
        "endorsers": [of[each].peer for each in NAMES[:3]],
        "at": NOW + dt.timedelta(seconds=5 + place),
    }
    return story.consortium.transaction({own["key"]: own["value"]}, **(parts | changed))  # type: ignore[arg-type]


@attack("classical")
def another_organisation_signs_the_bundle(story: Story) -> Forgery:
    person = story.consortium.of["BuyerMSP"].client
    return Forgery(sealed(story.payload, person, story.consortium.post_quantum), story.trust)


@attack("classical")
def an_authority_of_the_same_name_issues_the_signer(story: Story) -> Forgery:
    person = Authority("SupplierMSP").issue("client")
    return Forgery(sealed(story.payload, person, story.consortium.post_quantum), story.trust)


@attack("classical")
def the_signers_certificate_is_expired(story: Story) -> Forgery:
    person = story.consortium.of["SupplierMSP"].authority.issue("client", until=NOW)
    return Forgery(sealed(story.payload, person, story.consortium.post_quantum), story.trust)


@attack("classical")
def the_es256_signature_is_missing(story: Story) -> Forgery:
    person, key = story.consortium.of["SupplierMSP"].client, story.consortium.post_quantum
    return Forgery(sealed(story.payload, person, key, ["ML-DSA-65"]), story.trust)


@attack("post-quantum")
def the_ml_dsa_signature_is_missing(story: Story) -> Forgery:
    person, key = story.consortium.of["SupplierMSP"].client, story.consortium.post_quantum
    return Forgery(sealed(story.payload, person, key, ["ES256"]), story.trust)


@attack("post-quantum")
def both_signatures_are_of_one_kind(story: Story) -> Forgery:
    person, key = story.consortium.of["SupplierMSP"].client, story.consortium.post_quantum
    return Forgery(sealed(story.payload, person, key, ["ES256", "ES256"]), story.trust)


@attack("post-quantum")
def another_post_quantum_key_signs(story: Story) -> Forgery:
    key = Consortium().post_quantum
    return Forgery(sealed(story.payload, story.consortium.of["SupplierMSP"].client, key), story.trust)


@attack("channel")
def a_channel_of_another_genesis_block(story: Story) -> None:
    story.payload["genesis"] = "0" * 64


@attack("ordered")
def a_channel_of_the_same_name_with_four_fake_consenters_of_one_organisation(story: Story) -> None:
    authority = story.consortium.of["SupplierMSP"].authority
    fakes = [(number, authority.issue("orderer")) for number in range(1, 5)]
    for place, block in enumerate(story.payload["blocks"]):
        data = [unb64(each) for each in block["data"]]
        story.payload["blocks"][place] = story.consortium.block(block["number"], data, fakes)


@attack("ordered")
def four_genuine_consenters_of_one_organisation_are_no_quorum(story: Story) -> None:
    """The organisation really has four consenters, and still counts once."""
    authority = story.consortium.of["SupplierMSP"].authority
    own = [(number, authority.issue("orderer")) for number in range(11, 15)]
    known = [{"certificate": each.pem.decode(), "msp_id": "SupplierMSP", "number": number} for number, each in own]
    story.trust["configurations"][0]["consenters"] += known
    block = story.payload["blocks"][0]
    data = [unb64(each) for each in block["data"]]
    story.payload["blocks"][0] = story.consortium.block(block["number"], data, own)


@attack("ordered")
def one_orderer_signs_three_times(story: Story) -> None:
    block = story.payload["blocks"][1]
    one = story.consortium.of["BuyerMSP"].orderer
    data = [unb64(each) for each in block["data"]]
    story.payload["blocks"][1] = story.consortium.block(block["number"], data, [(1, one)] * 3)


@attack("ordered")
def two_orderers_sign_and_three_are_the_quorum(story: Story) -> None:
    story.payload["blocks"][1]["signatures"].pop()


@attack("ordered")
def the_block_is_signed_under_another_configuration(story: Story) -> None:
    story.trust["configurations"].append({**story.trust["configurations"][0], "block": 4})


@attack("included")
def another_invoices_block(story: Story) -> None:
    """Genuine, of the same channel, and the transaction is not in it."""
    block = story.payload["blocks"][0]
    other = [unb64(each) for each in story.payload["blocks"][1]["data"]]
    story.payload["blocks"][0] = story.consortium.block(block["number"], other)


@attack("included")
def the_content_of_a_block_is_not_that_of_its_header(story: Story) -> None:
    story.payload["blocks"][0]["data"].pop(0)
    story.payload["transactions"][0]["index"] = 0


@attack("included")
def a_transaction_is_said_to_stand_at_another_place(story: Story) -> None:
    story.payload["transactions"][0]["index"] = 0


@attack("included")
def a_block_is_there_twice(story: Story) -> None:
    story.payload["blocks"].append(story.payload["blocks"][0])


@attack("included")
def a_block_is_there_that_nothing_is_said_of(story: Story) -> None:
    story.payload["blocks"].append(story.consortium.block(99, [b"neighbours"]))


@attack("endorsed")
def an_endorsement_is_missing(story: Story) -> None:
    endorsers = [story.consortium.of[name].peer for name in NAMES[:2]]
    replaced(story, 0, sent(story, 0, endorsers=endorsers))


@attack("endorsed")
def one_peer_endorses_three_times(story: Story) -> None:
    replaced(story, 0, sent(story, 0, endorsers=[story.consortium.of["BuyerMSP"].peer] * 3))


@attack("endorsed")
def clients_endorse_in_the_place_of_peers(story: Story) -> None:
    clients = [story.consortium.of[name].client for name in NAMES[:3]]
    replaced(story, 0, sent(story, 0, endorsers=clients))


@attack("endorsed")
def peers_of_strangers_endorse_under_the_members_names(story: Story) -> None:
    strangers = [Organisation(Authority(name)).peer for name in NAMES[:3]]
    replaced(story, 0, sent(story, 0, endorsers=strangers))


@attack("endorsed")
def an_expired_peer_endorses(story: Story) -> None:
    old = story.consortium.of["BuyerMSP"].authority.issue("peer", until=NOW)
    peers = [old, *(story.consortium.of[name].peer for name in NAMES[1:3])]
    replaced(story, 0, sent(story, 0, endorsers=peers))


@attack("endorsed")
def endorsements_are_those_of_another_transaction(story: Story) -> None:
    """The sender signs anew what peers have endorsed under another header."""
    from fabric_protos.common.common_pb2 import Payload

    mine = Payload.FromString(Envelope.FromString(sent(story, 0, at=NOW + dt.timedelta(hours=1))).payload)
    mine.data = Payload.FromString(Envelope.FromString(sent(story, 0)).payload).data
    content = mine.SerializeToString()
    signature = story.consortium.of["SupplierMSP"].client.sign(content)
    replaced(story, 0, Envelope(payload=content, signature=signature).SerializeToString())


@attack("endorsed")
def the_senders_signature_is_anothers(story: Story) -> None:
    true = Envelope.FromString(sent(story, 0))
    true.signature = story.consortium.of["BuyerMSP"].client.sign(true.payload)
    replaced(story, 0, true.SerializeToString())


@attack("endorsed")
def the_senders_signature_has_a_high_s(story: Story) -> None:
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
    from forge import ORDER

    true = Envelope.FromString(sent(story, 0))
    r, s = decode_dss_signature(true.signature)
    true.signature = encode_dss_signature(r, ORDER - s)
    replaced(story, 0, true.SerializeToString())


@attack("endorsed")
def a_transaction_of_another_channel(story: Story) -> None:
    replaced(story, 0, sent(story, 0, channel="other"))


@attack("endorsed")
def a_transaction_of_another_contract(story: Story) -> None:
    replaced(story, 0, sent(story, 0, chaincode="toy"))


@attack("endorsed")
def an_envelope_is_cut_off(story: Story) -> None:
    envelope = unb64(story.payload["transactions"][0]["envelope"])[:-900]
    story.payload["transactions"][0]["envelope"] = b64(envelope)
