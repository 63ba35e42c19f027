"""A chaincode, or one contract inside it: the short forms, written with the long ones."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from fabric_protos.common.common_pb2 import ENDORSER_TRANSACTION, ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeInvocationSpec, ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension, ChaincodeProposalPayload
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage

from network.gateway.commit import Commit
from network.gateway.deadlines import Deadlines
from network.gateway.proposal import Proposal
from network.gateway.signing import NONCE_SIZE_BYTES, Context, digest_of

Transient = Mapping[str, str | bytes]


class Contract:
    """A contract of a channel; made by `Network.contract`."""

    def __init__(self, context: Context, channel: str, chaincode: str, name: str = "") -> None:
        self._context = context
        self._channel = channel
        self._chaincode_id = ChaincodeID(name=chaincode)
        self._extension: bytes = ChaincodeHeaderExtension(chaincode_id=self._chaincode_id).SerializeToString()
        self.chaincode = chaincode
        self.name = name

    def propose(
        self, *arguments: str | bytes, transient: Transient | None = None, organisations: Sequence[str] = ()
    ) -> Proposal:
        """Make a proposal with a transaction id of its own; nothing is sent.

        Args:
            arguments: what the chaincode gets; by custom the first one names the function.
            transient: what the chaincode gets besides, and the ledger never holds.
            organisations: MSP ids of exactly those who shall endorse (or of whom one may evaluate); without them, the
                gateway peer plans by the policies of the chaincode, its keys and its private data collections.

        Raises:
            TypeError: an argument or transient value is neither text nor bytes, or organisations are no list of texts.
        """
        if isinstance(organisations, str) or not all(isinstance(each, str) for each in organisations):
            raise TypeError(f"organisations are a list of MSP ids, not {organisations!r}")
        creator = self._context.creator
        nonce = secrets.token_bytes(NONCE_SIZE_BYTES)
        transaction_id = digest_of(nonce + creator).hex()
        channel_header = ChannelHeader(
            type=ENDORSER_TRANSACTION, channel_id=self._channel, tx_id=transaction_id, extension=self._extension
        )
        channel_header.timestamp.GetCurrentTime()
        header = Header(
            channel_header=channel_header.SerializeToString(),
            signature_header=SignatureHeader(creator=creator, nonce=nonce).SerializeToString(),
        )
        spec = ChaincodeSpec(chaincode_id=self._chaincode_id, input=ChaincodeInput(args=self._encoded(arguments)))
        payload = ChaincodeProposalPayload(
            input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString(),
            TransientMap={name: _bytes(value, f"transient {name!r}") for name, value in (transient or {}).items()},
        )
        message = ProposalMessage(header=header.SerializeToString(), payload=payload.SerializeToString())
        return Proposal(self._context, self._channel, transaction_id, message.SerializeToString(), tuple(organisations))

    async def evaluate(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        timeout_seconds: float | None = None,
    ) -> bytes:
        """Run the contract on one peer and return its answer; nothing is written.

        Args:
            arguments: what the chaincode gets.
            transient: what it gets besides.
            organisations: MSP ids of those whose peers may be asked; without them, the gateway peer chooses.
            timeout_seconds: the deadline, if not the gateway's.

        Raises:
            EvaluateError: it failed, or the contract refused.
        """
        proposal = self.propose(*arguments, transient=transient, organisations=organisations)
        return await proposal.evaluate(timeout_seconds=timeout_seconds)

    async def submit(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        deadlines: Deadlines | None = None,
    ) -> bytes:
        """Endorse, order, wait for the commit and return the contract's answer.

        Args:
            arguments: what the chaincode gets.
            transient: what it gets besides, and the ledger never holds.
            organisations: MSP ids of exactly those who shall endorse.
            deadlines: of each step, if not the gateway's.

        Raises:
            EndorseError: not endorsed, nothing was ordered.
            SubmitError, CommitStatusError: the fate is unknown.
            CommitError: ordered and invalid.
        """
        limits = deadlines or self._context.deadlines
        result, commit = await self.submit_async(
            *arguments, transient=transient, organisations=organisations, deadlines=limits
        )
        (await commit.status(limits.commit_status_seconds)).check()
        return result

    async def submit_async(
        self,
        *arguments: str | bytes,
        transient: Transient | None = None,
        organisations: Sequence[str] = (),
        deadlines: Deadlines | None = None,
    ) -> tuple[bytes, Commit]:
        """Endorse and order; return the contract's answer and the commit, without waiting for it.

        Args and errors: see `submit`, less those of the commit.
        """
        limits = deadlines or self._context.deadlines
        proposal = self.propose(*arguments, transient=transient, organisations=organisations)
        transaction = await proposal.endorse(timeout_seconds=limits.endorse_seconds)
        commit = await transaction.submit(timeout_seconds=limits.submit_seconds)
        return transaction.result, commit

    def _encoded(self, arguments: Sequence[str | bytes]) -> list[bytes]:
        encoded = [_bytes(argument, f"argument {number}") for number, argument in enumerate(arguments)]
        if self.name and encoded:
            encoded[0] = self.name.encode() + b":" + encoded[0]
        return encoded


def _bytes(value: str | bytes, what: str) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{what} is of type {type(value).__name__}: a chaincode takes str and bytes")
