"""Attacks on where things stand and on what belongs together; what spoils an honest bundle; and controls.

A table of its own for what must not be called a forgery: the step says ERROR, and nothing says INVALID.
"""

from __future__ import annotations

import base64
import copy
import datetime as dt
import json
from collections.abc import Callable

from attacks import attack, sent
from cryptography.hazmat.primitives import serialization
from fabric_protos.common.common_pb2 import Envelope, Payload
from forge import JSON, NAMES, NOW, Authority, Organisation, Person, b64, unb64
from story import DOCUMENT, RECORD, Story, replaced

OPEN: dict[str, tuple[str, Callable[[Story], None]]] = {}
"""By what is the case: the step that must say ERROR, and what makes it so."""
ATTESTATION = f"attestation/{DOCUMENT}/BuyerMSP"


def left_open(step: str) -> Callable[[Callable[[Story], None]], Callable[[Story], None]]:
    """Add one to the table of what cannot be told."""

    def add(change: Callable[[Story], None]) -> Callable[[Story], None]:
        OPEN[change.__name__] = step, change
        return change

    return add


def added(story: Story, block: int, key: str, value: str, sender: str = "BuyerMSP", **how: object) -> None:
    """One more transaction, in a block of its own, with its record."""
    of = story.consortium.of
    endorsers = [of[name].peer for name in NAMES[:3]]
    envelope = story.consortium.transaction({key: value}, of[sender].client, endorsers, **how)  # type: ignore[arg-type]
    given = story.consortium.witnessed(envelope, block, 0)
    story.payload["transactions"].append(given)
    story.payload["blocks"].append(story.consortium.block(block, [envelope]))
    story.payload["records"].append({"key": key, "transaction": given["id"], "value": value})


def _cut(story: Story, place: int, number: int, block: JSON, pieces: list[bytes], index: int) -> None:
    """The same content of a genuine block, cut at other places, so that a transaction seems to stand there."""
    block["data"] = [b64(each) for each in pieces]
    story.payload["blocks"][place] = block
    story.payload["transactions"][place] |= {"block": number, "index": index}


@attack("included")
def an_earlier_envelope_is_cut_to_show_the_transaction_within_it(story: Story) -> None:
    inner = unb64(story.payload["transactions"][1]["envelope"])
    outer = Envelope(payload=Payload(data=b"memo" + inner + b"memo").SerializeToString(), signature=b"own")
    whole = outer.SerializeToString()
    start = whole.index(inner)
    pieces = [whole[:start], inner, whole[start + len(inner) :]]
    _cut(story, 1, 2, story.consortium.block(2, [whole]), pieces, 1)


@attack("included")
def an_earlier_envelope_is_cut_where_a_field_of_no_meaning_begins(story: Story) -> None:
    """The transaction is in a field behind the signature, which readers pass over."""
    inner = unb64(story.payload["transactions"][1]["envelope"])
    outer = Envelope(payload=b"memo", signature=b"own").SerializeToString() + b"\x1b"
    block = story.consortium.block(2, [outer + inner + b"\x1c"])
    _cut(story, 1, 2, block, [outer, inner, b"\x1c"], 1)


@attack("included")
def pieces_without_content_move_a_transaction_to_another_place(story: Story) -> None:
    story.payload["blocks"][0]["data"][:0] = ["", ""]
    story.payload["transactions"][0]["index"] = 3


@attack("included")
def two_envelopes_in_one_piece_move_a_transaction_to_another_place(story: Story) -> None:
    block, neighbour = story.payload["blocks"][0], Envelope(payload=b"n").SerializeToString()
    own = unb64(story.payload["transactions"][0]["envelope"])
    story.payload["blocks"][0] = story.consortium.block(block["number"], [neighbour + neighbour, own])


@attack("included")
def a_transaction_rests_on_what_was_written_after_its_place(story: Story) -> None:
    replaced(story, 1, sent(story, 1, reads={f"document/{DOCUMENT}": (900, 0)}))


@attack("commitment")
def a_document_is_opened_beside_the_one_that_the_bundle_is_about(story: Story) -> None:
    other = copy.deepcopy(story.payload["documents"][0]) | {"id": "bb" * 16}
    value = json.dumps(RECORD | {"document_id": "bb" * 16}, sort_keys=True, separators=(",", ":"))
    added(story, 9, f"document/{'bb' * 16}", value, "SupplierMSP", at=NOW + dt.timedelta(minutes=1))
    story.payload["documents"].append(other)


def _invoice(story: Story, document_ids: list[str], proof_ids: list[str]) -> None:
    value = json.dumps({"document_ids": document_ids, "invoice_id": "INV-1", "proof_ids": proof_ids})
    added(story, 9, "invoice/INV-1", value, at=NOW + dt.timedelta(minutes=1))
    story.payload["subject"] = {"id": "INV-1", "kind": "invoice"}


@attack("commitment")
def a_document_is_opened_that_is_none_of_the_invoice(story: Story) -> None:
    _invoice(story, ["aa" * 16], [])


class Spelled(Person):
    """A certificate in a spelling of its own."""

    @property
    def pem(self) -> bytes:
        return super().pem + b"\n"


class OfNoVersion(Person):
    """A certificate of a version that there is not."""

    @property
    def pem(self) -> bytes:
        der = self.certificate.public_bytes(serialization.Encoding.DER).replace(
            b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1
        )
        return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"


