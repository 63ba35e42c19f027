"""The way in: one identity, one or more peers that serve the Gateway, many channels."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from types import TracebackType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header
from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    PreparedTransaction,
    ProposedTransaction,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
)
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage

from network.gateway.block_events import BlockEventsRequest, BlockForm
from network.gateway.chaincode_events import ChaincodeEventsRequest, after_of
from network.gateway.checkpointer import Checkpoint
from network.gateway.commit import Commit
from network.gateway.connection import ChannelOptions, Connection, Endpoint, Interceptors, TlsClient
from network.gateway.deadlines import Deadlines
from network.gateway.identity import AsyncSign, Identity, Sign
from network.gateway.network import Network
from network.gateway.peers import Peers
from network.gateway.proposal import Proposal
from network.gateway.signing import Context
from network.gateway.transaction import Transaction, header_of_channel


class Gateway:
    """A client of the Gateway that peers serve. Nothing is opened before the first call.

    Args:
        endpoint: "host:port" of the peer, or several `Endpoint`s in the order in which they are preferred: when one
            cannot be reached, the next is asked.
        identity: who acts.
        sign: signs digests, and may be asynchronous; None when everything is signed elsewhere.
        tls_roots: of an endpoint given as text, see `Endpoint`.
        server_name: of an endpoint given as text, see `Endpoint`.
        tls_client: the certificate shown to peers that ask for one, with its key.
        deadlines: how long each step may take.
        channel_options: of the gRPC channels, for example ("grpc.http_proxy", ...); they go before the client's own.
        interceptors: gRPC's `grpc.aio` client interceptors, for tracing say; every call passes through them.

    Raises:
        ValueError: no endpoint, TLS roots beside a list of endpoints, a TLS client certificate without TLS, or the
            identity's or the client's TLS certificate is none.
    """

    def __init__(
        self,
        endpoint: str | Sequence[Endpoint],
        identity: Identity,
        sign: Sign | AsyncSign | None = None,
        *,
        tls_roots: bytes | None = None,
        server_name: str = "",
        tls_client: TlsClient | None = None,
        deadlines: Deadlines | None = None,
        channel_options: ChannelOptions = (),
        interceptors: Interceptors = (),
    ) -> None:
        if isinstance(endpoint, str):
            endpoint = (Endpoint(endpoint, tls_roots, server_name),)
        elif tls_roots is not None or server_name:
            raise ValueError("tls_roots and server_name belong into each Endpoint when there are several")
        if tls_client and any(each.tls_roots is None for each in endpoint):
            raise ValueError("a TLS client certificate was given, but not the tls_roots of every peer: that is no TLS")
        self._peers = Peers([Connection(each, tls_client, channel_options, interceptors) for each in endpoint])
        digest = _certificate_digest(tls_client.certificate) if tls_client else b""
        self._context = Context(self._peers, identity, sign, deadlines or Deadlines(), digest)
        self._is_guest = False

    def acting_as(self, identity: Identity, sign: Sign | AsyncSign | None = None) -> Gateway:
        """The same peers, over the same connections, for another identity: for a server that acts for many.

        Closing it closes nothing; closing this one ends the connections for all.

        Args:
            identity: who acts.
            sign: see the class.
        """
        guest = copy.copy(self)
        guest._context = self._context.acting_as(identity, sign)
        guest._is_guest = True
        return guest

    @property
    def identity(self) -> Identity:
        """Who acts."""
        return self._context.identity

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
        channel_header = ChannelHeader.FromString(header.channel_header)
        return Proposal(
            self._context,
            channel_header.channel_id,
            channel_header.tx_id,  # as it is signed; the message's own id is not
            message.proposal.proposal_bytes,
            tuple(message.endorsing_organizations),
            signature or message.proposal.signature,
        )

    def transaction(self, prepared: bytes, signature: bytes = b"") -> Transaction:
        """Go on with a transaction that was taken out with `Transaction.serialized`; see `proposal`."""
        message = PreparedTransaction.FromString(prepared)
        envelope = message.envelope
        header = header_of_channel(envelope.payload)
        return Transaction(
            self._context, header.channel_id, header.tx_id, envelope.payload, signature or envelope.signature
        )

    def commit(self, requested: bytes, signature: bytes = b"") -> Commit:
        """Go on with a commit that was taken out with `Commit.serialized`; see `proposal`."""
        message = SignedCommitStatusRequest.FromString(requested)
        request = CommitStatusRequest.FromString(message.request)
        return Commit(
            self._context,
            request.channel_id,
            request.transaction_id,
            message.request,  # as it was signed, by whomever
            signature or message.signature,
        )

    def chaincode_events_request(
        self, requested: bytes, signature: bytes = b"", *, checkpoint: Checkpoint | None = None
    ) -> ChaincodeEventsRequest:
        """Go on with a request for events that was taken out with `ChaincodeEventsRequest.serialized`; see `proposal`.

        Args:
            requested: the bytes.
            signature: of its digest.
            checkpoint: the one that the request was made with, if it was: the bytes hold its block only.
        """
        message = SignedChaincodeEventsRequest.FromString(requested)
        return ChaincodeEventsRequest(
            self._context, message.request, after_of(checkpoint), signature or message.signature
        )

    def block_events_request(
        self, requested: bytes, signature: bytes = b"", *, form: BlockForm = BlockForm.FULL
    ) -> BlockEventsRequest:
        """Go on with a request for blocks that was taken out with `BlockEventsRequest.serialized`; see `proposal`.

        Args:
            requested: the bytes.
            signature: of its digest.
            form: what is wanted of each block; it is not in the bytes.
        """
        envelope = Envelope.FromString(requested)
        return BlockEventsRequest(self._context, form, envelope.payload, signature or envelope.signature)

    async def close(self) -> None:
        """Close the connections, unless they are another gateway's; twice is fine."""
        if not self._is_guest:
            await self._peers.close()

    async def __aenter__(self) -> Gateway:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _certificate_digest(certificate: bytes) -> bytes:
    """SHA-256 of a certificate's DER form."""
    return hashlib.sha256(x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)).digest()
