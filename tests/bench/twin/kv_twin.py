"""The Python twin of `shared/peers/kv_chaincode.go`: the same reads, writes, event and answers, nothing else."""

from __future__ import annotations

import sys

from chaincode.shim import ChaincodeStub, main


async def invoke(stub: ChaincodeStub) -> bytes:
    """get(key) reads; anything else is put(key, value), which reads, writes the key and an index, and sets an event."""
    function, key, *value = stub.args
    name = key.decode()
    old = await stub.get_state(name)
    if function != b"get":
        stub.put_state(name, value[0])
        stub.put_state("idx~" + name, value[0])
        stub.set_event("put", key)
    return old or b""


if __name__ == "__main__":
    sys.exit(main(invoke))
