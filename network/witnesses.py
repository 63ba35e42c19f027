"""What shows to others what a channel holds: gathered from the own peer and, where their word is needed, from others'.

Other organisations' peers are found by the anchor peers and TLS authorities that the channel's configuration names. It
asks; it changes nothing and believes nothing: what was gathered is for `network.proofs` to check.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric_protos.common.common_pb2 import Envelope, Metadata, OrdererBlockMetadata, Payload
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.peer.configuration_pb2 import AnchorPeers
from fabric_protos.peer.lifecycle.lifecycle_pb2 import QueryChaincodeDefinitionArgs, QueryChaincodeDefinitionResult
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from google.protobuf.message import DecodeError

from network.blocks import read_block
from network.errors import NetworkError
from network.gateway import Endpoint, Gateway, GatewayError, Identity, Network, Sign
from network.proofs.answers import FUNCTION, QUERY, Answer
from network.proofs.configuration import Configuration
from network.proofs.ordering import BlockSignature, SignedHeader
from network.proofs.policies import UnfitError, read_configuration

SIGNATURES = 0  # the place of the orderers' signatures in a block's metadata
_LATER = "Try again when more of the other organisations' peers can be reached."
_REBUILD = "The read model is another ledger's: ledger-node db check"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A transaction in its block, and what peers signed of it; `question` is the proposal that they were asked by."""

    transaction_id: str
    block_number: int
    index: int
    envelope: bytes
    question: bytes
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class SealedBlock:
    """A block: its header as it was signed, and its envelopes."""

    header: SignedHeader
    data: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom to believe on a channel; `genesis` is the hash of its first block, 32 bytes."""

    channel: str
    genesis: bytes
    configurations: tuple[Configuration, ...]


async def trust(network: Network, msp_id: str, chaincode: str) -> Trust:
    """All configurations that the channel has had, by the own peer's word, the oldest first.

    Args:
        network: the channel at the own peer.
        msp_id: of the own organisation.
        chaincode: whose endorsement policy counts.

    Raises: NetworkError; GatewayError.
    """
    try:
        policy = await _endorsement_policy(network, msp_id, chaincode)
        number = _last_configuration(await _block(network, await network.height() - 1))
        found = []
        while True:
            block = await _block(network, number)
            found.append(read_configuration(number, _config_of(block), policy))
            if number == 0:
                break
            number = _last_configuration(await _block(network, number - 1))
    except (UnfitError, DecodeError, IndexError) as error:
        raise NetworkError(f"no evidence can be checked against this channel's configuration: {error}") from error
    return Trust(network.channel, read_block(block).hash, tuple(reversed(found)))


async def gather(
    network: Network, identity: Identity, sign: Sign, transactions: Mapping[str, int]
) -> tuple[list[Witnessed], list[SealedBlock]]:
    """Transactions with their blocks as the own peer has them, and what became of them by the peers' signed word.

    Args:
        network: the channel at the own peer, whose configuration names the others'.
        identity: who asks.
        sign: signs its questions.
        transactions: the number of its block for each transaction's id.

    Raises: NetworkError when no more than half of the organisations answer, or a transaction is not in its block;
        GatewayError.
    """
    numbers = sorted(set(transactions.values()))
    blocks = {number: await _block(network, number) for number in numbers}
    answered = await _ask_peers(network, identity, sign, list(transactions))
    witnessed = []
    for transaction_id, number in transactions.items():
        ids = [each.id for each in read_block(blocks[number]).transactions]
        if transaction_id not in ids:
            raise NetworkError(f"transaction {transaction_id} is not in block {number}", _REBUILD)
        index = ids.index(transaction_id)
        envelope = blocks[number].data.data[index]
        witnessed.append(Witnessed(transaction_id, number, index, envelope, *answered[transaction_id]))
    return witnessed, [_sealed(blocks[number]) for number in numbers]


async def _ask_peers(
    network: Network, identity: Identity, sign: Sign, transaction_ids: Sequence[str]
) -> Mapping[str, tuple[bytes, tuple[Answer, ...]]]:
    """For each transaction the question, and what the peers of all organisations that answer have signed."""
    cscc = network.contract("cscc")
    config = Config.FromString(
        await cscc.evaluate("GetChannelConfig", network.channel, organisations=(identity.msp_id,))
    )
    groups = config.channel_group.groups["Application"].groups
    gateways = [Gateway([each], identity, sign) for each in map(_endpoint, groups.values()) if each is not None]
    try:
        asked = [_ask(gateways, network, each) for each in transaction_ids]
        answered = dict(zip(transaction_ids, await asyncio.gather(*asked), strict=True))
    finally:
        await asyncio.gather(*(each.close() for each in gateways))
    for transaction_id, (_, answers, faults) in answered.items():
        if len(answers) <= len(groups) // 2:
            told = "; ".join(faults) or "the configuration names no anchor peer of the others"
            text = f"only {len(answers)} of {len(groups)} organisations say what became of {transaction_id}: {told}"
            raise NetworkError(text, _LATER)
    return {transaction_id: (question, answers) for transaction_id, (question, answers, _) in answered.items()}


async def _ask(
    gateways: Sequence[Gateway], network: Network, transaction_id: str
) -> tuple[bytes, tuple[Answer, ...], list[str]]:
    proposal = network.contract(QUERY).propose(FUNCTION, network.channel, transaction_id)
    given = await asyncio.gather(
        *(gateway.proposal(proposal.serialized).answer() for gateway in gateways), return_exceptions=True
    )
    answers, faults = [], []
    for each in given:
        if isinstance(each, GatewayError):
            faults.append(str(each))
        elif isinstance(each, BaseException):
            raise each
        else:
            answers.append(Answer(each.payload, each.endorsement.endorser, each.endorsement.signature))
    return proposal.message, tuple(answers), faults


def _endpoint(group: Any) -> Endpoint | None:
    """Where an organisation's first anchor peer is, by the configuration."""
    anchors = AnchorPeers.FromString(group.values["AnchorPeers"].value).anchor_peers
    msp = FabricMSPConfig.FromString(MSPConfig.FromString(group.values["MSP"].value).config)
    if not anchors:
        return None
    roots = b"\n".join([*msp.tls_root_certs, *msp.tls_intermediate_certs])
    return Endpoint(f"{anchors[0].host}:{anchors[0].port}", roots or None)


