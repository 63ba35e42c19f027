"""Two organisations on hosts of their own: founding, first commit, and what each host knows, by commands alone.

Four of them, and the whole job, are `tests/scenario/test_four_hosts.py`, which takes longer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hosts import Hosts, lacking, running_hosts

NAMES = ("buyer", "supplier")
FOUNDING = "ledger-node channel genesis ../../post/founding.json > scf.block"
JOINING = "ledger-node channel join scf.block --founding ../../post/founding.json"

pytestmark = pytest.mark.alone  # and not `network`: where no namespaces may be made, it is skipped aloud


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    if reason := lacking(tmp_path_factory.mktemp("tried")):
        pytest.skip(f"NO HOSTS OF THEIR OWN WERE TRIED: {reason}")
    with running_hosts(tmp_path_factory.mktemp("hosts"), NAMES) as running:
        try:
            yield running
        finally:
            begun = [name for name in NAMES if (running.folder(name) / "network.yaml").exists()]
            running.run_at_once(dict.fromkeys(begun, "ledger-node network down"))


def at_each(hosts: Hosts, script: str) -> dict[str, Any]:
    """Run a command at both at once; what their `--json` says."""
    said = hosts.run_at_once(dict.fromkeys(NAMES, script))
    return {name: json.loads(text)["result"] if text.startswith("{") else text for name, text in said.items()}


@pytest.fixture(scope="module")
def joined(hosts: Hosts) -> Hosts:
    scripts = {
        name: f"ledger-node org init {name} --host {name}.example --msp {name.capitalize()}MSP --consensus raft\n"
        f"ledger-node org card > ../../post/{name}.card"
        for name in NAMES
    }
    hosts.run_at_once(scripts)
    hosts.run("supplier", "ledger-node channel propose --cards ../../post/*.card > ../../post/founding.json")
    hosts.run("supplier", "ledger-node channel sign ../../post/founding.json")
    said = hosts.run("buyer", FOUNDING, fails=2)
    assert "not signed yet by BuyerMSP" in said
    said = hosts.run("buyer", "ledger-node network up", fails=2)
    assert "there is no genesis block of the channel scf here yet" in said
    hosts.run("buyer", "ledger-node channel sign ../../post/founding.json")
    digests = at_each(hosts, f"{FOUNDING}; {JOINING} --json; ")
    assert digests["buyer"]["digest"] == digests["supplier"]["digest"]
    return hosts


@pytest.fixture(scope="module")
def up(joined: Hosts) -> Hosts:
    alone = json.loads(joined.run("buyer", "ledger-node network up --json"))["result"]  # while nobody else is there
    assert alone["started"] == ["buyer.orderer", "buyer.peer", "buyer.chaincode"]
    assert alone["deployment"]["committed"] is False
    joined.run("supplier", "ledger-node network up")
    return joined


@pytest.fixture(scope="module")
def committed(up: Hosts) -> Hosts:
    up.run("buyer", "ledger-node contract approve")
    said = up.run("buyer", "ledger-node contract commit", fails=1)
    assert "1 of 2 have approved" in said
    assert "not SupplierMSP" in said
    up.run("supplier", "ledger-node contract approve")
    up.run("supplier", "ledger-node contract commit")
    return up


def test_both_hosts_serve_the_one_contract_that_both_have_approved(committed: Hosts) -> None:
    said = at_each(committed, "ledger-node contract status --json")
    assert all(each["committed"] and each["approved_by"] == ["BuyerMSP", "SupplierMSP"] for each in said.values())
    assert said["buyer"]["package_id"] == said["supplier"]["package_id"]
    again = at_each(committed, "ledger-node network up --json")
    assert all(each["started"] == [] and each["deployment"]["committed"] for each in again.values())


def test_every_step_can_be_typed_again_and_changes_nothing(committed: Hosts) -> None:
    said = at_each(committed, f"{JOINING} >/dev/null; ledger-node contract approve --json")
    assert all(each["changed"] is False for each in said.values())
    assert at_each(committed, "ledger-node contract commit --json")["buyer"]["changed"] is False


def test_each_host_tells_how_its_own_part_is_and_blames_nobody(committed: Hosts) -> None:
    said = at_each(committed, "ledger-node network status --json")
    for name, each in said.items():
        assert {row["component"].rpartition(".")[0] for row in each["components"]} == {name}
        assert each["findings"] == []


def test_one_host_down_does_not_take_the_others_processes(committed: Hosts) -> None:
    stopped = json.loads(committed.run("buyer", "ledger-node network down --json"))["result"]["stopped"]
    assert {each.rpartition(".")[0] for each in stopped} == {"buyer"}
    again = json.loads(committed.run("buyer", "ledger-node network up --json"))["result"]
    assert "supplier" not in str(again["started"])
    assert again["deployment"]["committed"] is True


def test_nobody_has_a_file_of_the_others_but_what_is_public(committed: Hosts) -> None:
    for name in NAMES:
        (other,) = set(NAMES) - {name}
        named = [path for path in committed.folder(name).rglob("*") if other in path.name.lower()]
        assert [path.name for path in named] == [f"{other.capitalize()}MSP.tlsca.pem"]
