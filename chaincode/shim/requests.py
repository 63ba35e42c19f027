"""A transaction's requests to the peer, one at a time, and its writes, which wait for the answer.

The peer drops a second request of a transaction while one is open, without a word, so requests take turns here.
Writes are collected and sent in batches once the contract has answered: a transaction that is refused sends none.
A request that only asks may fail and be caught, as in Go: it is an exception and never a value, so nothing that is
missing is ever taken for a failure or the other way round. After a write that failed, or an answer that nobody waited
for, a transaction cannot succeed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    PurgePrivateState,
    PutState,
    PutStateMetadata,
    WriteBatchState,
    WriteRecord,
)

BATCH_RECORDS_DEFAULT = 100  # of fabric-chaincode-go, for a peer that offers batches but names no size

Ask = Callable[[int, bytes], Awaitable[bytes]]


class PeerError(Exception):
    """The peer answered a request with ERROR; a contract may catch that of a read, a query or a call, and go on."""


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


class Requests:
    """What every verb stands on.

    Args:
        tx_id: the transaction id.
        limits: what the peer offered.
        ask: sends a request (type, payload) and returns the payload of the peer's RESPONSE.
    """

    def __init__(self, tx_id: str, limits: PeerLimits, ask: Ask) -> None:
        self.tx_id = tx_id
        self._limits = limits
        self._ask = ask
        self._turn = asyncio.Lock()
        self._writes: dict[tuple[str, str, bool], WriteRecord] = {}
        self._failure: PeerError | None = None

    async def finish_write_batch(self) -> None:
        """Send the writes collected so far; without it they are sent after the answer.

        For a contract that wants to know at once whether the peer takes them.

        Raises: PeerError, after which the transaction cannot succeed: the peer may have taken some of them.
        """
        records = list(self._writes.values())
        self._writes.clear()
        try:
            await self._send_writes(records)
        except Exception as error:
            self._failure = self._failure or PeerError(f"not all writes were taken: {error}")
            raise

    async def _send_writes(self, records: list[WriteRecord]) -> None:
        size = self._limits.write_batch_records_max
        if size == 0:
            for record in records:
                await self._request(record.type, _message(record))
            return
        for first in range(0, len(records), size):
            await self._request(ChaincodeMessage.WRITE_BATCH_STATE, WriteBatchState(rec=records[first : first + size]))

    def check(self) -> None:
        """Raise what keeps the transaction from success, whatever the contract has caught."""
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Refuse whatever a contract left running would still want of an answered transaction."""
        self._failure = PeerError(f"transaction {self.tx_id} is already answered")

    async def _request(self, kind: int, message: Any) -> bytes:
        async with self._turn:
            self.check()
            return await self._answer(kind, message)

    async def _request_if_open(self, kind: int, message: Any) -> None:
        """For what the peer does by itself when a transaction ends."""
        async with self._turn:
            if self._failure is None:
                await self._answer(kind, message)

    async def _answer(self, kind: int, message: Any) -> bytes:
        try:
            return await self._ask(kind, message.SerializeToString())
        except asyncio.CancelledError:
            # The peer's answer is still to come, and would be taken for that to the next request.
            self._failure = PeerError("the contract stopped waiting for an answer of the peer")
            raise

    def _write(self, record: WriteRecord) -> None:
        self.check()
        check_key(record.key)
        self._writes[record.collection, record.key, record.type == WriteRecord.PUT_STATE_METADATA] = record


def check_key(key: str) -> None:
    """Raise ValueError for an empty key."""
    if not key:
        raise ValueError("a key may not be empty")


def check_collection(collection: str) -> None:
    """Raise ValueError for an empty name, which would mean the public state."""
    if not collection:
        raise ValueError("a collection needs a name")


def _message(record: WriteRecord) -> Any:
    """The message that a peer without batches takes for one write; its type is the record's own."""
    place = {"key": record.key, "collection": record.collection}
    if record.type == WriteRecord.PUT_STATE:
        return PutState(**place, value=record.value)
    if record.type == WriteRecord.PUT_STATE_METADATA:
        return PutStateMetadata(**place, metadata=record.metadata)
    return DelState(**place) if record.type == WriteRecord.DEL_STATE else PurgePrivateState(**place)
