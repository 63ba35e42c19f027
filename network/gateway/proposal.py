"""A proposal: a transaction that has an id and nothing else yet."""

from __future__ import annotations

from typing import Any

from fabric_protos.gateway.gateway_pb2 import EndorseRequest, EvaluateRequest, ProposedTransaction
from fabric_protos.peer.proposal_pb2 import ChaincodeProposalPayload, SignedProposal
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from google.protobuf.message import DecodeError

from network.gateway.errors import EndorseError, EvaluateError
from network.gateway.signing import Context
from network.gateway.transaction import Transaction, header_of


class Proposal:
    """Made by `Contract.propose`, or by `Gateway.proposal` from bytes."""

    def __init__(
        self,
        context: Context,
        channel: str,
        transaction_id: str,
        message: bytes,
        organisations: tuple[str, ...] = (),
        signature: bytes = b"",
    ) -> None:
        self._context = context
        self._channel = channel
        self._message = message
        self._organisations = organisations
        self._signature = signature
        self.transaction_id = transaction_id

    @property
    def serialized(self) -> bytes:
        """The proposal, to be stored or signed elsewhere; with the signature if it has one."""
        signed = SignedProposal(proposal_bytes=self._message, signature=self._signature)
        proposed = ProposedTransaction(
            transaction_id=self.transaction_id, proposal=signed, endorsing_organizations=self._organisations
        )
        return bytes(proposed.SerializeToString())

    @property
    def message(self) -> bytes:
        """The proposal itself, as its peers hash it: the message `protos.Proposal` without any signature."""
        return self._message

    @property
    def digest(self) -> bytes:
        """What must be signed: 32 bytes, or for an Ed25519 key the whole message."""
        return self._context.digest(self._message)

    def signed(self, signature: bytes) -> Proposal:
        """The same proposal with a signature that was made elsewhere."""
        return Proposal(
            self._context, self._channel, self.transaction_id, self._message, self._organisations, signature
        )

    async def evaluate(self, *, timeout_seconds: float | None = None) -> bytes:
        """Run it on one peer and return the contract's answer; nothing is written.

        Args:
            timeout_seconds: the deadline, if not the gateway's.

        Raises:
            EvaluateError: it failed, or the contract refused.
        """
        request = EvaluateRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=await self._signed_message(),
            target_organizations=self._organisations,
        )
        timeout = self._context.deadlines.evaluate_seconds if timeout_seconds is None else timeout_seconds
        response = await self._context.peers.call(
            "Evaluate", request, timeout, EvaluateError, self.transaction_id, is_confidential=self._is_confidential()
        )
        return bytes(response.result.payload)

    async def answer(self, *, timeout_seconds: float | None = None) -> Any:
        """Run it on the very peer that is asked, which signs what it answers; nothing is written.

        `evaluate` is told what a peer answers without its signature; this is for whoever has to show it to others.

        Args:
            timeout_seconds: the deadline, if not the gateway's.

        Returns:
            the message `protos.ProposalResponse`, with the signature in its `endorsement`; nothing of it is checked.

        Raises:
            EvaluateError: it failed, or the contract refused.
        """
        timeout = self._context.deadlines.evaluate_seconds if timeout_seconds is None else timeout_seconds
        message = await self._signed_message()
        answer = await self._context.peers.call("ProcessProposal", message, timeout, EvaluateError, self.transaction_id)
        if not answer.HasField("endorsement"):
            text = f"the peer signed nothing and said: {answer.response.message or answer.response.status}"
            raise EvaluateError(text, self.transaction_id)
        return answer

    async def endorse(self, *, timeout_seconds: float | None = None) -> Transaction:
        """Have it endorsed by as many peers as the policy wants, or by the organisations it names.

        Args:
            timeout_seconds: the deadline, if not the gateway's.

        Raises:
            EndorseError: they did not, or the contract refused; nothing was ordered.
        """
        request = EndorseRequest(
            transaction_id=self.transaction_id,
            channel_id=self._channel,
            proposed_transaction=await self._signed_message(),
            endorsing_organizations=self._organisations,
        )
        timeout = self._context.deadlines.endorse_seconds if timeout_seconds is None else timeout_seconds
        response = await self._context.peers.call(
            "Endorse", request, timeout, EndorseError, self.transaction_id, is_confidential=self._is_confidential()
        )
        return self._endorsed(response.prepared_transaction.payload)

    def _endorsed(self, payload: bytes) -> Transaction:
        """What the peer put together, which we are about to sign."""
        transaction = Transaction(self._context, self._channel, self.transaction_id, payload)
        try:
            is_ours = header_of(payload) == ProposalMessage.FromString(self._message).header
            _ = transaction.result  # found out now: once it is ordered, an answer that cannot be read is too late
        except (DecodeError, IndexError) as error:
            raise EndorseError("the peer returned no transaction that can be read", self.transaction_id) from error
        if not is_ours:
            raise EndorseError("the peer returned another transaction than was proposed", self.transaction_id)
        return transaction

    def _is_confidential(self) -> bool:
        """Whether it carries transient data; looked at only where it matters, with several peers."""
        if not self._context.peers.are_several:
            return False
        payload = ProposalMessage.FromString(self._message).payload
        return bool(ChaincodeProposalPayload.FromString(payload).TransientMap)

    async def _signed_message(self) -> SignedProposal:
        signature = await self._context.signature(self._message, self._signature)
        return SignedProposal(proposal_bytes=self._message, signature=signature)
