"""A transaction: endorsed, ready to be signed and ordered."""

from __future__ import annotations

from functools import cached_property

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Payload
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction, SubmitRequest
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload
from fabric_protos.peer.transaction_pb2 import Transaction as TransactionMessage

from network.gateway.commit import Commit
from network.gateway.errors import SubmitError
from network.gateway.signing import Context


class Transaction:
    """Made by `Proposal.endorse`, or by `Gateway.transaction` from bytes."""

    def __init__(
        self, context: Context, channel: str, transaction_id: str, payload: bytes, signature: bytes = b""
    ) -> None:
        self._context = context
        self._channel = channel
        self._payload = payload
        self._signature = signature
        self.transaction_id = transaction_id

    @property
    def serialized(self) -> bytes:
        """The transaction, to be stored or signed elsewhere; with the signature if it has one."""
        envelope = Envelope(payload=self._payload, signature=self._signature)
        prepared = PreparedTransaction(transaction_id=self.transaction_id, envelope=envelope)
        return bytes(prepared.SerializeToString())

    @property
    def digest(self) -> bytes:
        """What must be signed: 32 bytes, or for an Ed25519 key the whole message."""
        return self._context.digest(self._payload)

    @cached_property
    def result(self) -> bytes:
        """The contract's answer, as the peers endorsed it."""
        action = TransactionMessage.FromString(Payload.FromString(self._payload).data).actions[0]
        endorsed = ChaincodeActionPayload.FromString(action.payload).action
        response = ProposalResponsePayload.FromString(endorsed.proposal_response_payload)
        return bytes(ChaincodeAction.FromString(response.extension).response.payload)

    def signed(self, signature: bytes) -> Transaction:
        """The same transaction with a signature that was made elsewhere."""
        return Transaction(self._context, self._channel, self.transaction_id, self._payload, signature)

    async def submit(self, *, timeout_seconds: float | None = None) -> Commit:
        """Hand it to the orderers.

        Args:
            timeout_seconds: the deadline, if not the gateway's.

        Returns:
            The commit, whose status must be asked: ordered is not yet valid.

        Raises:
            SubmitError: the fate is unknown, unless it is `too_large`.
        """
        signature = await self._context.signature(self._payload, self._signature)
        request = SubmitRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            prepared_transaction=Envelope(payload=self._payload, signature=signature),
        )
        timeout = self._context.deadlines.submit_seconds if timeout_seconds is None else timeout_seconds
        try:
            await self._context.peers.call("Submit", request, timeout, SubmitError, self.transaction_id)
        except SubmitError as error:
            # Orderers that got it from one another complain of ours as the second; the status will tell.
            if not error.already_ordered:
                raise
        return Commit(self._context, self._channel, self.transaction_id)


def header_of(payload: bytes) -> bytes:
    """The serialized header inside an envelope's payload."""
    return bytes(Payload.FromString(payload).header.SerializeToString())


def header_of_channel(payload: bytes) -> ChannelHeader:
    """The channel header inside an envelope's payload."""
    return ChannelHeader.FromString(Payload.FromString(payload).header.channel_header)
