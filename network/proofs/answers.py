"""A peer's signed word on what became of a transaction.

Orderers do not sign validation codes: each peer finds them for itself. Asked by `qscc` for a transaction, a peer signs
an answer with the transaction and its code, as it signs an endorsement.
Source: fabric `core/scc/qscc/query.go`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction, TxValidationCode

from network.blocks import VALID
from network.proofs import signatures
from network.proofs.configuration import Configuration, fault, load
from network.proofs.messages import UnreadableError, read
from network.proofs.transactions import read_identity, read_time

QUERY, FUNCTION = "qscc", b"GetTransactionByID"
OK = 200


@dataclass(frozen=True, slots=True)
class Question:
    """What peers were asked: `digest` is the proposal's hash that their answers carry."""

    channel: str
    chaincode: str
    arguments: tuple[bytes, ...]
    at: dt.datetime
    digest: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A peer's: what it signed, who it is (as it was signed), and the signature."""

    payload: bytes
    endorser: bytes
    signature: bytes


def read_question(proposal: bytes) -> Question:
    """Read a proposal. Raises: UnreadableError."""
    message = read(ProposalMessage, proposal)
    header = read(Header, message.header)
    channel = read(ChannelHeader, header.channel_header)
    read(SignatureHeader, header.signature_header)
    payload = read(ChaincodeProposalPayload, message.payload)
    spec = read(ChaincodeInvocationSpec, payload.input).chaincode_spec
    at = read_time(channel.timestamp)
    digest = hashlib.sha256(header.channel_header + header.signature_header + message.payload).digest()
    return Question(channel.channel_id, spec.chaincode_id.name, tuple(spec.input.args), at, digest)


def majority_fault(answers: Sequence[Answer], question: Question, envelope: bytes, configuration: Configuration) -> str:
    """Why not more than half of the organisations say that a transaction counts; empty when they do.

    Answers that say something else, or do not hold, are passed over: one bad peer cannot undo what a majority says.
    """
    told = [answer_fault(each, question, envelope, configuration) for each in answers]
    good, faults = {who for who, text in told if not text}, sorted({text for _, text in told if text})
    if len(good) >= configuration.majority:
        return ""
    names, others = ", ".join(sorted(good)) or "nobody", f": {'; '.join(faults)}" if faults else ""
    return f"only {names} of {len(configuration.members)} say so{others}"


def answer_fault(answer: Answer, question: Question, envelope: bytes, configuration: Configuration) -> tuple[str, str]:
    """Whose answer it is, and why it does not say that the peer has committed the transaction as valid.

    Args:
        answer: of one peer.
        question: which it answers.
        envelope: of the transaction, as the block holds it.
        configuration: whom to believe.

    Returns: the MSP id and empty text when it does say so; what is wrong in the second place otherwise.
    """
    try:
        identity = read_identity(answer.endorser)
        payload = read(ProposalResponsePayload, answer.payload)
        action = read(ChaincodeAction, payload.extension)
        processed = read(ProcessedTransaction, action.response.payload)
        asked = read(Envelope, envelope)
    except UnreadableError:
        return "", "an answer cannot be read"
    who = identity.msp_id
    if text := fault(identity, configuration, question.at, "peer"):
        return who, text
    if not signatures.holds(load(identity.certificate), answer.signature, answer.payload + answer.endorser):
        return who, f"the signature of {who} under its answer does not hold"
    if payload.proposal_hash != question.digest:
        return who, f"{who} has answered another question"
    if action.chaincode_id.name != QUERY or action.response.status != OK:
        return who, f"{who} has not answered as a peer's {QUERY} does"
    if processed.transactionEnvelope != asked:
        return who, f"{who} has answered with another transaction"
    code = processed.validationCode
    if code != TxValidationCode.Value(VALID):
        name = TxValidationCode.Name(code) if code in TxValidationCode.values() else f"code {code}"
        return who, f"{who} says {name}"
    return who, ""
