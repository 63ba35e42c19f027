"""The Gateway client on a real network, against a contract that reads, writes, refuses and breaks on demand."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gateway_stories import anew, stopped_peer, submitted
from kv_network import CHAINCODE, channel_of, gateway_of, play

from network.gateway import (
    BlocksError,
    CommitError,
    CommitStatusError,
    Contract,
    Deadlines,
    EndorseError,
    EvaluateError,
    EventsError,
    Network,
    SubmitError,
    software_signer,
)
from network.topology import Topology

pytestmark = pytest.mark.network


def test_submit_writes_and_evaluate_reads_what_was_committed(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert await submitted(contract, "put", key, b"1") == b""
        assert await submitted(contract, b"put", key, "2") == b"1"
        assert await contract.evaluate("get", key) == b"2"
        assert await contract.evaluate("put", key, "3") == b"2"
        assert await contract.evaluate("get", key) == b"2"
        await submitted(contract, "delete", key)
        assert await contract.evaluate("get", key) == b""

    play(kv, story)


def test_the_contract_learns_the_proposals_creator_channel_and_time(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        msp_id, channel, seconds = json.loads(await contract.evaluate("who"))
        assert (msp_id, channel) == ("SupplierMSP", kv.channel)
        assert abs(seconds - time.time()) < 60

    play(kv, story)


def test_batches_ranges_and_many_keys_work_on_a_real_peer(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert await contract.submit("put_many", key, "2500") == b"2500"
        assert await contract.evaluate("count", key, key + ":") == b"2500"
        keys = json.dumps([key + "00000", key, key + "02499"])
        assert json.loads(await contract.evaluate("get_many", keys)) == ["v", None, "v"]

    play(kv, story)


def test_steps_signed_elsewhere_go_on_in_another_gateway(kv: Topology, key: str) -> None:
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())

    async def run() -> None:
        unsigned = gateway_of(kv, signs=False)
        proposal = unsigned.network(kv.channel).contract(CHAINCODE).propose("put", key, "1")
        with pytest.raises(ValueError, match="not signed"):
            await proposal.endorse()
        stored, signature = proposal.serialized, sign(proposal.digest)
        signed_proposal = unsigned.proposal(proposal.signed(signature).serialized)
        assert await signed_proposal.evaluate() == b""
        transaction = await unsigned.proposal(stored, signature).endorse()
        await unsigned.close()

        async with gateway_of(kv, signs=False) as gateway:
            again = gateway.transaction(transaction.serialized)
            assert again.transaction_id == proposal.transaction_id
            commit = await again.signed(sign(again.digest)).submit()
            asked = gateway.commit(commit.serialized, sign(commit.digest))
            status = await asked.status()
            assert (status.transaction_id, status.code) == (proposal.transaction_id, "VALID")
            signed = asked.signed(sign(asked.digest))
            assert (await gateway.commit(signed.serialized).status()).block_number == status.block_number

    asyncio.run(asyncio.wait_for(run(), 200))


def test_every_step_may_be_taken_by_another_process_that_has_no_key(kv: Topology, key: str) -> None:
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())
    script = Path(__file__).parents[1] / "offline_step.py"

    async def story(network: Network, contract: Contract) -> None:
        proposal = contract.propose("put", key, "1")
        stored, digest = proposal.serialized, proposal.digest
        for step in ("endorse", "submit", "status"):
            home = str(kv.data.parent / "network.yaml")
            command = [sys.executable, str(script), home, step, stored.hex(), sign(digest).hex()]
            ran = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
            if step != "status":
                stored, digest = (bytes.fromhex(each) for each in ran.stdout.split())
        assert ran.stdout == "VALID"
        assert await contract.evaluate("get", key) == b"1"

    play(kv, story)


def test_a_refusal_by_the_contract_is_told_apart_with_its_text(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        for call, kind in ((contract.submit, EndorseError), (contract.evaluate, EvaluateError)):
            with pytest.raises(kind) as caught:
                await call("refuse")
            response = caught.value.chaincode_response
            assert response is not None
            assert (response.status, response.message) == (409, '{"code":"NOT_APPROVED"}')
            assert [detail.msp_id for detail in caught.value.details] == ["SupplierMSP"]
            assert len(caught.value.transaction_id) == 64

    play(kv, story)


def test_a_contract_that_raises_answers_500_and_goes_on_serving(kv: Topology) -> None:
    async def story(network: Network, contract: Contract) -> None:
        for _ in range(3):
            with pytest.raises(EndorseError) as caught:
                await contract.submit("break_down")
            response = caught.value.chaincode_response
            assert response is not None
            assert (response.status, response.message) == (500, "RuntimeError: on purpose")
        assert await contract.evaluate("get", "nothing") == b""

    play(kv, story)


def test_peers_that_disagree_endorse_nothing_and_it_is_no_refusal(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(EndorseError, match="do not match") as caught:
            await contract.submit("disagree", key)
        assert caught.value.code == "ABORTED"
        assert caught.value.chaincode_response is None
        assert all(detail.address and detail.msp_id for detail in caught.value.details)
        assert await contract.evaluate("get", key) == b""

    play(kv, story)


def test_two_writers_of_one_key_get_a_commit_error_with_its_code(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        first = await anew(lambda: contract.propose("put", key, "1").endorse())
        second = await anew(lambda: contract.propose("put", key, "2").endorse())
        (await (await first.submit()).status()).check()
        status = await (await second.submit()).status()
        with pytest.raises(CommitError) as caught:
            status.check()
        assert caught.value.validation_code == "MVCC_READ_CONFLICT"
        assert caught.value.transaction_id == second.transaction_id
        assert caught.value.block_number == status.block_number
        assert await contract.evaluate("get", key) == b"1"

    play(kv, story)


def test_a_transaction_sent_twice_is_ordered_once(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        transaction = await anew(lambda: contract.propose("put", key, "1").endorse())
        (await (await transaction.submit()).status()).check()
        again = await transaction.submit()
        assert (await again.status()).code == "VALID"

    play(kv, story)


def test_too_large_is_known_from_other_failures(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(SubmitError) as caught:
            await contract.submit("put_blind", key, "v" * 6_000_000)
        assert caught.value.too_large
        with pytest.raises(EndorseError) as not_even_sent:
            await contract.submit("put_blind", key, "v" * 110_000_000)
        assert not_even_sent.value.too_large
        with pytest.raises(EndorseError) as refused:
            await contract.submit("refuse")
        assert not refused.value.too_large

    play(kv, story)


def test_the_fate_of_a_transaction_is_known_by_its_id_from_another_organisation(kv: Topology, key: str) -> None:
    async def run() -> None:
        async with channel_of(kv) as network:
            transaction = await network.contract(CHAINCODE).propose("put", key, "1").endorse()
            status = await (await transaction.submit()).status()
        async with channel_of(kv, "buyer") as network:
            assert await network.commit_status(transaction.transaction_id) == status
            with pytest.raises(CommitStatusError) as caught:
                await network.commit_status("0" * 64, timeout_seconds=0.5)
            assert caught.value.code == "DEADLINE_EXCEEDED"
            assert caught.value.transaction_id == "0" * 64

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_transaction_that_is_committed_is_not_endorsed_again_and_the_error_says_so(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        proposal = contract.propose("put", key, "1")
        transaction = await proposal.endorse()
        (await (await transaction.submit()).status()).check()
        with pytest.raises(EndorseError) as caught:
            await proposal.endorse()
        assert caught.value.already_committed
        with pytest.raises(EndorseError) as refused:
            await contract.submit("refuse")
        assert not refused.value.already_committed

    play(kv, story)


def test_every_step_has_its_deadline(kv: Topology, key: str) -> None:
    async def run() -> None:
        short = Deadlines(evaluate_seconds=0.3, endorse_seconds=0.3, submit_seconds=0.3, commit_status_seconds=0.3)
        short = dataclasses.replace(short, events_seconds=0.3)
        async with channel_of(kv, deadlines=short) as network:
            contract = network.contract(CHAINCODE)
            for step, kind in (
                (contract.propose("get_slowly", key).evaluate, EvaluateError),
                (contract.propose("get_slowly", key).endorse, EndorseError),
                (network.commit("0" * 64).status, CommitStatusError),
                (network.chaincode_events(CHAINCODE).__anext__, EventsError),
                (network.blocks().__anext__, BlocksError),
            ):
                with pytest.raises(kind, match=r"DEADLINE_EXCEEDED|context deadline exceeded") as caught:
                    await step()
                # The peer's own clock may be the first to notice.
                assert caught.value.code in ("DEADLINE_EXCEEDED", "ABORTED")
            transaction = await contract.propose("put", key, "1").endorse(timeout_seconds=60)
            with stopped_peer(kv, "supplier"), pytest.raises(SubmitError, match="DEADLINE_EXCEEDED"):
                await transaction.submit()
            assert await contract.propose("get_slowly", key).evaluate(timeout_seconds=60) in (b"", b"1")

    asyncio.run(asyncio.wait_for(run(), 200))


def test_any_step_may_be_cancelled_and_a_cancelled_submit_may_have_happened(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        first, second = (contract.propose("get_slowly", key) for _ in range(2))
        for step in (first.evaluate, second.endorse, network.commit("0" * 64).status):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(step(), 0.2)
        transaction = await anew(lambda: contract.propose("put", key, "1").endorse())
        submitting = asyncio.create_task(transaction.submit())
        await asyncio.wait([submitting], timeout=0.001)
        submitting.cancel()
        await asyncio.wait([submitting])
        try:
            status = await network.commit_status(transaction.transaction_id, timeout_seconds=3)
        except CommitStatusError as error:
            assert (error.code, submitting.cancelled()) == ("DEADLINE_EXCEEDED", True)
        else:
            assert status.code == "VALID"
        assert await submitted(contract, "put", key, "2") in (b"", b"1")

    play(kv, story)


def test_many_at_once_all_commit(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await asyncio.gather(*(contract.submit("put", f"{key}{number:03}", "v") for number in range(200)))
        assert await contract.evaluate("count", key, key + ":") == b"200"

    play(kv, story)
