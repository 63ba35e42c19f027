"""The channel: its genesis block, and joining orderers and peers to it. It starts no process.

All organisations are equal: each is a consenter of the orderer (BFT or Raft), each endorses, each administers, and a
majority decides. The time-outs are measured for networks within one site; raise them for wide-area ones.
Source: Fabric's BFT and Raft sample profiles, the channel participation API (`/participation/v1/channels`).
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from network import certificates
from network.commands import peer_environment, run_tool
from network.errors import NetworkError, SetupError
from network.folders import OrganisationFolders
from network.tools import Tools
from network.topology import Consensus, Organisation, Topology

PROFILE = "Consortium"
HTTP_SECONDS_MAX = 10.0
JOIN_SECONDS_MAX = 600.0
"""A consenter that joins answers when it has fetched the blocks that there are."""

BATCH = {
    "BatchTimeout": "0.2s",  # BFT ignores it; RequestBatchMaxInterval takes its place
    # BFT counts the first two, which both must be there; nodes keep to the third, which Raft's orderers heed.
    "BatchSize": {"MaxMessageCount": 500, "AbsoluteMaxBytes": "10 MB", "PreferredMaxBytes": "2 MB"},
}
SMART_BFT: dict[str, Any] = {
    "RequestBatchMaxCount": 500,  # compulsory and ignored: MaxMessageCount counts
    "RequestBatchMaxBytes": 10485760,  # compulsory and ignored: AbsoluteMaxBytes counts
    "RequestBatchMaxInterval": "50ms",
    "RequestForwardTimeout": "500ms",
    "RequestComplainTimeout": "3s",
    "RequestAutoRemoveTimeout": "1m",
    "RequestPoolSize": 100000,
    "LeaderHeartbeatTimeout": "5s",
    "LeaderHeartbeatCount": 10,
    "ViewChangeTimeout": "5s",
    "ViewChangeResendInterval": "1s",
    "CollectTimeout": "1s",
    "IncomingMessageBufferSize": 200,
}
BATCH_SHARE_MAX = 0.25
"""Of the time after which orderers complain about their leader, what a lone transaction may wait for its batch."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
RAFT = {  # a leader that is gone is replaced after one to two seconds
    "TickInterval": "100ms",
    "ElectionTick": 10,
    "HeartbeatTick": 1,
    "MaxInflightBlocks": 5,
    "SnapshotIntervalSize": "16 MB",
}


@dataclass(frozen=True, slots=True)
class Participation:
    """What an orderer says of its channel: height in blocks, status "active", "onboarding", ...

    `relation` is "consenter" or "follower" as the orderer believes it to be; one that was removed may not know yet.
    """

    height: int
    status: str
    relation: str


@dataclass(frozen=True, slots=True)
class Founder:
    """What the genesis block says of an organisation: where it is, and the public files that are copied into it."""

    msp_id: str
    host: str
    orderer: int
    peer: int
    msp: Path
    orderer_certificate: Path
    orderer_tls_certificate: Path


def write_genesis(topology: Topology, tools: Tools) -> None:
    """Make the channel's genesis block; an existing one is kept, since a second would be another channel.

    Raises: NetworkError when configtxgen refuses the profile.
    """
    block = topology.genesis_block
    if block.exists():
        return
    if topology.founding == "together":
        remedy = "Found it with the others: docs/how-to/found-a-consortium.md, ledger-node channel join"
        raise SetupError(f"there is no genesis block of the channel {topology.channel} here yet", remedy)
    block.parent.mkdir(parents=True, exist_ok=True)
    founders = [_founder(*parts) for parts in topology.all_folders()]
    fresh = block.with_name(block.name + ".new")
    make_genesis(tools, topology.channel, topology.consensus, founders, fresh)
    fresh.replace(block)


def make_genesis(tools: Tools, name: str, consensus: Consensus, founders: Sequence[Founder], block: Path) -> None:
    """Let configtxgen write a genesis block, its profile beside it; each run draws another nonce and time.

    Args:
        tools: Fabric's binaries.
        name: the channel's.
        consensus: how its orderers agree.
        founders: in the order of the consenters' numbers.
        block: the file to write.

    Raises: NetworkError when configtxgen refuses the profile.
    """
    configtx = block.parent / "configtx.yaml"
    content = {"Profiles": {PROFILE: profile(consensus, founders)}}
    configtx.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")
    command = [tools.path("configtxgen"), "-configPath", str(block.parent)]
    command += ["-profile", PROFILE, "-channelID", name, "-outputBlock", str(block)]
    run_tool(command, {}, "making the genesis block")


