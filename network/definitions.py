"""Approving and committing a chaincode definition: transactions of `_lifecycle`, sent through the Gateway.

The Gateway hands a transaction to every orderer. One that is handed to a single orderer, as the `peer` tool does, is
lost for half a minute when that orderer has just started or a view is changing. Nothing is asked first here: whether
a step is needed is for the caller to find out, with the questions below. What an organisation has approved lies in its
private data, on its own peer alone; that it has is on the ledger, as a digest, and so is known to all.
Source: Fabric's `_lifecycle` chaincode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.lifecycle.lifecycle_pb2 import (
    ApproveChaincodeDefinitionForMyOrgArgs,
    ChaincodeSource,
    CheckCommitReadinessArgs,
    CheckCommitReadinessResult,
    CommitChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionArgs,
    QueryApprovedChaincodeDefinitionResult,
    QueryChaincodeDefinitionArgs,
    QueryChaincodeDefinitionResult,
)
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from network.errors import NetworkError
from network.gateway import (
    CommitStatusError,
    EndorseError,
    EvaluateError,
    Gateway,
    GatewayError,
    Identity,
    RpcCode,
    Transaction,
    software_signer,
)
from network.topology import Organisation, Topology
from network.waiting import Patience

QUIET_SECONDS_MAX = 60.0
"""How long nothing may change, neither the answers nor the height of a peer, before a step is given up."""
LEADER_SECONDS_MAX = 60.0
"""How long orderers may be without a leader, as they are at first, before a transaction is given up."""
STATUS_SECONDS = 10.0
POLL_SECONDS = 0.1
_AGAIN = "Run the command again: steps that are done are skipped."


@dataclass(frozen=True, slots=True)
class Collection:
    """Private data: values that only the members' peers hold.

    Args:
        name: the collection's, in the contract.
        msp_ids: the members; only their clients may read and write it through the contract.
        endorsements_min: how many members' peers must endorse a change; 0 leaves that to the contract's own policy.
        blocks_kept: for how many blocks a value is kept; 0 is for ever.
        peers_min: to how many other members' peers an endorser must have given a value before it endorses
            (`requiredPeerCount`): so many hold it besides, whatever becomes of the endorser.
        members_write: whether only the members' clients may write it through the contract (`memberOnlyWrite`).
    """

    name: str
    msp_ids: tuple[str, ...]
    endorsements_min: int = 0
    blocks_kept: int = 0
    peers_min: int = 0
    members_write: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """Who has to endorse what the contract writes: `endorsements_min` peers of these organisations."""

    msp_ids: tuple[str, ...]
    endorsements_min: int


@dataclass(frozen=True, slots=True)
class Committed:
    """A definition that is committed on the channel, and who has approved it, by MSP id."""

    version: str
    sequence: int
    approvals: Mapping[str, bool]


def committed(topology: Topology, organisation: Organisation) -> Committed | None:
    """The chaincode's committed definition as the organisation's peer knows it; None when there is none.

    Raises: NetworkError when the peer does not answer.
    """
    asked = QueryChaincodeDefinitionArgs(name=topology.chaincode)
    answer = _ask(topology, organisation, "QueryChaincodeDefinition", asked)
    if answer is None:
        return None
    found = QueryChaincodeDefinitionResult.FromString(answer)
    return Committed(found.version, found.sequence, dict(found.approvals))


def approvals(
    topology: Topology,
    organisation: Organisation,
    version: str,
    sequence: int,
    collections: Sequence[Collection],
    policy: Policy | None = None,
) -> Mapping[str, bool]:
    """Who has approved a definition that is not committed yet, by MSP id, as the organisation's peer knows it.

    Raises: NetworkError when the peer does not answer.
    """
    asked = CheckCommitReadinessArgs(
        name=topology.chaincode,
        version=version,
        sequence=sequence,
        collections=encode_collections(collections),
        validation_parameter=encode_policy(policy),
    )
    answer = _ask(topology, organisation, "CheckCommitReadiness", asked)
    return {} if answer is None else dict(CheckCommitReadinessResult.FromString(answer).approvals)


def approved_package(topology: Topology, organisation: Organisation, sequence: int) -> str | None:
    """The package that the organisation approved for a sequence, as its own peer knows it.

    None when that peer does not know: its ledger was lost, and its private data with it.
    """
    asked = QueryApprovedChaincodeDefinitionArgs(name=topology.chaincode, sequence=sequence)
    try:
        answer = _ask(topology, organisation, "QueryApprovedChaincodeDefinition", asked)
    except NetworkError:
        return None
    if answer is None:
        return None
    return str(QueryApprovedChaincodeDefinitionResult.FromString(answer).source.local_package.package_id)


def encode_collections(collections: Sequence[Collection]) -> CollectionConfigPackage | None:
    """The collections as a chaincode definition carries them; None when there are none."""
    config = [CollectionConfig(static_collection_config=_static(each)) for each in collections]
    return CollectionConfigPackage(config=config) if config else None


def encode_policy(policy: Policy | None) -> bytes:
    """The policy as a chaincode definition carries it; empty for the channel's own, which is a majority here."""
    if policy is None:
        return b""
    signed = _some_of(policy.msp_ids, policy.endorsements_min, MSPRole.PEER)
    return bytes(ApplicationPolicy(signature_policy=signed).SerializeToString())


