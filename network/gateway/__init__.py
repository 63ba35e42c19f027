"""A client for the Hyperledger Fabric Gateway, in the shape of the official ones for Go, Node and Java.

Gateway -> Network -> Contract -> Proposal -> Transaction -> Commit: one noun per file, the short form (`submit`)
written with the long form (`propose`, `endorse`, `submit`, `status`). Asynchronous; `Background` runs it for code
that is not. Needs grpcio, the Fabric messages and cryptography, and nothing else of this project.
Source: fabric-gateway `pkg/client`, and `internal/pkg/gateway` of the peer.
"""

from network.gateway.background import Background
from network.gateway.commit import Commit, Status
from network.gateway.connection import Deadlines
from network.gateway.contract import Contract
from network.gateway.errors import (
    BlocksError,
    ChaincodeResponse,
    CommitError,
    CommitStatusError,
    EndorseError,
    EvaluateError,
    GatewayError,
    PeerDetail,
    SubmitError,
)
from network.gateway.gateway import Gateway
from network.gateway.identity import Identity, Sign, software_signer
from network.gateway.network import Network
from network.gateway.proposal import Proposal
from network.gateway.transaction import Transaction

__all__ = [
    "Background",
    "BlocksError",
    "ChaincodeResponse",
    "Commit",
    "CommitError",
    "CommitStatusError",
    "Contract",
    "Deadlines",
    "EndorseError",
    "EvaluateError",
    "Gateway",
    "GatewayError",
    "Identity",
    "Network",
    "PeerDetail",
    "Proposal",
    "Sign",
    "Status",
    "SubmitError",
    "Transaction",
    "software_signer",
]
