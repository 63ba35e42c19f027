"""Supervisors on real processes and on the real network: what dies comes back, what `down` stops does not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import psutil
import pytest
from kv_network import play, running_network
from test_running_network import invoke

from network import control, identities, processes
from network.errors import SetupError
from network.gateway import Contract, GatewayError, Network
from network.processes import Component
from network.topology import Topology, Watch, demo_topology
from network.watch import findings, sight, supervisor
from network.watch import supervision as watch

SECONDS_MAX = 120.0
POLL_SECONDS = 0.05


def await_true(what: str, holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(POLL_SECONDS)


@pytest.fixture
def plain(tmp_path: Path) -> Topology:
    """A network that is only described; its processes are `sleep`s."""
    return demo_topology(tmp_path, 20000).model_copy(update={"watch": Watch(enabled=False)})


def sleeper(topology: Topology, name: str = "supplier.peer", seconds: str = "300") -> Component:
    return Component(name, ("/bin/sleep", seconds), {}, (), "", topology.data, lambda: True, "")


@pytest.fixture
def watching(plain: Topology) -> Iterator[Callable[[], list[str]]]:
    """Starts the supplier's supervisor in a thread; what it told."""
    told: list[str] = []
    stopping = Event()
    thread = Thread(target=supervisor.run, args=(plain.data, "supplier", told.append, stopping))

    def begin() -> list[str]:
        thread.start()
        return told

    plain.data.mkdir(exist_ok=True)
    yield begin
    stopping.set()
    if thread.ident is not None:
        thread.join(30)
    with processes.locked(plain.data, print):
        watch.end(plain)
        processes.stop(plain.data, ["supplier.peer", "buyer.peer"])


def kill(topology: Topology, name: str) -> None:
    process = processes.running(topology.data, name)
    assert process is not None
    process.kill()
    psutil.wait_procs([process], timeout=10)


def test_what_died_is_started_again_and_only_one_s_own(plain: Topology, watching: Callable[[], list[str]]) -> None:
    both = [sleeper(plain), sleeper(plain, "buyer.peer")]
    with processes.locked(plain.data, print):
        for each in both:
            processes.start(plain.data, each)
        watch.begin(plain, both)
    watching()
    kill(plain, "buyer.peer")
    kill(plain, "supplier.peer")
    await_true("the peer runs again", lambda: processes.running(plain.data, "supplier.peer") is not None)
    assert processes.running(plain.data, "buyer.peer") is None
    (found,) = findings.read(plain.data)
    assert (found.organisation, found.component, found.reason) == ("supplier", "supplier.peer", "died")
    assert (found.folder / "log.txt").exists()


def test_after_a_reboot_without_any_record_everything_is_started(
    plain: Topology, watching: Callable[[], list[str]]
) -> None:
    with processes.locked(plain.data, print):
        watch.begin(plain, [sleeper(plain)])
    watching()
    await_true("the peer runs", lambda: processes.running(plain.data, "supplier.peer") is not None)


def test_nothing_is_started_while_another_command_works_on_the_network_nor_after_down(plain: Topology) -> None:
    one = supervisor.Supervisor(plain.data, "supplier", print)
    with processes.locked(plain.data, print):
        watch.begin(plain, [sleeper(plain)])
        one.step(Event())
        assert processes.running(plain.data, "supplier.peer") is None
        watch.end(plain)  # as `down` does, under the lock
    one.step(Event())
    assert processes.running(plain.data, "supplier.peer") is None
    assert findings.read(plain.data) == []
    with processes.locked(plain.data, print):
        watch.begin(plain, [sleeper(plain)])
    one.step(Event())  # the control: with the lock free and the peer wanted it is started
    assert processes.running(plain.data, "supplier.peer") is not None
    control.down(plain)
    assert processes.running(plain.data, "supplier.peer") is None


def test_what_dies_at_once_is_not_started_without_end(plain: Topology, watching: Callable[[], list[str]]) -> None:
    with processes.locked(plain.data, print):
        watch.begin(plain, [sleeper(plain, seconds="0")])
    began = time.monotonic()
    watching()
    await_true("it has tried three times", lambda: len(findings.read(plain.data)) >= 3)
    assert time.monotonic() - began >= 3.0  # pauses of one and two seconds


def test_one_organisation_has_one_supervisor(plain: Topology, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "TAKE_OVER_SECONDS_MAX", 0.0)
    plain.data.mkdir()
    with watch.watching(plain.data, "supplier"):
        assert watch.is_watched(plain.data, plain.organisation("supplier"))
        assert not watch.is_watched(plain.data, plain.organisation("buyer"))
        with pytest.raises(SetupError, match="supplier is watched by another process already"):
            supervisor.run(plain.data, "supplier", print, Event())


def test_a_purge_ends_a_supervisor_that_another_program_started(plain: Topology) -> None:
    plain.data.mkdir()
    told: list[str] = []
    failed: list[SetupError] = []

    def run() -> None:
        try:
            supervisor.run(plain.data, "supplier", told.append, Event())
        except SetupError as error:
            failed.append(error)

    thread = Thread(target=run)
    thread.start()
    await_true("it watches", lambda: bool(told))
    control.down(plain, purge=True)
    thread.join(30)
    assert [each.text for each in failed] == ["the network's folder was deleted"]


