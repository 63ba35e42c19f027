"""A process without any key that takes one step of a transaction and goes.

Arguments: network.yaml, step ("endorse", "submit" or "status"), what was taken out (hex), the signature of it (hex).
Prints what the next step needs: its serialized form and its digest (hex), or the validation code at the end.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from kv_network import gateway_of

from network.gateway import Commit, Transaction
from network.topology import Topology


async def take(home: str, step: str, stored: str, signature: str) -> str:
    async with gateway_of(Topology.load(Path(home)), signs=False) as gateway:
        taken, signed = bytes.fromhex(stored), bytes.fromhex(signature)
        following: Transaction | Commit
        if step == "endorse":
            following = await gateway.proposal(taken, signed).endorse()
        elif step == "submit":
            following = await gateway.transaction(taken, signed).submit()
        else:
            return (await gateway.commit(taken, signed).status()).code
        return f"{following.serialized.hex()} {following.digest.hex()}"


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(take(*sys.argv[1:])))