def approve(
    topology: Topology,
    organisations: Sequence[Organisation],
    version: str,
    sequence: int,
    package_id: str,
    collections: Sequence[Collection] = (),
    policy: Policy | None = None,
) -> dict[str, NetworkError]:
    """Approve the definition, for every organisation given, each by its own administrator and peer.

    Returns: by organisation, the error of each whose approval was refused or is unknown.
    """
    source = ChaincodeSource(local_package=ChaincodeSource.Local(package_id=package_id))
    arguments = ApproveChaincodeDefinitionForMyOrgArgs(
        name=topology.chaincode,
        version=version,
        sequence=sequence,
        source=source,
        collections=encode_collections(collections),
        validation_parameter=encode_policy(policy),
    ).SerializeToString()

    async def all_of_them() -> list[str | BaseException]:
        function = "ApproveChaincodeDefinitionForMyOrg"
        steps = (_submit(topology, each, function, arguments, (each.msp_id,)) for each in organisations)
        return await asyncio.gather(*steps, return_exceptions=True)

    failed = {}
    for organisation, outcome in zip(organisations, asyncio.run(all_of_them()), strict=True):
        if isinstance(outcome, NetworkError):
            failed[organisation.name] = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
    return failed


def commit(
    topology: Topology,
    organisations: Sequence[Organisation],
    version: str,
    sequence: int,
    collections: Sequence[Collection] = (),
    policy: Policy | None = None,
    endorsers: Sequence[str] = (),
) -> None:
    """Commit the definition, and wait until the peer of each of the organisations given has it.

    Args:
        topology: the network.
        organisations: whose peers and administrators are at hand; the first one's sends it.
        version: of the contract.
        sequence: of the definition.
        collections: as it was approved.
        policy: as it was approved.
        endorsers: MSP ids of those whose peers endorse it; the organisations given when there is none.

    Raises: NetworkError when it was refused or its fate is unknown.
    """
    arguments = CommitChaincodeDefinitionArgs(
        name=topology.chaincode,
        version=version,
        sequence=sequence,
        collections=encode_collections(collections),
        validation_parameter=encode_policy(policy),
    ).SerializeToString()
    first, everybody = organisations[0], tuple(endorsers) or tuple(each.msp_id for each in organisations)

    async def everywhere() -> None:
        transaction_id = await _submit(topology, first, "CommitChaincodeDefinition", arguments, everybody)
        await asyncio.gather(*(_arrived(topology, each, transaction_id) for each in organisations))

    asyncio.run(everywhere())


def _static(collection: Collection) -> StaticCollectionConfig:
    """A member sends what it endorsed to every other one at once, and waits for as many as are asked for."""
    config = StaticCollectionConfig(
        name=collection.name,
        member_orgs_policy=CollectionPolicyConfig(signature_policy=_some_of(collection.msp_ids, 1, MSPRole.MEMBER)),
        required_peer_count=collection.peers_min,
        maximum_peer_count=len(collection.msp_ids),
        block_to_live=collection.blocks_kept,
        member_only_read=True,
        member_only_write=collection.members_write,
    )
    if collection.endorsements_min:
        policy = _some_of(collection.msp_ids, collection.endorsements_min, MSPRole.PEER)
        config.endorsement_policy.signature_policy.CopyFrom(policy)
    return config


