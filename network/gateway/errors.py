"""What can go wrong at each step of a transaction, with its id and what every peer said.

The step tells what is known: after EndorseError nothing was ordered; after SubmitError and CommitStatusError the fate
of the transaction is unknown and must be asked by its id; CommitError is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fabric_protos.gateway.gateway_pb2 import ErrorDetail
from google.protobuf.message import DecodeError

from network.gateway.codes import RpcCode
from network.gateway.status_details import status_details

CHAINCODE_RESPONSE = "chaincode response "
TOO_LARGE_FOR_CHANNEL = (
    "exceeds maximum allowed",  # the orderer's size filter, answered with BAD_REQUEST
    "is bigger than request max bytes",  # SmartBFT, of the last bytes below that: answered with SERVICE_UNAVAILABLE
)
DUPLICATE = "duplicate transaction found"  # the endorser, of an id that is in a block
ALREADY_ORDERED = "request already processed"  # SmartBFT, of a request that it has put into a block
OTHER_TIME = "request unauthorized due to incorrect timestamp"  # a peer, of a proposal 15 minutes off its own clock
BEFORE_SNAPSHOT = "ledger bootstrapped from a snapshot"  # a peer, of a transaction in a block that it never had
TOO_LARGE_FOR_GRPC = "larger than max"
ANSWER_TOO_LARGE = "CLIENT: Received message"  # gRPC's own words for an answer: what was sent may have taken effect


@dataclass(frozen=True, slots=True)
class PeerDetail:
    """What one peer or orderer answered."""

    address: str
    msp_id: str
    message: str


@dataclass(frozen=True, slots=True)
class ChaincodeResponse:
    """A chaincode's own answer that kept it from being endorsed: its status (400 and above) and message."""

    status: int
    message: str


class GatewayError(Exception):
    """Base of this package's errors.

    Args:
        message: what the gateway peer said.
        transaction_id: empty when there is none.
        code: a `RpcCode` by name, empty when the call never got that far; of a stream of blocks also Fabric's status.
        details: what each peer or orderer said.
    """

    def __init__(
        self, message: str, transaction_id: str = "", code: str = "", details: tuple[PeerDetail, ...] = ()
    ) -> None:
        said = "; ".join(f"{detail.address} ({detail.msp_id}): {detail.message}" for detail in details)
        super().__init__(" ".join(part for part in (code, message, f"[{said}]" if said else "") if part))
        self.message = message
        self.transaction_id = transaction_id
        self.code = code
        self.details = details

    @property
    def chaincode_response(self) -> ChaincodeResponse | None:
        """The chaincode's answer when all who were asked gave the same one, else None: then try a new proposal."""
        answers = {detail.message for detail in self.details}
        if len(answers) != 1:
            return None
        answer = answers.pop()
        if not answer.startswith(CHAINCODE_RESPONSE):
            return None
        status, _, message = answer.removeprefix(CHAINCODE_RESPONSE).partition(", ")
        return ChaincodeResponse(int(status), message) if status.isdecimal() else None

    @property
    def too_large(self) -> bool:
        """Whether the transaction is larger than the channel or gRPC takes; sending it again cannot help.

        At least half of those that spoke must say so: one orderer that lies about it does not make it final.
        """
        if self.code == RpcCode.RESOURCE_EXHAUSTED:
            return TOO_LARGE_FOR_GRPC in self.message and ANSWER_TOO_LARGE not in self.message
        saying = sum(any(text in detail.message for text in TOO_LARGE_FOR_CHANNEL) for detail in self.details)
        return saying > 0 and 2 * saying >= len(self.details)

    @property
    def other_time(self) -> bool:
        """Whether a peer refused a proposal since its time is too far from the peer's own clock."""
        return self._says(OTHER_TIME)

    @property
    def before_snapshot(self) -> bool:
        """Whether a peer that began with a snapshot says that what is asked for was before it."""
        return self._says(BEFORE_SNAPSHOT)

    def _says(self, text: str) -> bool:
        return any(text in said.lower() for said in (self.message, *(detail.message for detail in self.details)))


class EvaluateError(GatewayError):
    """The call of a contract on one peer failed."""


class EndorseError(GatewayError):
    """The proposal was not endorsed; nothing was ordered, unless it is `already_committed`."""

    @property
    def already_committed(self) -> bool:
        """Whether a peer has a transaction of this id in its blocks: ask its status."""
        return any(DUPLICATE in detail.message for detail in self.details)


class SubmitError(GatewayError):
    """Sending to the orderers failed. Its fate is unknown, even when all of them complained."""

    @property
    def already_ordered(self) -> bool:
        """Whether an orderer says that the transaction is in a block already."""
        return any(ALREADY_ORDERED in detail.message for detail in self.details)


class CommitStatusError(GatewayError):
    """The commit status could not be had; the transaction's fate is unknown."""


class EventsError(GatewayError):
    """A stream of events could not be opened, or ended before it should; it can be asked for again."""


class BlocksError(EventsError):
    """The same of a stream of blocks."""


class CommitError(GatewayError):
    """The transaction is in block `block_number`, but the peers found it invalid: `validation_code` says why."""

    def __init__(self, transaction_id: str, validation_code: str, block_number: int) -> None:
        super().__init__(f"transaction {transaction_id} was invalidated: {validation_code}", transaction_id)
        self.validation_code = validation_code
        self.block_number = block_number


def from_rpc(error: Any, kind: type[GatewayError], transaction_id: str, *, in_time: bool = True) -> GatewayError:
    """Turn an error of gRPC into one of a step.

    Args:
        error: a grpc.aio.AioRpcError.
        kind: the step's class (not CommitError).
        transaction_id: of the transaction concerned, empty when there is none.
        in_time: whether the call's deadline is still ahead. A peer (grpc-go) whose own timer is first resets the stream
            with CANCEL, which gRPC's Python hands over as CANCELLED: past the deadline it is the deadline.
    """
    code = error.code().name
    if code == RpcCode.CANCELLED and not in_time:
        return kind("the deadline has passed", transaction_id, RpcCode.DEADLINE_EXCEEDED)
    try:
        details = tuple(
            PeerDetail(detail.address, detail.msp_id, detail.message)
            for detail in map(ErrorDetail.FromString, status_details(error, ErrorDetail.DESCRIPTOR.full_name))
        )
    except DecodeError:  # what went wrong is known all the same
        details = (PeerDetail("", "", "the details cannot be read"),)
    return kind(error.details() or "", transaction_id, code, details)


def name_of(names: Any, number: int) -> str:
    """The name of a value of a protobuf enumeration; the number itself when the other side knows more of them."""
    return str(names.Name(number)) if number in names.values() else str(number)