def _founder(organisation: Organisation, folders: OrganisationFolders) -> Founder:
    return Founder(
        organisation.msp_id,
        organisation.host,
        organisation.ports.orderer,
        organisation.ports.peer,
        folders.msp.path,
        folders.orderer.certificate,
        folders.orderer_tls.certificate,
    )


def check_ordering(options: Mapping[str, Any]) -> None:
    """Refuse options of BFT under which a channel orders nothing that does not fill a batch.

    A transaction that waits for its batch longer than orderers wait for their leader makes them change it, again and
    again. The channel would accept such options, and even the update that repairs them could not be ordered alone.

    Args:
        options: of SmartBFT by the names of configtx.yaml; durations as text, for example "500ms".

    Raises: SetupError naming the inequality.
    """
    batch, forward, complain = (
        _seconds(str(options[f"Request{name}"])) for name in ("BatchMaxInterval", "ForwardTimeout", "ComplainTimeout")
    )
    if batch > BATCH_SHARE_MAX * (forward + complain):
        text = f"RequestBatchMaxInterval ({batch:g} s) is more than a quarter of RequestForwardTimeout plus "
        text += f"RequestComplainTimeout ({forward:g} s + {complain:g} s): ordering would stop"
        raise SetupError(text, "Shorten the interval, or lengthen the time-outs.")


def _seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([a-z]+)", duration).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def profile(consensus: Consensus, founders: Sequence[Founder]) -> dict[str, Any]:
    """The configtxgen profile of the channel."""
    organisations = [_organisation(each) for each in founders]
    policies = {
        "Readers": _implicit("ANY Readers"),
        "Writers": _implicit("ANY Writers"),
        "Admins": _implicit("MAJORITY Admins"),
    }
    return {
        "Policies": policies,
        "Capabilities": {"V3_0": True},
        "Orderer": {
            **_consensus(consensus, founders),
            **BATCH,
            "Organizations": organisations,
            # A placeholder: configtxgen writes a signature policy over the consenters' certificates in its place.
            "Policies": policies | {"BlockValidation": _implicit("ANY Writers")},
            "Capabilities": {"V2_0": True},
        },
        "Application": {
            "Organizations": organisations,
            "Policies": policies
            | {
                "LifecycleEndorsement": _implicit("MAJORITY Endorsement"),
                "Endorsement": _implicit("MAJORITY Endorsement"),
            },
            "Capabilities": {"V2_5": True},
        },
    }


def _implicit(rule: str) -> dict[str, str]:
    return {"Type": "ImplicitMeta", "Rule": rule}


def _signature(rule: str) -> dict[str, str]:
    return {"Type": "Signature", "Rule": rule}


def _organisation(founder: Founder) -> dict[str, Any]:
    msp = founder.msp_id
    return {
        "Name": msp,
        "ID": msp,
        "MSPDir": str(founder.msp),
        "Policies": {
            "Readers": _signature(f"OR('{msp}.member')"),
            "Writers": _signature(f"OR('{msp}.member')"),
            "Admins": _signature(f"OR('{msp}.admin')"),
            "Endorsement": _signature(f"OR('{msp}.peer')"),
        },
        "OrdererEndpoints": [f"{founder.host}:{founder.orderer}"],
        "AnchorPeers": [{"Host": founder.host, "Port": founder.peer}],
    }


def _consensus(consensus: Consensus, founders: Sequence[Founder]) -> dict[str, Any]:
    """How the orderers agree: the part of the profile in which BFT and Raft differ."""
    consenters = [_consenter(number, founder) for number, founder in enumerate(founders, 1)]
    if consensus == "bft":
        check_ordering(SMART_BFT)
        return {"OrdererType": "BFT", "SmartBFT": SMART_BFT, "ConsenterMapping": consenters}
    known = ("Host", "Port", "ClientTLSCert", "ServerTLSCert")
    raft = [{name: consenter[name] for name in known} for consenter in consenters]
    return {"OrdererType": "etcdraft", "EtcdRaft": {"Consenters": raft, "Options": RAFT}}


