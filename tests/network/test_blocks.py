"""Blocks as plain data, from bytes that were put together by hand; real ones are read in test_gateway."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    ENDORSER_TRANSACTION,
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeInvocationSpec, ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponsePayload, Response
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)

from network.blocks import BlockError, Identity, Write, check_block, decode_block

SUPPLIER = SerializedIdentity(mspid="SupplierMSP", id_bytes=b"supplier pem").SerializeToString()
BUYER = SerializedIdentity(mspid="BuyerMSP", id_bytes=b"buyer pem").SerializeToString()


def envelope(kind: int, data: bytes) -> bytes:
    channel_header = ChannelHeader(type=kind, tx_id="t1", channel_id="scf")
    channel_header.timestamp.FromSeconds(1_700_000_000)
    header = Header(
        channel_header=channel_header.SerializeToString(),
        signature_header=SignatureHeader(creator=SUPPLIER).SerializeToString(),
    )
    serialized: bytes = Envelope(payload=Payload(header=header, data=data).SerializeToString()).SerializeToString()
    return serialized


def endorsed() -> bytes:
    own = KVRWSet(writes=[KVWrite(key="a", value=b"1"), KVWrite(key="b", is_delete=True)])
    other = KVRWSet(writes=[KVWrite(key="namespaces", value=b"x")])
    results = TxReadWriteSet(
        ns_rwset=[
            NsReadWriteSet(namespace="scf", rwset=own.SerializeToString()),
            NsReadWriteSet(namespace="_lifecycle", rwset=other.SerializeToString()),
        ]
    )
    action = ChaincodeAction(results=results.SerializeToString(), response=Response(status=200, payload=b"answer"))
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name="scf"), input=ChaincodeInput(args=[b"argument"]))
    proposal = ChaincodeProposalPayload(input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString())
    payload = ChaincodeActionPayload(
        chaincode_proposal_payload=proposal.SerializeToString(),
        action=ChaincodeEndorsedAction(
            proposal_response_payload=ProposalResponsePayload(extension=action.SerializeToString()).SerializeToString(),
            endorsements=[Endorsement(endorser=SUPPLIER), Endorsement(endorser=BUYER)],
        ),
    )
    transaction: bytes = Transaction(
        actions=[TransactionAction(payload=payload.SerializeToString())]
    ).SerializeToString()
    return transaction


def block(*envelopes: bytes, codes: bytes | None = None, number: int = 7, previous_hash: bytes = b"p" * 32) -> bytes:
    data_hash = hashlib.sha256(b"".join(envelopes)).digest()
    metadata = [b"", b"", bytes(len(envelopes)) if codes is None else codes]
    message = Block(
        header=BlockHeader(number=number, previous_hash=previous_hash, data_hash=data_hash),
        data=BlockData(data=envelopes),
        metadata=BlockMetadata(metadata=metadata),
    )
    serialized: bytes = message.SerializeToString()
    return serialized


def test_an_endorsed_transaction_is_shown_with_all_that_it_did() -> None:
    decoded = decode_block(block(envelope(ENDORSER_TRANSACTION, endorsed())))
    [transaction] = decoded.transactions
    assert (decoded.number, decoded.previous_hash) == (7, b"p" * 32)
    assert (transaction.id, transaction.type, transaction.code) == ("t1", "ENDORSER_TRANSACTION", "VALID")
    assert transaction.creator == Identity("SupplierMSP", b"supplier pem")
    assert transaction.timestamp == "2023-11-14T22:13:20Z"
    assert (transaction.chaincode, transaction.arguments, transaction.response) == ("scf", (b"argument",), b"answer")
    assert transaction.writes == (
        Write("scf", "a", b"1"),
        Write("scf", "b", None),
        Write("_lifecycle", "namespaces", b"x"),
    )
    assert [endorser.msp_id for endorser in transaction.endorsers] == ["SupplierMSP", "BuyerMSP"]


def test_a_config_transaction_writes_nothing() -> None:
    [transaction] = decode_block(block(envelope(CONFIG, b"whatever"))).transactions
    assert (transaction.type, transaction.writes, transaction.chaincode) == ("CONFIG", (), "")


def test_codes_have_names_even_those_of_a_newer_fabric() -> None:
    envelopes = [envelope(CONFIG, b"")] * 3
    codes = [each.code for each in decode_block(block(*envelopes, codes=bytes([0, 11, 99]))).transactions]
    assert codes == ["VALID", "MVCC_READ_CONFLICT", "CODE_99"]
    [unvalidated] = decode_block(block(envelope(77, b""), codes=b"")).transactions
    assert (unvalidated.code, unvalidated.type) == ("NOT_VALIDATED", "TYPE_77")


@pytest.mark.parametrize("garbage", [b"\xff\xff", envelope(ENDORSER_TRANSACTION, b"\xff"), envelope(3, b"")])
def test_garbage_that_the_peers_found_invalid_stops_nobody(garbage: bytes) -> None:
    good = envelope(ENDORSER_TRANSACTION, endorsed())
    transactions = decode_block(block(garbage, good, codes=bytes([2, 0]))).transactions
    assert [each.code for each in transactions] == ["BAD_PAYLOAD", "VALID"]
    assert transactions[0].writes == ()
    assert len(transactions[1].writes) == 3


@pytest.mark.parametrize("garbage", [b"\xff\xff", envelope(ENDORSER_TRANSACTION, b"\xff"), envelope(3, b"")])
def test_a_valid_transaction_that_cannot_be_read_stops_the_reader(garbage: bytes) -> None:
    with pytest.raises(BlockError, match="block 7: a valid transaction cannot be read"):
        decode_block(block(garbage))


def test_bytes_that_are_no_block_are_refused() -> None:
    with pytest.raises(BlockError, match="not a block"):
        decode_block(b"\xff\xff")


def test_a_block_whose_content_was_changed_does_not_fit_its_data_hash() -> None:
    first = decode_block(block(envelope(CONFIG, b"1")))
    check_block(first)
    with pytest.raises(BlockError, match="does not fit its data hash"):
        check_block(replace(first, computed_data_hash=hashlib.sha256(b"other").digest()))


def test_a_chain_with_a_gap_or_a_replaced_block_is_noticed() -> None:
    first = decode_block(block(envelope(CONFIG, b"1"), number=7))
    second = decode_block(block(envelope(CONFIG, b"2"), number=8, previous_hash=first.hash))
    check_block(second, first)
    with pytest.raises(BlockError, match="block 8 does not follow block 6"):
        check_block(second, replace(first, number=6))
    replaced = decode_block(block(envelope(CONFIG, b"3"), number=7))
    with pytest.raises(BlockError, match="does not continue the chain"):
        check_block(second, replaced)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**63, 2**64 - 1])
def test_the_header_hash_is_over_der_for_every_number(number: int) -> None:
    """Known pieces: INTEGER has a leading zero when its top bit is set."""
    decoded = decode_block(block(number=number))
    integer = number.to_bytes(9, "big").lstrip(b"\0") or b"\0"
    if integer[0] & 0x80:
        integer = b"\0" + integer
    content = bytes([2, len(integer)]) + integer + b"\x04\x20" + b"p" * 32 + b"\x04\x20" + decoded.data_hash
    assert decoded.hash == hashlib.sha256(bytes([0x30, len(content)]) + content).digest()


def test_a_header_with_an_endless_hash_is_refused() -> None:
    with pytest.raises(BlockError, match="longer than any hash"):
        _ = decode_block(block(previous_hash=b"p" * 200)).hash
