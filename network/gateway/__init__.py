"""A client for the Hyperledger Fabric Gateway, in the shape of the official ones for Go, Node and Java.

Gateway -> Network -> Contract -> Proposal -> Transaction -> Commit: one noun per file, the short form (`submit`)
written with the long form (`propose`, `endorse`, `submit`, `status`). Asynchronous; `Background` runs it for code
that is not. Needs grpcio, the Fabric messages and cryptography, and nothing else of this project.
Source: fabric-gateway `pkg/client`, and `internal/pkg/gateway` of the peer.
"""

from network.gateway.background import Background
from network.gateway.block_events import BlockEventsRequest, BlockForm
from network.gateway.chaincode_event import ChaincodeEvent
from network.gateway.chaincode_events import ChaincodeEventsRequest
from network.gateway.checkpointer import Checkpoint, FileCheckpointer, MemoryCheckpointer
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
    "EventsError",
    "FileCheckpointer",
    "Gateway",
    "GatewayError",
    "Identity",
    "MemoryCheckpointer",
    "Network",
    "PeerDetail",
    "Proposal",
    "Sign",
    "Status",
    "SubmitError",
    "TlsClient",
    "Transaction",
    "Transient",
    "read_msp_folder",
    "software_signer",
]
