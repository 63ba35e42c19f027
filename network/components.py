"""Which processes a network has, and the settings each is started with. It starts nothing.

Settings replace those of Fabric's sample core.yaml and orderer.yaml through the environment (CORE_*, ORDERER_*).
"""

from __future__ import annotations

import datetime as dt
import email.utils
import http.client
import ipaddress
import json
import socket
import ssl

from cryptography import x509

from network import certificates
from network.errors import SetupError
from network.folders import OrganisationFolders
from network.lifecycle import Contract
from network.processes import Component
from network.tools import Tools
from network.topology import Organisation, Topology

HEALTH_SECONDS_MAX = 2.0
GATEWAY_REQUESTS_MAX = 2500
PING_INTERVAL_MIN = "5s"
"""A peer's gateway pings the orderers and the other peers every 10 s (it sets no interval, and gRPC's least is taken),
and servers by default end a connection that is pinged more than once a minute (GOAWAY, too_many_pings), until gRPC has
doubled the interval often enough. Source: Fabric's internal/pkg/gateway/endpoint.go, gRPC-Go's keepalive."""
_LOGGING = {
    "FABRIC_LOGGING_SPEC": "gossip=error:grpc=error:warning",  # the two chatter while neighbours start
    "FABRIC_LOGGING_FORMAT": "%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} [%{module}] %{message}",
}


def components(topology: Topology, tools: Tools, contract: Contract) -> list[Component]:
    """Every process of the network: first all orderers, then peers, then chaincode processes."""
    parts = list(topology.all_folders())
    return [
        *(orderer(topology, tools, organisation, folders) for organisation, folders in parts),
        *(peer(topology, tools, organisation, folders) for organisation, folders in parts),
        *(chaincode(contract, organisation, folders) for organisation, folders in parts),
    ]


def component_names(topology: Topology) -> list[str]:
    """The names of every process of the network, in the order of `components`."""
    kinds = ("orderer", "peer", "chaincode")
    return [f"{organisation.name}.{kind}" for kind in kinds for organisation in topology.organisations]


def orderer(topology: Topology, tools: Tools, organisation: Organisation, folders: OrganisationFolders) -> Component:
    """The organisation's orderer."""
    ports, tls = organisation.ports, folders.orderer_tls
    roots = f"[{tls.ca}]"
    settings = {
        "FABRIC_CFG_PATH": str(topology.fabric_configuration),
        **_LOGGING,
        "ORDERER_GENERAL_LISTENADDRESS": _listen_address(organisation),
        "ORDERER_GENERAL_LISTENPORT": str(ports.orderer),
        "ORDERER_GENERAL_LOCALMSPID": organisation.msp_id,
        "ORDERER_GENERAL_LOCALMSPDIR": str(folders.orderer.path),
        "ORDERER_GENERAL_TLS_ENABLED": "true",
        "ORDERER_GENERAL_TLS_PRIVATEKEY": str(tls.key),
        "ORDERER_GENERAL_TLS_CERTIFICATE": str(tls.certificate),
        "ORDERER_GENERAL_TLS_ROOTCAS": roots,
        "ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE": str(tls.certificate),
        "ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY": str(tls.key),
        "ORDERER_GENERAL_CLUSTER_ROOTCAS": roots,
        # One that hangs lets itself be dialled and says nothing; who fetches blocks meanwhile takes part in no vote.
        "ORDERER_GENERAL_CLUSTER_DIALTIMEOUT": "2s",
        "ORDERER_GENERAL_KEEPALIVE_SERVERMININTERVAL": PING_INTERVAL_MIN,
        "ORDERER_GENERAL_BOOTSTRAPMETHOD": "none",
        "ORDERER_CHANNELPARTICIPATION_ENABLED": "true",
        "ORDERER_FILELEDGER_LOCATION": str(folders.orderer_data),
        "ORDERER_CONSENSUS_WALDIR": str(folders.orderer_data / "wal"),
        "ORDERER_CONSENSUS_SNAPDIR": str(folders.orderer_data / "snapshots"),
        "ORDERER_ADMIN_LISTENADDRESS": f"127.0.0.1:{ports.orderer_admin}",
        "ORDERER_ADMIN_TLS_ENABLED": "true",
        "ORDERER_ADMIN_TLS_CERTIFICATE": str(tls.certificate),
        "ORDERER_ADMIN_TLS_PRIVATEKEY": str(tls.key),
        "ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED": "true",
        "ORDERER_ADMIN_TLS_ROOTCAS": roots,
        "ORDERER_ADMIN_TLS_CLIENTROOTCAS": roots,
        "ORDERER_OPERATIONS_LISTENADDRESS": f"127.0.0.1:{ports.orderer_operations}",
        "ORDERER_METRICS_PROVIDER": "prometheus",
    }
    return Component(
        name=f"{organisation.name}.orderer",
        command=(tools.path("orderer"),),
        settings=settings,
        ports=(ports.orderer, ports.orderer_admin, ports.orderer_operations),
        endpoint=organisation.orderer_endpoint,
        certificate=tls.certificate,
        healthy=lambda: operations_healthy(ports.orderer_operations),
        hint="Are its certificates and its data folder whole? Look for 'panic' or 'FATA' in the log.",
    )