def _of_no_version(person: Person) -> Person:
    return OfNoVersion(person.msp_id, person.certificate, person.key)


@attack("endorsed")
def the_senders_certificate_is_of_no_version(story: Story) -> None:
    replaced(story, 0, sent(story, 0, sender=_of_no_version(story.consortium.of["SupplierMSP"].client)))


@attack("endorsed")
def endorsers_certificates_are_of_no_version(story: Story) -> None:
    peers = [_of_no_version(story.consortium.of[name].peer) for name in NAMES[:3]]
    replaced(story, 0, sent(story, 0, endorsers=peers))


@attack("committed")
def certificates_of_those_who_answer_are_of_no_version(story: Story) -> None:
    given = story.payload["transactions"][0]
    peers = [_of_no_version(story.consortium.of[name].peer) for name in NAMES[:3]]
    story.payload["transactions"][0] = story.consortium.witnessed(unb64(given["envelope"]), 5, 1, peers=peers)


@attack("endorsed")
def one_peer_endorses_twice_under_two_spellings_of_its_certificate(story: Story) -> None:
    peer = story.consortium.of["BuyerMSP"].peer
    rule = {"msp_id": "BuyerMSP", "out_of": 0, "role": "peer", "rules": []}
    story.trust["configurations"][0]["endorsement"] = {"msp_id": "", "out_of": 2, "role": "", "rules": [rule] * 2}
    replaced(story, 0, sent(story, 0, endorsers=[peer, Spelled(peer.msp_id, peer.certificate, peer.key)]))


def a_proof_of_the_invoice_is_opened(story: Story) -> None:
    """The document is named by the invoice: no attack."""
    _invoice(story, ["aa" * 16], [DOCUMENT])


def hostile_neighbours(story: Story) -> None:
    """A neighbour writes its envelope with fields that nobody knows, a group and long numbers: it spoils nothing."""
    block = story.payload["blocks"][0]
    odd = Envelope(payload=b"n", signature=b"s").SerializeToString() + b"\x1b\x0a\x01A\x1c\x20\x80\x00\x25abcd\x08\x01"
    story.payload["blocks"][0] = story.consortium.block(block["number"], [odd, unb64(block["data"][1])])


def bad_signatures_besides(story: Story) -> None:
    """Endorsements, answers and block signatures that do not hold are added to good ones: nothing is spoilt."""
    of = story.consortium.of
    good, stranger = [of[name].peer for name in NAMES[:3]], Organisation(Authority("Nobody")).peer
    expired = of["SupplierMSP"].authority.issue("peer", until=NOW - dt.timedelta(days=1))
    replaced(story, 0, sent(story, 0, endorsers=[stranger, expired, *good]))
    given, block = story.payload["transactions"][0], story.payload["blocks"][0]
    again = story.consortium.witnessed(unb64(given["envelope"]), 5, 1, peers=[stranger, expired, *good])
    again["answers"][0] |= {"payload": b64(b"none"), "endorser": b64(b"\xff")}
    story.payload["transactions"][0] = again
    block["signatures"] += [{"header": b64(b"\x08\x09"), "signature": ""}, {"header": b64(b"\xff"), "signature": ""}]
    block["signatures"].append(block["signatures"][0] | {"signature": b64(b"x")})


def the_channel_has_changed_since(story: Story) -> None:
    """Three have joined, the issuer's authority was replaced, a peer that answered has been revoked: it still holds."""
    later = copy.deepcopy(story.trust["configurations"][0]) | {"block": 100}
    peer = story.consortium.of["BuyerMSP"].peer.certificate
    later["members"] += [later["members"][1] | {"msp_id": f"New{number}MSP"} for number in range(3)]
    later["members"][0]["revoked"] = [f"{peer.serial_number:x}"]
    later["members"][3] |= {"authorities": [Authority("SupplierMSP").pem]}
    story.trust["configurations"].append(later)


NO_ATTACKS = (
    a_proof_of_the_invoice_is_opened,
    hostile_neighbours,
    bad_signatures_besides,
    the_channel_has_changed_since,
)


@left_open("status")
def of_two_writes_without_reads_the_later_has_the_earlier_time(story: Story) -> None:
    """A clock was off by a minute, or an old transaction was ordered once more: nothing tells which."""
    added(story, 8, ATTESTATION, '{"verdict":"mismatch"}', at=NOW - dt.timedelta(minutes=1))


@left_open("status")
def a_rewrite_is_shown_as_the_first_recording(story: Story) -> None:
    replaced(story, 0, sent(story, 0, reads={f"document/{DOCUMENT}": (3, 0)}))


@left_open("status")
def a_write_between_two_is_left_out(story: Story) -> None:
    at = NOW + dt.timedelta(minutes=9)
    added(story, 20, ATTESTATION, '{"verdict":"verified"}', at=at, reads={ATTESTATION: (12, 3)})


@left_open("endorsed")
def an_envelope_says_one_thing_twice(story: Story) -> None:
    """Readers differ on which of two fields counts; the sender signs both, and peers may have taken it."""
    true = Envelope.FromString(sent(story, 0))
    double = true.payload + Payload(data=b"").SerializeToString() + b"\x12\x00"
    signature = story.consortium.of["SupplierMSP"].client.sign(double)
    replaced(story, 0, Envelope(payload=double, signature=signature).SerializeToString())
