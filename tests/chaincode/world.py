"""A consortium in memory: the contract over a dict, with helpers that build the whole story or any part of it.

The ledger here has Fabric's manners: reads see the state before the transaction, and writes are applied only when the
answer is ok. What commands carry is in `world_bodies`.
"""

from __future__ import annotations

import datetime
import json
import re
from bisect import bisect_left, insort
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from world_bodies import DAY, DEPOSIT, PARTIES, SECONDS_OF_DAY, SUPPLIER, Step, command, hex64, hexid, named, story

from chaincode.dispatch import dispatch
from chaincode.stub import Answer

T = TypeVar("T")
NOT_FOR_PEOPLE = re.compile(r"_minor|(?<!ISO )\b[0-9]{4,}\b(?!-[0-9]{2}-[0-9]{2})")
"""A field's name of minor units, or an amount in them: so many digits in a row that are no year of a date."""
Endorsers = tuple[tuple[str, ...], tuple[str, ...], int]
"""Who must endorse changes of a key: all of the first, and so many of the others."""


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("the contract waited for something")


class MemoryStub:
    """One transaction over the world's state."""

    def __init__(self, world: World, msp_id: str, tx_id: str, timestamp: int) -> None:
        self._world = world
        self.msp_id = msp_id
        self.tx_id = tx_id
        self.timestamp = timestamp
        self.channel_id = "test"
        self.creator_certificate = b""
        self.writes: dict[str, bytes | None] = {}
        self.endorsers: dict[str, Endorsers] = {}
        self.reads = 0
        self.keys_read: set[str] = set()

    async def get_state(self, key: str) -> bytes | None:
        self.reads += 1
        self.keys_read.add(key)
        return self._world.state.get(key)

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        self.reads += 1
        self.keys_read.update(keys)
        return [self._world.state.get(key) for key in keys]

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        self.reads += 1
        keys = self._world.keys
        found = keys[bisect_left(keys, start) : bisect_left(keys, end)][: limit or None]
        self.keys_read.update(found)
        return [(key, self._world.state[key]) for key in found]

    def put_state(self, key: str, value: bytes) -> None:
        assert key and value
        self.writes[key] = value

    def del_state(self, key: str) -> None:
        assert key
        self.writes[key] = None

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None:
        assert key and msp_ids and all(msp_ids)
        assert len({*msp_ids, *others}) == len(msp_ids) + len(others) and others_min <= len(others)
        self.endorsers[key] = tuple(msp_ids), tuple(others), others_min


