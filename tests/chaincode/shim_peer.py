"""The peer's side of the chaincode protocol, as a Fabric 3.1 peer speaks it, over a real gRPC connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeID, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetState,
    GetStateByRange,
    GetStateMultiple,
    GetStateMultipleResult,
    PutState,
    PutStateMetadata,
    QueryResponse,
    QueryResultBytes,
    WriteBatchState,
    WriteRecord,
)
from fabric_protos.peer.chaincode_shim_pb2_grpc import ChaincodeStub
from fabric_protos.peer.proposal_pb2 import Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response

from chaincode.shim import ChaincodeServer, Handler, Tls

Type = ChaincodeMessage
CHANNEL = "scf"
CREATOR = SerializedIdentity(mspid="SupplierMSP", id_bytes=b"-----BEGIN CERTIFICATE-----")
SECONDS = 1_700_000_000


def signed_proposal(msp_id: str = "SupplierMSP", seconds: int = SECONDS) -> Any:
    channel_header = ChannelHeader(channel_id=CHANNEL)
    channel_header.timestamp.FromSeconds(seconds)
    creator = SerializedIdentity(mspid=msp_id, id_bytes=CREATOR.id_bytes)
    signature_header = SignatureHeader(creator=creator.SerializeToString())
    header = Header(
        channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
    )
    return SignedProposal(proposal_bytes=Proposal(header=header.SerializeToString()).SerializeToString())


class Refused(Exception):
    """Raised by a reply: the peer answers ERROR with this text."""


Reply = Callable[[Any], bytes | None]
"""What a test's peer answers to a request; None answers nothing."""


