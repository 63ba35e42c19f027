"""One peer's stream: registers, runs many transactions at once, answers each exactly once.

A contract that breaks is answered with status 500 and what broke; the stream lives on. When the stream ends, what still
runs is cancelled: the peer has forgotten it, and a peer that comes back gets a new session.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response as ResponseMessage

from chaincode.shim.calls import INTERNAL, Call
from chaincode.shim.requests import PeerError, PeerLimits
from chaincode.shim.response import ERROR, ERROR_THRESHOLD, Response, as_response
from chaincode.shim.stub import ChaincodeStub, Handler

MESSAGE_SIZE_BYTES_MAX = 100 * 1024 * 1024  # what peers send and take
ERROR_CHARACTERS_MAX = 10_000
CANCEL_SECONDS_MAX = 1.0  # a contract that does not let itself be cancelled is left to itself

Key = tuple[str, str]
log = logging.getLogger(__name__)


class Session:
    """The chaincode's side of one stream.

    Args:
        package_id: the id under which the peer installed this chaincode.
        handler: runs one transaction.
        call: the stream.
    """

    def __init__(self, package_id: str, handler: Handler, call: Call) -> None:
        self._package_id = package_id
        self._handler = handler
        self._call = call
        self._limits = PeerLimits()
        self._waiting: dict[Key, asyncio.Future[ChaincodeMessage]] = {}
        self._running: dict[Key, asyncio.Task[None]] = {}
        self._draining = False
        log.info("peer %s connected", call.connection.peer)
        self._send(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=_encoded_id(package_id)))

    def received(self, message: bytes) -> None:
        """Take one message of the peer's; one that cannot be read ends the stream."""
        try:
            self._receive(ChaincodeMessage.FromString(message))
        except Exception:
            log.exception("the stream of the peer broke")
            self._call.finish(INTERNAL, "a message could not be read")

    def ended(self) -> None:
        """The peer has gone, or `drain` has finished: cancel what still runs."""
        log.info("peer %s disconnected", self._call.connection.peer)
        self._call.finish()
        left = list(self._running.values())
        self._running.clear()
        for task in left:
            task.cancel()
        for waiting in self._waiting.values():
            waiting.cancel()
        if left:
            asyncio.get_running_loop().call_later(CANCEL_SECONDS_MAX, _tell_of, left)

    def drain(self) -> None:
        """Take no new transaction, finish those that run, then end the stream."""
        self._draining = True
        if not self._running:
            self._call.finish()

    def _receive(self, message: ChaincodeMessage) -> None:
        kind = message.type
        if kind in (ChaincodeMessage.RESPONSE, ChaincodeMessage.ERROR):
            self._resolve(message)
        elif kind in (ChaincodeMessage.TRANSACTION, ChaincodeMessage.INIT):
            self._start(message)
        elif kind == ChaincodeMessage.READY:
            self._limits = PeerLimits.decode(message.payload)
            log.info("ready: %s, %s", self._package_id, self._limits)
        elif kind == ChaincodeMessage.KEEPALIVE:
            self._send(message)
        elif kind != ChaincodeMessage.REGISTERED:
            log.warning("ignored a message of type %s from the peer", kind)

    def _resolve(self, message: ChaincodeMessage) -> None:
        waiting = self._waiting.pop((message.channel_id, message.txid), None)
        if waiting is None or waiting.done():
            log.warning("nobody waits for the peer's answer to transaction %s", message.txid)
        else:
            waiting.set_result(message)

    def _start(self, message: ChaincodeMessage) -> None:
        key = (message.channel_id, message.txid)
        if (forgotten := self._running.pop(key, None)) is not None:
            # The peer starts an id anew only after it gave the first run up (executetimeout).
            forgotten.cancel()
        task = asyncio.create_task(self._run(message, key))
        self._running[key] = task
        task.add_done_callback(partial(self._finished, key))

    def _finished(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
        if self._draining and not self._running:
            self._call.finish()

    async def _run(self, message: ChaincodeMessage, key: Key) -> None:
        """Run one transaction and queue its one answer."""
        try:
            self._send(await self._execute(message, key))
        except BaseException as error:  # a contract may even raise SystemExit
            if isinstance(error, asyncio.CancelledError) and self._running.get(key) is not asyncio.current_task():
                raise  # forgotten by the peer; a contract that cancels itself is answered
            log.exception("transaction %s broke", message.txid)
            self._send(_completed(message, Response(ERROR, _description(error))))

    async def _execute(self, message: ChaincodeMessage, key: Key) -> ChaincodeMessage:
        if self._draining:
            raise PeerError("the chaincode is stopping")
        stub = ChaincodeStub(message, self._limits, partial(self._ask, key))
        try:
            response = as_response(await self._handler(stub))
            stub.check()
            if response.status < ERROR_THRESHOLD:
                await stub.finish_write_batch()
        finally:
            stub.close()
        completed = _completed(message, response)
        if response.status < ERROR_THRESHOLD and stub.event is not None:
            completed.chaincode_event.CopyFrom(stub.event)
        return completed

    async def _ask(self, key: Key, kind: int, payload: bytes) -> bytes:
        """Send one request of a transaction and wait for the peer's answer to it."""
        channel_id, tx_id = key
        self._send(ChaincodeMessage(type=kind, payload=payload, txid=tx_id, channel_id=channel_id))
        waiting: asyncio.Future[ChaincodeMessage] = asyncio.get_running_loop().create_future()
        self._waiting[key] = waiting
        try:
            answer = await waiting
        finally:
            if self._waiting.get(key) is waiting:
                del self._waiting[key]
        if answer.type == ChaincodeMessage.ERROR:
            raise PeerError(answer.payload.decode(errors="replace"))
        return bytes(answer.payload)

    def _send(self, message: ChaincodeMessage) -> None:
        encoded = message.SerializeToString()
        if len(encoded) > MESSAGE_SIZE_BYTES_MAX:
            # The peer would end the stream, and with it every other transaction.
            raise ValueError(f"a message of {len(encoded)} bytes is larger than {MESSAGE_SIZE_BYTES_MAX}")
        self._call.send(encoded)


def _tell_of(tasks: list[asyncio.Task[None]]) -> None:
    stubborn = sum(not task.done() for task in tasks)
    if stubborn:
        log.warning("%d transactions do not let themselves be cancelled", stubborn)


def _encoded_id(package_id: str) -> bytes:
    return bytes(ChaincodeID(name=package_id).SerializeToString())


def _description(error: BaseException) -> str:
    """What broke, short enough for an answer."""
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001 - a contract's own exception may break, too
        text = f"its text cannot be had: {type(second).__name__}"
    return f"{type(error).__name__}: {text[:ERROR_CHARACTERS_MAX]}"


def _completed(message: ChaincodeMessage, response: Response) -> ChaincodeMessage:
    text = response.message.encode(errors="backslashreplace").decode()  # lone surrogates are no UTF-8
    answer = ResponseMessage(status=response.status, message=text, payload=response.payload)
    return ChaincodeMessage(
        type=ChaincodeMessage.COMPLETED,
        payload=answer.SerializeToString(),
        txid=message.txid,
        channel_id=message.channel_id,
    )
