"""A contract with one function for each thing that the gateway's tests need a chaincode to do."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from chaincode.main import main
from chaincode.stub import Answer, Stub


class PeerStub(Stub, Protocol):
    """What only a real peer offers."""

    def set_event(self, name: str, payload: bytes) -> None: ...
    def get_transient(self) -> dict[str, bytes]: ...
    def put_private_data(self, collection: str, key: str, value: bytes) -> None: ...
    async def get_private_data(self, collection: str, key: str) -> bytes | None: ...
    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None: ...


async def put(stub: Stub, key: str, value: str) -> bytes:
    before = await stub.get_state(key)
    stub.put_state(key, value.encode())
    return before or b""


async def put_blind(stub: Stub, key: str, value: str) -> bytes:
    stub.put_state(key, value.encode())
    return b""


async def put_many(stub: Stub, prefix: str, count: str) -> bytes:
    for number in range(int(count)):
        stub.put_state(f"{prefix}{number:05}", b"v")
    return count.encode()


async def delete(stub: Stub, key: str) -> bytes:
    stub.del_state(key)
    return b""


async def get(stub: Stub, key: str) -> bytes:
    return await stub.get_state(key) or b""


async def get_slowly(stub: Stub, key: str) -> bytes:
    value = await stub.get_state(key)
    await asyncio.sleep(2)
    return value or b""


async def count(stub: Stub, start: str, end: str) -> bytes:
    return str(len(await stub.get_range(start, end))).encode()


async def get_many(stub: Stub, keys: str) -> bytes:
    values = await stub.get_states(json.loads(keys))
    return json.dumps([None if value is None else value.decode() for value in values]).encode()


async def who(stub: Stub) -> bytes:
    return json.dumps([stub.msp_id, stub.channel_id, stub.timestamp]).encode()


async def announce(stub: PeerStub, key: str, name: str, payload: str) -> bytes:
    """Write a key and set an event."""
    stub.put_state(key, payload.encode())
    stub.set_event(name, payload.encode())
    return b""


async def put_private(stub: PeerStub, collection: str, key: str) -> bytes:
    """Write the transient field `value` into a collection; the answer is its length, never the value."""
    value = stub.get_transient()["value"]
    stub.put_private_data(collection, key, value)
    return str(len(value)).encode()


async def transient_size(stub: PeerStub) -> bytes:
    return str(sum(map(len, stub.get_transient().values()))).encode()


async def get_private(stub: PeerStub, collection: str, key: str) -> bytes:
    return await stub.get_private_data(collection, key) or b""


async def put_guarded(stub: PeerStub, key: str, value: str, msp_id: str) -> bytes:
    """Write a key which from then on only transactions that this organisation endorsed may change."""
    stub.put_state(key, value.encode())
    stub.set_key_endorsers(key, [msp_id])
    return b""


async def disagree(stub: Stub, key: str) -> bytes:
    """Write something else on every peer."""
    stub.put_state(key, str(os.getpid()).encode())
    return b""


async def refuse_elsewhere(stub: Stub, address: str, key: str) -> Answer:
    """Refuse on every peer but the one whose chaincode listens at `address`."""
    stub.put_state(key, b"1")
    return Answer(os.environ["CHAINCODE_ADDRESS"] == address, b'{"code":"NOT_YET"}')


async def refuse(stub: Stub) -> Answer:
    return Answer(False, b'{"code":"NOT_APPROVED"}')


async def break_down(stub: Stub) -> bytes:
    raise RuntimeError("on purpose")


FUNCTIONS: dict[str, Callable[..., Awaitable[bytes | Answer]]] = {
    function.__name__: function
    for function in (
        *(put, put_blind, put_many, delete, get, get_slowly, count, get_many, who, announce, disagree),
        *(put_private, get_private, put_guarded, transient_size, refuse_elsewhere, refuse, break_down),
    )
}


async def handle(stub: Stub, arguments: list[bytes]) -> Answer:
    """Take a function's name and its arguments one by one, or all of them as one JSON list."""
    name, *rest = (
        json.loads(arguments[0]) if len(arguments) == 1 and arguments[0][:1] == b"[" else map(_text, arguments)
    )
    result = await FUNCTIONS[name](stub, *rest)
    return result if isinstance(result, Answer) else Answer(True, result)


def _text(argument: bytes) -> str:
    return argument.decode()


if __name__ == "__main__":
    sys.exit(main(handle))