class Peer:
    """One stream to a chaincode server, with a state that grows as transactions complete."""

    def __init__(self, stream: Any, page: int, total_query_limit: int) -> None:
        self.state: dict[str, bytes] = {}
        self.policies: dict[str, bytes] = {}
        self.package_id = ""
        self.asked: list[Any] = []
        self.completed: list[Any] = []
        self.fail_on = ""
        self.replies: dict[int, Reply] = {}
        self._stream = stream
        self._writing = asyncio.Lock()  # a gRPC stream takes one writer at a time
        self._page = page
        self._total_query_limit = total_query_limit
        self._pending: dict[str, dict[str, bytes | None]] = {}
        self._open: set[tuple[str, str]] = set()
        self._rest: dict[str, list[tuple[str, bytes]]] = {}
        self._answers: dict[tuple[str, str], asyncio.Future[Any]] = {}
        self.keepalives = asyncio.Event()
        self.ended = asyncio.Event()

    async def register(self, ready: Any) -> None:
        first = await self._stream.read()
        assert first.type == Type.REGISTER
        self.package_id = ChaincodeID.FromString(first.payload).name
        await self._stream.write(Type(type=Type.REGISTERED))
        await self._stream.write(Type(type=Type.READY, payload=ready.SerializeToString()))

    async def read(self) -> None:
        while (message := await self._stream.read()) is not grpc.aio.EOF:
            if message.type == Type.KEEPALIVE:
                self.keepalives.set()
            elif message.type == Type.COMPLETED:
                self._complete(message)
            else:
                await self._answer(message)
        self.ended.set()

    async def send(self, message: Any) -> None:
        async with self._writing:
            await self._stream.write(message)

    async def start(
        self, tx_id: str, *arguments: bytes, proposal: Any = None, channel: str = CHANNEL, kind: int = Type.TRANSACTION
    ) -> asyncio.Future[Any]:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[channel, tx_id] = answer
        self._pending[tx_id] = {}
        payload = ChaincodeInput(args=arguments, decorations={"trace": b"1"}).SerializeToString()
        proposal = signed_proposal() if proposal is None else proposal
        await self.send(Type(type=kind, txid=tx_id, channel_id=channel, payload=payload, proposal=proposal))
        return answer

    async def invoke(self, tx_id: str, *arguments: bytes, **options: Any) -> Any:
        return await asyncio.wait_for(await self.start(tx_id, *arguments, **options), 200)

    def _complete(self, message: Any) -> None:
        self.completed.append(message)
        response = Response.FromString(message.payload)
        if response.status == 200:
            for key, value in self._pending.pop(message.txid, {}).items():
                if value is None:
                    self.state.pop(key, None)
                else:
                    self.state[key] = value
        self._answers.pop((message.channel_id, message.txid)).set_result(response)

    async def _answer(self, message: Any) -> None:
        """Answer a request; a peer knows one open request of a transaction and drops others without a word."""
        place = (message.channel_id, message.txid)
        if place in self._open:
            return
        self._open.add(place)
        self.asked.append(message)
        await asyncio.sleep(0)
        try:
            result = self._result(message)
        except Refused as refusal:
            answer = Type(type=Type.ERROR, payload=str(refusal).encode())
        else:
            if result is None:
                return
            answer = Type(type=Type.RESPONSE, payload=result)
        self._open.discard(place)
        answer.txid, answer.channel_id = message.txid, message.channel_id
        await self.send(answer)

    def _result(self, message: Any) -> bytes | None:
        if self.fail_on and self.fail_on.encode() in message.payload:
            raise Refused("GET_STATE failed: no ledger context")
        if message.type in self.replies:
            return self.replies[message.type](message)
        writes = self._pending.get(message.txid, {})
        payload = message.payload
        if message.type == Type.GET_STATE:
            return self.state.get(GetState.FromString(payload).key, b"")
        if message.type == Type.GET_STATE_MULTIPLE:
            keys = GetStateMultiple.FromString(payload).keys
            return bytes(GetStateMultipleResult(values=[self.state.get(key, b"") for key in keys]).SerializeToString())
        if message.type == Type.PUT_STATE:
            put = PutState.FromString(payload)
            writes[put.key] = put.value
        elif message.type == Type.DEL_STATE:
            writes[DelState.FromString(payload).key] = None
        elif message.type == Type.WRITE_BATCH_STATE:
            for record in WriteBatchState.FromString(payload).rec:
                self._write(writes, record)
        elif message.type == Type.PUT_STATE_METADATA:
            self._set_policy(PutStateMetadata.FromString(payload))
        else:
            return self._range(message)
        return b""

    def _write(self, writes: dict[str, bytes | None], record: Any) -> None:
        if record.type == WriteRecord.PUT_STATE_METADATA:
            self._set_policy(record)
        else:
            writes[record.key] = record.value if record.type == WriteRecord.PUT_STATE else None

    def _set_policy(self, record: Any) -> None:
        assert record.metadata.metakey == "VALIDATION_PARAMETER"
        self.policies[record.key] = record.metadata.value

    def _range(self, message: Any) -> bytes:
        if message.type == Type.QUERY_STATE_CLOSE:
            self._rest[message.txid] = []
            return bytes(QueryResponse().SerializeToString())
        if message.type == Type.GET_STATE_BY_RANGE:
            bounds = GetStateByRange.FromString(message.payload)
            found = sorted(item for item in self.state.items() if bounds.startKey <= item[0] < bounds.endKey)
            self._rest[message.txid] = found[: self._total_query_limit]
        rest = self._rest[message.txid]
        page, self._rest[message.txid] = rest[: self._page], rest[self._page :]
        results = [QueryResultBytes(resultBytes=KV(key=key, value=value).SerializeToString()) for key, value in page]
        more = bool(self._rest[message.txid])
        return bytes(QueryResponse(results=results, has_more=more, id="1").SerializeToString())


OFFERED = ChaincodeAdditionalParams(
    use_write_batch=True, max_size_write_batch=1000, use_get_multiple_keys=True, max_size_get_multiple_keys=1000
)


@asynccontextmanager
async def connected(
    port: int,
    ready: Any = OFFERED,
    credentials: Any = None,
    page: int = 100,
    total_query_limit: int = 100_000,
) -> AsyncIterator[Peer]:
    """A peer that has connected to a chaincode server on this machine and is registered."""
    options = (("grpc.max_receive_message_length", 104_857_600), ("grpc.use_local_subchannel_pool", 1))
    target = f"localhost:{port}"
    if credentials is None:
        channel = grpc.aio.insecure_channel(target, options)
    else:
        channel = grpc.aio.secure_channel(target, credentials, options)
    async with channel:
        stream = ChaincodeStub(channel).Connect()
        peer = Peer(stream, page, total_query_limit)
        await peer.register(ready)
        reader = asyncio.create_task(peer.read())
        yield peer
        stream.cancel()
        await asyncio.gather(reader, return_exceptions=True)


@asynccontextmanager
async def serving(handler: Handler, tls: Tls | None = None) -> AsyncIterator[tuple[ChaincodeServer, int]]:
    """A chaincode server on a free port."""
    server = ChaincodeServer("kv:1", "localhost:0", handler, tls)
    port = await server.start()
    try:
        yield server, port
    finally:
        await server.stop(0.5)
