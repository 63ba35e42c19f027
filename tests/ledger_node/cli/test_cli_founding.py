"""What the commands of a founding say and refuse, without a network: keys, cards, settings of a node, certificates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from founders import NAMES, begun, proposed, signed_by

from ledger_node.backup import inventory
from ledger_node.cli import main
from ledger_node.config import load_settings
from network import cards, founding, tools
from network.topology import Topology

FILE_OF_KEY = "fingerprint.key"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def answer(result: Result) -> Any:
    document = json.loads(result.stdout)
    return document["result"] if document["ok"] else document["error"]["text"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Four founders that have joined, with the founding that all have signed in `founding.json`."""
    folder = tmp_path_factory.mktemp("founders")
    four = [begun(folder, name) for name in NAMES]
    whole = signed_by(four, proposed(four))
    (folder / "founding.json").write_text(cards.written(whole))
    programs = tools.find_or_build(print)
    block = founding.genesis(programs, whole)
    for each in four:
        founding.join(each, programs, whole, block)
    yield folder


def of(home: Path, name: str) -> Path:
    return home / name / "network.yaml"


def test_init_makes_the_own_keys_alone_and_again_makes_nothing(tmp_path: Path) -> None:
    line = ("org", "init", "buyer", "--host", "buyer.example", "--msp", "BuyerMSP", "--json", "--network")
    file = tmp_path / "network.yaml"
    assert answer(run(*line, file))["made"] is True
    assert answer(run(*line, file))["made"] is False
    assert [path.name for path in (tmp_path / "network-data" / "organisations").iterdir()] == ["buyer"]
    refused = run("org", "init", "buyer", "--host", "other.example", "--msp", "BuyerMSP", "--network", file)
    assert refused.exit_code == 2
    assert "something else about organisations" in refused.stderr


def test_a_card_goes_to_standard_output_and_its_fingerprint_to_standard_error(home: Path, tmp_path: Path) -> None:
    printed = run("org", "card", "--network", of(home, "buyer"))
    file = tmp_path / "buyer.card"
    file.write_text(printed.stdout)
    shown = run("org", "show", file)
    fingerprint = printed.stderr.strip().removeprefix("fingerprint of BuyerMSP: ")
    assert fingerprint in shown.stdout
    assert answer(run("org", "show", file, "--json"))[0]["fingerprint"] == fingerprint
    file.write_text(printed.stdout.replace("buyer.example", "evil.example"))
    refused = run("org", "show", file)
    assert (refused.exit_code, "changed on the way" in refused.stderr) == (2, True)


def test_a_network_of_one_machine_has_no_card_and_no_single_node(tmp_path: Path) -> None:
    run("init", "--demo", "--dir", tmp_path)
    for line in (("org", "card"), ("node", "init")):
        refused = run(*line, "--network", tmp_path / "network.yaml")
        assert (refused.exit_code, "of 4 organisations" in refused.stderr) == (2, True)


def test_a_block_is_not_printed_among_json(home: Path) -> None:
    refused = run("channel", "genesis", home / "founding.json", "--network", of(home, "buyer"), "--json")
    assert (refused.exit_code, answer(refused)) == (2, "with --json the block needs a file")


def test_a_node_is_set_up_from_the_own_keys_and_the_others_roots(home: Path) -> None:
    made = answer(run("node", "init", "--network", of(home, "buyer"), "--json"))
    assert made["peer_url"] == "https://buyer.example:7059"
    settings = load_settings(Path(made["node"]))
    assert (settings.host, settings.peer_host) == ("127.0.0.1", "0.0.0.0")
    assert sorted(settings.tls.roots) == ["BuyerMSP", "CarrierMSP", "FinancierMSP", "SupplierMSP"]
    for msp_id, path in settings.tls.roots.items():
        name = msp_id.removesuffix("MSP").lower()
        theirs = home / name / "network-data" / "organisations" / name / "msp" / "tlscacerts" / "tlsca.pem"
        assert settings.at(path).read_bytes() == theirs.read_bytes()
        assert settings.at(path).resolve().is_relative_to(home / "buyer")
    assert run("node", "init", "--network", of(home, "buyer")).exit_code == 0


