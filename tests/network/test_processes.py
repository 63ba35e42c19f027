"""Processes: ours are told from strangers, taken ports and failed starts are named, strays are found."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import psutil
import pytest

from network import logs, processes
from network.errors import SetupError, StartError
from network.processes import Component
from network.topology import free_base_port, port_is_free

pytestmark = pytest.mark.alone
SERVE = """
import os, socket
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("serving", flush=True)
while True:
    server.accept()
"""


@pytest.fixture
def component(tmp_path: Path) -> Iterator[Component]:
    port = free_base_port(31000, 32000)
    yield python_component("supplier.peer", port, SERVE)
    processes.adopt_strays(tmp_path)
    processes.stop(tmp_path, ["supplier.peer"])


def python_component(name: str, port: int, program: str) -> Component:
    return Component(
        name=name,
        command=(sys.executable, "-c", program),
        settings={"PORT": str(port)},
        ports=(port,),
        endpoint=f"127.0.0.1:{port}",
        certificate=Path("none"),
        healthy=lambda: True,
        hint="Look at the program.",
    )


def test_a_component_is_healthy_once_it_listens(tmp_path: Path, component: Component) -> None:
    assert processes.lacks(component, processes.running(tmp_path, component.name)) == "does not run"
    processes.start(tmp_path, component)
    processes.await_healthy(tmp_path, component, 10)
    assert processes.lacks(component, processes.running(tmp_path, component.name)) == ""
    assert processes.is_current(tmp_path, component)
    assert logs.log_tail(logs.log_path(tmp_path, component.name), 1) == ["serving"]
    assert processes.stop(tmp_path, [component.name]) == [component.name]
    assert processes.stop(tmp_path, [component.name]) == []
    assert port_is_free("127.0.0.1", component.ports[0])


def test_a_reused_process_id_is_not_mistaken_for_ours(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    record = tmp_path / "run" / "supplier.peer.json"
    content = json.loads(record.read_text())
    for changed in ({"created": content["created"] - 60}, {"pid": os.getpid(), "created": stranger_created()}):
        record.write_text(json.dumps(content | changed))
        assert processes.running(tmp_path, component.name) is None
        assert processes.stop(tmp_path, [component.name]) == []


def stranger_created() -> float:
    return psutil.Process(os.getpid()).create_time()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": 4194305, "created": 0, "fingerprint": ""}'])
def test_a_damaged_record_is_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supplier.peer.json").write_text(content)
    assert processes.running(tmp_path, "supplier.peer") is None


def test_a_process_that_lost_its_record_is_found_again(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    processes.await_healthy(tmp_path, component, 10)  # until it is loaded it carries no mark
    (tmp_path / "run" / "supplier.peer.json").unlink()
    assert processes.running(tmp_path, component.name) is None
    processes.adopt_strays(tmp_path)
    found = processes.running(tmp_path, component.name)
    assert found is not None
    assert not processes.is_current(tmp_path, component)  # what it was started with is not known


def test_what_runs_under_an_unknown_name_is_found_too(tmp_path: Path, component: Component) -> None:
    stranger = python_component("bank.peer", component.ports[0], SERVE)
    processes.start(tmp_path, stranger)
    processes.await_healthy(tmp_path, stranger, 10)
    (tmp_path / "run" / "bank.peer.json").unlink()
    assert list(processes.strays(tmp_path)) == ["bank.peer"]
    processes.adopt_strays(tmp_path)
    assert processes.strays(tmp_path) == {}
    assert processes.recorded_names(tmp_path) == ["bank.peer"]
    assert processes.stop(tmp_path, ["bank.peer"]) == ["bank.peer"]


def test_what_a_component_starts_itself_is_no_component(tmp_path: Path, component: Component) -> None:
    parent = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    processes.start(tmp_path, python_component(component.name, component.ports[0], parent + SERVE))
    started = processes.running(tmp_path, component.name)
    assert started is not None
    processes.await_healthy(tmp_path, component, 10)
    (child,) = started.children()
    try:
        assert child.environ()[processes.MARK] == processes.mark(tmp_path, component.name)
        assert processes.strays(tmp_path) == {}
    finally:
        child.kill()


def test_the_same_component_of_another_network_is_not_adopted(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    other = tmp_path / "other"
    processes.adopt_strays(other)
    assert processes.running(other, component.name) is None


def test_a_killed_process_is_noticed(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    processes.await_healthy(tmp_path, component, 10)
    process = processes.running(tmp_path, component.name)
    assert process is not None
    process.kill()
    process.wait(60)
    assert processes.running(tmp_path, component.name) is None
    assert processes.lacks(component, processes.running(tmp_path, component.name)) == "does not run"


def test_stopping_does_not_wait_for_a_parent_that_never_reaps(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    processes.await_healthy(tmp_path, component, 10)
    program = (
        "import sys; from pathlib import Path; from network import processes; processes.STOP_SECONDS_MAX = 600.0; "
        "processes.stop(Path(sys.argv[1]), ['supplier.peer'])"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=200)
    assert processes.running(tmp_path, component.name) is None


def test_a_process_that_ignores_the_request_to_end_is_killed(
    tmp_path: Path, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "STOP_SECONDS_MAX", 0.2)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVE
    stubborn = python_component(component.name, component.ports[0], deaf)
    processes.start(tmp_path, stubborn)
    processes.await_healthy(tmp_path, stubborn, 10)
    assert processes.stop(tmp_path, [component.name]) == [component.name]
    assert port_is_free("127.0.0.1", component.ports[0])


def test_a_component_with_other_settings_is_not_current(tmp_path: Path, component: Component) -> None:
    processes.start(tmp_path, component)
    changed = python_component(component.name, component.ports[0] + 1, SERVE)
    assert not processes.is_current(tmp_path, changed)


def test_a_failed_start_names_the_process_its_last_lines_and_its_log(tmp_path: Path) -> None:
    broken = python_component("buyer.orderer", 1, "raise SystemExit('no certificate here')")
    processes.start(tmp_path, broken)
    with pytest.raises(StartError) as failed:
        processes.await_healthy(tmp_path, broken, 10)
    assert failed.value.component == "buyer.orderer"
    assert "buyer.orderer ended" in failed.value.text
    assert "no certificate here" in failed.value.text
    assert str(tmp_path / "logs" / "buyer.orderer.log") in failed.value.text
    assert failed.value.remedy == "Look at the program."


def test_a_process_that_never_listens_is_given_up_with_what_it_lacks(tmp_path: Path, component: Component) -> None:
    silent = python_component("supplier.peer", component.ports[0], "import time; time.sleep(60)")
    processes.start(tmp_path, silent)
    with pytest.raises(StartError, match=rf"does not listen on {component.ports[0]}: waited \d+ s, the last \d+ s of"):
        processes.await_healthy(tmp_path, silent, 0.2)


def test_a_slow_start_is_waited_for_as_long_as_it_moves(tmp_path: Path, component: Component) -> None:
    slow = "import time\nfor _ in range(8):\n    time.sleep(0.3)\n    print('step', flush=True)\n" + SERVE
    starting = python_component(component.name, component.ports[0], slow)
    processes.start(tmp_path, starting)
    processes.await_healthy(tmp_path, starting, 2.0)
    assert processes.lacks(starting, processes.running(tmp_path, starting.name)) == ""


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    absent = Component("buyer.peer", ("/no/such/peer",), {}, (1,), "", Path("none"), lambda: True, "Build it.")
    with pytest.raises(StartError, match=r"buyer\.peer cannot be started"):
        processes.start(tmp_path, absent)


def test_a_taken_port_is_named_with_who_has_it(component: Component) -> None:
    with socket.create_server(("127.0.0.1", component.ports[0])):
        taken = processes.taken_ports(component, port_is_free)
        assert f"{component.ports[0]} (for supplier.peer) by" in taken
        assert f"(pid {os.getpid()})" in taken
    assert processes.taken_ports(component, port_is_free) == ""


def test_ports_that_a_killed_process_still_has_are_waited_for_and_those_that_stay_taken_are_named(
    component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([False, False, False])  # nobody's, and yet not free; then free
    assert processes.taken_ports(component, lambda _host, _port: next(looks, True)) == ""
    assert next(looks, None) is None
    monkeypatch.setattr(processes, "CLEARED_SECONDS_MAX", 0.1)
    assert "by an unknown process" in processes.taken_ports(component, lambda _host, _port: False)


def test_fabric_settings_of_the_shell_do_not_reach_a_component(
    tmp_path: Path, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_PEER_ADDRESS", "elsewhere:1")
    monkeypatch.setenv("HARMLESS", "kept")
    processes.start(tmp_path, component)
    process = processes.running(tmp_path, component.name)
    assert process is not None
    environment = process.environ()
    assert "CORE_PEER_ADDRESS" not in environment
    assert environment["HARMLESS"] == "kept"


def test_a_large_log_is_put_aside_at_the_next_start(
    tmp_path: Path, component: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "LOG_BYTES_MAX", 20)
    log = logs.log_path(tmp_path, component.name)
    log.parent.mkdir()
    log.write_text("a long line of yesterday\n")
    processes.start(tmp_path, component)
    assert log.with_suffix(".log.1").read_text() == "ng line of yesterday\n"[-20:]


def test_the_second_holder_of_the_lock_waits_for_the_first(tmp_path: Path) -> None:
    order: list[str] = []

    def second() -> None:
        with processes.locked(tmp_path, order.append):
            order.append("second")

    thread = Thread(target=second)
    with processes.locked(tmp_path, order.append):
        thread.start()
        while not order:  # told that it waits
            thread.join(0.01)
        order.append("first")
    thread.join(10)
    assert order == ["waiting for another command that works on this network", "first", "second"]


def test_a_lock_that_stays_taken_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOCK_SECONDS_MAX", 0.0)
    with (
        processes.locked(tmp_path, print),
        pytest.raises(SetupError, match=f"stays locked by process {os.getpid()}: waited"),
        processes.locked(tmp_path, print),
    ):
        pass
