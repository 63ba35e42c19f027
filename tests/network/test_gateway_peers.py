"""Peers that hang, die and come back, one or several at a time, and what a client with other peers at hand does."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from gateway_stories import anew, kill_peer, stopped_peer, submitted
from kv_network import CHAINCODE, bring_up, channel_of, gateway_of, identity_of, play

from network import components, control, lifecycle, processes, tools
from network.gateway import (
    CommitStatusError,
    Contract,
    Deadlines,
    EndorseError,
    Endpoint,
    EvaluateError,
    EventsError,
    Gateway,
    GatewayError,
    MemoryCheckpointer,
    Network,
    SubmitError,
    TlsClient,
    software_signer,
)
from network.topology import Topology

pytestmark = [pytest.mark.network, pytest.mark.disturbs]

SHORT = Deadlines(evaluate_seconds=2.0, endorse_seconds=2.0, submit_seconds=2.0, commit_status_seconds=2.0)


def endpoint_of(kv: Topology, organisation: str) -> Endpoint:
    return Endpoint(kv.organisation(organisation).peer_endpoint, kv.folders(organisation).tls_ca.read_bytes())


def gateway_to(kv: Topology, *endpoints: Endpoint, deadlines: Deadlines | None = None) -> Gateway:
    """The supplier's client of several peers."""
    sign = software_signer(kv.folders("supplier").user.key.read_bytes())
    return Gateway(endpoints, identity_of(kv, "supplier"), sign, deadlines=deadlines)


def play_with(
    kv: Topology,
    endpoints: tuple[Endpoint, ...],
    story: Callable[[Network, Contract], Awaitable[None]],
    deadlines: Deadlines | None = None,
) -> None:
    """Run a story as the supplier, with those peers in that order."""

    async def run() -> None:
        async with gateway_to(kv, *endpoints, deadlines=deadlines) as gateway:
            network = gateway.network(kv.channel)
            await story(network, network.contract(CHAINCODE))

    asyncio.run(asyncio.wait_for(run(), 200))


@pytest.fixture
def silent() -> Iterator[Endpoint]:
    """A place that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint(f"127.0.0.1:{server.getsockname()[1]}", b"", "")


@pytest.fixture
def nobody() -> Endpoint:
    """A place where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    return Endpoint(address)


def test_the_next_peer_is_asked_when_one_cannot_be_reached(
    kv: Topology, key: str, nobody: Endpoint, silent: Endpoint
) -> None:
    silent = dataclasses.replace(silent, tls_roots=kv.folders("buyer").tls_ca.read_bytes())

    async def story(network: Network, contract: Contract) -> None:
        await submitted(contract, "announce", key, "Told", "1")  # every step of it
        assert await contract.evaluate("get", key) == b"1"
        async with contextlib.aclosing(network.blocks(0)) as blocks:
            assert (await anext(blocks)).header.number == 0
        async with contextlib.aclosing(network.chaincode_events(CHAINCODE, 0)) as events:
            assert (await anext(events)).chaincode == CHAINCODE

    play_with(kv, (nobody, silent, endpoint_of(kv, "buyer")), story)


def test_transient_data_go_to_the_first_peer_and_to_trusted_ones_only(kv: Topology, key: str, nobody: Endpoint) -> None:
    async def story(network: Network, contract: Contract) -> None:
        assert await contract.evaluate("transient_size") == b"0"
        proposal = contract.propose("transient_size", transient={"price": "12.50"})
        with pytest.raises(EvaluateError) as evaluated:
            await proposal.evaluate()
        with pytest.raises(EndorseError) as endorsed:
            await proposal.endorse()
        assert (evaluated.value.code, endorsed.value.code) == ("UNAVAILABLE", "UNAVAILABLE")

    async def control(network: Network, contract: Contract) -> None:
        assert await contract.evaluate("transient_size", transient={"price": "12.50"}) == b"5"

    buyer = endpoint_of(kv, "buyer")
    play_with(kv, (nobody, buyer), story)
    play_with(kv, (nobody, dataclasses.replace(buyer, is_trusted=True)), control)
    play_with(kv, (buyer, nobody), control)


def test_when_nobody_can_be_reached_the_last_ones_error_is_told(kv: Topology, nobody: Endpoint) -> None:
    async def story(network: Network, contract: Contract) -> None:
        with pytest.raises(EvaluateError) as caught:
            await contract.evaluate("get", "a")
        assert caught.value.code == "UNAVAILABLE"
        with pytest.raises(EventsError):
            await anext(network.blocks(0))

    play_with(kv, (nobody, nobody), story)


def test_a_gateway_without_any_peer_is_refused(kv: Topology) -> None:
    with pytest.raises(ValueError, match="at least one peer"):
        gateway_to(kv)


