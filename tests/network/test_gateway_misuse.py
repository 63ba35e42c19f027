"""What a program gets wrong is named before anything is sent; what it may choose about its connections counts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from fabric_protos.gateway.gateway_pb2 import EvaluateResponse
from fabric_protos.peer.proposal_response_pb2 import Response
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from membership import stranger

from network.gateway import EvaluateError, Gateway, RpcCode, ValidationCode

UNREACHED = "127.0.0.1:1"  # nobody is asked here


class Tracer(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[misc]  # grpc has no types
    """Notes the method of each call."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    async def intercept_unary_unary(self, continuation: Callable[..., Any], details: Any, request: Any) -> Any:
        self.methods.append(details.method if isinstance(details.method, str) else details.method.decode())
        return await continuation(details, request)


@contextlib.asynccontextmanager
async def answering(result: bytes) -> AsyncIterator[str]:
    """A peer that evaluates everything to one result; its address."""

    async def evaluate(request: bytes, context: Any) -> bytes:
        return bytes(EvaluateResponse(result=Response(status=200, payload=result)).SerializeToString())

    server = grpc.aio.server(options=(("grpc.max_send_message_length", -1),))
    handlers = {"Evaluate": grpc.unary_unary_rpc_method_handler(evaluate)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("gateway.Gateway", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda contract: contract.propose("put", 1), "argument 1 is of type int"),
        (lambda contract: contract.propose(None), "argument 0 is of type NoneType"),
        (lambda contract: contract.propose("put", transient={"value": 1.5}), "transient 'value' is of type float"),
        (lambda contract: contract.propose("put", organisations="BuyerMSP"), "not 'BuyerMSP'"),
        (lambda contract: contract.propose("put", organisations=[b"BuyerMSP"]), "a list of MSP ids"),
    ],
)
def test_an_argument_of_a_wrong_type_is_named(call: Callable[[Any], object], named: str) -> None:
    contract = Gateway(UNREACHED, stranger()).network("scf").contract("kv")
    with pytest.raises(TypeError, match=named):
        call(contract)


@pytest.mark.parametrize("returned", [None, b"", "text", 7])
def test_a_signer_that_returns_no_signature_is_refused_before_anything_is_sent(returned: Any) -> None:
    async def run() -> None:
        async with Gateway(UNREACHED, stranger(), lambda _: returned) as gateway:
            with pytest.raises(TypeError, match=f"no signature but {type(returned).__name__}: nothing was sent"):
                await gateway.network("scf").contract("kv").evaluate("get")

    asyncio.run(run())


def test_interceptors_see_every_call_and_options_of_the_channel_count() -> None:
    async def run() -> None:
        tracer, small = Tracer(), (("grpc.max_receive_message_length", 100),)
        async with answering(b"x" * 1000) as address:
            async with Gateway(address, stranger(), lambda _: b"s", interceptors=[tracer]) as gateway:
                assert await gateway.network("scf").contract("kv").evaluate("get") == b"x" * 1000
            assert tracer.methods == ["/gateway.Gateway/Evaluate"]
            async with Gateway(address, stranger(), lambda _: b"s", channel_options=small) as gateway:
                with pytest.raises(EvaluateError, match="larger than max") as caught:
                    await gateway.network("scf").contract("kv").evaluate("get")
        assert caught.value.code == RpcCode.RESOURCE_EXHAUSTED

    asyncio.run(run())


def test_the_codes_are_those_of_grpc_and_fabric() -> None:
    assert {each.value for each in RpcCode} == {each.name for each in grpc.StatusCode}
    assert {each.value for each in ValidationCode} == set(TxValidationCode.keys())
