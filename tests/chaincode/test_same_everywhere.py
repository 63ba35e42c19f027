"""One generated life ends in the same state wherever the contract runs: in memory, over SQLite, behind the shim."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from generated import OF_TRANSACTION, Life, nameless
from shim_peer import connected, serving, signed_proposal
from world import World
from world_bodies import hex64

from chaincode.dispatch import dispatch
from chaincode.main import served
from chaincode.stub import Answer, Stub
from ledger_node.ledger.embedded import EmbeddedLedger
from ledger_node.ledger.interface import ContractRefused

pytestmark = pytest.mark.no_cover  # what only a generated life reaches has no test


@functools.cache
def life() -> World:
    """A generated life, of which every transaction is kept."""
    lived = Life(Random(5))
    for _ in range(200):
        lived.step()
    return lived.world


def test_over_sqlite_every_transaction_does_the_same(tmp_path: Path) -> None:
    world, ledgers, clock = life(), {}, [0]

    def now() -> dt.datetime:
        return dt.datetime.fromtimestamp(clock[0], dt.UTC)

    for msp_id, seconds, argument in world.sent:
        clock[0] = seconds
        if msp_id not in ledgers:
            ledgers[msp_id] = EmbeddedLedger(tmp_path / "ledger.db", msp_id, b"certificate", now)
        with suppress(ContractRefused):
            ledgers[msp_id].submit(ledgers[msp_id].prepare(argument))
    for ledger in ledgers.values():
        ledger.close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        found = dict(connection.execute("SELECT key, value FROM state").fetchall())
    assert {key: OF_TRANSACTION.sub(b"", value) for key, value in found.items()} == nameless(world)


def test_behind_the_shim_every_transaction_does_the_same() -> None:
    world = life()

    async def handler(stub: Stub, arguments: list[bytes]) -> Answer:
        return await dispatch(stub, arguments[0])

    async def replay() -> dict[str, bytes]:
        async with serving(served(handler)) as (_, port), connected(port) as peer:
            for number, (msp_id, seconds, argument) in enumerate(world.sent, 1):
                await peer.invoke(hex64(f"transaction {number}"), argument, proposal=signed_proposal(msp_id, seconds))
            return peer.state

    assert asyncio.run(replay()) == world.state


def test_one_by_one_the_commands_of_all_batches_do_the_same() -> None:
    world, alone = life(), World()
    for msp_id, seconds, argument in world.sent:
        alone.timestamp = seconds
        for one in json.loads(argument)["commands"]:
            alone.batch(msp_id, [one])
    assert nameless(alone) == nameless(world)


def test_in_batches_as_large_as_they_can_be_the_commands_do_the_same() -> None:
    world, joined = life(), World()
    waiting: list[dict[str, object]] = []
    for (msp_id, seconds, argument), after in zip(world.sent, [*world.sent[1:], None], strict=True):
        waiting += json.loads(argument)["commands"]
        if after is None or after[:2] != (msp_id, seconds):
            joined.timestamp = seconds
            joined.batch(msp_id, waiting)
            waiting = []
    assert nameless(joined) == nameless(world)
