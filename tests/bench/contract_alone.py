"""The contract alone, in one process and in memory: commands a second, and what the number of records does to them.

Run it with `python tests/bench/contract_alone.py`; it prints one JSON document. The ordinary mix are the days of
`tests/chaincode/year.py`: invoices registered, attested, delivered, approved, paid early and settled, with some of
every other kind, in transactions of up to 500 commands. What is measured is CPU time within `dispatch`, JSON in and
out. The records among which the same days are played again are copies of those of earlier days under other ids.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chaincode"))

import year
from world import MemoryStub, World, finish
from world_bodies import command, hex64, hexid

from chaincode.dispatch import dispatch

DAYS = 24
INVOICES_A_DAY = 40
FEW_DAYS, FEW_A_DAY, REPEATS = 4, 20, 5
RECORDS = (1_000, 10_000, 100_000, 1_000_000)
Transaction = tuple[str, int, bytes]
"""Who sends, when, and the argument."""


class Recorded(year.Year):
    """A year that also keeps what is sent."""

    def __init__(self, folder: Path) -> None:
        self.sent: list[Transaction] = []
        super().__init__(folder)

    def send(self, msp_id: str, commands: list[year.Sent]) -> None:
        """Keep the arguments as `year` makes them, and send them."""
        for start in range(0, len(commands), year.BATCH):
            batch = [
                command(type_, hexid(f"{msp_id} {self.commands + start + number}"), **body)
                for number, (type_, body) in enumerate(commands[start : start + year.BATCH])
            ]
            argument = json.dumps({"version": 1, "commands": batch}).encode()
            self.sent.append((msp_id, int(self.now().timestamp()), argument))
        super().send(msp_id, commands)


def replay(world: World, sent: list[Transaction]) -> float:
    """Run transactions, all of which are ok, and give the CPU seconds that the contract took."""
    seconds = 0.0
    for number, (msp_id, timestamp, argument) in enumerate(sent):
        stub = MemoryStub(world, msp_id, hex64(f"{number}"), timestamp)
        begun = time.process_time()
        answer = finish(dispatch(stub, argument))
        seconds += time.process_time() - begun
        assert answer.ok, answer.payload[:500]
        world.apply(stub.writes)
    return seconds


def grown(state: dict[str, bytes], records: int) -> World:
    """A world with so many records: this state, and copies of its records of single invoices under other ids."""
    kinds = ("invoice/", "document/", "attestation/", "shipment", "entry/", "account/obligation/", "command/", "link/")
    singles = [(key, data) for key, data in state.items() if key.startswith((*kinds, "open/", "fingerprint/"))]
    world = World()
    world.state = dict(state)
    copies = 0
    while len(world.state) < records:
        copies += 1
        for key, data in singles[: records - len(world.state)]:
            first, _, last = key.rpartition("/")
            world.state[f"{first}/{copies:08x}{last[8:]}" if len(last) > 8 else f"{key}{copies}"] = data
    world.keys = sorted(world.state)
    return world


def lived(days: int, invoices_a_day: int) -> tuple[list[Transaction], int]:
    """What is sent on some days, and how much of it before the last two."""
    with tempfile.TemporaryDirectory() as folder:
        life = Recorded(Path(folder))
        before = 0
        for day in range(days):
            if day == days - 2:
                before = len(life.sent)
            life.play_day(day * invoices_a_day, invoices_a_day)
        life.close()
    return life.sent, before


def commands_in(sent: list[Transaction]) -> int:
    """How many commands transactions carry."""
    return sum(len(json.loads(argument)["commands"]) for _, _, argument in sent)


def among_records() -> dict[int, int]:
    """Commands a second of the same two days, among ever more records; the best of some runs."""
    sent, before = lived(FEW_DAYS, FEW_A_DAY)
    world = World()
    replay(world, sent[:before])
    found = {}
    for records in RECORDS:
        crowd = grown(world.state, records)
        seconds = []
        for _ in range(REPEATS):
            copy = World()
            copy.state, copy.keys = dict(crowd.state), list(crowd.keys)
            gc.freeze()  # a contract's process holds no records: collecting these is no cost of it
            seconds.append(replay(copy, sent[before:]))
            gc.unfreeze()
        found[len(crowd.state)] = round(commands_in(sent[before:]) / min(seconds))
    return found


def main() -> int:
    """Measure and print."""
    sent, _ = lived(DAYS, INVOICES_A_DAY)
    seconds = replay(World(), sent)
    by_records = among_records()
    slowest, fastest = min(by_records.values()), max(by_records.values())
    figures = {
        "commands": commands_in(sent),
        "commands_per_second": round(commands_in(sent) / seconds),
        "commands_per_second_by_records": by_records,
        "dearest_to_cheapest": round(fastest / slowest, 2),
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