def peer(topology: Topology, tools: Tools, organisation: Organisation, folders: OrganisationFolders) -> Component:
    """The organisation's peer, with chaincode as a service as its only kind of chaincode."""
    ports, tls = organisation.ports, folders.peer_tls
    listen = _listen_address(organisation)
    builder = {
        "name": "ccaas",
        "path": str(topology.builder),
        "propagateEnvironment": ["LEDGER_NODE_CHAINCODE_CONNECTION"],
    }
    settings = {
        "FABRIC_CFG_PATH": str(topology.fabric_configuration),
        **_LOGGING,
        "CORE_PEER_ID": f"peer.{organisation.name}",
        "CORE_PEER_LOCALMSPID": organisation.msp_id,
        "CORE_PEER_MSPCONFIGPATH": str(folders.peer.path),
        "CORE_PEER_ADDRESS": organisation.peer_endpoint,
        "CORE_PEER_LISTENADDRESS": f"{listen}:{ports.peer}",
        "CORE_PEER_CHAINCODELISTENADDRESS": f"127.0.0.1:{ports.peer_chaincode}",
        "CORE_PEER_GOSSIP_EXTERNALENDPOINT": organisation.peer_endpoint,
        "CORE_PEER_GOSSIP_BOOTSTRAP": organisation.peer_endpoint,
        "CORE_PEER_GOSSIP_USELEADERELECTION": "false",
        "CORE_PEER_GOSSIP_ORGLEADER": "true",
        "CORE_PEER_GOSSIP_RECONNECTINTERVAL": "1s",
        # Orderers that change their leader may order a transaction twice. What was private of it is gone by then, and
        # the peer would ask the others for it for a minute, while it commits nothing.
        "CORE_PEER_GOSSIP_PVTDATA_SKIPPULLINGINVALIDTRANSACTIONSDURINGCOMMIT": "true",
        # A peer that joins again asks for what was private of each block, its own approvals first, and nobody can give
        # it: for so long at each. What others can give later is fetched in the background.
        "CORE_PEER_GOSSIP_PVTDATA_PULLRETRYTHRESHOLD": "1s",
        # An orderer that hangs keeps its streams open. A peer that fetches blocks from it notices by what others have,
        # and waits so long (30 s by itself) before it goes to another; a false alarm costs one connection.
        "CORE_PEER_DELIVERYCLIENT_BLOCKCENSORSHIPTIMEOUTKEY": "5s",
        # When no orderer can be reached the wait doubles at each round, up to an hour by itself: a peer would stay
        # behind for as long again as the line was cut.
        "CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD": "5s",
        "CORE_PEER_KEEPALIVE_MININTERVAL": PING_INTERVAL_MIN,
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_TLS_CERT_FILE": str(tls.certificate),
        "CORE_PEER_TLS_KEY_FILE": str(tls.key),
        "CORE_PEER_TLS_ROOTCERT_FILE": str(tls.ca),
        "CORE_PEER_FILESYSTEMPATH": str(folders.peer_data),
        "CORE_PEER_GATEWAY_ENDORSEMENTTIMEOUT": "5s",
        "CORE_PEER_LIMITS_CONCURRENCY_GATEWAYSERVICE": str(GATEWAY_REQUESTS_MAX),
        "CORE_LEDGER_SNAPSHOTS_ROOTDIR": str(folders.peer_data / "snapshots"),
        "CORE_OPERATIONS_LISTENADDRESS": f"127.0.0.1:{ports.peer_operations}",
        "CORE_METRICS_PROVIDER": "prometheus",
        "CORE_VM_ENDPOINT": "",
        "CORE_CHAINCODE_STARTUPTIMEOUT": "10s",  # not five minutes: nothing is committed meanwhile
        "CORE_CHAINCODE_EXTERNALBUILDERS": json.dumps([builder]),
        "LEDGER_NODE_CHAINCODE_CONNECTION": str(folders.chaincode_connection),
    }
    return Component(
        name=f"{organisation.name}.peer",
        command=(tools.path("peer"), "node", "start"),
        settings=settings,
        ports=(ports.peer, ports.peer_chaincode, ports.peer_operations),
        endpoint=organisation.peer_endpoint,
        certificate=tls.certificate,
        healthy=lambda: operations_healthy(ports.peer_operations),
        hint="Are its certificates and its data folder whole? Look for 'panic' or 'FATA' in the log.",
    )


