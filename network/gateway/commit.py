"""A commit: what became of a transaction."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.gateway.gateway_pb2 import CommitStatusRequest, SignedCommitStatusRequest
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from network.gateway.codes import ValidationCode
from network.gateway.errors import CommitError, CommitStatusError, name_of
from network.gateway.signing import Context


@dataclass(frozen=True, slots=True)
class Status:
    """The validation code of a transaction, a `ValidationCode` by name, and the block it is in."""

    transaction_id: str
    code: str
    block_number: int

    @property
    def successful(self) -> bool:
        """Whether the transaction is valid, so that its writes took effect."""
        return self.code == ValidationCode.VALID

    def check(self) -> None:
        """Raise CommitError unless the transaction is valid."""
        if not self.successful:
            raise CommitError(self.transaction_id, self.code, self.block_number)


class Commit:
    """Made by `Transaction.submit`, by `Network.commit` from an id, or by `Gateway.commit` from bytes."""

    def __init__(
        self, context: Context, channel: str, transaction_id: str, message: bytes = b"", signature: bytes = b""
    ) -> None:
        self._context = context
        self._channel = channel
        self._signature = signature
        self._message: bytes = message or (
            CommitStatusRequest(
                transaction_id=transaction_id, channel_id=channel, identity=context.creator
            ).SerializeToString()
        )
        self.transaction_id = transaction_id

    @property
    def serialized(self) -> bytes:
        """The question for the status, to be stored or signed elsewhere; with the signature if it has one."""
        request = SignedCommitStatusRequest(request=self._message, signature=self._signature)
        return bytes(request.SerializeToString())

    @property
    def digest(self) -> bytes:
        """What must be signed: 32 bytes, or for an Ed25519 key the whole message."""
        return self._context.digest(self._message)

    def signed(self, signature: bytes) -> Commit:
        """The same commit with a signature that was made elsewhere."""
        return Commit(self._context, self._channel, self.transaction_id, self._message, signature)

    async def status(self, timeout_seconds: float | None = None) -> Status:
        """Wait until the peer has committed the transaction.

        Args:
            timeout_seconds: the deadline, if not the gateway's.

        Raises:
            CommitStatusError: not known in time (code DEADLINE_EXCEEDED), or the peer did not answer.
        """
        signature = await self._context.signature(self._message, self._signature)
        request = SignedCommitStatusRequest(request=self._message, signature=signature)
        timeout = self._context.deadlines.commit_status_seconds if timeout_seconds is None else timeout_seconds
        response = await self._context.peers.call(
            "CommitStatus", request, timeout, CommitStatusError, self.transaction_id
        )
        return Status(self.transaction_id, name_of(TxValidationCode, response.result), int(response.block_number))
