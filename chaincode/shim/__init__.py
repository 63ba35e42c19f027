"""Serves a contract to Fabric peers: chaincode as a service, for Fabric 3.1, without the official shim.

The peer connects to us and opens one bidirectional stream (`protos.Chaincode/Connect`) that carries every transaction.
The shim knows no rule: it takes a `chaincode.stub.Handler`. It is the only room of `chaincode` that knows gRPC.
Source: peer handler `core/chaincode/handler.go` of Fabric 3.1 and the shim of fabric-chaincode-go.
"""

from chaincode.shim.server import ChaincodeServer, Tls
from chaincode.shim.stub import PeerError

__all__ = ["ChaincodeServer", "PeerError", "Tls"]
