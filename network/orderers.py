"""What orderers say of themselves, and what the channel's configuration says of them. It asks; it changes nothing.

An orderer's own word is not enough: one that was removed was never told, and one whose certificate was renewed without
an update of the channel follows in silence. So the configuration that the peers keep decides who is a consenter.
Source: Fabric's channel participation API and metrics; its configuration.proto of common and of orderer/etcdraft.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata

from network import channel, components
from network.errors import NetworkError
from network.gateway import Gateway, GatewayError, Identity, software_signer
from network.topology import Organisation, Other, Topology

CONSENTER, FOLLOWER, REMOVED, OTHER_CERTIFICATE = "consenter", "follower", "removed", "other certificate"
ASK_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Consenter:
    """An entry of the channel's configuration; `number` is 0 with Raft, and `certificate` (PEM) its TLS certificate."""

    number: int
    host: str
    port: int
    certificate: bytes


@dataclass(frozen=True, slots=True)
class OrdererSight:
    """What an orderer said at one moment.

    Args:
        height: its blocks; None when it has not joined the channel or does not say.
        relation: what it takes itself for, "consenter" or "follower".
        leads: whether it takes itself for the leader.
        leader: the number of the consenter that it follows, with BFT; None otherwise.
        view: counts the leaders there have been, with BFT; None otherwise.
        waiting: transactions that it knows of and that are in no block yet; 0 with Raft, which does not say.
        wishes: whether it has asked for another leader and has none yet, with BFT.
    """

    height: int | None
    relation: str
    leads: bool
    leader: int | None
    view: int | None
    waiting: int
    wishes: bool = False


def sight(topology: Topology, organisation: Organisation, known: Sequence[Consenter]) -> OrdererSight:
    """Ask an organisation's orderer how it is.

    `consensus_BFT_leader_id` and `consensus_BFT_is_leader` are set when an orderer delivers a block that it took part
    in ordering, and at its start; the next change of the view, and a block that was fetched, leave them as they were.
    So whom it follows now is asked of the view that it is in.

    Args:
        topology: the network.
        organisation: whose orderer.
        known: of the channel's configuration, which tells whose number is whose; empty when it is not known, and the
            orderer's last word on its own part must do.
    """
    try:
        joined = channel.participation(topology, organisation)
    except (NetworkError, OSError):
        joined = None
    found = components.series(organisation.ports.orderer_operations)

    def value(name: str) -> int | None:
        number = found.get(f'{name}{{channel="{topology.channel}"}}')
        return None if number is None else int(number)

    kind = "BFT" if topology.consensus == "bft" else "etcdraft"
    leader = value("consensus_smartbft_view_leader_id")
    last_word = value(f"consensus_{kind}_is_leader") == 1
    return OrdererSight(
        height=None if joined is None else joined.height,
        relation="" if joined is None else joined.relation,
        leads=leader_name(topology, known, leader) == organisation.name if leader and known else last_word,
        leader=leader,
        view=value("consensus_smartbft_view_number"),
        waiting=value("consensus_smartbft_pool_count_of_elements") or 0,
        wishes=(value("consensus_smartbft_viewchange_next_view") or 0)
        > (value("consensus_smartbft_viewchange_real_view") or 0),
    )


def consenters(topology: Topology, organisations: Sequence[Organisation]) -> tuple[Consenter, ...]:
    """Who orders, by the newest configuration that the peers of these organisations have; none if no peer answers."""
    with ThreadPoolExecutor(1) as pool:  # a thread of its own: whoever asks may be within a loop already
        answers = pool.submit(asyncio.run, _configurations(topology, organisations)).result()
    newest = max(answers, key=lambda config: config.sequence, default=None)
    if newest is None:
        return ()
    values = newest.channel_group.groups["Orderer"].values
    if topology.consensus == "bft":
        mapping = Orderers.FromString(values["Orderers"].value).consenter_mapping
        return tuple(Consenter(each.id, each.host, each.port, each.identity) for each in mapping)
    metadata = ConfigMetadata.FromString(ConsensusType.FromString(values["ConsensusType"].value).metadata)
    return tuple(Consenter(0, each.host, each.port, each.server_tls_cert) for each in metadata.consenters)


def relation(topology: Topology, organisation: Organisation, known: Sequence[Consenter], own_word: str) -> str:
    """What an organisation's orderer is in truth.

    Args:
        topology: the network.
        organisation: whose orderer.
        known: of the channel's configuration; empty when it is not known, and the orderer's own word must do.
        own_word: what the orderer takes itself for.

    Returns: `CONSENTER`, `FOLLOWER`, `REMOVED` or `OTHER_CERTIFICATE`.
    """
    if not known:
        return own_word
    entry = next((each for each in known if (each.host, each.port) == _address(organisation)), None)
    if entry is None:
        return REMOVED if own_word == CONSENTER else FOLLOWER
    folders = topology.folders(organisation.name)
    own = (folders.orderer if topology.consensus == "bft" else folders.orderer_tls).certificate
    same = own.exists() and own.read_bytes().strip() == entry.certificate.strip()
    # Raft goes by the TLS certificate, and may be renewed; BFT by the identity.
    return CONSENTER if same else OTHER_CERTIFICATE


def leader_name(topology: Topology, known: Sequence[Consenter], number: int | None) -> str | None:
    """The organisation of a consenter's number; None when there is none."""
    address = next(((each.host, each.port) for each in known if number and each.number == number), None)
    return next((each.name for each in topology.members if _address(each) == address), None)


def _address(member: Organisation | Other) -> tuple[str, int]:
    return member.host, member.orderer if isinstance(member, Other) else member.ports.orderer


async def _configurations(topology: Topology, organisations: Sequence[Organisation]) -> list[Config]:
    async def ask(organisation: Organisation) -> Config | None:
        folders = topology.folders(organisation.name)
        identity = Identity(organisation.msp_id, folders.user.certificate.read_bytes())
        sign, roots = software_signer(folders.user.key.read_bytes()), folders.tls_ca.read_bytes()
        async with Gateway(organisation.peer_endpoint, identity, sign, tls_roots=roots) as gateway:
            cscc = gateway.network(topology.channel).contract("cscc")
            try:
                answer = await cscc.evaluate(
                    "GetChannelConfig",
                    topology.channel,
                    organisations=(organisation.msp_id,),
                    timeout_seconds=ASK_SECONDS_MAX,
                )
            except GatewayError:
                return None  # another peer may answer
        return Config.FromString(answer)

    return [config for config in await asyncio.gather(*map(ask, organisations)) if config is not None]