class World:
    """The state of one channel, and everybody's hands."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.keys: list[str] = []
        self.timestamp = SECONDS_OF_DAY
        self.endorsers: dict[str, Endorsers] = {}
        self.transactions = 0
        self.sent: list[tuple[str, int, bytes]] = []
        """All arguments, with who sent them and when."""
        self.reads = 0
        """Round trips of the last transaction."""
        self.keys_read: set[str] = set()
        """The keys that the last transaction read."""

    def dispatch(self, msp_id: str, argument: bytes) -> Answer:
        """Run one transaction with any bytes as its argument, and apply its writes when it is ok."""
        self.transactions += 1
        self.sent.append((msp_id, self.timestamp, argument))
        stub = MemoryStub(self, msp_id, hex64(f"transaction {self.transactions}"), self.timestamp)
        answer = finish(dispatch(stub, argument))
        self.reads, self.keys_read = stub.reads, stub.keys_read
        if answer.ok:
            self.apply(stub.writes)
            self.endorsers |= stub.endorsers
        return answer

    def apply(self, writes: dict[str, bytes | None]) -> None:
        """Apply writes to the state."""
        for key, value in writes.items():
            if value is not None:
                if key not in self.state:
                    insort(self.keys, key)
                self.state[key] = value
            elif self.state.pop(key, None) is not None:
                del self.keys[bisect_left(self.keys, key)]

    def batch(self, msp_id: str, commands: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run commands in one transaction and give their results."""
        answer = self.dispatch(msp_id, json.dumps({"version": 1, "commands": list(commands)}).encode())
        results: list[dict[str, Any]] = json.loads(answer.payload)["results"]
        return results

    def run(
        self, msp_id: str, type_: str, /, command_id: str = "", persons: Sequence[str] = (), **body: Any
    ) -> dict[str, Any]:
        """Run one command, with persons behind it if any, in a transaction of its own and give its result."""
        one = command(type_, command_id or hexid(f"run {self.transactions}"), **body)
        return self.batch(msp_id, [one | named(*persons)])[0]

    def must(self, msp_id: str, type_: str, /, **body: Any) -> dict[str, Any]:
        """Run one command that has to be applied and give what it says."""
        result = self.run(msp_id, type_, **body)
        assert result["status"] == "applied", f"{type_}: {result}"
        said: dict[str, Any] = result["result"]
        return said

    def refusal(self, msp_id: str, type_: str, /, **body: Any) -> str:
        """Run one command that has to be refused, without a trace, and give the code."""
        before = dict(self.state)
        result = self.run(msp_id, type_, **body)
        assert result["status"] == "refused", f"{type_}: {result}"
        assert before == self.state
        code: str = result["code"]
        assert code == "MALFORMED" or not NOT_FOR_PEOPLE.search(result["text"]), result["text"]
        return code

    def query(self, **query: Any) -> Any:
        """Ask a query as the supplier."""
        answer = self.dispatch(SUPPLIER, json.dumps({"version": 1, "query": query}).encode())
        assert answer.ok, answer.payload
        return json.loads(answer.payload)["result"]

    def read(self, key: str) -> Any:
        """The plain data under a key, None when there is nothing."""
        data = self.state.get(key)
        return None if data is None else json.loads(data)

    def classes(self, invoice: str = "invoice") -> dict[str, str]:
        """The reasons of the seven classes of an invoice, by class."""
        answer = self.query(type="ReleaseCheck", invoice_id=hexid(invoice))
        return {item["class"]: item["reason"] for item in answer["classes"]}

    def balance(self, name: str, deposit: str = DEPOSIT) -> int:
        """The balance of a cash account, 0 when there is none."""
        account = self.read(f"account/cash/{deposit}/{name}")
        return account["balance_minor"] if account else 0

    def open_day(self, date: str) -> None:
        """Let time pass until noon of a date, and open it: all active parties say so, as far as it takes."""
        noon = datetime.datetime.fromisoformat(f"{date}T12:00:00+00:00")
        self.timestamp = int(noon.timestamp())
        parties = [self.read(key) for key in self.keys if key.startswith("party/")]
        active = [SUPPLIER, *(one["msp_id"] for one in parties if one["msp_id"] != SUPPLIER)]
        for msp_id in (name for name in active if self.read(f"party/{name}")["status"] == "active"):
            if self.must(msp_id, "OpenDay", date=date)["date"] == date:
                return
        raise AssertionError(f"{date} is not open")


def found(world: World, parties: Sequence[dict[str, Any]] = PARTIES, privacy: str = "open") -> None:
    """Found the consortium, let everybody confirm, and open the day."""
    listed = {"parties": list(parties), "privacy": privacy}
    digest = world.must(parties[0]["msp_id"], "FoundConsortium", **listed)["digest"]
    for party in parties:
        world.must(party["msp_id"], "ConfirmFounding", digest=digest)
    world.must(parties[0]["msp_id"], "OpenDay", date=DAY)


def play(world: World, steps: dict[str, Step] | None = None, without: Sequence[str] = ()) -> list[str]:
    """Play the story, or other steps, leaving some out; gives the ids of the invoices that were paid on the way."""
    released: list[str] = []
    for name, (msp_id, type_, body) in (steps or story()).items():
        if name not in without:
            released += world.must(msp_id, type_, **body).get("released", [])
    return released


def founded() -> World:
    """A founded consortium on its first day."""
    world = World()
    found(world)
    return world


def paid() -> World:
    """A world in which the invoice has just been paid early."""
    world = founded()
    assert play(world) == [hexid("invoice")]
    return world
