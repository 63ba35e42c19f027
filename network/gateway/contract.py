"""A chaincode, or one contract inside it: the short forms, written with the long ones."""

from __future__ import annotations

import secrets

from fabric_protos.common.common_pb2 import ENDORSER_TRANSACTION, ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeInvocationSpec, ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension, ChaincodeProposalPayload
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage

from network.gateway.proposal import Proposal
from network.gateway.signing import Context, digest_of

NONCE_SIZE_BYTES = 24


class Contract:
    """A contract of a channel; made by `Network.contract`."""

    def __init__(self, context: Context, channel: str, chaincode: str, name: str = "") -> None:
        self._context = context
        self._channel = channel
        self.chaincode = chaincode
        self.name = name

    def propose(self, *arguments: str | bytes) -> Proposal:
        """Make a proposal with a transaction id of its own; nothing is sent.

        Args:
            arguments: what the chaincode gets; by custom the first one names the function.
        """
        creator = self._context.creator
        nonce = secrets.token_bytes(NONCE_SIZE_BYTES)
        transaction_id = digest_of(nonce + creator).hex()
        chaincode_id = ChaincodeID(name=self.chaincode)
        channel_header = ChannelHeader(
            type=ENDORSER_TRANSACTION,
            channel_id=self._channel,
            tx_id=transaction_id,
            extension=ChaincodeHeaderExtension(chaincode_id=chaincode_id).SerializeToString(),
        )
        channel_header.timestamp.GetCurrentTime()
        header = Header(
            channel_header=channel_header.SerializeToString(),
            signature_header=SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
        )
        spec = ChaincodeSpec(chaincode_id=chaincode_id, input=ChaincodeInput(args=self._encoded(arguments)))
        payload = ChaincodeProposalPayload(input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString())
        message = ProposalMessage(header=header.SerializeToString(), payload=payload.SerializeToString())
        return Proposal(self._context, self._channel, transaction_id, message.SerializeToString())

    async def evaluate(self, *arguments: str | bytes, organisations: tuple[str, ...] = ()) -> bytes:
        """Run the contract on one peer and return its answer; nothing is written.

        Args:
            arguments: what the chaincode gets.
            organisations: MSP ids of those whose peers may be asked; without them, the gateway peer chooses.

        Raises:
            EvaluateError: it failed, or the contract refused.
        """
        return await self.propose(*arguments).evaluate(organisations=organisations)

    async def submit(self, *arguments: str | bytes) -> bytes:
        """Endorse, order, wait for the commit and return the contract's answer.

        Raises:
            EndorseError: not endorsed, nothing was ordered.
            SubmitError, CommitStatusError: the fate is unknown.
            CommitError: ordered and invalid.
        """
        transaction = await self.propose(*arguments).endorse()
        commit = await transaction.submit()
        (await commit.status()).check()
        return transaction.result

    def _encoded(self, arguments: tuple[str | bytes, ...]) -> list[bytes]:
        encoded = [argument.encode() if isinstance(argument, str) else argument for argument in arguments]
        if self.name and encoded:
            encoded[0] = self.name.encode() + b":" + encoded[0]
        return encoded
