"""What queries make of a peer's answers, and pages of their bookmarks, byte by byte as Fabric 3.1 sends them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.peer.chaincode_shim_pb2 import (
    GetQueryResult,
    GetStateByRange,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
    QueryStateClose,
    QueryStateNext,
)
from shim_peer import Peer, Type, connected, serving

from chaincode.shim import ChaincodeStub

QUERY = '{"selector":{"owner":"a"}}'
# What a Fabric 3.1 peer with CouchDB answered to a page of two of QUERY, to one that found nothing, and to a page of
# two from k1 up to k3.
TWO_FOUND = bytes.fromhex(
    "0a260a240a097368696d2d7061676512026b301a137b226e223a302c226f776e6572223a2261227d"
    "0a260a240a097368696d2d7061676512026b311a137b226e223a312c226f776e6572223a2261227d"
    "1a2462386464303839332d643664612d343265332d616338372d343030376332333438663930"
    "2208080212044d673d3d"
)
NOTHING_FOUND = bytes.fromhex(
    "1a2432633631323331352d623330642d343935322d383931312d633636663766663434363536220512036e696c"
)
END_OF_RANGE = bytes.fromhex(
    "0a260a240a097368696d2d7061676512026b311a137b226e223a312c226f776e6572223a2261227d"
    "0a260a240a097368696d2d7061676512026b321a137b226e223a322c226f776e6572223a2261227d"
    "1a2438616261383466382d656361372d343862352d386365342d663263313332313432656562"
    "2206080212026b33"
)


async def contract(stub: ChaincodeStub) -> bytes:
    name, *arguments = stub.get_string_args()
    return json.dumps(await FUNCTIONS[name](stub, *arguments)).encode()


async def rich(stub: ChaincodeStub) -> Any:
    return [(key, value.decode()) async for key, value in stub.get_query_result(QUERY)]


async def rich_secrets(stub: ChaincodeStub) -> Any:
    return [(key, value.decode()) async for key, value in stub.get_private_data_query_result("trade", QUERY)]


async def first_rich(stub: ChaincodeStub) -> Any:
    async with aclosing(stub.get_query_result(QUERY)) as records:
        return (await anext(records)).key


async def rich_page(stub: ChaincodeStub, size: str, bookmark: str = "") -> Any:
    page = await stub.get_query_result_with_pagination(QUERY, int(size), bookmark)
    return [[key for key, _ in page.records], page.bookmark]


async def range_page(stub: ChaincodeStub, start: str, end: str, size: str, bookmark: str = "") -> Any:
    page = await stub.get_state_by_range_with_pagination(start, end, int(size), bookmark)
    return [[key for key, _ in page.records], page.bookmark]


async def things_page(stub: ChaincodeStub, size: str) -> Any:
    page = await stub.get_state_by_partial_composite_key_with_pagination("owner", ["a"], int(size))
    return [[key for key, _ in page.records], page.bookmark]


FUNCTIONS: dict[str, Callable[..., Awaitable[Any]]] = {
    each.__name__: each for each in (rich, rich_secrets, first_rich, rich_page, range_page, things_page)
}


def play(story: Callable[[Peer], Awaitable[None]]) -> None:
    async def run() -> None:
        async with serving(contract) as (_, port), connected(port) as peer:
            await story(peer)

    asyncio.run(asyncio.wait_for(run(), 200))


async def ask(peer: Peer, *arguments: str) -> Any:
    answer = await peer.invoke(f"t{len(peer.completed)}", *(each.encode() for each in arguments))
    assert answer.status == 200, answer.message
    return json.loads(answer.payload)


def answered(keys: list[str], bookmark: str | None = None, *, has_more: bool = False) -> bytes:
    """As `BuildQueryResponse` makes it: with metadata only when a page was asked for."""
    pairs = [KV(namespace="page", key=key, value=b"{}").SerializeToString() for key in keys]
    response = QueryResponse(results=[QueryResultBytes(resultBytes=each) for each in pairs], has_more=has_more, id="7")
    if bookmark is not None:
        metadata = QueryResponseMetadata(fetched_records_count=len(keys), bookmark=bookmark)
        response.metadata = metadata.SerializeToString()
    return bytes(response.SerializeToString())


@pytest.mark.parametrize(("function", "collection"), [("rich", ""), ("rich_secrets", "trade")])
def test_a_rich_query_is_read_to_its_end_in_as_many_answers_as_the_peer_takes(function: str, collection: str) -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: answered(["a", "b"], has_more=True)
        peer.replies[Type.QUERY_STATE_NEXT] = lambda message: answered(["c"])
        assert await ask(peer, function) == [["a", "{}"], ["b", "{}"], ["c", "{}"]]
        first, then = peer.asked
        assert GetQueryResult.FromString(first.payload) == GetQueryResult(query=QUERY, collection=collection)
        assert QueryStateNext.FromString(then.payload).id == "7"

    play(story)


def test_a_rich_query_that_is_left_early_is_closed_at_the_peer() -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: answered(["a", "b"], has_more=True)
        peer.replies[Type.QUERY_STATE_CLOSE] = lambda message: answered([])
        assert await ask(peer, "first_rich") == "a"
        assert QueryStateClose.FromString(peer.asked[1].payload).id == "7"

    play(story)


def test_a_page_of_a_rich_query_is_asked_for_with_its_size_and_the_bookmark_before() -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: TWO_FOUND
        assert await ask(peer, "rich_page", "2") == [["k0", "k1"], "Mg=="]
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: NOTHING_FOUND
        assert await ask(peer, "rich_page", "2", "Mg==") == [[], ""]
        asked = [GetQueryResult.FromString(each.payload) for each in peer.asked]
        assert [each.query for each in asked] == [QUERY, QUERY]
        sizes = [QueryMetadata.FromString(each.metadata) for each in asked]
        assert sizes == [QueryMetadata(pageSize=2), QueryMetadata(pageSize=2, bookmark="Mg==")]

    play(story)


def test_a_page_that_is_shorter_than_asked_for_is_the_last_whatever_bookmark_couchdb_gives() -> None:
    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: TWO_FOUND
        assert await ask(peer, "rich_page", "3") == [["k0", "k1"], ""]
        many = [f"{number:04}" for number in range(1000)]  # may have been cut by the peer's own limit
        peer.replies[Type.GET_QUERY_RESULT] = lambda message: answered(many, "next")
        assert await ask(peer, "rich_page", "5000") == [many, "next"]

    play(story)


def test_a_page_of_a_range_whose_bookmark_is_the_ranges_end_is_the_last() -> None:
    end_as_couchdb_writes_it = "\\u0000owner\\u0000a\\u0000\U0010ffff"  # Fabric takes a key's JSON for the key

    async def story(peer: Peer) -> None:
        peer.replies[Type.GET_STATE_BY_RANGE] = lambda message: END_OF_RANGE
        assert await ask(peer, "range_page", "k1", "k3", "2") == [["k1", "k2"], ""]
        assert await ask(peer, "range_page", "k1", "k4", "2") == [["k1", "k2"], "k3"]
        assert await ask(peer, "range_page", "k1", "", "2", "k0") == [["k1", "k2"], "k3"]
        asked = GetStateByRange.FromString(peer.asked[-1].payload)
        assert (asked.startKey, asked.endKey) == ("k1", "")
        assert QueryMetadata.FromString(asked.metadata) == QueryMetadata(pageSize=2, bookmark="k0")
        peer.replies[Type.GET_STATE_BY_RANGE] = lambda message: answered(["\0owner\0a\0b\0"], end_as_couchdb_writes_it)
        assert await ask(peer, "things_page", "1") == [["\0owner\0a\0b\0"], ""]

    play(story)
