"""The real four-organisation network: commands repeat without effect, and what was killed is repaired."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

import chaincode
from ledger_node.cli import main
from network import channel, components, control, lifecycle, processes, readiness
from network.logs import log_path
from network.topology import Topology

pytestmark = pytest.mark.network


def command(topology: Topology, *arguments: str) -> list[str]:
    """`ledger-node network ...` on this network."""
    description = str(topology.data.parent / "network.yaml")
    start = [sys.executable, "-c", "from ledger_node.cli import main; main()", "network"]
    return [*start, *arguments, "--network", description]


def invoke(topology: Topology, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, command(topology, *arguments)[3:], input=answer)


def result(topology: Topology, *arguments: str) -> Any:
    done = invoke(topology, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["result"]


def kill(topology: Topology, name: str) -> None:
    process = processes.running(topology.data, name)
    assert process is not None
    process.kill()
    psutil.wait_procs([process], timeout=60)


def test_up_again_changes_nothing(network: Topology) -> None:
    before = control.status(network)
    report = control.up(network, print)
    assert report.started == ()
    assert not report.deployment.changed
    assert [(each.pid, each.height) for each in control.status(network)] == [(row.pid, row.height) for row in before]


def test_status_lists_every_component_with_height_lag_leader_and_expiry(network: Topology) -> None:
    found = result(network, "status")
    rows = found["components"]
    assert [row["component"] for row in rows] == components.component_names(network)
    assert {row["state"] for row in rows} == {"healthy"}
    servers = [row for row in rows if not row["component"].endswith(".chaincode")]
    assert {(row["height"], row["lag"]) for row in servers} == {(found["height"], 0)}
    ordering = [row for row in rows if row["component"].endswith(".orderer")]
    assert {row["relation"] for row in ordering} == {"consenter"}
    assert {row["leader"] for row in ordering} == {found["leader"]}
    assert len({row["view"] for row in ordering}) == 1
    assert all(row["certificate_expires"].endswith("Z") and row["pid"] for row in rows)
    assert (found["healthy"], found["findings"]) == (True, [])
    assert found["network"] == str(network.file)
    assert found["disk_free_bytes"] < found["disk_total_bytes"]
    table = invoke(network, "status").stdout
    assert [line.split()[0] for line in table.splitlines()[1:13]] == components.component_names(network)
    assert table.endswith("healthy\n")


def test_status_dates_every_certificate_of_every_organisation(network: Topology) -> None:
    invoke(network, "person", "buyer", "anna")
    dates = result(network, "status")["certificates"]
    for what in ("orderer.signing", "orderer.tls", "peer.signing", "peer.tls", "admin.signing", "user.signing"):
        assert {f"{each.name}.{what}" for each in network.organisations} <= set(dates)
    assert {"buyer.person.anna", "carrier.node.tls", "buyer.authority", "buyer.authority.tls"} <= set(dates)
    text = invoke(network, "status", "--certificates").stdout
    assert [name for name in dates if name not in text] == []


def test_a_killed_peer_orderer_and_contract_are_repaired_by_up(network: Topology) -> None:
    killed = ("supplier.orderer", "buyer.peer", "carrier.chaincode")
    for name in killed:
        kill(network, name)
    stopped = {row.component for row in control.status(network) if row.state == "stopped"}
    assert stopped == set(killed)
    report = control.up(network, print)
    assert report.started == killed
    assert not report.deployment.changed
    assert {row.state for row in control.status(network)} == {"healthy"}


def test_a_hung_peer_is_shown_as_unhealthy(network: Topology) -> None:
    process = processes.running(network.data, "carrier.peer")
    assert process is not None
    process.suspend()
    try:
        states = {row.component: row.state for row in control.status(network)}
    finally:
        process.resume()
    assert states.pop("carrier.peer") == "unhealthy"
    assert set(states.values()) == {"healthy"}


def test_a_peer_that_lost_its_ledger_is_repaired_by_up_and_no_other_is_stopped(network: Topology) -> None:
    before = {row.component: row.pid for row in control.status(network)}
    kill(network, "buyer.peer")
    shutil.rmtree(network.folders("buyer").peer_data)
    report = control.up(network, print)
    assert report.started == ("buyer.peer",)
    after = {row.component: row.pid for row in control.status(network)}
    assert {name for name in before if before[name] != after[name]} == {"buyer.peer"}
    assert {row.state for row in control.status(network)} == {"healthy"}
    assert control.up(network, print).started == ()


def test_one_bad_component_is_named_and_everything_else_stays_up(network: Topology) -> None:
    before = {row.component: row.pid for row in control.status(network)}
    kill(network, "buyer.peer")
    key = network.folders("buyer").peer_tls.key
    content = key.read_bytes()
    key.write_bytes(b"damaged")
    try:
        done = invoke(network, "up", "--json")
        assert done.exit_code == 1
        assert "buyer.peer ended" in json.loads(done.stdout)["error"]["text"]
        after = {row.component: row.pid for row in control.status(network)}
        assert {name for name in before if before[name] != after[name]} == {"buyer.peer"}
        found = json.loads(invoke(network, "status", "--json").stdout)["result"]
        assert (found["healthy"], found["findings"]) == (False, ["buyer.peer does not run"])
    finally:
        key.write_bytes(content)
    assert control.up(network, print).started == ("buyer.peer",)


def test_an_orderer_whose_certificate_the_channel_does_not_hold_is_no_healthy_one(network: Topology) -> None:
    certificate = network.folders("carrier").orderer.certificate
    content = certificate.read_bytes()
    certificate.write_bytes(network.folders("buyer").orderer.certificate.read_bytes())
    try:
        states = {row.component: (row.state, row.detail) for row in control.status(network)}
    finally:
        certificate.write_bytes(content)
    state, detail = states.pop("carrier.orderer")
    assert state == "other certificate"
    assert "it orders nothing" in detail
    assert {state for state, _ in states.values()} == {"healthy"}


def test_a_peer_without_the_channel_is_no_healthy_one(network: Topology) -> None:
    elsewhere = network.model_copy(update={"channel": "nowhere"})
    states = {row.component: row.state for row in control.status(elsewhere)}
    assert {state for name, state in states.items() if name.endswith(".peer")} == {"no channel"}
    assert {state for name, state in states.items() if name.endswith(".orderer")} == {"no channel"}


def test_peers_are_restarted_one_after_the_other(network: Topology) -> None:
    names = [f"{each.name}.peer" for each in network.organisations[:2]]
    before = {row.component: row.pid for row in control.status(network)}
    assert result(network, "restart", "--one-by-one", *names)["started"] == names
    after = {row.component: row.pid for row in control.status(network)}
    assert {name for name in before if before[name] != after[name]} == set(names)


def test_official_tools_act_as_an_organisation_with_the_printed_variables(network: Topology) -> None:
    script = invoke(network, "env", "buyer").stdout
    asked = f"{script}\npeer channel list && peer lifecycle chaincode querycommitted -C {network.channel}"
    done = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, check=True, env={"PATH": os.defpath})
    assert network.channel in done.stdout
    assert f"Name: {network.chaincode}" in done.stdout


def test_two_ups_at_once_start_a_missing_process_once(network: Topology) -> None:
    kill(network, "financier.chaincode")
    both = [
        subprocess.Popen(command(network, "up", "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [each.communicate(timeout=120)[0] for each in both]
    assert [each.returncode for each in both] == [0, 0]
    started = [name for output in outputs for name in json.loads(output)["result"]["started"]]
    assert started == ["financier.chaincode"]


def test_deploying_the_same_contract_again_changes_nothing(network: Topology) -> None:
    first = result(network, "chaincode", "deploy")
    assert result(network, "chaincode", "deploy") == first
    assert not first["changed"]
    assert first["package_id"] == lifecycle.read_contract(network).package_id


def test_a_changed_contract_gets_the_next_sequence_and_its_processes_serve_it(
    network: Topology, tmp_path: Path
) -> None:
    before = control.up(network, print).deployment
    shutil.copytree(Path(chaincode.__file__).parent, tmp_path / "contract")
    (tmp_path / "contract" / "addition.py").write_text('"""One file more."""\n')
    changed = lifecycle.read_contract(network, tmp_path / "contract")
    report = control.up(network, print, changed)
    assert (report.deployment.sequence, report.deployment.changed) == (before.sequence + 1, True)
    assert set(report.started) == {f"{each.name}.chaincode" for each in network.organisations}
    back = control.up(network, print).deployment
    assert (back.sequence, back.version) == (before.sequence + 2, before.version)


def test_restarting_one_component_leaves_the_others_alone(network: Topology) -> None:
    before = {row.component: row.pid for row in control.status(network)}
    assert result(network, "restart", "buyer.orderer")["started"] == ["buyer.orderer"]
    after = {row.component: row.pid for row in control.status(network)}
    assert {name for name in before if before[name] != after[name]} == {"buyer.orderer"}


def test_an_unknown_component_is_refused_with_those_there_are(network: Topology) -> None:
    done = invoke(network, "logs", "bank.peer")
    assert done.exit_code == 2
    assert "there is no component 'bank.peer'" in done.stderr
    assert "supplier.orderer" in done.stderr


def test_logs_are_shown_and_followed(network: Topology) -> None:
    log = log_path(network.data, "buyer.chaincode")
    with log.open("a") as appended:
        appended.write("a line of the past\n")
    shown = result(network, "logs", "buyer.chaincode", "-n", "5")
    assert (shown["component"], shown["path"]) == ("buyer.chaincode", str(log))
    assert "a line of the past" in shown["lines"]
    with subprocess.Popen(
        command(network, "logs", "buyer.chaincode", "-n", "5", "-f"),
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as follower:
        try:
            assert follower.stdout is not None
            assert "a line of the past\n" in follower.stdout  # reads until it comes
            with log.open("a") as appended:
                appended.write("a line of now\n")
            assert "a line of now\n" in follower.stdout
        finally:
            follower.kill()


def test_every_orderer_takes_part_in_the_channel(network: Topology) -> None:
    joined = [channel.participation(network, organisation) for organisation in network.organisations]
    assert [each.status for each in joined if each is not None] == ["active"] * 4


def test_purge_in_a_script_must_be_confirmed(network: Topology) -> None:
    done = invoke(network, "down", "--purge", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["remedy"] == "Add --yes to confirm it in a script."
    assert invoke(network, "down", "--purge", answer="n\n").exit_code == 1
    assert network.genesis_block.exists()
    assert {row.state for row in control.status(network)} == {"healthy"}


def test_a_contract_that_cannot_be_reached_is_named(network: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "SERVING_SECONDS_MAX", 0.0)
    kill(network, "carrier.chaincode")
    (failure,) = readiness.unreached(network, network.organisations)
    assert "cannot reach the contract at the peer of carrier" in failure.text
    assert failure.remedy == "See: ledger-node network logs carrier.chaincode"
    monkeypatch.undo()
    assert "started 1 processes" in invoke(network, "up").stdout


def test_commands_speak_to_people_too(network: Topology) -> None:
    assert invoke(network, "up").stdout.startswith("everything was running; contract scf ")
    assert invoke(network, "chaincode", "deploy").stdout.startswith("already deployed: scf ")
    assert "follow do not go together" in invoke(network, "logs", "buyer.peer", "-f", "--json").stdout
    assert "supplier.orderer" in invoke(network, "restart", "nobody").stderr
