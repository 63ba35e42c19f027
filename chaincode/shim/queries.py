"""Queries of a transaction, as the peer answers them: in pages, cut silently at its own limit.

A query that is left early is closed at the peer with QUERY_STATE_CLOSE. With CouchDB a peer names a bookmark behind the
last page, too: that of a range is its end, that of a rich query begins anew. Here it is empty then, as with LevelDB.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KeyModification as KeyModificationMessage
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetHistoryForKey,
    GetQueryResult,
    GetStateByRange,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryStateClose,
    QueryStateNext,
)
from google.protobuf.timestamp_pb2 import Timestamp

from chaincode.shim.requests import PeerError, Requests

RANGE_RECORDS_SUSPECT = 1000  # an answer this long may have been cut by the peer's ledger.state.totalQueryLimit
NO_RICH_QUERIES = "not supported for leveldb"


class RichQueriesMissing(PeerError):
    """The peer's state database answers keys and ranges only."""


class KeyValue(NamedTuple):
    """One key of the state."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a query; `bookmark` asks for the next one and is empty behind the last.

    Behind a last page that is full, a rich query may have one more, which is empty.
    """

    records: list[KeyValue]
    bookmark: str


@dataclass(frozen=True, slots=True)
class KeyModification:
    """One change of a key: the transaction, the value it set (empty when it deleted the key) and its claimed time."""

    tx_id: str
    value: bytes
    timestamp: Timestamp
    is_delete: bool


class Queries(Requests):
    """Ranges, rich queries and histories; an empty collection means the public state."""

    async def _range(self, collection: str, start: str, end: str) -> AsyncGenerator[list[KeyValue], None]:
        """All of a range, page by page; after a long answer the rest is asked for, since the peer may have cut it."""
        found = RANGE_RECORDS_SUSPECT
        while found >= RANGE_RECORDS_SUSPECT:
            found = 0
            query = GetStateByRange(startKey=start, endKey=end, collection=collection)
            async with aclosing(self._pages(ChaincodeMessage.GET_STATE_BY_RANGE, query)) as pages:
                async for page in pages:
                    records = _records(page)
                    found += len(records)
                    if records:
                        start = records[-1].key + "\0"
                    yield records

    async def _range_page(self, start: str, end: str, page_size: int, bookmark: str) -> Page:
        query = GetStateByRange(startKey=start, endKey=end, metadata=_paging(page_size, bookmark))
        page = _page(await self._request(ChaincodeMessage.GET_STATE_BY_RANGE, query), page_size)
        return Page(page.records, "") if end and page.bookmark >= end else page

    async def _rich(self, collection: str, query: str) -> AsyncGenerator[list[KeyValue], None]:
        asked = GetQueryResult(query=query, collection=collection)
        try:
            async with aclosing(self._pages(ChaincodeMessage.GET_QUERY_RESULT, asked)) as pages:
                async for page in pages:
                    yield _records(page)
        except PeerError as error:
            raise _explained(error) from error

    async def _rich_page(self, query: str, page_size: int, bookmark: str) -> Page:
        asked = GetQueryResult(query=query, metadata=_paging(page_size, bookmark))
        try:
            return _page(await self._request(ChaincodeMessage.GET_QUERY_RESULT, asked), page_size)
        except PeerError as error:
            raise _explained(error) from error

    async def _history(self, key: str) -> AsyncGenerator[list[KeyModification], None]:
        query = GetHistoryForKey(key=key)
        async with aclosing(self._pages(ChaincodeMessage.GET_HISTORY_FOR_KEY, query)) as pages:
            async for page in pages:
                yield [_modification(result.resultBytes) for result in page.results]

    async def _pages(self, kind: int, query: Any) -> AsyncGenerator[Any, None]:
        """The peer's answers to a query, messages `protos.QueryResponse`."""
        page = QueryResponse.FromString(await self._request(kind, query))
        try:
            yield page
            while page.has_more:
                answer = await self._request(ChaincodeMessage.QUERY_STATE_NEXT, QueryStateNext(id=page.id))
                page = QueryResponse.FromString(answer)
                yield page
        finally:
            if page.has_more:
                await self._request_if_open(ChaincodeMessage.QUERY_STATE_CLOSE, QueryStateClose(id=page.id))


def _explained(error: PeerError) -> PeerError:
    if NO_RICH_QUERIES not in str(error):
        return error
    return RichQueriesMissing(
        "the peer keeps its state in LevelDB, which answers no rich queries: ask for keys or ranges, or run peers"
        f" with CouchDB ({error})"
    )


def _paging(page_size: int, bookmark: str) -> bytes:
    if page_size < 1:
        raise ValueError(f"a page holds at least one record, not {page_size}")
    return bytes(QueryMetadata(pageSize=page_size, bookmark=bookmark).SerializeToString())


def _page(answer: bytes, page_size: int) -> Page:
    response = QueryResponse.FromString(answer)
    records = _records(response)
    is_last = len(records) < min(page_size, RANGE_RECORDS_SUSPECT)
    return Page(records, "" if is_last else QueryResponseMetadata.FromString(response.metadata).bookmark)


def _records(page: Any) -> list[KeyValue]:
    pairs = (KV.FromString(result.resultBytes) for result in page.results)
    return [KeyValue(pair.key, pair.value) for pair in pairs]


def _modification(result: bytes) -> KeyModification:
    change = KeyModificationMessage.FromString(result)
    return KeyModification(change.tx_id, change.value, change.timestamp, change.is_delete)
