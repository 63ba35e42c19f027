"""One transaction as a contract sees it: everything that the Go shim's ChaincodeStubInterface offers.

Names are those of Go in snake_case. What differs: writes are collected and sent in batches after the answer, a peer's
ERROR is an exception.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response as ResponseMessage

from chaincode.shim import composite
from chaincode.shim.invocation import Invocation
from chaincode.shim.private_data import PrivateState
from chaincode.shim.requests import Ask, PeerError, PeerLimits
from chaincode.shim.response import Response


class ChaincodeStub(Invocation, PrivateState):
    """Arguments and proposal, public state, private data, calls to other chaincodes, and the event.

    Args:
        message: the TRANSACTION or INIT message.
        limits: what the peer offered.
        ask: sends a request (type, payload) and returns the payload of the peer's RESPONSE.
    """

    create_composite_key = staticmethod(composite.create_composite_key)
    split_composite_key = staticmethod(composite.split_composite_key)

    def __init__(self, message: ChaincodeMessage, limits: PeerLimits, ask: Ask) -> None:
        Invocation.__init__(self, message)
        PrivateState.__init__(self, self.tx_id, limits, ask)
        self.event: ChaincodeEvent | None = None

    async def invoke_chaincode(self, name: str, args: Sequence[str | bytes], channel: str = "") -> Response:
        """Call another chaincode on the same peer, as part of this transaction.

        On this channel what it reads and writes joins the transaction; on another one its writes are dropped.

        Args:
            name: the other chaincode's.
            args: text is sent as UTF-8.
            channel: another channel of the peer; empty is this one.

        Returns:
            What it answered, a refusal too: look at `status`.

        Raises:
            PeerError: there is no such chaincode, the creator may not call it, or it broke.
        """
        encoded = [argument.encode() if isinstance(argument, str) else argument for argument in args]
        target = ChaincodeID(name=f"{name}/{channel}" if channel else name)
        spec = ChaincodeSpec(chaincode_id=target, input=ChaincodeInput(args=encoded))
        answer = ChaincodeMessage.FromString(await self._request(ChaincodeMessage.INVOKE_CHAINCODE, spec))
        if answer.type != ChaincodeMessage.COMPLETED:
            raise PeerError(answer.payload.decode(errors="replace"))
        response = ResponseMessage.FromString(answer.payload)
        return Response(response.status, response.message, response.payload)

    def set_event(self, name: str, payload: bytes = b"") -> None:
        """Set the transaction's one event; a later one replaces it. Raises: ValueError for an empty name."""
        if not name:
            raise ValueError("an event needs a name")
        self.event = ChaincodeEvent(event_name=name, payload=payload)


Handler = Callable[[ChaincodeStub], Awaitable[Response | bytes]]
"""A contract: runs one transaction. Bytes are a success with that payload."""