def test_a_node_waits_for_the_channel(tmp_path: Path) -> None:
    begun(tmp_path, "buyer")
    refused = run("node", "init", "--network", of(tmp_path, "buyer"))
    assert (refused.exit_code, "Join the channel first" in refused.stderr) == (2, True)


def test_the_fingerprint_key_goes_from_one_node_to_another_and_never_over_another_key(home: Path) -> None:
    nodes = {name: Path(answer(run("node", "init", "--network", of(home, name), "--json"))["node"]) for name in NAMES}
    by, to = nodes["supplier"], nodes["carrier"]
    assert answer(run("fingerprint-key", "create", "--node", by, "--json"))["made"] is True
    assert answer(run("fingerprint-key", "create", "--node", by, "--json"))["made"] is False
    signed = ("--founding", home / "founding.json", "--node")
    sealed = home / "fingerprint.sealed"
    sealed.write_text(run("fingerprint-key", "give", *signed, by).stdout)
    assert answer(run("fingerprint-key", "take", sealed, *signed, to, "--json"))["taken"] is True
    assert answer(run("fingerprint-key", "take", sealed, *signed, to, "--json"))["taken"] is False
    assert (to / FILE_OF_KEY).read_text() == (by / FILE_OF_KEY).read_text()
    assert (to / FILE_OF_KEY).stat().st_mode & 0o777 == 0o600
    (to / FILE_OF_KEY).write_text("00" * 32 + "\n")
    refused = run("fingerprint-key", "take", sealed, *signed, to)
    assert (refused.exit_code, "another key" in refused.stderr) == (2, True)
    assert (to / FILE_OF_KEY).read_text() == "00" * 32 + "\n"


def test_a_founding_that_is_not_signed_by_all_is_nobody_to_give_a_key_to(home: Path) -> None:
    node = Path(answer(run("node", "init", "--network", of(home, "supplier"), "--json"))["node"])
    content = json.loads((home / "founding.json").read_text())
    del content["signatures"]["CarrierMSP"]
    (home / "part.json").write_text(json.dumps(content))
    refused = run("fingerprint-key", "give", "--founding", home / "part.json", "--node", node)
    assert (refused.exit_code, "not signed by CarrierMSP" in refused.stderr) == (2, True)


def test_certificates_are_listed_with_the_others_roots_and_an_end_that_is_near_is_an_exit_code(home: Path) -> None:
    line = ("certs", "list", "--json", "--network", of(home, "buyer"))
    quiet = run(*line)
    names = [row["name"] for row in answer(quiet)["certificates"]]
    assert (quiet.exit_code, answer(quiet)["ending"]) == (0, [])
    assert {"buyer.orderer.signing", "carrier.authority.tls"} <= set(names)
    assert not [name for name in names if name.startswith("carrier.") and name != "carrier.authority.tls"]
    near = run(*line, "--days", "400")
    assert near.exit_code == 1
    assert "buyer.peer.tls" in answer(near)["ending"]
    assert (
        "ledger-node network renew buyer"
        in run("certs", "list", "--days", "400", "--network", of(home, "buyer")).stdout
    )


def test_an_orderers_ledger_is_not_taken_from_one_host_of_several(home: Path) -> None:
    topology = Topology.load(of(home, "buyer"))
    own = topology.folders("buyer")
    for folder in (own.peer_data, own.orderer_data):
        folder.mkdir(parents=True, exist_ok=True)
    taken = inventory.of_network(topology, (), ledgers=True)
    assert taken.ledgers == (own.peer_data,)
    assert topology.genesis_block in taken.files
    assert {topology.root_of(other) for other in topology.others} <= set(taken.files)
