"""A transaction as its sender and its endorsers signed it.

The sender signs the envelope's payload. Each endorser signs the proposal's response and its own identity; the response
holds the hash of the proposal, so it belongs to this very header and these arguments.
Source: fabric `protoutil/txutils.go` (`GetProposalHash2`), `msgprocessor`, `validator_keylevel.go`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fabric_protos.common.common_pb2 import ENDORSER_TRANSACTION, ChannelHeader, Envelope, Payload, SignatureHeader
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload
from fabric_protos.peer.transaction_pb2 import Transaction as TransactionMessage

from network.blocks import Identity
from network.proofs import signatures
from network.proofs.configuration import Configuration, fault, is_one_pem, load, satisfied
from network.proofs.messages import SpellingError, UnreadableError, read

Place = tuple[int, int]
"""Of a transaction: the number of its block, and its index there."""


@dataclass(frozen=True, slots=True)
class Endorsement:
    """A peer's signature; `endorser` is the identity as it was signed."""

    endorser: bytes
    signature: bytes

    @property
    def identity(self) -> Identity:
        """MSP id and certificate."""
        return read_identity(self.endorser)


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction with all that was signed of it.

    `timestamp` is what its sender said; `payload` is what the sender signed, `response` what the peers did;
    `computed_id` and `computed_proposal_hash` are what its content gives, to be compared with what it says.
    `writes` are its chaincode's values by their keys, empty where one was deleted; `reads` say which transaction had
    written the values that it rests on, None where there was none.
    """

    id: str
    computed_id: str
    channel: str
    chaincode: str
    creator: Identity
    timestamp: dt.datetime
    payload: bytes
    signature: bytes
    response: bytes
    proposal_hash: bytes
    computed_proposal_hash: bytes
    endorsements: tuple[Endorsement, ...]
    writes: Mapping[str, bytes]
    reads: Mapping[str, Place | None]


def read_identity(serialized: bytes) -> Identity:
    """An identity from its message. Raises: UnreadableError."""
    identity = read(SerializedIdentity, serialized)
    if not is_one_pem(identity.id_bytes):
        raise SpellingError("its certificate is not in PEM and nothing else")
    return Identity(identity.mspid, identity.id_bytes)


def read_transaction(envelope: bytes) -> SignedTransaction:
    """Read an endorser transaction from the envelope that a block holds.

    Raises: UnreadableError.
    """
    signed = read(Envelope, envelope)
    payload = read(Payload, signed.payload)
    channel = read(ChannelHeader, payload.header.channel_header)
    sender = read(SignatureHeader, payload.header.signature_header)
    actions = read(TransactionMessage, payload.data).actions
    if channel.type != ENDORSER_TRANSACTION or len(actions) != 1:
        raise UnreadableError("it is no transaction of a chaincode")
    endorsed = read(ChaincodeActionPayload, actions[0].payload)
    response = read(ProposalResponsePayload, endorsed.action.proposal_response_payload)
    result = read(ChaincodeAction, response.extension)
    proposal = read(ChaincodeProposalPayload, endorsed.chaincode_proposal_payload)
    chaincode = read(ChaincodeInvocationSpec, proposal.input).chaincode_spec.chaincode_id.name
    if result.chaincode_id.name != chaincode:
        raise UnreadableError(f"{chaincode} was asked, and {result.chaincode_id.name} has answered")
    sets = _sets(result.results, chaincode)
    headers = payload.header.channel_header + payload.header.signature_header
    return SignedTransaction(
        id=channel.tx_id,
        computed_id=hashlib.sha256(sender.nonce + sender.creator).hexdigest(),
        channel=channel.channel_id,
        chaincode=chaincode,
        creator=read_identity(sender.creator),
        timestamp=read_time(channel.timestamp),
        payload=signed.payload,
        signature=signed.signature,
        response=endorsed.action.proposal_response_payload,
        proposal_hash=response.proposal_hash,
        computed_proposal_hash=hashlib.sha256(headers + endorsed.chaincode_proposal_payload).digest(),
        endorsements=tuple(Endorsement(each.endorser, each.signature) for each in endorsed.action.endorsements),
        writes={each.key: each.value for each in sets.writes},
        reads={each.key: _place(each) for each in sets.reads},
    )


def read_time(timestamp: Any) -> dt.datetime:
    """A time from its message. Raises: UnreadableError."""
    try:
        at: dt.datetime = timestamp.ToDatetime(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableError("its time is none") from error
    return at


def _sets(results: bytes, chaincode: str) -> Any:
    """What it has read and written of its own; a second set under one name would be another transaction's."""
    own = [each for each in read(TxReadWriteSet, results).ns_rwset if each.namespace == chaincode]
    if len(own) > 1:
        raise UnreadableError("its reads and writes are there twice")
    return read(KVRWSet, own[0].rwset if own else b"")


def _place(key_read: Any) -> Place | None:
    return (key_read.version.block_num, key_read.version.tx_num) if key_read.HasField("version") else None


def signing_fault(transaction: SignedTransaction, configuration: Configuration) -> str:
    """Why the signatures of a transaction do not make it one that the channel's members agreed to; empty if they do.

    Whether its sender's certificate was good is another question: `configuration.fault`.
    """
    if transaction.id != transaction.computed_id:
        return "its id does not follow from its sender and nonce"
    try:
        sender = load(transaction.creator.certificate)
    except ValueError:
        return "its sender shows no certificate"
    if not signatures.holds(sender, transaction.signature, transaction.payload):
        return "its sender's signature does not hold"
    if transaction.proposal_hash != transaction.computed_proposal_hash:
        return "its endorsements belong to another proposal"
    faults = [endorsement_fault(each, transaction, configuration) for each in transaction.endorsements]
    good = zip(transaction.endorsements, faults, strict=True)
    signers = [each.identity for each, text in good if not text]
    if not satisfied(configuration.endorsement, signers, configuration):
        names = ", ".join(sorted({each.msp_id for each in signers})) or "nobody"
        others = "; ".join(sorted({text for text in faults if text}))
        return f"the policy wants more endorsements than those of {names}" + (f" ({others})" if others else "")
    return ""


def endorsement_fault(endorsement: Endorsement, transaction: SignedTransaction, configuration: Configuration) -> str:
    """Why an endorsement does not count; empty when it does.

    Those that do not are passed over, as peers do: whoever sends a transaction may add some, and spoils nothing by it.
    """
    try:
        identity = endorsement.identity
    except UnreadableError as error:
        return str(error)
    if text := fault(identity, configuration, transaction.timestamp):
        return f"an endorsement: {text}"
    message = transaction.response + endorsement.endorser
    if not signatures.holds(load(identity.certificate), endorsement.signature, message):
        return f"the endorsement of {identity.msp_id} does not hold"
    return ""