def test_a_damaged_list_of_what_is_to_run_is_told_and_nothing_is_stopped(plain: Topology) -> None:
    (plain.data / "watch").mkdir(parents=True)
    (plain.data / "watch" / "wanted.json").write_text("{")
    with pytest.raises(SetupError, match="damaged"):
        watch.wanted(plain.data)


def test_old_findings_go_and_no_half_of_one_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "FINDINGS_MAX", 2)
    monkeypatch.setattr(findings, "EVIDENCE_BYTES_MAX", 4)
    for number in range(3):
        findings.record(tmp_path, "supplier.orderer", "stands", str(number), {"metrics.txt": "123456"})
    (tmp_path / "watch" / "findings" / ".half").mkdir()
    kept = findings.read(tmp_path)
    assert [each.text for each in kept] == ["1", "2"]
    assert (kept[0].folder / "metrics.txt").read_text() == "3456"


def test_what_is_not_an_orderer_s_metrics_says_nothing() -> None:
    assert sight.parse("", "scf") is None
    assert sight.parse('ledger_blockchain_height{channel="scf"} 4\n', "scf") is None


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """The real network with its supervisors."""
    with running_network(tmp_path_factory.mktemp("watched"), watch=Watch(stands_seconds=8.0)) as topology:
        yield topology


@pytest.mark.network
def test_the_network_heals_by_itself_and_stays_down_after_down(watched: Topology) -> None:
    names = [watch.supervisor_name(each) for each in watched.organisations]
    await_true(
        "everybody is watched", lambda: all(watch.is_watched(watched.data, each) for each in watched.organisations)
    )
    everything = [name for name in (watch.wanted(watched.data) or pytest.fail("nothing is wanted")).components]
    for name in ("supplier.orderer", "buyer.peer", "carrier.chaincode", "financier.watch"):
        kill(watched, name)
    await_true(
        "what was killed runs again",
        lambda: all(processes.running(watched.data, name) is not None for name in everything),
    )
    assert processes.running(watched.data, "financier.watch") is None  # nobody watches over the supervisor but up
    control_up = invoke(watched, "findings", "--json")
    found = {each["component"] for each in json.loads(control_up.stdout)["result"]}
    assert found == {"supplier.orderer", "buyer.peer", "carrier.chaincode"}
    hung = processes.running(watched.data, "carrier.orderer")
    assert hung is not None
    os.kill(hung.pid, signal.SIGSTOP)
    await_true(
        "the hung orderer was replaced",
        lambda: (now := processes.running(watched.data, "carrier.orderer")) is not None and now.pid != hung.pid,
    )
    await_true("it answers", lambda: sight.orderer_sight(watched, watched.organisation("carrier")) is not None)
    (silent,) = [each for each in findings.read(watched.data) if each.reason == "silent"]
    assert {path.name for path in silent.folder.iterdir()} == {
        "finding.json",
        "seen.json",
        "metrics.txt",
        "log.txt",
        "stacks.txt",
    }
    _two_hang_and_ordering_goes_on(watched)
    assert set(control.down(watched)) <= set(everything)  # what was just being started anew is down already
    for name in (*everything, *names):
        assert processes.running(watched.data, name) is None


def _two_hang_and_ordering_goes_on(watched: Topology) -> None:
    """With two of four orderers hung nothing is ordered; who restarts its own one leaves its stacks behind."""
    before = len(findings.read(watched.data))
    for name in ("supplier.orderer", "buyer.orderer"):
        hung = processes.running(watched.data, name)
        assert hung is not None
        os.kill(hung.pid, signal.SIGSTOP)

    async def writes(network: Network, contract: Contract) -> None:
        while True:  # what an orderer keeps is lost with it, so a caller sends again; the surrounding story has a limit
            try:
                await asyncio.wait_for(contract.submit("put_blind", "during", "hang"), 10)
            except (TimeoutError, GatewayError):
                continue
            return

    play(watched, writes)
    fresh = findings.read(watched.data)[before:]
    assert {each.component for each in fresh} <= {f"{each.name}.orderer" for each in watched.organisations}
    for stands in (each for each in fresh if each.reason == "stands"):
        assert "goroutine " in (stands.folder / "stacks.txt").read_text()
        assert "consensus_smartbft_pool_count_of_elements" in (stands.folder / "metrics.txt").read_text()


def test_an_orderer_that_hangs_is_not_reachable_though_its_port_answers(plain: Topology) -> None:
    """A listening socket that nobody serves is what a stopped process leaves; the control completes the handshake."""
    identities.ensure_identities(plain)
    supplier, buyer = plain.organisations[:2]
    pair = plain.folders("buyer").orderer_tls
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ports = buyer.ports.model_copy(update={"orderer": listener.getsockname()[1]})
        two = plain.model_copy(update={"organisations": (supplier, buyer.model_copy(update={"ports": ports}))})

        def reachable() -> bool:
            (neighbour,) = sight.look(two, supplier, at_others=True).neighbours
            return neighbour.reachable

        assert not reachable()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)

        def serve() -> None:
            hung, _ = listener.accept()  # of the first look
            hung.close()
            plain_socket, _ = listener.accept()
            context.wrap_socket(plain_socket, server_side=True).close()

        serving = Thread(target=serve)
        serving.start()
        assert reachable()
        serving.join()
