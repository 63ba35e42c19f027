"""The public state: keys, ranges, composite keys, rich queries, history, and who must endorse a key.

Reads never see the transaction's own writes. An iteration that is left early is closed at the peer when its generator
is: `async with contextlib.aclosing(...)` closes it at once, a bare `break` a moment later.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    GetState,
    GetStateMetadata,
    GetStateMultiple,
    GetStateMultipleResult,
    StateMetadata,
    StateMetadataResult,
    WriteRecord,
)

from chaincode.shim.composite import FIRST_SIMPLE as FIRST
from chaincode.shim.composite import LAST, NAMESPACE, check_simple, partial_range
from chaincode.shim.endorsement import VALIDATION_PARAMETER, every_peer_of, peers_of
from chaincode.shim.queries import KeyModification, KeyValue, Page, Queries
from chaincode.shim.requests import PeerError, check_key

T = TypeVar("T")


class PublicState(Queries):
    """The verbs of the public state."""

    async def get_state(self, key: str) -> bytes | None:
        """The committed value of a key, None when there is none. Raises: PeerError."""
        check_key(key)
        return await self._request(ChaincodeMessage.GET_STATE, GetState(key=key)) or None

    async def get_multiple_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of several keys, in their order, asked for together. Raises: PeerError."""
        return await self._get_multiple("", keys)

    get_states = get_multiple_states  # its name in the small protocol that this project's contract is written to

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        """The first `limit` committed keys, 0 for all, from `start` (inclusive) to `end` (exclusive), in key order.

        Neither bound may be empty.

        Raises: PeerError.
        """
        check_key(start)
        check_key(end)
        found: list[tuple[str, bytes]] = []
        async with aclosing(self._range("", start, end)) as pages:
            async for page in pages:
                found += page
                if limit and len(found) >= limit:
                    return found[:limit]
        return found

    def get_state_by_range(self, start_key: str, end_key: str) -> AsyncGenerator[KeyValue, None]:
        """Simple keys from `start_key` (inclusive) to `end_key` (exclusive), in key order, fetched as they are used.

        Args:
            start_key: empty begins with the first key.
            end_key: empty goes on to the last key.

        Raises: PeerError.
        """
        check_simple(start_key, end_key)
        return each(self._range("", start_key or FIRST, end_key))

    async def get_state_by_range_with_pagination(
        self, start_key: str, end_key: str, page_size: int, bookmark: str = ""
    ) -> Page:
        """One page of a range; only a transaction that writes nothing may ask.

        Args:
            start_key: empty begins with the first key.
            end_key: empty goes on to the last key.
            page_size: the most records wanted; the peer's own limit may be lower.
            bookmark: of the page before; empty for the first.

        Raises: PeerError.
        """
        check_simple(start_key, end_key)
        return await self._range_page(start_key or FIRST, end_key, page_size, bookmark)

    def get_state_by_partial_composite_key(
        self, object_type: str, attributes: Sequence[str]
    ) -> AsyncGenerator[KeyValue, None]:
        """All composite keys that begin with these parts and have more. Raises: PeerError."""
        return each(self._range("", *partial_range(object_type, attributes)))

    async def get_state_by_partial_composite_key_with_pagination(
        self, object_type: str, attributes: Sequence[str], page_size: int, bookmark: str = ""
    ) -> Page:
        """One page of the composite keys that begin with these parts; only without writes. Raises: PeerError."""
        return await self._range_page(*partial_range(object_type, attributes), page_size, bookmark)

    async def get_all_states_composite_key_with_pagination(self, page_size: int, bookmark: str = "") -> Page:
        """One page of all composite keys; only without writes. Raises: PeerError."""
        return await self._range_page(NAMESPACE, NAMESPACE + LAST, page_size, bookmark)

    def get_query_result(self, query: str) -> AsyncGenerator[KeyValue, None]:
        """What a query in the state database's own language finds; not checked again when the transaction commits.

        Raises: RichQueriesMissing when the peer's state database has no such language, PeerError otherwise.
        """
        return each(self._rich("", query))

    async def get_query_result_with_pagination(self, query: str, page_size: int, bookmark: str = "") -> Page:
        """One page of a query; only without writes. Raises: RichQueriesMissing, PeerError."""
        return await self._rich_page(query, page_size, bookmark)

    def get_history_for_key(self, key: str) -> AsyncGenerator[KeyModification, None]:
        """All changes of a key, the newest first; not checked again when the transaction commits. Raises: PeerError."""
        check_key(key)
        return each(self._history(key))

    def put_state(self, key: str, value: bytes) -> None:
        """Set a key when the transaction commits. Raises: ValueError for an empty key or value."""
        self._put("", key, value)

    def del_state(self, key: str) -> None:
        """Delete a key when the transaction commits. Raises: ValueError for an empty key."""
        self._write(WriteRecord(key=key, type=WriteRecord.DEL_STATE))

    def set_state_validation_parameter(self, key: str, policy: bytes) -> None:
        """From the commit on, a change of a key needs endorsements as the policy says, and no others.

        Args:
            policy: as `endorsement.every_peer_of` makes it; empty goes back to the chaincode's policy.
        """
        self._put_policy("", key, policy)

    async def get_state_validation_parameter(self, key: str) -> bytes | None:
        """The key's own policy, None when it has none. Raises: PeerError."""
        return await self._get_policy("", key)

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None:
        """From the commit on, a change of a key needs an endorsement of a peer of every one of these organisations.

        Args:
            key: of the public state.
            msp_ids: each of them is needed.
            others: besides them, `others_min` of these are needed.
            others_min: 0 is none.

        Raises: ValueError when there is none, or others are too few or named twice.
        """
        self._put_policy("", key, peers_of(msp_ids, others, others_min) if others_min else every_peer_of(msp_ids))

    async def _get_multiple(self, collection: str, keys: Sequence[str]) -> list[bytes | None]:
        for key in keys:
            check_key(key)
        size = self._limits.get_multiple_keys_max
        values: list[bytes | None] = []
        if size == 0:
            for key in keys:
                message = GetState(key=key, collection=collection)
                values.append(await self._request(ChaincodeMessage.GET_STATE, message) or None)
            return values
        for first in range(0, len(keys), size):
            asked = GetStateMultiple(keys=keys[first : first + size], collection=collection)
            answer = await self._request(ChaincodeMessage.GET_STATE_MULTIPLE, asked)
            got = GetStateMultipleResult.FromString(answer).values
            if len(got) != len(asked.keys):
                raise PeerError(f"the peer answered {len(got)} values to {len(asked.keys)} keys")
            values.extend(value or None for value in got)
        return values

    def _put(self, collection: str, key: str, value: bytes) -> None:
        if not value:
            raise ValueError(f"an empty value would delete key {key!r}: delete it")
        self._write(WriteRecord(key=key, value=value, collection=collection, type=WriteRecord.PUT_STATE))

    def _put_policy(self, collection: str, key: str, policy: bytes) -> None:
        metadata = StateMetadata(metakey=VALIDATION_PARAMETER, value=policy)
        kind = WriteRecord.PUT_STATE_METADATA
        self._write(WriteRecord(key=key, collection=collection, metadata=metadata, type=kind))

    async def _get_policy(self, collection: str, key: str) -> bytes | None:
        check_key(key)
        answer = await self._request(
            ChaincodeMessage.GET_STATE_METADATA, GetStateMetadata(key=key, collection=collection)
        )
        entries = {entry.metakey: entry.value for entry in StateMetadataResult.FromString(answer).entries}
        return entries.get(VALIDATION_PARAMETER) or None


async def each(pages: AsyncGenerator[list[T], None]) -> AsyncGenerator[T, None]:
    """The items of pages, one by one; closes the pages with itself."""
    async with aclosing(pages):
        async for page in pages:
            for item in page:
                yield item