def test_tls_roots_beside_a_list_of_peers_are_refused_and_never_left_out(kv: Topology) -> None:
    with pytest.raises(ValueError, match="belong into each Endpoint"):
        Gateway([endpoint_of(kv, "supplier")], identity_of(kv, "supplier"), tls_roots=b"roots")


def test_a_peer_that_dies_is_left_for_the_next_and_a_transaction_already_endorsed_goes_on(
    kv: Topology, key: str
) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await submitted(contract, "put", key, "1")
        endorsed = await anew(lambda: contract.propose("put", key, "2").endorse())
        kill_peer(kv, "supplier")
        answers = await asyncio.gather(*(contract.evaluate("get", key) for _ in range(20)))
        assert answers == [b"1"] * 20
        # The connection is known to be gone, so the submit never left: it may go to the next peer.
        (await (await endorsed.submit()).status()).check()
        await submitted(contract, "put", key, "3")
        await asyncio.to_thread(bring_up, kv)
        assert await contract.evaluate("get", key) == b"3"

    play_with(kv, (endpoint_of(kv, "supplier"), endpoint_of(kv, "buyer")), story)


def test_a_submit_that_reached_a_peer_is_not_sent_again_and_its_fate_can_be_asked(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        await submitted(contract, "put", key, "1")
        transaction = await anew(lambda: contract.propose("put", key, "2").endorse())
        with stopped_peer(kv, "supplier"):
            with pytest.raises(SubmitError) as caught:
                await transaction.submit()
            assert caught.value.code == "DEADLINE_EXCEEDED"
            assert caught.value.transaction_id == transaction.transaction_id
            # The other peer is asked from now on, and it never got the transaction.
            assert await contract.evaluate("get", key) == b"1"
            with pytest.raises(CommitStatusError, match="DEADLINE_EXCEEDED"):
                await network.commit_status(transaction.transaction_id, timeout_seconds=0.5)
        try:
            assert (await network.commit_status(transaction.transaction_id)).successful
        except CommitStatusError as unknown:  # after a bounded time: a new transaction that does the same
            assert unknown.code == "DEADLINE_EXCEEDED"
            await submitted(contract, "put", key, "2")
        assert await contract.evaluate("get", key) == b"2"

    play_with(kv, (endpoint_of(kv, "supplier"), endpoint_of(kv, "buyer")), story, SHORT)


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.long)])
def test_a_peer_that_hangs_costs_a_deadline_and_loses_nothing(kv: Topology, key: str, seconds: int) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        await submitted(contract, "announce", key, "Told", "0")
        events = network.chaincode_events(CHAINCODE, height)
        heard = [(await anext(events)).payload]
        with stopped_peer(kv, "supplier"):
            ends = time.monotonic() + seconds
            with pytest.raises(EvaluateError) as caught:
                await contract.evaluate("get", key, timeout_seconds=1)
            assert caught.value.code == "DEADLINE_EXCEEDED"
            async with channel_of(kv, "buyer") as others:
                await submitted(others.contract(CHAINCODE), "announce", key, "Told", "1")
            following = asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait([following], timeout=ends - time.monotonic())
            assert not done
        heard.append((await asyncio.wait_for(following, 200)).payload)
        assert heard == [b"0", b"1"]
        assert await contract.evaluate("get", key) == b"1"
        await events.aclose()

    play(kv, story)


