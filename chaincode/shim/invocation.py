"""What came with a transaction: arguments, and the signed proposal with its creator, time and transient data.

Everything is read when it is asked for: most contracts want little of it, and each transaction passes here. The peer
has checked signature and membership before it hands the proposal over; nothing is checked again.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, Proposal
from google.protobuf.timestamp_pb2 import Timestamp

EPOCH_SIZE_BYTES = 8


class Invocation:
    """One transaction as it came in.

    Args:
        message: the TRANSACTION or INIT message.
    """

    def __init__(self, message: ChaincodeMessage) -> None:
        self.tx_id: str = message.txid
        self.channel_id: str = message.channel_id
        self._message = message

    @property
    def is_init(self) -> bool:
        """Whether this is the initialisation that a definition with `init_required` asks for."""
        return bool(self._message.type == ChaincodeMessage.INIT)

    @cached_property
    def args(self) -> list[bytes]:
        """The arguments; by custom the first names the function."""
        return list(self._input.args)

    def get_args(self) -> list[bytes]:
        """The arguments."""
        return self.args

    def get_string_args(self) -> list[str]:
        """The arguments as text. Raises: UnicodeDecodeError when one is not UTF-8."""
        return [argument.decode() for argument in self.args]

    def get_function_and_parameters(self) -> tuple[str, list[str]]:
        """The first argument and the rest, as text; an empty name when there is none. Raises: UnicodeDecodeError."""
        function, *parameters = self.get_string_args() or [""]
        return function, parameters

    def get_args_slice(self) -> bytes:
        """The arguments one after the other, without anything between them."""
        return b"".join(self.args)

    def get_decorations(self) -> dict[str, bytes]:
        """What decorators of the peer have added to the arguments."""
        return dict(self._input.decorations)

    def get_signed_proposal(self) -> Any:
        """The message `protos.SignedProposal` itself."""
        return self._message.proposal

    def get_creator(self) -> bytes:
        """The creator, a serialized `msp.SerializedIdentity`. Raises: ValueError when there is no proposal."""
        return bytes(self._signature_header.creator)

    @property
    def msp_id(self) -> str:
        """The MSP id of the creator. Raises: ValueError when there is no proposal."""
        return str(self._creator.mspid)

    @property
    def creator_certificate(self) -> bytes:
        """The creator's certificate, PEM. Raises: ValueError when there is no proposal."""
        return bytes(self._creator.id_bytes)

    @property
    def timestamp(self) -> int:
        """The proposal's time in whole seconds since 1970 UTC, as its creator claims it. Raises: ValueError."""
        return int(self._channel_header.timestamp.seconds)

    def get_tx_timestamp(self) -> Timestamp:
        """The proposal's time with its nanoseconds, as its creator claims it. Raises: ValueError."""
        timestamp: Timestamp = self._channel_header.timestamp
        return timestamp

    def get_transient(self) -> dict[str, bytes]:
        """What the client sent beside the arguments and no block will hold. Raises: ValueError."""
        return dict(ChaincodeProposalPayload.FromString(self._proposal.payload).TransientMap)

    def get_binding(self) -> bytes:
        """The proposal's nonce, creator and epoch as one digest, 32 bytes. Raises: ValueError."""
        header = self._signature_header
        epoch = int(self._channel_header.epoch).to_bytes(EPOCH_SIZE_BYTES, "little")
        return hashlib.sha256(header.nonce + header.creator + epoch).digest()

    @cached_property
    def _input(self) -> Any:
        return ChaincodeInput.FromString(self._message.payload)

    @cached_property
    def _proposal(self) -> Any:
        proposal = Proposal.FromString(self._message.proposal.proposal_bytes)
        if not proposal.header:
            raise ValueError("the transaction came without the proposal of a creator")
        return proposal

    @cached_property
    def _header(self) -> Any:
        return Header.FromString(self._proposal.header)

    @cached_property
    def _channel_header(self) -> Any:
        return ChannelHeader.FromString(self._header.channel_header)

    @cached_property
    def _signature_header(self) -> Any:
        return SignatureHeader.FromString(self._header.signature_header)

    @cached_property
    def _creator(self) -> Any:
        return SerializedIdentity.FromString(self._signature_header.creator)
