"""The way in: one identity, one peer that serves the Gateway, many channels."""

from __future__ import annotations

from types import TracebackType

from fabric_protos.common.common_pb2 import ChannelHeader, Header
from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    PreparedTransaction,
    ProposedTransaction,
    SignedCommitStatusRequest,
)
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage

from network.gateway.commit import Commit
from network.gateway.connection import Connection, Deadlines
from network.gateway.identity import Identity, Sign
from network.gateway.network import Network
from network.gateway.proposal import Proposal
from network.gateway.signing import Context
from network.gateway.transaction import Transaction, channel_header


class Gateway:
    """A client of one peer's Gateway. Nothing is opened before the first call.

    Args:
        endpoint: "host:port" of the peer.
        identity: who acts.
        sign: signs digests; None when everything is signed elsewhere.
        tls_roots: PEM certificates that the peer's TLS certificate must come from; None talks without TLS.
        server_name: the name to expect in the peer's certificate, if it is not the endpoint's host.
        deadlines: how long each step may take.
    """

    def __init__(
        self,
        endpoint: str,
        identity: Identity,
        sign: Sign | None = None,
        *,
        tls_roots: bytes | None = None,
        server_name: str = "",
        deadlines: Deadlines | None = None,
    ) -> None:
        self._connection = Connection(endpoint, tls_roots, server_name)
        self._context = Context(self._connection, identity, sign, deadlines or Deadlines())

    def network(self, channel: str) -> Network:
        """A channel, by name."""
        return Network(self._context, channel)

    def proposal(self, proposed: bytes, signature: bytes = b"") -> Proposal:
        """Go on with a proposal that was taken out with `Proposal.serialized`, in this process or another.

        Args:
            proposed: the bytes.
            signature: of its digest; without one, the signature inside or the gateway's signer is used.
        """
        message = ProposedTransaction.FromString(proposed)
        header = Header.FromString(ProposalMessage.FromString(message.proposal.proposal_bytes).header)
        channel = ChannelHeader.FromString(header.channel_header).channel_id
        return Proposal(
            self._context,
            channel,
            message.transaction_id,
            message.proposal.proposal_bytes,
            signature or message.proposal.signature,
        )

    def transaction(self, prepared: bytes, signature: bytes = b"") -> Transaction:
        """Go on with a transaction that was taken out with `Transaction.serialized`; see `proposal`."""
        message = PreparedTransaction.FromString(prepared)
        envelope = message.envelope
        channel = channel_header(envelope.payload).channel_id
        return Transaction(
            self._context, channel, message.transaction_id, envelope.payload, signature or envelope.signature
        )

    def commit(self, requested: bytes, signature: bytes = b"") -> Commit:
        """Go on with a commit that was taken out with `Commit.serialized`; see `proposal`."""
        message = SignedCommitStatusRequest.FromString(requested)
        request = CommitStatusRequest.FromString(message.request)
        return Commit(self._context, request.channel_id, request.transaction_id, signature or message.signature)

    async def close(self) -> None:
        """Close the connection; twice is fine."""
        await self._connection.close()

    async def __aenter__(self) -> Gateway:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
