"""One transaction's view of the peer: reads are asked for one at a time, writes are collected and sent in batches.

The peer drops a second request of a transaction while one is open, without a word, so requests take turns here.
Must never let a transaction see its own writes: Fabric does not, and the embedded ledger does not either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetState,
    GetStateByRange,
    GetStateMultiple,
    GetStateMultipleResult,
    PutState,
    QueryResponse,
    QueryStateClose,
    QueryStateNext,
    WriteBatchState,
    WriteRecord,
)

from chaincode.stub import Creator

BATCH_RECORDS_DEFAULT = 100  # of fabric-chaincode-go, for a peer that offers batches but names no size
RANGE_RECORDS_SUSPECT = 1000  # an answer this long may have been cut by the peer's ledger.state.totalQueryLimit

Ask = Callable[[int, bytes], Awaitable[bytes]]


class PeerError(Exception):
    """The peer answered a request with ERROR, or the stream to it broke; the transaction cannot go on."""


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """What a peer said in READY; 0 means that it does not offer the batch at all (before Fabric 3.1)."""

    write_batch_records_max: int = 0
    get_multiple_keys_max: int = 0

    @classmethod
    def decode(cls, payload: bytes) -> PeerLimits:
        """Read READY's payload: a serialized ChaincodeAdditionalParams, empty from old peers."""
        offered = ChaincodeAdditionalParams.FromString(payload)
        return cls(
            (offered.max_size_write_batch or BATCH_RECORDS_DEFAULT) if offered.use_write_batch else 0,
            (offered.max_size_get_multiple_keys or BATCH_RECORDS_DEFAULT) if offered.use_get_multiple_keys else 0,
        )


class TransactionStub:
    """`chaincode.stub.Stub` against a peer, and the events that only a real network has.

    Args:
        tx_id: the transaction id.
        channel_id: the channel's name.
        timestamp: seconds since 1970 UTC.
        creator: who signed the proposal.
        limits: what the peer offered.
        ask: sends a request (type, payload) and returns the payload of the peer's RESPONSE.
    """

    def __init__(
        self, tx_id: str, channel_id: str, timestamp: int, creator: Creator, limits: PeerLimits, ask: Ask
    ) -> None:
        self.tx_id = tx_id
        self.channel_id = channel_id
        self.timestamp = timestamp
        self.msp_id = creator.msp_id
        self.creator_certificate = creator.certificate
        self.event: ChaincodeEvent | None = None
        self._limits = limits
        self._ask = ask
        self._turn = asyncio.Lock()
        self._writes: dict[str, bytes | None] = {}
        self._open = True
        self._failure: PeerError | None = None

    async def get_state(self, key: str) -> bytes | None:
        """The committed value of a key, None when there is none. Raises: PeerError."""
        _check_key(key)
        return await self._request(ChaincodeMessage.GET_STATE, GetState(key=key)) or None

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of several keys, in their order. Raises: PeerError."""
        for key in keys:
            _check_key(key)
        size = self._limits.get_multiple_keys_max
        if size == 0:
            return [await self.get_state(key) for key in keys]
        values: list[bytes | None] = []
        for first in range(0, len(keys), size):
            asked = keys[first : first + size]
            answer = await self._request(ChaincodeMessage.GET_STATE_MULTIPLE, GetStateMultiple(keys=asked))
            got = GetStateMultipleResult.FromString(answer).values
            if len(got) != len(asked):
                raise PeerError(f"the peer answered {len(got)} values to {len(asked)} keys")
            values.extend(value or None for value in got)
        return values

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        """The first committed keys, 0 for all, from `start` (inclusive) to `end` (exclusive). Raises: PeerError.

        A peer silently cuts what exceeds its `totalQueryLimit`, so after a long answer the rest is asked for.
        """
        _check_key(start)
        _check_key(end)
        found = await self._scan(start, end, limit)
        latest = found
        while len(latest) >= RANGE_RECORDS_SUSPECT and not (limit and len(found) >= limit):
            latest = await self._scan(found[-1][0] + "\0", end, limit and limit - len(found))
            found.extend(latest)
        return found[:limit] if limit else found

    def put_state(self, key: str, value: bytes) -> None:
        """Set a key when the transaction commits. Raises: ValueError for an empty key or value."""
        if not value:
            raise ValueError(f"an empty value would delete key {key!r}: use del_state")
        self._write(key, bytes(value))

    def del_state(self, key: str) -> None:
        """Delete a key when the transaction commits. Raises: ValueError for an empty key."""
        self._write(key, None)

    def set_event(self, name: str, payload: bytes) -> None:
        """Set the transaction's chaincode event; a later one replaces it. Raises: ValueError for an empty name."""
        if not name:
            raise ValueError("an event needs a name")
        self.event = ChaincodeEvent(event_name=name, payload=payload)

    async def flush(self) -> None:
        """Send the collected writes to the peer. Raises: PeerError."""
        writes = list(self._writes.items())
        size = self._limits.write_batch_records_max
        if size == 0:
            for key, value in writes:
                await self._send_one(key, value)
            return
        for first in range(0, len(writes), size):
            batch = WriteBatchState(rec=[_record(key, value) for key, value in writes[first : first + size]])
            await self._request(ChaincodeMessage.WRITE_BATCH_STATE, batch)

    def check(self) -> None:
        """Raise the PeerError of a failed read again: a contract that swallowed it decided on less than the state."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Refuse whatever a contract left running would still want of an answered transaction."""
        self._open = False

    async def _send_one(self, key: str, value: bytes | None) -> None:
        if value is None:
            await self._request(ChaincodeMessage.DEL_STATE, DelState(key=key))
        else:
            await self._request(ChaincodeMessage.PUT_STATE, PutState(key=key, value=value))

    async def _scan(self, start: str, end: str, limit: int) -> list[tuple[str, bytes]]:
        """One scan of the peer's, page by page; one that is not read to its end is closed."""
        answer = await self._request(ChaincodeMessage.GET_STATE_BY_RANGE, GetStateByRange(startKey=start, endKey=end))
        page = QueryResponse.FromString(answer)
        found = _records(page)
        while page.has_more:
            if limit and len(found) >= limit:
                await self._request(ChaincodeMessage.QUERY_STATE_CLOSE, QueryStateClose(id=page.id))
                break
            answer = await self._request(ChaincodeMessage.QUERY_STATE_NEXT, QueryStateNext(id=page.id))
            page = QueryResponse.FromString(answer)
            found.extend(_records(page))
        return found

    async def _request(self, kind: int, message: GetState) -> bytes:
        async with self._turn:
            self._check_open()
            try:
                return await self._ask(kind, message.SerializeToString())
            except PeerError as error:
                self._failure = error
                raise

    def _write(self, key: str, value: bytes | None) -> None:
        self._check_open()
        _check_key(key)
        self._writes[key] = value

    def _check_open(self) -> None:
        if not self._open:
            raise PeerError(f"transaction {self.tx_id} is already answered")


def _check_key(key: str) -> None:
    if not key:
        raise ValueError("a key may not be empty")


def _record(key: str, value: bytes | None) -> WriteRecord:
    if value is None:
        return WriteRecord(key=key, type=WriteRecord.DEL_STATE)
    return WriteRecord(key=key, value=value, type=WriteRecord.PUT_STATE)


def _records(page: QueryResponse) -> list[tuple[str, bytes]]:
    pairs = (KV.FromString(result.resultBytes) for result in page.results)
    return [(pair.key, pair.value) for pair in pairs]
