"""Two organisations that order with Raft: they come up by the same command, and take a transaction, once or twice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from kv_network import channel_of, play, running_network

from ledger_node.cli import main
from network import control
from network.gateway import Contract, Network
from network.ports import held_base_port
from network.topology import Topology, demo_topology

pytestmark = pytest.mark.network


@pytest.fixture
def raft(tmp_path: Path) -> Iterator[Topology]:
    """Two organisations' network.yaml; nothing runs yet."""
    with held_base_port(first=random.randrange(15000, 30000, 40)) as base_port:
        demo = demo_topology(tmp_path, base_port)
        changes = {"consensus": "raft", "organisations": demo.organisations[:2]}
        demo.model_copy(update=changes).save(tmp_path / "network.yaml")
        topology = Topology.load(tmp_path / "network.yaml")
        yield topology
        control.down(topology)


def up(topology: Topology) -> Any:
    """`ledger-node network up`."""
    done = CliRunner().invoke(
        main, ["network", "up", "--network", str(topology.data.parent / "network.yaml"), "--json"]
    )
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["result"]


def party(msp_id: str) -> dict[str, Any]:
    return {
        "msp_id": msp_id,
        "name": msp_id,
        "roles": ["supplier"],
        "group_id": msp_id,
        "peer_url": "https://localhost:1",
        "identity_fingerprint": secrets.token_hex(32),
        "payout_fingerprint": secrets.token_hex(32),
        "issue_limits": {},
    }


async def transact(topology: Topology) -> Any:
    """The contract's one result to a lone transaction: the consortium's founding, proposed with fresh fingerprints."""
    parties = [party(each.msp_id) for each in topology.organisations]
    command = {"command_id": secrets.token_hex(16), "type": "FoundConsortium", "body": {"parties": parties}}
    argument = json.dumps({"version": 1, "commands": [command]})
    async with channel_of(topology) as network:
        return json.loads(await network.contract(topology.chaincode).submit(argument))["results"][0]


def test_two_organisations_with_raft_take_a_transaction_and_come_back_after_a_stop(raft: Topology) -> None:
    assert len(up(raft)["started"]) == 6
    first = asyncio.run(transact(raft))
    assert first["result"]["digest"], first
    control.down(raft)
    assert len(up(raft)["started"]) == 6
    second = asyncio.run(transact(raft))
    assert second["result"]["digest"] != first["result"]["digest"]


def test_a_private_transaction_that_is_ordered_twice_holds_no_block_up(tmp_path: Path) -> None:
    """As BFT orderers may do when they change their leader. What was private of it is gone when it comes again."""

    async def story(network: Network, contract: Contract) -> None:
        own = "_implicit_org_SupplierMSP"
        proposal = contract.propose("put_private", own, "k", transient={"value": "1"}, organisations=("SupplierMSP",))
        transaction = await proposal.endorse()
        (await (await transaction.submit()).status()).check()
        height = await network.height()
        await transaction.submit()
        async with asyncio.timeout(55.0), contextlib.aclosing(network.filtered_blocks(height)) as blocks:
            block = await anext(blocks)
        (again,) = block.filtered_transactions
        assert again.txid == transaction.transaction_id
        assert again.tx_validation_code == TxValidationCode.DUPLICATE_TXID
        # The later code does not replace the earlier one: whoever asks by the id is told what took effect.
        assert (await network.commit_status(transaction.transaction_id)).successful

    with running_network(tmp_path, organisations=2, consensus="raft") as network:
        play(network, story)
