"""`ledger-node init` and `ledger-node token`: what is written, what is kept, what is refused."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ledger_node.cli import main
from ledger_node.config import load_settings
from ledger_node.node import open_node
from network.topology import Topology, free_base_port

ORGANISATIONS = ("supplier", "buyer", "financier", "carrier")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="ledger-node")


def init(folder: Path, *more: str, ledger: str = "embedded") -> Result:
    return run("init", "--demo", "--dir", str(folder), "--ledger", ledger, *more)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def answer(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["result"]


@pytest.mark.parametrize("ledger", ["embedded", "fabric"])
def test_what_init_writes_opens_as_four_nodes(tmp_path: Path, ledger: str) -> None:
    result = answer(init(tmp_path, "--json", ledger=ledger))
    assert sorted(result["nodes"]) == sorted(ORGANISATIONS)
    assert (tmp_path / "network.yaml").exists() is (ledger == "fabric")
    ports = set()
    for name in ORGANISATIONS:
        settings = load_settings(tmp_path / "nodes" / name)
        assert (settings.organisation, settings.ledger) == (name, ledger)
        open_node(settings).close()
        ports |= {settings.user_port, settings.peer_port}
        assert all(settings.at(root).exists() for root in settings.tls.roots.values())
    assert len(ports) == 8
    if ledger == "fabric":
        taken = {port for each in Topology.load(tmp_path / "network.yaml").organisations for _, port in each.ports}
        assert not taken & ports


def test_all_nodes_share_one_key_that_only_the_owner_can_read(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    keys = [tmp_path / "nodes" / name / "fingerprint.key" for name in ORGANISATIONS]
    assert len({key.read_bytes() for key in keys}) == 1
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}


@pytest.mark.parametrize("ledger", ["embedded", "fabric"])
def test_running_init_again_changes_nothing(tmp_path: Path, ledger: str) -> None:
    assert init(tmp_path, ledger=ledger).exit_code == 0
    before = contents(tmp_path)
    assert init(tmp_path, ledger=ledger).exit_code == 0
    assert contents(tmp_path) == before


def test_init_completes_what_a_kill_left_half_done(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    before = contents(tmp_path)
    for lost in ("nodes/carrier/node.toml", "nodes/carrier/fingerprint.key", "nodes/buyer/node.toml"):
        (tmp_path / lost).unlink()
    assert init(tmp_path).exit_code == 0
    assert contents(tmp_path) == before


def test_settings_that_say_something_else_are_not_overwritten(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    file = tmp_path / "nodes" / "buyer" / "node.toml"
    file.write_text(file.read_text().replace("fingerprint_epoch = 1", "fingerprint_epoch = 2"))
    before = contents(tmp_path)
    refused = init(tmp_path)
    assert (refused.exit_code, "fingerprint_epoch" in refused.stderr) == (2, True)
    other_ledger = init(tmp_path, ledger="fabric")
    assert other_ledger.exit_code == 2
    assert contents(tmp_path) == before


def test_another_base_port_than_before_is_refused(tmp_path: Path) -> None:
    base = free_base_port(20000, 30000)
    assert init(tmp_path, "--base-port", str(base)).exit_code == 0
    assert load_settings(tmp_path / "nodes" / "supplier").user_port == base + 8
    assert init(tmp_path, "--base-port", str(base + 40)).exit_code == 2
    assert init(tmp_path, "--base-port", str(base)).exit_code == 0


def test_two_different_keys_are_refused(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    key = tmp_path / "nodes" / "buyer" / "fingerprint.key"
    key.write_text("0" * 64)
    refused = init(tmp_path)
    assert (refused.exit_code, "different keys" in refused.stderr) == (2, True)


def test_init_without_demo_says_what_there_is(tmp_path: Path) -> None:
    result = run("init", "--dir", str(tmp_path))
    assert (result.exit_code, "init --demo" in result.stderr) == (2, True)
    assert contents(tmp_path) == {}


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    folder = str(tmp_path / "nodes" / "supplier")
    made = answer(run("token", "create", "--node", folder, "--role", "uploader", "--days", "2", "--json"))
    plain = run("token", "create", "--node", folder, "--role", "auditor").stdout.strip()
    listed = answer(run("token", "list", "--node", folder, "--json"))
    assert sorted(each["role"] for each in listed) == ["auditor", "uploader"]
    assert made["token"] not in json.dumps(listed)
    assert "uploader" in run("token", "list", "--node", folder).stdout
    node = open_node(load_settings(tmp_path / "nodes" / "supplier"))
    try:
        assert node.tokens.check(made["token"]) is not None
        assert node.tokens.check(plain) is not None
        assert run("token", "revoke", "--node", folder, made["id"]).exit_code == 0
        assert node.tokens.check(made["token"]) is None
    finally:
        node.close()
    assert run("token", "revoke", "--node", folder, made["id"]).exit_code == 3
    assert run("token", "create", "--node", folder, "--role", "king").exit_code == 2
    assert run("token", "create", "--node", folder, "--role", "auditor", "--days", "0").exit_code == 2


def test_a_folder_without_settings_is_named(tmp_path: Path) -> None:
    for command in (("token", "list"), ("node", "status"), ("node", "serve")):
        result = run(*command, "--node", str(tmp_path))
        assert (result.exit_code, str(tmp_path) in result.stderr) == (2, True)


def test_the_status_of_a_node_that_is_not_served_says_how_to_start_it(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    result = run("node", "status", "--node", str(tmp_path / "nodes" / "supplier"))
    assert (result.exit_code, "node serve" in result.stderr) == (1, True)