def test_one_organisation_down_stops_nobody_and_two_stop_endorsing(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        kill_peer(kv, "carrier")
        await submitted(contract, "put", key, "1")
        with pytest.raises(EndorseError) as down:
            await contract.submit("put", key, "2", organisations=("SupplierMSP", "CarrierMSP"))
        assert down.value.chaincode_response is None
        kill_peer(kv, "financier")
        with pytest.raises(EndorseError) as caught:
            await contract.submit("put", key, "2")
        assert caught.value.chaincode_response is None
        assert await contract.evaluate("get", key) == b"1"
        await asyncio.to_thread(bring_up, kv)
        assert await submitted(contract, "put", key, "3") == b"1"

    play(kv, story)


def test_too_few_endorsers_named_by_the_caller_are_found_out_at_the_commit(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        enough = ("SupplierMSP", "BuyerMSP", "CarrierMSP")
        for organisations, code in ((enough[:2], "ENDORSEMENT_POLICY_FAILURE"), (enough, "VALID")):
            proposal = contract.propose("put", key, "1", organisations=organisations)
            async with gateway_of(kv) as elsewhere:  # the choice travels with the proposal
                transaction = await elsewhere.proposal(proposal.serialized).endorse()
                status = await (await transaction.submit()).status()
            assert (status.code, status.successful) == (code, code == "VALID")

    play(kv, story)


def test_a_stream_goes_on_at_another_peer_after_the_checkpoint(kv: Topology, key: str) -> None:
    async def story(network: Network, contract: Contract) -> None:
        height = await network.height()
        for number in range(3):
            await submitted(contract, "announce", key, "Told", str(number))
        checkpointer = MemoryCheckpointer()
        heard = []
        events = network.chaincode_events(CHAINCODE, height, checkpoint=checkpointer)
        for _ in range(2):
            event = await anext(events)
            heard.append(event.payload)
            checkpointer.checkpoint_chaincode_event(event)
        kill_peer(kv, "supplier")
        with pytest.raises(EventsError):
            for _ in range(2):  # the third may have been on its way
                await anext(events)
        async with contextlib.aclosing(network.chaincode_events(CHAINCODE, checkpoint=checkpointer)) as resumed:
            heard.append((await anext(resumed)).payload)
        assert heard == [b"0", b"1", b"2"]
        await asyncio.to_thread(bring_up, kv)

    play_with(kv, (endpoint_of(kv, "supplier"), endpoint_of(kv, "buyer")), story)


def test_a_peer_that_asks_for_a_tls_certificate_gets_one(kv: Topology) -> None:
    folders = kv.folders("carrier")
    own = TlsClient(folders.node_tls.certificate.read_bytes(), folders.node_tls.key.read_bytes())
    foreign = TlsClient(folders.user.certificate.read_bytes(), folders.user.key.read_bytes())  # not for TLS
    sign = software_signer(folders.user.key.read_bytes())

    async def heights(tls_client: TlsClient | None) -> list[int]:
        endpoint = endpoint_of(kv, "carrier")
        async with Gateway([endpoint], identity_of(kv, "carrier"), sign, tls_client=tls_client) as gateway:
            network = gateway.network(kv.channel)
            block = await anext(network.blocks(0))  # its request is bound to the certificate
            return [await network.height(), block.header.number]

    strict_peer(kv, "carrier")
    try:
        height, first = asyncio.run(heights(own))
        assert (height > 0, first) == (True, 0)
        for wrong in (None, foreign):
            with pytest.raises(GatewayError, match="UNAVAILABLE"):
                asyncio.run(heights(wrong))
    finally:
        bring_up(kv)


def test_a_tls_certificate_that_is_none_is_refused_at_once(kv: Topology) -> None:
    with pytest.raises(ValueError, match="PEM"):
        Gateway([endpoint_of(kv, "carrier")], identity_of(kv, "carrier"), tls_client=TlsClient(b"none", b"no key"))


def strict_peer(kv: Topology, organisation: str) -> None:
    """Restart a peer so that it wants a TLS certificate of its own organisation from its clients."""
    folders = kv.folders(organisation)
    found = tools.find(kv.fabric_folder)
    assert found is not None
    name = f"{organisation}.peer"
    every = components.components(kv, found, lifecycle.read_contract(kv))
    [plain] = [each for each in every if each.name == name]
    strict = dict(plain.settings) | {
        "CORE_PEER_TLS_CLIENTAUTHREQUIRED": "true",
        "CORE_PEER_TLS_CLIENTROOTCAS_FILES": str(folders.tls_ca),
    }
    processes.stop(kv.data, [name])
    component = dataclasses.replace(plain, settings=strict)
    processes.start(kv.data, component)
    processes.await_healthy(kv.data, component, control.HEALTHY_SECONDS_MAX)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("calls", [1_000, pytest.param(10_000, marks=pytest.mark.long)])
def test_nothing_leaks_over_many_calls(kv: Topology, key: str, calls: int) -> None:
    async def story(network: Network, contract: Contract) -> None:
        async def some(count: int) -> None:
            await asyncio.gather(*(contract.evaluate("get", key) for _ in range(count)))
            await submitted(contract, "put", key, "1")
            with pytest.raises(EndorseError):
                await contract.submit("refuse")
            with pytest.raises(GatewayError):
                await network.commit_status("0" * 64, timeout_seconds=0.01)
            given_up = asyncio.ensure_future(network.commit_status("0" * 64))
            await asyncio.wait([given_up], timeout=0.01)
            given_up.cancel()
            async with contextlib.aclosing(network.blocks(0)) as blocks:
                await anext(blocks)
            async with contextlib.aclosing(network.chaincode_events(CHAINCODE, 0)) as events:
                await anext(events)

        await submitted(contract, "announce", key, "Told", "1")
        await some(100)
        descriptors, tasks = open_descriptors(), asyncio.all_tasks()
        for _ in range(calls // 100):
            await some(100)
        ended = asyncio.ensure_future(asyncio.sleep(5))
        while len(asyncio.all_tasks() - tasks) > 1 and not ended.done():  # calls just given up end in a moment
            await asyncio.wait([ended], timeout=0.01)
        ended.cancel()
        assert asyncio.all_tasks() - tasks <= {ended}
        assert open_descriptors() <= descriptors

    play_with(kv, (endpoint_of(kv, "supplier"), endpoint_of(kv, "buyer")), story)