def _consenter(number: int, founder: Founder) -> dict[str, Any]:
    return {
        "ID": number,
        "Host": founder.host,
        "Port": founder.orderer,
        "MSPID": founder.msp_id,
        "Identity": str(founder.orderer_certificate),
        "ClientTLSCert": str(founder.orderer_tls_certificate),
        "ServerTLSCert": str(founder.orderer_tls_certificate),
    }


def participation(topology: Topology, organisation: Organisation) -> Participation | None:
    """The orderer's word on the channel; None when it has not joined.

    Raises: NetworkError, or OSError when the orderer cannot be reached.
    """
    status, body = _ask_orderer(topology, organisation, "GET", f"/participation/v1/channels/{topology.channel}")
    if status == http.HTTPStatus.NOT_FOUND:
        return None
    if status != http.HTTPStatus.OK:
        raise NetworkError(f"the orderer of {organisation.name} answered {status}: {body.decode(errors='replace')}")
    answer = json.loads(body)
    relation = str(answer.get("consensusRelation", ""))
    return Participation(height=int(answer["height"]), status=str(answer["status"]), relation=relation)


def join_orderer(topology: Topology, organisation: Organisation) -> None:
    """Let the orderer join the channel with the genesis block; one that has joined is left alone.

    Raises: NetworkError, or OSError when the orderer cannot be reached.
    """
    if participation(topology, organisation) is not None:
        return
    boundary = secrets.token_hex(16)
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="config-block"; filename="config.block"\r\n\r\n'
    body = head.encode() + topology.genesis_block.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    content_type = f"multipart/form-data; boundary={boundary}"
    status, answer = _ask_orderer(
        topology, organisation, "POST", "/participation/v1/channels", body, content_type, JOIN_SECONDS_MAX
    )
    if status != http.HTTPStatus.CREATED:
        text = answer.decode(errors="replace")
        raise NetworkError(f"the orderer of {organisation.name} did not join the channel ({status}): {text}")


def _ask_orderer(
    topology: Topology,
    organisation: Organisation,
    method: str,
    path: str,
    body: bytes = b"",
    content_type: str = "application/octet-stream",
    seconds_max: float = HTTP_SECONDS_MAX,
) -> tuple[int, bytes]:
    """One request to the orderer's admin endpoint, with mutual TLS."""
    folders = topology.folders(organisation.name)
    port = organisation.ports.orderer_admin
    try:
        context = ssl.create_default_context(cafile=str(folders.orderer_tls.ca))
        context.load_cert_chain(folders.admin_tls.certificate, folders.admin_tls.key)
    except ssl.SSLError as error:
        what = f"the administrator of {organisation.name}"
        raise certificates.refused(topology, organisation.name, what, error) from error
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=seconds_max, context=context)
    try:
        connection.request(method, path, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ssl.SSLError as error:
        what = f"the orderer of {organisation.name} at port {port}"
        raise certificates.refused(topology, organisation.name, what, error) from error
    except http.client.HTTPException as error:
        raise NetworkError(f"the orderer of {organisation.name} gave no proper answer: {error}") from error
    finally:
        connection.close()


def join_peer(topology: Topology, tools: Tools, organisation: Organisation) -> None:
    """Let the peer join the channel with the genesis block; one that has joined is left alone.

    Raises: NetworkError when the peer refuses.
    """
    environment = peer_environment(topology, organisation)
    what = f"joining the peer of {organisation.name}"
    if topology.channel in joined_channels(topology, tools, organisation):
        return
    run_tool([tools.path("peer"), "channel", "join", "-b", str(topology.genesis_block)], environment, what)


def joined_channels(topology: Topology, tools: Tools, organisation: Organisation) -> list[str]:
    """The channels the peer has joined.

    Raises: NetworkError when the peer does not answer.
    """
    what = f"listing the channels of the peer of {organisation.name}"
    output = run_tool([tools.path("peer"), "channel", "list"], peer_environment(topology, organisation), what)
    return [line.strip() for line in output.splitlines()[1:] if line.strip()]
