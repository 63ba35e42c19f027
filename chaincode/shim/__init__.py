"""Serves a contract to Fabric peers: chaincode as a service, in Python, with everything that the Go shim offers.

The peer connects to us and opens one bidirectional stream (`protos.Chaincode/Connect`) that carries every transaction.
The shim knows no rule and nothing else of this project: copied alone it runs with hpack and the Fabric messages
(`identity` also wants cryptography). It is the only room of `chaincode` that knows the network.
Source: peer handler `core/chaincode/handler.go` of Fabric 3.1 and the shim of fabric-chaincode-go 2.3.
"""

from chaincode.shim.composite import create_composite_key, split_composite_key
from chaincode.shim.process import get_msp_id, main
from chaincode.shim.queries import KeyModification, KeyValue, Page, RichQueriesMissing
from chaincode.shim.requests import PeerError
from chaincode.shim.response import Response, error, success
from chaincode.shim.server import ChaincodeServer, Tls
from chaincode.shim.stub import ChaincodeStub, Handler

__all__ = [
    "ChaincodeServer",
    "ChaincodeStub",
    "Handler",
    "KeyModification",
    "KeyValue",
    "Page",
    "PeerError",
    "Response",
    "RichQueriesMissing",
    "Tls",
    "create_composite_key",
    "error",
    "get_msp_id",
    "main",
    "split_composite_key",
    "success",
]
