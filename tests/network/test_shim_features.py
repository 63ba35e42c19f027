"""What a contract can do through the shim, on a real network: the examples of docs/reference/shim.md, called."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kv_network import channel_of
from shim_contract import CHAINCODE, COLLECTION, PAGE, Caller, deployed

from network.gateway import EndorseError, EvaluateError, Gateway, Identity, software_signer
from network.identities import load_authority
from network.topology import Topology

pytestmark = pytest.mark.network
OTHERS = ("BuyerMSP", "FinancierMSP", "CarrierMSP")


@pytest.fixture(scope="module")
def page(network: Topology, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with deployed(network, tmp_path_factory.mktemp("page")) as topology:
        yield topology


@pytest.fixture(scope="module")
def supplier(page: Topology) -> Caller:
    return Caller(page, "supplier")


@pytest.fixture(scope="module")
def buyer(page: Topology) -> Caller:
    return Caller(page, "buyer")


@pytest.fixture(scope="module")
def carrier(page: Topology) -> Caller:
    return Caller(page, "carrier")


def test_every_function_of_the_page_is_called_here() -> None:
    functions = re.findall(r"@function\nasync def (\w+)", PAGE.read_text())
    calls = "".join(path.read_text() for path in Path(__file__).parent.glob("test_shim_*.py"))
    assert [name for name in functions if f'"{name}"' not in calls] == []


def test_keys_are_written_read_together_and_deleted(supplier: Caller, key: str) -> None:
    assert supplier.send("put", key, "1") is None
    assert supplier.send("put", key, "2") == "1"
    assert supplier.ask("get", key, "nothing", key) == ["2", None, "2"]
    supplier.send("delete", key)
    assert supplier.ask("get", key) == [None]


def test_a_function_that_is_not_there_is_refused_with_the_contracts_own_status(supplier: Caller) -> None:
    with pytest.raises(EvaluateError) as caught:
        supplier.ask("nonsense")
    response = caught.value.chaincode_response
    assert response is not None
    assert (response.status, response.message) == (404, "there is no function 'nonsense'")


def test_writes_beyond_the_peers_batch_size_and_ranges_beyond_its_page_arrive_whole(supplier: Caller, key: str) -> None:
    supplier.send("fill", key, "2500")
    assert supplier.ask("count", key, key + ":") == 2500
    keys = [f"{key}{number:05}" for number in range(2500)]
    assert supplier.ask("first", key, key + ":", "150") == keys[:150]
    assert supplier.ask("first", key, key + ":", "9999") == keys


def test_a_range_is_read_in_pages_with_bookmarks(supplier: Caller, key: str) -> None:
    supplier.send("fill", key, "25")
    found: list[str] = []
    bookmark, pages = "", 0
    while True:
        keys, bookmark = supplier.ask("page", key, key + ":", "10", bookmark)
        found, pages = found + keys, pages + 1
        if not bookmark:
            break
    assert (found, pages) == ([f"{key}{number:05}" for number in range(25)], 3)


def test_composite_keys_are_found_by_their_first_parts_and_by_no_simple_range(supplier: Caller, key: str) -> None:
    for thing in ("a", "b", "c"):
        supplier.send("register", key, thing)
    supplier.send("register", key + "0", "z")
    assert supplier.ask("things", key) == ["a", "b", "c"]
    first, bookmark = supplier.ask("things_page", key, "2")
    assert (first, supplier.ask("things_page", key, "2", bookmark)[0]) == (["a", "b"], ["c"])
    assert ["owner", [key, "a"]] in supplier.ask("all_composite", "1000")
    assert not [each for each in supplier.ask("first", "", "", "100000") if each.startswith("\0")]


def test_the_history_of_a_key_tells_every_change_the_newest_first(supplier: Caller, key: str) -> None:
    supplier.send("put", key, "1")
    supplier.send("put", key, "2")
    supplier.send("delete", key)
    changes = supplier.ask("history", key)
    assert [(value, deleted) for value, deleted, _ in changes] == [("", True), ("2", False), ("1", False)]
    assert all(abs(seconds - time.time()) < 300 for *_, seconds in changes)


@pytest.mark.parametrize("arguments", [("rich", "{}"), ("rich_page", "{}", "5"), ("rich_secrets", COLLECTION, "{}")])
def test_a_rich_query_on_leveldb_is_a_clear_error(supplier: Caller, arguments: tuple[str, ...]) -> None:
    with pytest.raises(EvaluateError) as caught:
        supplier.ask(*arguments)
    response = caught.value.chaincode_response
    assert response is not None
    assert response.message.startswith("RichQueriesMissing: the peer keeps its state in LevelDB")


def test_private_data_lies_with_the_members_and_everybody_knows_its_digest(
    supplier: Caller, buyer: Caller, carrier: Caller, key: str
) -> None:
    supplier.send("keep_secret", COLLECTION, key, transient={"secret": "42"}, organisations=(supplier.msp_id,))
    assert supplier.ask("secret", COLLECTION, key) == "42"
    assert supplier.ask("secrets", COLLECTION, key, "nothing") == ["42", None]
    assert supplier.ask("secret_keys", COLLECTION, key, key + ":") == [key]
    assert supplier.ask("secret_digest", COLLECTION, "nothing") is None
    digest = hashlib.sha256(b"42").hexdigest()
    for caller in (supplier, buyer, carrier):
        assert eventually(partial(caller.ask, "secret_digest", COLLECTION, key), digest) == digest
    assert eventually(partial(buyer.ask, "secret", COLLECTION, key), "42") == "42"
    allowed = [caller.ask("secret_if_allowed", COLLECTION, key) for caller in (supplier, carrier)]
    assert allowed == [["42"], ["refused"]]
    assert supplier.ask("secret_if_allowed", COLLECTION, "nothing") == [None]
    with pytest.raises(EvaluateError, match="does not have read access permission"):
        carrier.ask("secret", COLLECTION, key)
    with pytest.raises(EndorseError, match="does not have write access permission"):
        carrier.send("keep_secret", COLLECTION, key, transient={"secret": "0"}, organisations=(supplier.msp_id,))


def test_deleted_private_data_is_gone_and_purged_private_data_is_gone_from_the_past(
    page: Topology, supplier: Caller, key: str
) -> None:
    member = {"organisations": (supplier.msp_id,)}
    for how, kept in (("delete", True), ("purge", False)):
        block = supplier.send_noting_block("keep_secret", COLLECTION, key + how, transient={"secret": how}, **member)
        assert secret_in_block(page, block, key + how)
        last = supplier.send_noting_block("forget", COLLECTION, key + how, how, **member)
        assert supplier.ask("secret", COLLECTION, key + how) is None
        assert supplier.ask("secret_digest", COLLECTION, key + how) is None
        assert (last > block, secret_in_block(page, block, key + how)) == (True, kept)


def test_composite_keys_of_a_collection_are_found_by_their_first_parts(supplier: Caller, key: str) -> None:
    for thing in ("a", "b"):
        supplier.send(
            "keep_secret_thing", COLLECTION, key, thing, transient={"secret": "1"}, organisations=(supplier.msp_id,)
        )
    assert supplier.ask("secret_things", COLLECTION, key) == ["a", "b"]


def test_a_change_of_an_owned_key_without_its_owners_endorsement_is_invalid(supplier: Caller, key: str) -> None:
    assert supplier.ask("owners", key) is None
    supplier.send("own", key, supplier.msp_id)
    assert supplier.ask("owners", key) == [supplier.msp_id]
    assert supplier.fate("put", key, "stolen", organisations=OTHERS) == "ENDORSEMENT_POLICY_FAILURE"
    assert supplier.fate("own", key, "BuyerMSP", organisations=OTHERS) == "ENDORSEMENT_POLICY_FAILURE"
    assert supplier.ask("get", key) == ["owned"]
    # The owner alone suffices, and the gateway plans for that by itself.
    assert supplier.fate("put", key, "mine", organisations=(supplier.msp_id,)) == "VALID"
    supplier.send("put", key, "planned")
    supplier.send("disown", key)
    assert supplier.ask("owners", key) is None
    assert supplier.fate("put", key, "anybody's", organisations=OTHERS) == "VALID"


def test_every_owner_must_endorse_and_a_key_deleted_has_no_owner(supplier: Caller, buyer: Caller, key: str) -> None:
    supplier.send("own", key, supplier.msp_id, buyer.msp_id)
    assert supplier.fate("put", key, "1", organisations=(supplier.msp_id,)) == "ENDORSEMENT_POLICY_FAILURE"
    assert supplier.fate("delete", key, organisations=(supplier.msp_id, buyer.msp_id)) == "VALID"
    assert supplier.ask("owners", key) is None


def test_a_key_of_a_collection_can_have_owners_too(supplier: Caller, buyer: Caller, key: str) -> None:
    secret, both = {"transient": {"secret": "1"}}, (supplier.msp_id, buyer.msp_id)
    supplier.send("keep_secret", COLLECTION, key, organisations=(supplier.msp_id,), **secret)
    supplier.send("own_secret", COLLECTION, key, *both, organisations=(supplier.msp_id,))
    assert supplier.ask("secret_owners", COLLECTION, key) == sorted(both)
    arguments = ("keep_secret", COLLECTION, key)
    assert supplier.fate(*arguments, organisations=(supplier.msp_id,), **secret) == "ENDORSEMENT_POLICY_FAILURE"
    assert supplier.fate(*arguments, organisations=both, **secret) == "VALID"


def test_a_contract_reads_attributes_and_units_of_the_creators_certificate(page: Topology, supplier: Caller) -> None:
    plain = supplier.ask("who", "role")
    assert (plain["msp_id"], plain["is_client"], plain["role"]) == ("SupplierMSP", True, None)
    assert (supplier.ask("at_home"), supplier.ask("at_home", on="BuyerMSP")) == (True, False)

    async def as_treasurer() -> None:
        async with gateway_with_attribute(page, "role", "treasurer") as gateway:
            contract = gateway.network(page.channel).contract(CHAINCODE)
            treasurer = json.loads(await contract.evaluate("who", "role"))
            assert (treasurer["role"], treasurer["id"] == plain["id"]) == ("treasurer", False)
            await contract.evaluate("only_for", "role", "treasurer")
            with pytest.raises(EvaluateError, match="'role' equals 'treasurer', not 'clerk'"):
                await contract.evaluate("only_for", "role", "clerk")

    asyncio.run(asyncio.wait_for(as_treasurer(), 200))


def test_the_contract_sees_the_proposal_that_its_caller_signed(page: Topology, supplier: Caller) -> None:
    async def run() -> None:
        async with channel_of(page) as channel:
            proposal = channel.contract(CHAINCODE).propose("envelope", transient={"note": "aside"})
            seen = json.loads(await proposal.evaluate())
            assert (seen["tx_id"], seen["channel"]) == (proposal.transaction_id, page.channel)
            assert abs(seen["seconds"] - time.time()) < 60
            assert (seen["transient"], seen["decorations"], seen["is_init"]) == ({"note": "aside"}, [], False)
            assert len(bytes.fromhex(seen["binding"])) == 32
            assert seen["signature"]

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_contract_calls_other_contracts_and_learns_of_their_refusals(page: Topology, supplier: Caller) -> None:
    status, message, _ = supplier.ask("ask", "scf", "", "not JSON")
    assert (status, "MALFORMED" in message) == (409, True)
    query = json.dumps({"version": 1, "query": {"type": "Record", "key": "nothing"}})
    for channel in ("", page.channel):
        status, message, size = supplier.ask("ask", "scf", channel, query)
        assert (status, message, size > 0) == (200, "", True)
    for chaincode, channel in (("nobody", ""), ("scf", "elsewhere"), (CHAINCODE, "")):
        with pytest.raises(EvaluateError, match="PeerError: INVOKE_CHAINCODE failed"):
            supplier.ask("ask", chaincode, channel, "get", "a")


def test_an_event_reaches_clients_when_its_transaction_is_committed(page: Topology, supplier: Caller, key: str) -> None:
    block = supplier.send_noting_block("announce", key, "payload")

    async def run() -> None:
        async with channel_of(page, "buyer") as channel:
            events = channel.chaincode_events(CHAINCODE, block)
            async for event in events:
                assert (event.block_number, event.name, event.payload) == (block, key, b"payload")
                break
            await events.aclose()

    asyncio.run(asyncio.wait_for(run(), 200))


def eventually(ask: Callable[[], Any], expected: Any) -> Any:
    """What is asked, again until it is as expected: other peers commit, and get private data, a moment later."""
    deadline = time.monotonic() + 120
    while True:
        try:
            answer = ask()
        except EvaluateError:
            answer = None
        if answer == expected or time.monotonic() > deadline:
            return answer


def secret_in_block(topology: Topology, number: int, key: str) -> bool:
    """Whether the supplier's peer still hands out the private write of that key with that block."""

    async def run() -> bool:
        async with channel_of(topology) as channel:
            async for block in channel.blocks_with_private_data(number, number):
                return any(key.encode() in each.SerializeToString() for each in block.private_data_map.values())
        raise AssertionError("there is no such block")

    return asyncio.run(asyncio.wait_for(run(), 200))


def gateway_with_attribute(topology: Topology, name: str, value: str) -> Gateway:
    """The supplier's gateway, as a client whose certificate has an attribute, as fabric-ca writes it."""
    folders = topology.folders("supplier")
    authority = load_authority(folders.authority / "ca.crt", folders.authority / "ca.key")
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    units = [(NameOID.ORGANIZATION_NAME, "supplier"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "client")]
    subject = x509.Name([x509.NameAttribute(oid, text) for oid, text in (*units, (NameOID.COMMON_NAME, "treasurer"))])
    content = json.dumps({"attrs": {name: value}}).encode()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1"), content), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    sign = software_signer(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    identity = Identity("SupplierMSP", certificate.public_bytes(pem))
    endpoint = topology.organisation("supplier").peer_endpoint
    return Gateway(endpoint, identity, sign, tls_roots=folders.tls_ca.read_bytes())
