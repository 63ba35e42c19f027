"""Approving and committing a chaincode definition: transactions of `_lifecycle`, sent through the Gateway.

The Gateway hands a transaction to every orderer. One that is handed to a single orderer, as the `peer` tool does, is
lost for half a minute when that orderer has just started or a view is changing. Nothing is asked first here: whether
a step is needed is for the caller to find out. Source: Fabric's `_lifecycle` chaincode.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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
    CommitChaincodeDefinitionArgs,
)

from network.errors import NetworkError
from network.gateway import EndorseError, Gateway, GatewayError, Identity, Transaction, software_signer
from network.topology import Organisation, Topology

ENDORSED_SECONDS_MAX = 30.0
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
    """

    name: str
    msp_ids: tuple[str, ...]
    endorsements_min: int = 0
    blocks_kept: int = 0


def encode_collections(collections: Sequence[Collection]) -> CollectionConfigPackage | None:
    """The collections as a chaincode definition carries them; None when there are none."""
    config = [CollectionConfig(static_collection_config=_static(each)) for each in collections]
    return CollectionConfigPackage(config=config) if config else None


def approve(
    topology: Topology,
    organisations: Iterable[Organisation],
    version: str,
    sequence: int,
    package_id: str,
    collections: Sequence[Collection] = (),
) -> None:
    """Approve the definition, for every organisation given, each by its own administrator and peer.

    Raises: NetworkError naming the organisation whose approval was refused or is unknown.
    """
    source = ChaincodeSource(local_package=ChaincodeSource.Local(package_id=package_id))
    arguments = ApproveChaincodeDefinitionForMyOrgArgs(
        name=topology.chaincode,
        version=version,
        sequence=sequence,
        source=source,
        collections=encode_collections(collections),
    ).SerializeToString()

    async def all_of_them() -> None:
        function = "ApproveChaincodeDefinitionForMyOrg"
        await asyncio.gather(*(_submit(topology, each, function, arguments, (each.msp_id,)) for each in organisations))

    asyncio.run(all_of_them())


def commit(topology: Topology, version: str, sequence: int, collections: Sequence[Collection] = ()) -> None:
    """Commit the definition, endorsed by every organisation, and wait until every organisation's peer has it.

    Raises: NetworkError when it was refused or its fate is unknown.
    """
    arguments = CommitChaincodeDefinitionArgs(
        name=topology.chaincode, version=version, sequence=sequence, collections=encode_collections(collections)
    ).SerializeToString()
    first, everybody = topology.organisations[0], tuple(each.msp_id for each in topology.organisations)

    async def everywhere() -> None:
        transaction_id = await _submit(topology, first, "CommitChaincodeDefinition", arguments, everybody)
        await asyncio.gather(*(_arrived(topology, each, transaction_id) for each in topology.organisations))

    asyncio.run(everywhere())


def _static(collection: Collection) -> StaticCollectionConfig:
    """A member sends what it endorsed to every other one at once, but waits for none of them."""
    config = StaticCollectionConfig(
        name=collection.name,
        member_orgs_policy=CollectionPolicyConfig(signature_policy=_some_of(collection.msp_ids, 1, MSPRole.MEMBER)),
        maximum_peer_count=len(collection.msp_ids),
        block_to_live=collection.blocks_kept,
        member_only_read=True,
        member_only_write=True,
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


async def _submit(
    topology: Topology, organisation: Organisation, function: str, arguments: bytes, endorsers: tuple[str, ...]
) -> str:
    """One transaction of `_lifecycle` by the organisation's administrator; its id once it is committed."""
    async with _gateway(topology, organisation) as gateway:
        try:
            transaction = await _endorsed(gateway, topology.channel, function, arguments, endorsers)
            submitted = await transaction.submit()
            (await submitted.status()).check()
        except GatewayError as error:
            raise NetworkError(f"{function} by {organisation.name}: {error}", _AGAIN) from error
    return transaction.transaction_id


async def _arrived(topology: Topology, organisation: Organisation, transaction_id: str) -> None:
    """Wait until the organisation's own peer has committed the transaction."""
    async with _gateway(topology, organisation) as gateway:
        try:
            await gateway.network(topology.channel).commit_status(transaction_id)
        except GatewayError as error:
            raise NetworkError(f"the peer of {organisation.name} lags behind: {error}", _AGAIN) from error


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
    deadline = time.monotonic() + ENDORSED_SECONDS_MAX
    while True:
        try:
            return await contract.propose(function, arguments, organisations=endorsers).endorse()
        except EndorseError as error:
            if error.chaincode_response is not None or time.monotonic() > deadline:
                raise
            await asyncio.sleep(POLL_SECONDS)