def chaincode(contract: Contract, organisation: Organisation, folders: OrganisationFolders) -> Component:
    """The organisation's contract process; its peer alone may talk to it (mutual TLS)."""
    tls = folders.chaincode_tls
    settings = {
        "CHAINCODE_ID": contract.package_id,
        "CORE_PEER_LOCALMSPID": organisation.msp_id,
        "CHAINCODE_ADDRESS": organisation.chaincode_endpoint,
        "CHAINCODE_TLS_CERT": str(tls.certificate),
        "CHAINCODE_TLS_KEY": str(tls.key),
        "CHAINCODE_TLS_CLIENT_CA": str(folders.chaincode_client_tls.ca),
        "PYTHONUNBUFFERED": "1",
    }
    return Component(
        name=f"{organisation.name}.chaincode",
        command=contract.command,
        settings=settings,
        ports=(organisation.ports.chaincode,),
        endpoint=organisation.chaincode_endpoint,
        certificate=tls.certificate,
        healthy=lambda: _accepts_tls(organisation.ports.chaincode, folders),
        hint=f"Can the contract be started by hand? {' '.join(contract.command)}",
    )


def write_chaincode_connection(organisation: Organisation, folders: OrganisationFolders) -> None:
    """Write what the peer's builder hands to the peer: where its chaincode listens, and the keys to get in."""
    client = folders.chaincode_client_tls
    connection = {
        "address": organisation.chaincode_endpoint,
        "domain": "localhost",
        "dial_timeout": "2s",  # a peer commits nothing while it waits for its chaincode
        "tls_required": True,
        "client_auth_required": True,
        "client_key": client.key.read_text("ascii"),
        "client_cert": client.certificate.read_text("ascii"),
        "root_cert": folders.chaincode_tls.ca.read_text("ascii"),
    }
    path = folders.chaincode_connection
    path.touch(mode=0o600)
    path.write_text(json.dumps(connection), "utf-8")


def operations_healthy(port: int) -> bool:
    """Whether Fabric's own /healthz says yes."""
    return _operations(port, "/healthz")[0] == http.HTTPStatus.OK


