"""Other spellings of the same messages and texts, which readers of Protocol Buffers and PEM differ on; and controls.

Each is a bundle's story and trust file, with the step that must say so and its verdict, by both verifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attacks import sent
from fabric_protos.common.common_pb2 import Envelope, Payload
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from forge import Person, _der, b64, unb64
from story import Story, replaced

ZERO_EPOCH, EMPTY_TLS_HASH, UNKNOWN, GROUP, HALF_GROUP = b"\x30\x00", b"\x42\x00", b"\x78\x01", b"\x7b\x7c", b"\x7b"
NOT_DELETED = b"\x10\x00"
BEGIN = b"-----BEGIN CERTIFICATE-----\n"
IN_PEM: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "headers": (lambda pem: pem.replace(BEGIN, BEGIN + b"Proc-Type: 4,CLEAR\n\n"), "ERROR"),
    "words before": (lambda pem: b"a certificate:\n" + pem, "ERROR"),
    "words after": (lambda pem: pem + b"that was it", "ERROR"),
    "two": (lambda pem: pem + pem, "ERROR"),
    "an older label": (lambda pem: pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"), "ERROR"),
    "a mark of byte order": (lambda pem: b"\xef\xbb\xbf" + pem, "ERROR"),
    "a vertical tab": (lambda pem: pem.replace(BEGIN, BEGIN + b"\v"), "ERROR"),
    "no padding": (lambda pem: _cut_short(pem), "ERROR"),
    "other ends of lines": (lambda pem: pem.replace(b"\n", b"\r\n"), "VALID"),
    "one line": (lambda pem: BEGIN + pem[len(BEGIN) :].replace(b"\n", b""), "VALID"),
}
"""What a sender shows as its certificate, and what comes of it."""
IN_HEADERS = {"a zero": ZERO_EPOCH, "empty bytes": EMPTY_TLS_HASH, "a field of no meaning": UNKNOWN, "a group": GROUP}
"""Behind a channel header."""


def _cut_short(pem: bytes) -> bytes:
    """Base64 whose last group is short: its padding is left out, or its last letter, since one in three has none."""
    body, end = pem.rsplit(b"\n-----END", 1)
    return (body.rstrip(b"=") if body.endswith(b"=") else body[:-1]) + b"\n-----END" + end


class Shown(Person):
    """Shows its certificate in a spelling of its own."""

    shown: Callable[[bytes], bytes]

    @property
    def pem(self) -> bytes:
        return self.shown(super().pem)


def spelled() -> Iterator[tuple[str, Callable[[Story], None], str, str]]:
    """By name: what makes it so, the step, and the verdict."""
    for name, (change, verdict) in IN_PEM.items():
        yield f"PEM with {name}", _shown(change), "endorsed", verdict
    for name, more in IN_HEADERS.items():
        yield f"a channel header with {name}", _header(more), "endorsed", "ERROR"
    for name, more in {"a field of no meaning": UNKNOWN, "a group": GROUP}.items():
        yield f"an envelope with {name}", _envelope(more), "endorsed", "ERROR"
    yield "an envelope with half a group", _broken, "endorsed", "INVALID"
    yield "a write that says it is none", _write(NOT_DELETED), "endorsed", "ERROR"
    yield "a block that names its configuration by a zero", _value, "ordered", "INVALID"
    yield "a time of the year 999", _issued("0999-01-01T00:00:00Z"), "classical", "INVALID"
    yield "a time of the year 0", _issued("0000-01-01T00:00:00Z"), "bundle", "INVALID"
    yield "a trust file of PEM with headers", _trust, "bundle", "ERROR"
    yield "nothing else", lambda _: None, "endorsed", "VALID"


def _shown(change: Callable[[bytes], bytes]) -> Callable[[Story], None]:
    def play(story: Story) -> None:
        own = story.consortium.of["SupplierMSP"].client
        sender = Shown(own.msp_id, own.certificate, own.key)
        object.__setattr__(sender, "shown", change)
        replaced(story, 0, sent(story, 0, sender=sender))

    return play


def _envelope(more: bytes) -> Callable[[Story], None]:
    return lambda story: replaced(story, 0, unb64(story.payload["transactions"][0]["envelope"]) + more)


def _broken(story: Story) -> None:
    given = story.payload["transactions"][0]
    given["envelope"] = b64(unb64(given["envelope"]) + HALF_GROUP)


def _rebuilt(story: Story, change: Callable[[Payload], None]) -> None:
    """Nothing of it is signed anew: it is not read so far."""
    envelope = Envelope.FromString(unb64(story.payload["transactions"][0]["envelope"]))
    payload = Payload.FromString(envelope.payload)
    change(payload)
    envelope.payload = payload.SerializeToString()
    replaced(story, 0, envelope.SerializeToString())


def _header(more: bytes) -> Callable[[Story], None]:
    def change(payload: Payload) -> None:
        payload.header.channel_header += more

    return lambda story: _rebuilt(story, change)


def _write(more: bytes) -> Callable[[Story], None]:
    def change(payload: Payload) -> None:
        transaction = Transaction.FromString(payload.data)
        inner = ChaincodeActionPayload.FromString(transaction.actions[0].payload)
        response = ProposalResponsePayload.FromString(inner.action.proposal_response_payload)
        result = ChaincodeAction.FromString(response.extension)
        sets = TxReadWriteSet.FromString(result.results)
        write = KVRWSet.FromString(sets.ns_rwset[0].rwset).writes[0]
        key, value = write.key.encode(), write.value
        spelled_write = b"\x0a" + _sized(key) + more + b"\x1a" + _sized(value)
        sets.ns_rwset[0].rwset = b"\x1a" + _sized(spelled_write)
        result.results = sets.SerializeToString()
        response.extension = result.SerializeToString()
        inner.action.proposal_response_payload = response.SerializeToString()
        transaction.actions[0].payload = inner.SerializeToString()
        payload.data = transaction.SerializeToString()

    return lambda story: _rebuilt(story, change)


def _sized(content: bytes) -> bytes:
    size, head = len(content), b""
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    return head + bytes([size]) + content


def _value(story: Story) -> None:
    """Signed by its orderers as it is: its last configuration says 0, where saying nothing would be the same."""
    block = story.payload["blocks"][0]
    value = b"\x0a\x02\x08\x00"
    previous, content = bytes.fromhex(block["previous_hash"]), bytes.fromhex(block["data_hash"])
    number = _der(2, bytes([block["number"]]))
    der = _der(0x30, number + _der(4, previous) + _der(4, content))
    signers = [each.orderer for each in story.consortium.of.values()][:3]
    for signature, signer in zip(block["signatures"], signers, strict=True):
        signature["signature"] = b64(signer.sign(value + unb64(signature["header"]) + der))
    block["value"] = b64(value)


def _issued(at: str) -> Callable[[Story], None]:
    return lambda story: story.payload.update(issued_at=at)


def _trust(story: Story) -> None:
    for each in story.trust["configurations"][0]["consenters"]:
        each["certificate"] = each["certificate"].replace(BEGIN.decode(), BEGIN.decode() + "Proc-Type: 4,CLEAR\n\n")
