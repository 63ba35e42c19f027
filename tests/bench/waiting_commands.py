"""A hundred thousand commands that wait: what a poll costs, how fast they go, how much memory the node's sender takes.

One organisation on the embedded ledger, in this process: the outbox, its sender and the contract, no network. What
committed is counted from the distinct keys in the blocks. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import resource
import secrets
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# Folders of tests carry the packages' names: with the root before them the real packages win.
sys.path.insert(0, str(Path(__file__).parents[1] / "ledger_node" / "outbox"))
sys.path.insert(0, str(Path(__file__).parents[2]))

from sender import LIMITS, NEVER, Sender, document
from sqlalchemy import insert, select

from chaincode.records import canonical
from ledger_node.database import table_of
from ledger_node.outbox.groups import Room, next_group
from ledger_node.outbox.store import OutboxRow

PUTTERS = 8
PUTS = 2_000  # measured; the rest is written into the table as those left it
MEGABYTE = 2**20


def memory_bytes() -> int:
    """What this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def polled(sender: Sender) -> float:
    """Seconds of one look for the next group."""
    began = time.perf_counter()
    next_group(sender.database, (), Room(500, 2_000_000), time.time(), lambda _: True)
    return time.perf_counter() - began


def fill(sender: Sender, count: int) -> float:
    """So many commands wait; gives how many a second were put as the API puts them."""
    began = time.perf_counter()
    with ThreadPoolExecutor(PUTTERS) as pool:
        list(pool.map(lambda _: bool(sender.put()), range(PUTS)))
    rate = PUTS / (time.perf_counter() - began)
    table = table_of(OutboxRow)
    with sender.database.write() as session:
        connection = session.connection()
        template = dict(connection.execute(select(table).limit(1)).mappings().one())
        del template["number"]
        for start in range(PUTS, count, 1000):
            rows = [
                {
                    **template,
                    "command_id": secrets.token_hex(16),
                    "body": canonical(document(secrets.token_hex(16))).decode(),
                }
                for _ in range(min(1000, count - start))
            ]
            connection.execute(insert(table), rows)
    return rate


def drained(sender: Sender) -> dict[str, Any]:
    """Send all that waits, watching the memory."""
    stop, peak_bytes = threading.Event(), memory_bytes()
    began = time.perf_counter()
    thread = threading.Thread(target=sender.worker.run, args=(stop,))
    thread.start()
    while sender.outbox.counts()["waiting"] or sender.outbox.counts()["sent"]:
        peak_bytes = max(peak_bytes, memory_bytes())
        NEVER.wait(0.2)
    seconds = time.perf_counter() - began
    stop.set()
    thread.join()
    return {"seconds": round(seconds, 1), "memory_mb_peak": round(peak_bytes / MEGABYTE)}


def main() -> int:
    """Print the figures; the exit code is 1 when a command has no effect on the ledger, or two."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=100_000)
    count = parser.parse_args().commands
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        sender = Sender(Path(folder))
        sender.restart(type(LIMITS)(500, 2_000_000, 8.0, 8))
        seconds_empty, memory_empty = polled(sender), memory_bytes()
        puts_per_second = fill(sender, count)
        figures: dict[str, Any] = {
            "commands": count,
            "puts_per_second": round(puts_per_second),
            "poll_ms_empty": round(1000 * seconds_empty, 1),
            "poll_ms_all_waiting": round(1000 * min(polled(sender) for _ in range(5)), 1),
            "memory_mb_empty": round(memory_empty / MEGABYTE),
            "memory_mb_all_waiting": round(memory_bytes() / MEGABYTE),
            **drained(sender),
        }
        figures["commands_per_second"] = round(count / figures["seconds"])
        effects = sender.effects()
        figures["found_by_reading"], figures["written_twice"] = len(set(effects)), len(effects) - len(set(effects))
        figures["measured"] = dt.datetime.now(dt.UTC).date().isoformat()
        sender.ledger.close()
        sender.database.close()
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return int(figures["found_by_reading"] != count or figures["written_twice"] != 0)


if __name__ == "__main__":
    sys.exit(main())
