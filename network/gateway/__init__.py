"""A client for the Hyperledger Fabric Gateway, in the shape of the official ones for Go, Node and Java.

Gateway -> Network -> Contract -> Proposal -> Transaction -> Commit: one noun per file, the short form (`submit`)
written with the long form (`propose`, `endorse`, `submit`, `status`). Asynchronous; for code that is not, `Background`
runs it, and `BlockingGateway` has the short forms. Needs grpcio, the Fabric messages and cryptography, and nothing else
of this project.
Source: fabric-gateway `pkg/client`, and `internal/pkg/gateway` of the peer.
"""

from network.gateway.background import Background
from network.gateway.block_events import BlockEventsRequest, BlockForm
from network.gateway.blocking import BlockingContract, BlockingGateway, BlockingNetwork
from network.gateway.chaincode_event import ChaincodeEvent
from network.gateway.chaincode_events import ChaincodeEventsRequest
from network.gateway.checkpointer import Checkpoint, FileCheckpointer, MemoryCheckpointer
from network.gateway.codes import RpcCode, ValidationCode
from network.gateway.commit import Commit, Status
from network.gateway.connection import Endpoint, TlsClient
from network.gateway.contract import Contract, Transient
from network.gateway.deadlines import Deadlines
from network.gateway.errors import (
    BlocksError,
    ChaincodeResponse,
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    EventsError,
    GatewayError,
    PeerDetail,
    SubmitError,
)
from network.gateway.event_stream import EventStream
from network.gateway.gateway import Gateway
from network.gateway.identity import AsyncSign, Identity, Sign, read_msp_folder, software_signer
from network.gateway.network import BlockLimits, Network
from network.gateway.proposal import Proposal
from network.gateway.transaction import Transaction

__all__ = [
    "AsyncSign",
    "Background",
    "BlockEventsRequest",
    "BlockForm",
    "BlockLimits",
    "BlockingContract",
    "BlockingGateway",
    "BlockingNetwork",
    "BlocksError",
    "ChaincodeEvent",
    "ChaincodeEventsRequest",
    "ChaincodeResponse",
    "Checkpoint",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Contract",
    "Deadlines",
    "EndorseError",
    "Endpoint",
    "EvaluateError",
    "EventStream",
    "EventsError",
    "FileCheckpointer",
    "Gateway",
    "GatewayError",
    "Identity",
    "MemoryCheckpointer",
    "Network",
    "PeerDetail",
    "Proposal",
    "RpcCode",
    "Sign",
    "Status",
    "SubmitError",
    "TlsClient",
    "Transaction",
    "Transient",
    "ValidationCode",
    "read_msp_folder",
    "software_signer",
]
