"""The table of faults: each a row that says what is done, for how long, how it is undone and what is expected.

A fault is given the organisations in an order drawn by chance and strikes the first ones. It returns what undoes it.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from os import kill as send
from pathlib import Path

from drills import hosts
from drills.world import World
from network import control, identities

Undo = Callable[[], None]
Strike = Callable[[World, Sequence[str], random.Random], Undo]
LIFETIME_SECONDS = 45.0
CLOCK_SECONDS = 600
ONE_WAY_SECONDS, LOSS_PERCENT = 0.1, 2


@dataclass(frozen=True)
class Fault:
    """One row.

    Args:
        name: for people, and for choosing it.
        strike: does it.
        seconds: how long it lasts at least and at most, in `make drills`.
        short: how long in the short drill.
        shown: whether `network status` must find something at its end.
        forgets: whether a node may have forgotten what it had accepted, so that people must type it again.
        rights: whether it takes root and a machine of its own.
    """

    name: str
    strike: Strike
    seconds: tuple[float, float] = (0.0, 0.0)
    short: float = 0.0
    shown: bool = False
    forgets: bool = False
    rights: bool = False


def _nothing() -> None:
    """Supervisors and service managers undo it."""


def _killed(*kinds: str) -> Strike:
    """SIGKILL: the first kind at the first organisation, the second at the second."""

    def strike(world: World, order: Sequence[str], _: random.Random) -> Undo:
        for name, kind in zip(order, kinds, strict=False):
            world.signal(name, kind, signal.SIGKILL)
        return _nothing

    return strike


def _two_at_once(world: World, order: Sequence[str], choice: random.Random) -> Undo:
    kinds = choice.sample(("orderer", "peer", "chaincode", "node", "workers"), 2)
    return _killed(*kinds)(world, order, choice)


def _frozen(kind: str) -> Strike:
    def strike(world: World, order: Sequence[str], _: random.Random) -> Undo:
        pids = world.signal(order[0], kind, signal.SIGSTOP)

        def go_on() -> None:
            for pid in pids:
                with suppress(ProcessLookupError):  # a supervisor has replaced it
                    send(pid, signal.SIGCONT)

        return go_on

    return strike


def _organisation_off(world: World, order: Sequence[str], _: random.Random) -> Undo:
    world.switch_off(order[0])
    return lambda: world.switch_on(order[0])


def _state_database_deleted(world: World, order: Sequence[str], _: random.Random) -> Undo:
    with world.without(order[0], "peer"):
        shutil.rmtree(world.topology.folders(order[0]).peer_data / "ledgersData" / "stateLeveldb")
    return _nothing


def _folder_deleted(kind: str) -> Strike:
    def strike(world: World, order: Sequence[str], _: random.Random) -> Undo:
        folders = world.topology.folders(order[0])
        with world.without(order[0], kind):
            shutil.rmtree(folders.peer_data if kind == "peer" else folders.orderer_data)
        return lambda: _up(world)

    return strike


def _up(world: World) -> None:
    """What the operator does: `network up`."""
    control.up(world.topology, lambda _: None)


def _read_model_deleted(world: World, order: Sequence[str], _: random.Random) -> Undo:
    with world.without_node(order[0]):
        _delete_database(world.node(order[0]).directory / "readmodel.db")
    return _nothing


def _outbox_restored(world: World, order: Sequence[str], _: random.Random) -> Undo:
    """The copy is made at the strike, and put back at the end: what was accepted in between is forgotten."""
    database = world.node(order[0]).directory / "state.db"
    copy = database.with_suffix(".copy")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)

    def restore() -> None:
        with world.without_node(order[0]):
            _delete_database(database)
            copy.rename(database)

    return restore


def _delete_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _disk_full(kind: str) -> Strike:
    def strike(world: World, order: Sequence[str], _: random.Random) -> Undo:
        name = order[0]
        folders = world.topology.folders(name)
        folder = {"peer": folders.peer_data, "orderer": folders.orderer_data, "node": world.node(name).directory}[kind]

        def stopped() -> AbstractContextManager[None]:
            return world.without_node(name) if kind == "node" else world.without(name, kind)

        with stopped():
            make_room = hosts.fill(folder)
        hosts.leave_no_room(folder)

        def undo() -> None:
            make_room()
            with stopped():
                hosts.back_on_large_disk(folder)

        return undo

    return strike


def _clock_moved(world: World, order: Sequence[str], choice: random.Random) -> Undo:
    def restart(settings: dict[str, str]) -> None:
        with world.without_node(order[0]):
            world.settings[order[0]] = settings

    restart(hosts.clock_settings(choice.choice((-CLOCK_SECONDS, CLOCK_SECONDS))))
    return lambda: restart({})


def _cut(others: int) -> Strike:
    def strike(world: World, order: Sequence[str], _: random.Random) -> Undo:
        return hosts.cut(world, order[:-others], order[-others:])

    return strike


def _far_apart(world: World, _order: Sequence[str], _: random.Random) -> Undo:
    return hosts.far_apart(world, ONE_WAY_SECONDS, LOSS_PERCENT)


def _certificates_end(world: World, order: Sequence[str], _: random.Random) -> Undo:
    """Certificates that last for some seconds more come into use; the operator renews them when they have ended."""
    name = order[0]
    lasting, lifetime = identities.IDENTITY_DAYS, LIFETIME_SECONDS + identities.BACKDATED.total_seconds()
    identities.IDENTITY_DAYS = lifetime / 86400  # type: ignore[assignment]
    try:
        identities.renew(world.topology.folders(name))
    finally:
        identities.IDENTITY_DAYS = lasting
    kinds = ("orderer", "peer", "chaincode")
    for kind in kinds:  # a supervisor starts them with what lies there now
        world.signal(name, kind, signal.SIGKILL)
    with world.without_node(name):
        pass

    def renew() -> None:
        identities.renew(world.topology.folders(name))
        control.restart(world.topology, lambda _: None, [f"{name}.{kind}" for kind in kinds], one_by_one=True)
        with world.without_node(name):
            pass

    return renew


FAULTS = (
    *(Fault(f"kill {kind}", _killed(kind)) for kind in ("orderer", "peer", "chaincode", "watch")),
    *(Fault(f"kill {kind}", _killed(kind)) for kind in ("node", "user API", "peer door", "workers")),
    Fault("kill two kinds at once", _two_at_once),
    *(Fault(f"freeze {kind}", _frozen(kind), (5, 60), 5.0) for kind in ("orderer", "peer", "chaincode", "node")),
    Fault("organisation off", _organisation_off, (60, 600), 8.0, shown=True),
    Fault("state database of a peer deleted", _state_database_deleted),
    Fault("folder of a peer deleted", _folder_deleted("peer"), (5, 20), 2.0),
    Fault("folder of an orderer deleted", _folder_deleted("orderer"), (5, 20), 2.0),
    Fault("read model deleted", _read_model_deleted),
    Fault("outbox restored", _outbox_restored, (10, 60), 5.0, forgets=True),
    *(Fault(f"disk full: {kind}", _disk_full(kind), (20, 40), rights=True) for kind in ("orderer", "peer", "node")),
    Fault("clock of a node moved 10 minutes", _clock_moved, (20, 60), rights=True),
    Fault("cut off 1:3", _cut(3), (20, 60), shown=True, rights=True),
    Fault("cut 2:2", _cut(2), (20, 60), shown=True, rights=True),
    Fault("200 ms and 2 % lost between all", _far_apart, (30, 90), rights=True),
    Fault("certificates end", _certificates_end, (60, 75), rights=True),
)
BY_NAME = {each.name: each for each in FAULTS}