def peer_height(topology: Topology, organisation: Organisation) -> int | None:
    """The number of blocks the peer has, from its metrics; None when it does not say."""
    height = metric(organisation.ports.peer_operations, f'ledger_blockchain_height{{channel="{topology.channel}"}}')
    return None if height is None else int(height)


def leads(topology: Topology, organisation: Organisation) -> bool:
    """Whether the organisation's Raft orderer says that it is the leader."""
    return (
        metric(organisation.ports.orderer_operations, f'consensus_etcdraft_is_leader{{channel="{topology.channel}"}}')
        == 1
    )


def metric(operations_port: int, name: str) -> float | None:
    """One value of a process's metrics; None when it does not say.

    Args:
        operations_port: where the process serves its metrics, on loopback.
        name: with its labels, as Prometheus writes them.
    """
    return series(operations_port).get(name)


def series(operations_port: int) -> dict[str, float]:
    """All values of a process's metrics, by name with labels as Prometheus writes them; none when it does not say."""
    found = {}
    for line in metrics(operations_port).splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def metrics(operations_port: int) -> str:
    """A process's metrics in Prometheus' text format; empty when it cannot be reached."""
    status, body = _operations(operations_port, "/metrics")
    return body.decode("utf-8", "replace") if status == http.HTTPStatus.OK else ""


def clock(operations_port: int) -> dt.datetime | None:
    """The time by a process's own clock, in whole seconds, UTC; None when it does not say."""
    date = _ask_operations(operations_port, "/healthz")[2]
    try:
        return email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None


def _operations(port: int, path: str) -> tuple[int, bytes]:
    """One GET to an operations endpoint; status 0 when it cannot be reached."""
    status, body, _ = _ask_operations(port, path)
    return status, body


def _ask_operations(port: int, path: str) -> tuple[int, bytes, str]:
    """The same, with the answer's Date."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_SECONDS_MAX)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Date", "")
    except (OSError, http.client.HTTPException):
        return 0, b"", ""
    finally:
        connection.close()


def _accepts_tls(port: int, folders: OrganisationFolders) -> bool:
    """Whether the chaincode completes a handshake with its peer's certificate."""
    context = ssl.create_default_context(cafile=str(folders.chaincode_tls.ca))
    context.load_cert_chain(folders.chaincode_client_tls.certificate, folders.chaincode_client_tls.key)
    context.set_alpn_protocols(["h2"])
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=HEALTH_SECONDS_MAX) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            return True
    except OSError:
        return False


def shows_ended(component: Component) -> bool:
    """Whether the running process shows a certificate that has ended, though the file has been renewed since.

    Nobody connects to it any more, so that starting it anew takes nothing from anybody.
    """
    now = dt.datetime.now(dt.UTC)
    try:
        with (
            socket.create_connection(("127.0.0.1", component.ports[0]), HEALTH_SECONDS_MAX) as plain,
            stranger().wrap_socket(plain) as greeted,
        ):
            shown = greeted.getpeercert(binary_form=True) or b""
        ends = x509.load_der_x509_certificate(shown).not_valid_after_utc
        return ends <= now < certificates.expiry(component.certificate)
    except (OSError, ValueError, SetupError):  # nothing is shown, or no file is there: others ask whether it is well
        return False


def stranger() -> ssl.SSLContext:
    """TLS of somebody who greets a component and looks at what it shows: it is believed nothing, and told nothing.

    Whoever believes nothing needs none of the machine's authorities: to read them took nine tenths of the processor's
    time of a supervisor, which greets every few seconds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _listen_address(organisation: Organisation) -> str:
    """Loopback for an organisation on this machine alone, all addresses otherwise."""
    try:
        loopback = ipaddress.ip_address(organisation.host).is_loopback
    except ValueError:
        loopback = organisation.host == "localhost"
    return "127.0.0.1" if loopback else "0.0.0.0"  # noqa: S104 - other organisations must reach it
