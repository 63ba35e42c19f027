"""A process that reads chaincode events and kills itself between the effect of one and its checkpoint.

Arguments: network.yaml, folder, start block, how many events in all, after how many effects to die ("" for never).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from kv_network import CHAINCODE, channel_of

from network.gateway import FileCheckpointer
from network.topology import Topology


async def read(home: str, folder: str, start: str, total: str, killed_after: str) -> None:
    effects = Path(folder) / "effects"
    checkpointer = FileCheckpointer(Path(folder) / "checkpoint")
    before = set(effects.read_text().split()) if effects.exists() else set()
    done = 0
    async with channel_of(Topology.load(Path(home))) as network:
        events = network.chaincode_events(CHAINCODE, int(start), checkpoint=checkpointer)
        async with contextlib.aclosing(events):
            async for event in events:
                with effects.open("a") as file:
                    file.write(event.transaction_id + "\n")
                before.add(event.transaction_id)
                done += 1
                if killed_after and done == int(killed_after):
                    os.kill(os.getpid(), signal.SIGKILL)
                checkpointer.checkpoint_chaincode_event(event)
                if len(before) == int(total):
                    return


if __name__ == "__main__":
    asyncio.run(read(*sys.argv[1:]))
