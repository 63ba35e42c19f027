"""`ledger-node doctor`: what is needed and missing ends with 2, what one can do without does not."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from ledger_node.cli import doctor, main
from network.topology import Topology, demo_topology, free_base_port


@pytest.fixture
def description(tmp_path: Path) -> Path:
    demo_topology(tmp_path, free_base_port(30000, 32000)).save(tmp_path / "network.yaml")
    return tmp_path / "network.yaml"


def checks(description: Path, exit_code: int) -> dict[str, Any]:
    done = CliRunner().invoke(main, ["doctor", "--json", "--network", str(description)])
    assert done.exit_code == exit_code, done.output
    result = json.loads(done.output)["result"]
    assert result["healthy"] == (exit_code == 0)
    return {check["name"]: check for check in result["checks"]}


def test_a_machine_with_what_is_needed_is_healthy(description: Path) -> None:
    found = checks(description, 0)
    here = ["python", "fabric tools", "c compiler", "disk", "clock", "gpu", "rules"]
    assert list(found) == [*here, "network.yaml", "ports"]
    assert found["ports"]["detail"] == "free, or used by this network"


def test_a_machine_without_a_network_yet_is_healthy(tmp_path: Path) -> None:
    assert checks(tmp_path / "network.yaml", 0)["network.yaml"]["remedy"] == "Write one: ledger-node init --demo"


def test_a_broken_description_is_shown(description: Path) -> None:
    description.write_text("organisations: 3\n")
    assert "organisations" in checks(description, 2)["network.yaml"]["detail"]


def test_a_taken_port_is_shown_with_what_it_is_for(description: Path) -> None:
    port = demo_port(description)
    with socket.create_server(("127.0.0.1", port)):
        assert checks(description, 2)["ports"]["detail"] == f"taken by others: {port} (buyer.peer)"


def demo_port(description: Path) -> int:
    return Topology.load(description).organisation("buyer").ports.peer


def test_a_named_folder_without_binaries_is_missing(description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_NODE_FABRIC_BIN", str(description.parent))
    assert checks(description, 2)["fabric tools"]["state"] == "missing"


def test_tools_that_can_be_built_are_not_missing(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LEDGER_NODE_FABRIC_BIN", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = checks(description, 0)
    assert found["fabric tools"]["detail"] == "not built yet; Go comes as a wheel and builds them"
    assert found["c compiler"]["state"] == "absent"


def test_the_rules_that_are_here_are_named_and_what_is_lacking_is_said(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found() -> tuple[str, str]:
        (check,) = [each for each in doctor.examine(description) if each.name == "rules"]
        return check.state, check.detail + check.remedy

    state, text = found()
    assert (state, "en16931 1.3.16" in text) == ("ok", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    state, text = found()
    assert (state, "ledger-node rules fetch" in text) == ("absent", True)
    pack = tmp_path / "ledger-node" / "rules" / "broken"
    pack.mkdir(parents=True)
    (pack / "pack.toml").write_text("name =")
    assert found()[0] == "absent"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert "not installed" in found()[1]


def test_an_old_python_is_missing_a_newer_one(description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PYTHON_OLDEST", (99, 0))
    assert checks(description, 2)["python"]["state"] == "missing"


@pytest.mark.parametrize(
    ("has_go", "exit_code", "detail"),
    [(True, 0, "/go builds them (Go 1."), (False, 2, "not built, and neither Go nor pip is here")],
)
def test_without_pip_only_go_builds_the_tools(
    description: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_go: bool, exit_code: int, detail: str
) -> None:
    monkeypatch.delenv("LEDGER_NODE_FABRIC_BIN", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else found(name))
    if has_go:
        (tmp_path / "go").touch(mode=0o755)
    assert detail in checks(description, exit_code)["fabric tools"]["detail"]


def test_a_full_disk_is_missing_room(description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "DISK_BYTES_MIN", 2**70)
    assert checks(description, 2)["disk"]["state"] == "missing"


def test_people_read_one_line_per_check_and_the_remedy_below(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["doctor", "--network", str(tmp_path / "network.yaml")])
    lines = done.output.splitlines()
    assert lines[0].startswith("ok      python        Python 3.")
    assert lines[-1].strip() == "Write one: ledger-node init --demo"


@pytest.mark.parametrize(("state", "shown"), [(0, "ok"), (5, "absent"), (-1, "absent")])
def test_a_clock_that_nothing_keeps_right_is_told_with_what_a_peer_does_then(
    state: int, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(adjtimex=lambda timex: state))
    found = doctor._clock()
    assert (found.state, "15 minutes" in found.remedy) == (shown, shown == "absent")
