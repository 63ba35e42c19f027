"""Decodes and verifies blocks of a Fabric channel: protobuf only, no connection and no settings.

It serves the projector, which reads blocks from a peer, and the off-line verifier, which reads them from a file. A
block can hold transactions that the peers found invalid, and those may be garbage: they are shown as far as they can
be read and never stop the reader. A valid transaction that cannot be read does.
Source: `common/common.proto`, `peer/transaction.proto`; `protoutil/blockutils.go` for the hashes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from fabric_protos.common.common_pb2 import (
    ENDORSER_TRANSACTION,
    TRANSACTIONS_FILTER,
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.common_pb2 import Block as BlockMessage
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, TxValidationCode
from fabric_protos.peer.transaction_pb2 import Transaction as TransactionMessage
from google.protobuf.message import DecodeError

VALID = "VALID"
NOT_VALIDATED = 254  # what peers write before they have validated; also taken for a block that has no codes


class BlockError(Exception):
    """A block cannot be read, or does not fit its hashes or the block before it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An MSP id and a certificate (PEM)."""

    msp_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One key change in a chaincode's namespace; `value` is None when the key was deleted."""

    namespace: str
    key: str
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction as the block holds it.

    `type` is Fabric's header type by name ("ENDORSER_TRANSACTION", "CONFIG", ...), `code` its validation code by name;
    `timestamp` is the proposal's time, RFC 3339 in UTC. `writes` are there whatever the code, but took effect only
    when it is "VALID". Only endorser transactions have a chaincode, arguments, a response, writes and endorsers.
    """

    id: str
    type: str
    code: str
    creator: Identity
    timestamp: str
    chaincode: str = ""
    arguments: tuple[bytes, ...] = ()
    response: bytes = b""
    writes: tuple[Write, ...] = ()
    endorsers: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A block: header (`previous_hash` and `data_hash` as 32 bytes) and transactions.

    `computed_data_hash` is what its content hashes to; compare through `check_block`.
    """

    number: int
    previous_hash: bytes
    data_hash: bytes
    computed_data_hash: bytes
    transactions: tuple[Transaction, ...]

    @property
    def hash(self) -> bytes:
        """The hash of the header (32 bytes), which the next block names as its `previous_hash`."""
        return hashlib.sha256(header_bytes(self.number, self.previous_hash, self.data_hash)).digest()


def header_bytes(number: int, previous_hash: bytes, data_hash: bytes) -> bytes:
    """A block's header in DER, which is what is hashed and what orderers sign.

    Args:
        number: of the block.
        previous_hash: 32 bytes; of block 0 none.
        data_hash: 32 bytes.

    Raises:
        BlockError: a hash is longer than any hash.
    """
    return _der(0x30, _der(0x02, _der_unsigned(number)) + _der(0x04, previous_hash) + _der(0x04, data_hash))


def decode_block(block: bytes) -> Block:
    """Decode a serialized `common.Block`.

    Raises:
        BlockError: it is none, or a valid transaction in it cannot be read.
    """
    try:
        message = BlockMessage.FromString(block)
    except DecodeError as error:
        raise BlockError(f"not a block: {error}") from error
    return read_block(message)


def read_block(message: Any) -> Block:
    """Turn a message `common.Block` into plain data.

    Raises:
        BlockError: a valid transaction in it cannot be read.
    """
    envelopes = message.data.data
    metadata = message.metadata.metadata
    codes = metadata[TRANSACTIONS_FILTER] if len(metadata) > TRANSACTIONS_FILTER else b""
    if len(codes) != len(envelopes):
        codes = bytes([NOT_VALIDATED]) * len(envelopes)
    number = int(message.header.number)
    return Block(
        number,
        message.header.previous_hash,
        message.header.data_hash,
        hashlib.sha256(b"".join(envelopes)).digest(),
        tuple(
            _transaction(number, envelope, _code_name(code)) for envelope, code in zip(envelopes, codes, strict=True)
        ),
    )


def check_block(block: Block, previous: Block | None = None) -> None:
    """Check a block's content against its header, and its header against the block before it.

    Raises:
        BlockError: they do not fit.
    """
    if block.computed_data_hash != block.data_hash:
        raise BlockError(f"block {block.number}: its content does not fit its data hash")
    if previous is None:
        return
    if block.number != previous.number + 1:
        raise BlockError(f"block {block.number} does not follow block {previous.number}")
    if block.previous_hash != previous.hash:
        raise BlockError(f"block {block.number} does not continue the chain of block {previous.number}")


def _transaction(block_number: int, envelope: bytes, code: str) -> Transaction:
    transaction = Transaction("", "", code, Identity("", b""), "")
    try:
        payload = Payload.FromString(Envelope.FromString(envelope).payload)
        header = ChannelHeader.FromString(payload.header.channel_header)
        creator = SignatureHeader.FromString(payload.header.signature_header).creator
        transaction = Transaction(
            header.tx_id, _type_name(header.type), code, _identity(creator), header.timestamp.ToJsonString()
        )
        if header.type == ENDORSER_TRANSACTION:
            return _with_action(transaction, payload.data)
    except (DecodeError, IndexError, ValueError) as error:
        if code == VALID:
            raise BlockError(f"block {block_number}: a valid transaction cannot be read: {error}") from error
    return transaction


def _with_action(transaction: Transaction, data: bytes) -> Transaction:
    """Add what the chaincode did; Fabric takes exactly one action in a transaction."""
    action = ChaincodeActionPayload.FromString(TransactionMessage.FromString(data).actions[0].payload)
    proposal = ChaincodeProposalPayload.FromString(action.chaincode_proposal_payload)
    spec = ChaincodeInvocationSpec.FromString(proposal.input).chaincode_spec
    response = ProposalResponsePayload.FromString(action.action.proposal_response_payload)
    result = ChaincodeAction.FromString(response.extension)
    return replace(
        transaction,
        chaincode=spec.chaincode_id.name,
        arguments=tuple(spec.input.args),
        response=result.response.payload,
        writes=_writes(result.results),
        endorsers=tuple(_identity(endorsement.endorser) for endorsement in action.action.endorsements),
    )


def _writes(results: bytes) -> tuple[Write, ...]:
    return tuple(
        Write(namespace.namespace, write.key, None if write.is_delete else write.value)
        for namespace in TxReadWriteSet.FromString(results).ns_rwset
        for write in KVRWSet.FromString(namespace.rwset).writes
    )


def _identity(serialized: bytes) -> Identity:
    identity = SerializedIdentity.FromString(serialized)
    return Identity(identity.mspid, identity.id_bytes)


def _code_name(code: int) -> str:
    """The name of a validation code; newer peers may write codes that have no name here."""
    return str(TxValidationCode.Name(code)) if code in TxValidationCode.values() else f"CODE_{code}"


def _type_name(header_type: int) -> str:
    return str(HeaderType.Name(header_type)) if header_type in HeaderType.values() else f"TYPE_{header_type}"


def _der(tag: int, content: bytes) -> bytes:
    """One DER value; headers hold two hashes and a number, far below the 128 bytes where lengths grow longer."""
    if len(content) > 127:
        raise BlockError("a header's hash is longer than any hash")
    return bytes([tag, len(content)]) + content


def _der_unsigned(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
