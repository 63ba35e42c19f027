"""A fifth consenter: a second orderer of the supplier's, which joins as a follower, gets a vote, and loses it again.

All by configuration updates that every organisation's administrator signs. The rule for valid blocks names the
consenters one by one, so it changes in the same update.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fabric_protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigSignature, ConfigUpdate, ConfigUpdateEnvelope
from fabric_protos.common.configuration_pb2 import Consenter, OrdererAddresses, Orderers
from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.gateway.gateway_pb2 import PreparedTransaction
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal

from network import channel, components, identities, processes, tools
from network.gateway import Gateway, Identity, software_signer
from network.gateway.signing import digest_of
from network.processes import Component
from network.topology import Organisation, Ports, Topology
from network.watch import sight

FIFTH = "fifth"
OWNER = "supplier"
SECONDS_MAX = 60.0
POLL_SECONDS = 0.1


def with_fifth(topology: Topology, first_port: int) -> Topology:
    """The network with one orderer more, of an organisation that has one already."""
    owner = topology.organisation(OWNER)
    fifth = Organisation(name=FIFTH, msp_id=owner.msp_id, ports=Ports.block(first_port))
    return topology.model_copy(update={"organisations": (*topology.organisations, fifth)})


@contextmanager
def fifth_consenter(five: Topology) -> Iterator[Component]:
    """Run the fifth orderer, and give it a vote for as long as the block lasts."""
    fifth, folders = five.organisation(FIFTH), five.folders(FIFTH)
    if not folders.root.exists():
        shutil.copytree(five.folders(OWNER).authority, folders.authority)
        identities.ensure_organisation(fifth, folders)
    component = components.orderer(five, tools.find_or_build(print), fifth, folders)
    processes.start(five.data, component)
    try:
        processes.await_healthy(five.data, component, SECONDS_MAX)
        channel.join_orderer(five, fifth)
        asyncio.run(change_consenters(five, [each.name for each in five.organisations]))
        _await_vote(five, fifth)
        yield component
        asyncio.run(change_consenters(five, [each.name for each in five.organisations if each != fifth]))
    finally:
        processes.stop(five.data, [component.name])


def _await_vote(five: Topology, fifth: Organisation) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while (seen := sight.orderer_sight(five, fifth)) is None or not seen.consenter:
        assert time.monotonic() < deadline, f"the fifth orderer got no vote: {seen}"
        time.sleep(POLL_SECONDS)


async def change_consenters(five: Topology, names: list[str]) -> None:
    """Order the update after which these orderers, in the topology's order, are the consenters."""
    signers = [each for each in five.organisations if each.name != FIFTH]
    async with _admin_gateway(five, signers[0]) as gateway:
        contract = gateway.network(five.channel).contract("cscc")
        answer = await contract.evaluate("GetChannelConfig", five.channel, organisations=(signers[0].msp_id,))
        update = _update(five, Config.FromString(answer).channel_group, names)
        envelope = ConfigUpdateEnvelope(
            config_update=update, signatures=[_signed(five, each, update) for each in signers]
        )
        header = ChannelHeader(type=CONFIG_UPDATE, channel_id=five.channel)
        header.timestamp.GetCurrentTime()
        creator = SignatureHeader(creator=_admin(five, signers[0]).creator, nonce=secrets.token_bytes(24))
        whole = Header(channel_header=header.SerializeToString(), signature_header=creator.SerializeToString())
        payload = Payload(header=whole, data=envelope.SerializeToString()).SerializeToString()
        prepared = PreparedTransaction(envelope=Envelope(payload=payload)).SerializeToString()
        await gateway.transaction(prepared).submit()


def _update(five: Topology, root: Any, names: list[str]) -> bytes:
    orderer = root.groups["Orderer"]
    update = ConfigUpdate(channel_id=five.channel)
    for sets in (update.read_set, update.write_set):
        sets.version = root.version
        sets.groups["Orderer"].version = orderer.version
        msp = five.organisation(OWNER).msp_id
        sets.groups["Orderer"].groups[msp].version = orderer.groups[msp].version
    written = update.write_set.groups["Orderer"]
    known = {each.id: each for each in Orderers.FromString(orderer.values["Orderers"].value).consenter_mapping}
    mapping = [known.get(number) or _consenter(five, number) for number in _numbers(five, names)]
    value = written.values["Orderers"]
    value.CopyFrom(orderer.values["Orderers"])
    value.version += 1
    value.value = Orderers(consenter_mapping=mapping).SerializeToString()
    policy = written.policies["BlockValidation"]
    policy.CopyFrom(orderer.policies["BlockValidation"])
    policy.version += 1
    policy.policy.value = _block_validation(mapping)
    endpoints = written.groups[msp].values["Endpoints"]
    endpoints.CopyFrom(orderer.groups[msp].values["Endpoints"])
    endpoints.version += 1
    addresses = [each.orderer_endpoint for each in five.organisations if each.msp_id == msp and each.name in names]
    endpoints.value = OrdererAddresses(addresses=addresses).SerializeToString()
    return bytes(update.SerializeToString())


def _numbers(five: Topology, names: list[str]) -> list[int]:
    return [number for number, each in enumerate(five.organisations, 1) if each.name in names]


def _consenter(five: Topology, number: int) -> Any:
    organisation = five.organisations[number - 1]
    folders = five.folders(organisation.name)
    tls = folders.orderer_tls.certificate.read_bytes()
    return Consenter(
        id=number,
        host=organisation.host,
        port=organisation.ports.orderer,
        msp_id=organisation.msp_id,
        identity=folders.orderer.certificate.read_bytes(),
        client_tls_cert=tls,
        server_tls_cert=tls,
    )


def _block_validation(mapping: list[Any]) -> bytes:
    """A block is valid with the signatures of ceil((n + f + 1) / 2) of the consenters, f being those that may lie."""
    tolerated = (len(mapping) - 1) // 3
    needed = math.ceil((len(mapping) + tolerated + 1) / 2)
    principals = [
        MSPPrincipal(
            principal_classification=MSPPrincipal.IDENTITY,
            principal=SerializedIdentity(mspid=each.msp_id, id_bytes=each.identity).SerializeToString(),
        )
        for each in mapping
    ]
    rules = [SignaturePolicy(signed_by=place) for place in range(len(mapping))]
    rule = SignaturePolicy(n_out_of=SignaturePolicy.NOutOf(n=needed, rules=rules))
    return bytes(SignaturePolicyEnvelope(rule=rule, identities=principals).SerializeToString())


def _admin(topology: Topology, organisation: Organisation) -> Identity:
    certificate = topology.folders(organisation.name).admin.certificate.read_bytes()
    return Identity(organisation.msp_id, certificate)


def _admin_gateway(topology: Topology, organisation: Organisation) -> Gateway:
    folders = topology.folders(organisation.name)
    sign = software_signer(folders.admin.key.read_bytes())
    roots = folders.tls_ca.read_bytes()
    return Gateway(organisation.peer_endpoint, _admin(topology, organisation), sign, tls_roots=roots)


def _signed(topology: Topology, organisation: Organisation, update: bytes) -> Any:
    creator = _admin(topology, organisation).creator
    header = SignatureHeader(creator=creator, nonce=secrets.token_bytes(24)).SerializeToString()
    sign = software_signer(topology.folders(organisation.name).admin.key.read_bytes())
    return ConfigSignature(signature_header=header, signature=sign(digest_of(header + update)))