def _some_of(msp_ids: Sequence[str], count: int, role: int) -> SignaturePolicyEnvelope:
    """The policy that `count` of these organisations fulfil together."""
    roles = [MSPRole(role=role, msp_identifier=msp_id).SerializeToString() for msp_id in msp_ids]
    signed = [SignaturePolicy(signed_by=number) for number in range(len(roles))]
    return SignaturePolicyEnvelope(
        rule=SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=count, rules=signed)),
        identities=[MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=each) for each in roles],
    )


def _ask(topology: Topology, organisation: Organisation, function: str, asked: Any) -> bytes | None:
    """What `_lifecycle` on the organisation's own peer answers its administrator; None when there is no such thing."""

    async def ask() -> bytes | None:
        async with _gateway(topology, organisation) as gateway:
            contract = gateway.network(topology.channel).contract("_lifecycle")
            try:
                return await contract.evaluate(
                    function, asked.SerializeToString(), organisations=(organisation.msp_id,)
                )
            except EvaluateError as error:
                answer = error.chaincode_response
                if answer is not None and answer.status == HTTPStatus.NOT_FOUND:
                    return None
                raise NetworkError(f"{function} at the peer of {organisation.name}: {error}", _AGAIN) from error

    return asyncio.run(ask())


async def _submit(
    topology: Topology, organisation: Organisation, function: str, arguments: bytes, endorsers: tuple[str, ...]
) -> str:
    """One transaction of `_lifecycle` by the organisation's administrator; its id once it is committed."""
    async with _gateway(topology, organisation) as gateway:
        try:
            transaction = await _endorsed(gateway, topology.channel, function, arguments, endorsers)
            await _ordered(transaction)
        except GatewayError as error:
            raise NetworkError(f"{function} by {organisation.name}: {error}", _AGAIN) from error
    await _arrived(topology, organisation, transaction.transaction_id, f"{function} by {organisation.name}")
    return transaction.transaction_id


async def _ordered(transaction: Transaction) -> None:
    """Hand the transaction to the orderers, again while they have no leader yet: sent twice it has one effect."""
    patience = Patience(LEADER_SECONDS_MAX)
    while True:
        try:
            await transaction.submit()
        except GatewayError as error:
            if error.code != RpcCode.UNAVAILABLE or patience.is_over(None):
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return


async def _arrived(
    topology: Topology, organisation: Organisation, transaction_id: str, what: str = "the definition"
) -> None:
    """Wait until the organisation's own peer has committed the transaction, for as long as it commits anything."""
    patience = Patience(QUIET_SECONDS_MAX)
    async with _gateway(topology, organisation) as gateway:
        network = gateway.network(topology.channel)
        while True:
            height = -1
            try:
                (await network.commit_status(transaction_id, STATUS_SECONDS)).check()
            except CommitStatusError as error:
                try:
                    height = await network.height()
                except GatewayError as silent:
                    error = CommitStatusError(f"{error}; {silent}", transaction_id, silent.code)
                if not patience.is_over(height):
                    await asyncio.sleep(POLL_SECONDS)
                    continue
                text = f"{what}: transaction {transaction_id} is not committed at the peer of {organisation.name}, "
                seen = f"which has {height} blocks" if height >= 0 else "which does not answer"
                raise NetworkError(f"{text}{seen}: {patience.words}. It said: {error}", _AGAIN) from error
            except GatewayError as error:
                raise NetworkError(f"{what}: {error}", _AGAIN) from error
            else:
                return


def _gateway(topology: Topology, organisation: Organisation) -> Gateway:
    """The organisation's own peer, asked by its administrator."""
    folders = topology.folders(organisation.name)
    identity = Identity(organisation.msp_id, folders.admin.certificate.read_bytes())
    sign = software_signer(folders.admin.key.read_bytes())
    return Gateway(organisation.peer_endpoint, identity, sign, tls_roots=folders.tls_ca.read_bytes())


async def _endorsed(
    gateway: Gateway, channel: str, function: str, arguments: bytes, endorsers: tuple[str, ...]
) -> Transaction:
    """Endorse anew until gossip has told the gateway of every endorser; a refusal is final at once."""
    contract = gateway.network(channel).contract("_lifecycle")
    patience = Patience(QUIET_SECONDS_MAX)
    while True:
        try:
            return await contract.propose(function, arguments, organisations=endorsers).endorse()
        except EndorseError as error:
            if error.chaincode_response is not None or patience.is_over(str(error)):
                raise
            await asyncio.sleep(POLL_SECONDS)
