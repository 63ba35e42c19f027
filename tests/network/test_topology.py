"""network.yaml: what is refused, and that nothing is lost on the way to disk and back."""

from __future__ import annotations

import copy
import itertools
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from fabric_protos.msp.msp_principal_pb2 import MSPRole
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from network import definitions, lifecycle
from network.errors import SetupError
from network.topology import FORMS, Topology, demo_topology, free_base_port, port_is_free

pytestmark = pytest.mark.alone
JUNK: tuple[Any, ...] = (None, True, 1, 1.5, -1, "", "x" * 300, "/", [], [1], {}, {"a": 1})


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = demo_topology(tmp_path, 20000).model_dump(mode="json", exclude_none=True)
    return loaded


def load(folder: Path, content: object) -> Topology:
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump(content))
    return Topology.load(path)


def test_a_saved_topology_is_loaded_as_it_was(tmp_path: Path) -> None:
    topology = demo_topology(tmp_path, 20000)
    topology.save(tmp_path / "network.yaml")
    assert Topology.load(tmp_path / "network.yaml") == topology
    assert Topology.load(tmp_path / "network.yaml").data == tmp_path / "network-data"


def test_the_demo_has_four_equal_organisations(tmp_path: Path) -> None:
    topology = demo_topology(tmp_path, 20000)
    assert [each.msp_id for each in topology.organisations] == ["SupplierMSP", "BuyerMSP", "FinancierMSP", "CarrierMSP"]
    assert topology.organisation("buyer").peer_endpoint == "127.0.0.1:20013"


def test_the_data_folder_is_relative_to_the_file(tmp_path: Path, content: dict[str, Any]) -> None:
    content["data_dir"] = "elsewhere"
    content["fabric_bin"] = "/opt/fabric/bin"
    topology = load(tmp_path, content)
    assert topology.folders("carrier").root == tmp_path / "elsewhere" / "organisations" / "carrier"
    assert topology.fabric_folder == Path("/opt/fabric/bin")


def test_a_port_given_twice_is_refused_and_both_places_are_named(tmp_path: Path, content: dict[str, Any]) -> None:
    content["organisations"][1]["ports"]["peer"] = content["organisations"][0]["ports"]["orderer"]
    with pytest.raises(SetupError, match=r"20000 is given to both supplier\.orderer and buyer\.peer"):
        load(tmp_path, content)


def test_a_name_given_twice_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["organisations"][1]["name"] = "supplier"
    with pytest.raises(SetupError, match="name 'supplier' is used by more than one organisation"):
        load(tmp_path, content)


def test_an_unknown_field_is_refused_by_name(tmp_path: Path, content: dict[str, Any]) -> None:
    content["organisations"][2]["ports"]["web"] = 1
    with pytest.raises(SetupError, match=r"line \d+: organisations\.2\.ports\.web: is not known here"):
        load(tmp_path, content)


@pytest.mark.parametrize("port", [0, -1, 65536, "many", None, 7050.5])
def test_what_is_no_port_is_refused(tmp_path: Path, content: dict[str, Any], port: object) -> None:
    content["organisations"][0]["ports"]["peer"] = port
    with pytest.raises(SetupError, match=r"organisations\.0\.ports\.peer"):
        load(tmp_path, content)


@pytest.mark.parametrize("name", ["../up", "Supplier", "", "a/b", "a" * 40])
def test_a_name_that_would_leave_its_folder_is_refused(tmp_path: Path, content: dict[str, Any], name: str) -> None:
    content["organisations"][0]["name"] = name
    with pytest.raises(SetupError, match=r"organisations\.0\.name"):
        load(tmp_path, content)


@pytest.mark.parametrize("content", [None, [], "text", {}, {"organisations": []}])
def test_a_file_without_organisations_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(SetupError, match=r"network\.yaml"):
        load(tmp_path, content)


def test_orderers_agree_by_bft_unless_the_file_says_raft(tmp_path: Path, content: dict[str, Any]) -> None:
    assert load(tmp_path, content | {"consensus": "raft"}).consensus == "raft"
    del content["consensus"]
    assert load(tmp_path, content).consensus == "bft"
    with pytest.raises(SetupError, match="consensus: has to be 'bft' or 'raft'"):
        load(tmp_path, content | {"consensus": "solo"})


def test_broken_yaml_is_refused(tmp_path: Path) -> None:
    for raw, words in (
        (b"organisations: [", "is not YAML at line 1, column 17"),
        (b"a: 1\nb: : 2", "is not YAML at line 2, column 4"),
        (b"\xff", "is not text in UTF-8"),
        (b"a: \x07", "is not YAML"),
    ):
        (tmp_path / "network.yaml").write_bytes(raw)
        with pytest.raises(SetupError) as refused:
            Topology.load(tmp_path / "network.yaml")
        assert refused.value.text == f"{tmp_path / 'network.yaml'} {words}"
        assert refused.value.remedy


