"""The settings that processes are started with, and running Fabric's tools for a moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from network import channel, commands, components
from network.errors import NetworkError, SetupError
from network.tools import Tools
from network.topology import Topology, demo_topology


@pytest.fixture
def topology(tmp_path: Path) -> Topology:
    return demo_topology(tmp_path, 20000)


@pytest.mark.parametrize(
    ("host", "listens"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("peer.example.org", "0.0.0.0")]
)
def test_an_organisation_with_a_name_listens_to_others(topology: Topology, host: str, listens: str) -> None:
    organisation = topology.organisation("buyer").model_copy(update={"host": host})
    peer = components.peer(topology, Tools(Path("/bin"), Path("/")), organisation, topology.folders("buyer"))
    assert peer.settings["CORE_PEER_LISTENADDRESS"] == f"{listens}:20013"
    assert peer.settings["CORE_PEER_ADDRESS"] == f"{host}:20013"
    assert peer.settings["CORE_OPERATIONS_LISTENADDRESS"] == "127.0.0.1:20015"


def test_a_peer_knows_no_docker_and_one_kind_of_chaincode(topology: Topology) -> None:
    tools = Tools(Path("/bin"), Path("/"))
    peer = components.peer(topology, tools, topology.organisation("buyer"), topology.folders("buyer"))
    assert peer.settings["CORE_VM_ENDPOINT"] == ""
    assert [each["name"] for each in json.loads(peer.settings["CORE_CHAINCODE_EXTERNALBUILDERS"])] == ["ccaas"]


def test_an_unreachable_peer_has_no_height_and_is_not_healthy(topology: Topology) -> None:
    organisation = topology.organisation("buyer")
    assert components.peer_height(topology, organisation) is None
    assert not components.operations_healthy(organisation.ports.peer_operations)


def test_a_failing_tool_is_reported_by_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NetworkError, match="making a block: no such profile"):
        commands.run_tool(["/bin/sh", "-c", "echo no such profile >&2; exit 1"], {}, "making a block")
    with pytest.raises(NetworkError, match=r"making a block: .*cannot be run"):
        commands.run_tool([str(tmp_path / "configtxgen")], {}, "making a block")
    monkeypatch.setattr(commands, "TOOL_SECONDS_MAX", 0.1)
    with pytest.raises(NetworkError, match="making a block: no answer within 0 s"):
        commands.run_tool(["/bin/sleep", "5"], {}, "making a block")


@pytest.mark.parametrize(
    ("interval", "is_refused"), [("50ms", False), ("875ms", False), ("900ms", True), ("4s", True), ("1m", True)]
)
def test_options_under_which_lone_transactions_are_never_ordered_are_refused(interval: str, is_refused: bool) -> None:
    options = channel.SMART_BFT | {"RequestBatchMaxInterval": interval}
    if not is_refused:
        channel.check_ordering(options)
        return
    with pytest.raises(SetupError, match="ordering would stop"):
        channel.check_ordering(options)


def test_servers_let_clients_ping_as_often_as_they_do(topology: Topology) -> None:
    """A peer's gateway pings every 10 s; with Fabric's own setting its connections are ended for that."""
    tools, organisation = Tools(Path("/bin"), Path("/")), topology.organisation("supplier")
    folders = topology.folders(organisation.name)
    peer = components.peer(topology, tools, organisation, folders).settings
    orderer = components.orderer(topology, tools, organisation, folders).settings
    assert peer["CORE_PEER_KEEPALIVE_MININTERVAL"] == orderer["ORDERER_GENERAL_KEEPALIVE_SERVERMININTERVAL"] == "5s"


NOT_IN_THE_SAMPLES = {  # the programs know them: Fabric 3.1.1, orderer/common/localconfig and core/peer/config.go
    "CORE_PEER_CHAINCODELISTENADDRESS",
    "ORDERER_ADMIN_TLS_ROOTCAS",
    "ORDERER_GENERAL_BOOTSTRAPMETHOD",
    "ORDERER_GENERAL_CLUSTER_DIALTIMEOUT",
    "ORDERER_GENERAL_CLUSTER_ROOTCAS",
}


def test_every_setting_of_a_peer_and_an_orderer_has_a_name_that_fabric_knows(kv: Topology) -> None:
    """Fabric ignores a name that it does not know: a misspelt deadline would be its own, without a word."""
    tools, organisation, folders = Tools(Path("/bin"), Path("/")), kv.organisation("buyer"), kv.folders("buyer")
    samples = {"CORE": "core.yaml", "ORDERER": "orderer.yaml"}
    known = NOT_IN_THE_SAMPLES | {
        name
        for prefix, sample in samples.items()
        for name in _names(yaml.safe_load((kv.fabric_configuration / sample).read_text("utf-8")), prefix)
    }
    parts = components.peer(kv, tools, organisation, folders), components.orderer(kv, tools, organisation, folders)
    given = {name for part in parts for name in part.settings if name.split("_")[0] in samples}
    assert "CORE_PEER_DELIVERYCLIENT_BLOCKCENSORSHIPTIMEOUTKEY" in given  # it does end like that
    assert given - known == set()


def _names(settings: dict[str, Any], prefix: str) -> Iterator[str]:
    for key, value in settings.items():
        yield (name := f"{prefix}_{key}".upper())
        if isinstance(value, dict):
            yield from _names(value, name)