async def _endorsement_policy(network: Network, msp_id: str, chaincode: str) -> ApplicationPolicy:
    asked = QueryChaincodeDefinitionArgs(name=chaincode).SerializeToString()
    lifecycle = network.contract("_lifecycle")
    answer = await lifecycle.evaluate("QueryChaincodeDefinition", asked, organisations=(msp_id,))
    return ApplicationPolicy.FromString(QueryChaincodeDefinitionResult.FromString(answer).validation_parameter)


async def _block(network: Network, number: int) -> Any:
    async with network.blocks(number, number) as blocks:
        async for block in blocks:
            return block
    raise NetworkError(f"the peer did not give block {number}")


def _sealed(block: Any) -> SealedBlock:
    metadata = Metadata.FromString(block.metadata.metadata[SIGNATURES])
    header = SignedHeader(
        int(block.header.number),
        block.header.previous_hash,
        block.header.data_hash,
        metadata.value,
        tuple(BlockSignature(each.identifier_header, each.signature) for each in metadata.signatures),
    )
    return SealedBlock(header, tuple(block.data.data))


def _last_configuration(block: Any) -> int:
    metadata = Metadata.FromString(block.metadata.metadata[SIGNATURES])
    return int(OrdererBlockMetadata.FromString(metadata.value).last_config.index)


def _config_of(block: Any) -> Config:
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    return ConfigEnvelope.FromString(payload.data).config