def test_a_fault_is_told_with_its_line_and_field_and_in_no_librarys_words(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    """Whatever stands wherever in the file."""
    told = 0
    for where, junk in itertools.product(("host", "ports", "name", ""), JUNK):
        broken = copy.deepcopy(content)
        if where:
            broken["organisations"][1][where] = junk
        else:
            broken = dict.fromkeys(broken, junk)
        try:
            load(tmp_path, broken)
        except SetupError as error:
            told += 1
            assert re.search(r"network\.yaml: line \d+: ", error.text), error.text
            assert not re.search(r"[Ii]nput should|pattern|valid|pydantic|is not what it should", error.text), (
                error.text
            )
    assert told > 30


def test_a_fault_names_the_line_that_it_stands_in(tmp_path: Path, content: dict[str, Any]) -> None:
    content["organisations"][1]["ports"]["peer"] = "many"
    with pytest.raises(SetupError) as refused:
        load(tmp_path, content)
    (line,) = [
        number
        for number, line in enumerate((tmp_path / "network.yaml").read_text().splitlines(), 1)
        if "peer: many" in line
    ]
    words = f"line {line}: organisations.1.ports.peer: has to be a whole number"
    assert refused.value.text == f"{tmp_path / 'network.yaml'}: {words}"


PRICES = {"name": "prices", "msp_ids": ["SupplierMSP", "BuyerMSP"]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"collections": [PRICES | {"peers_min": 2}]}, "peers_min is 2, of 1 other members"),
        ({"collections": [PRICES | {"endorsements_min": 3}]}, "endorsements_min is 3, of 2 members"),
        ({"collections": [PRICES | {"msp_ids": ["NobodyMSP"]}]}, "NobodyMSP is the MSP id of no organisation here"),
        ({"collections": [PRICES | {"name": "a/b"}]}, "has to be a collection's name of letters and digits"),
        ({"collections": [PRICES | {"msp_ids": ["BuyerMSP"] * 2}]}, "BuyerMSP is named more than once"),
        ({"endorsement": {"msp_ids": ["BuyerMSP"] * 2, "endorsements_min": 2}}, "BuyerMSP is named more than once"),
        ({"endorsement": {"msp_ids": ["BuyerMSP"], "endorsements_min": 2}}, "endorsements_min is 2, of 1 organ"),
        ({"endorsement": {"msp_ids": ["BuyerMSP"], "endorsements_min": 0}}, "has to be at least 1"),
        ({"endorsement": {"msp_ids": ["NobodyMSP"], "endorsements_min": 1}}, "NobodyMSP is the MSP id of no"),
    ],
)
def test_a_definition_that_nobody_could_fulfil_is_refused(
    tmp_path: Path, content: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(SetupError, match=words):
        load(tmp_path, content | changes)


def test_what_network_yaml_says_of_a_contract_is_in_its_definition_and_makes_another_version(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    plain = lifecycle.read_contract(load(tmp_path, content))
    said = PRICES | {"peers_min": 1, "members_write": False, "blocks_kept": 9}
    kept = lifecycle.read_contract(load(tmp_path, content | {"collections": [said]}))
    package = definitions.encode_collections(kept.collections)
    assert package is not None
    (collection,) = [each.static_collection_config for each in package.config]
    assert (collection.required_peer_count, collection.member_only_write, collection.block_to_live) == (1, False, 9)
    assert (collection.maximum_peer_count, collection.member_only_read) == (2, True)

    signers = ["SupplierMSP", "BuyerMSP", "CarrierMSP"]
    endorsement = {"msp_ids": signers, "endorsements_min": 2}
    signed = lifecycle.read_contract(load(tmp_path, content | {"endorsement": endorsement}))
    policy = ApplicationPolicy.FromString(definitions.encode_policy(signed.policy)).signature_policy
    assert (policy.rule.n_out_of.n, len(policy.rule.n_out_of.rules)) == (2, 3)
    named = [MSPRole.FromString(each.principal) for each in policy.identities]
    assert [(each.msp_identifier, each.role) for each in named] == [(signer, MSPRole.PEER) for signer in signers]
    assert definitions.encode_policy(plain.policy) == b""  # the channel's own: a majority
    assert len({plain.version, kept.version, signed.version}) == 3


def test_every_form_of_a_field_is_said_in_words() -> None:
    wanted = set(re.findall(r'"pattern": "(.*?)"[,}]', json.dumps(Topology.model_json_schema())))
    assert len(wanted) == len(FORMS)
    assert wanted == {json.dumps(form)[1:-1] for form in FORMS}


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused:
        Topology.load(tmp_path / "network.yaml")
    assert refused.value.remedy == "Write one with: ledger-node init --demo"


def test_an_unknown_organisation_is_refused_with_those_known(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as refused:
        demo_topology(tmp_path, 20000).organisation("bank")
    assert refused.value.remedy == "Known are: supplier, buyer, financier, carrier."


@pytest.mark.parametrize("base_port", [80, 65500, -5])
def test_a_base_port_without_room_is_refused(tmp_path: Path, base_port: int) -> None:
    with pytest.raises(SetupError, match="out of range"):
        demo_topology(tmp_path, base_port)


def test_a_block_with_a_taken_port_is_not_called_free() -> None:
    base = free_base_port(21000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 39))
        taken.listen()
        assert not port_is_free("127.0.0.1", base + 39)
        assert free_base_port(base) > base
        with pytest.raises(SetupError, match="no 40 free ports"):
            free_base_port(base, base + 40)
