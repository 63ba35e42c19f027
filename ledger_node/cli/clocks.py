"""How far the clocks of others are off this machine's, as far as they tell the time."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ledger_node.config import SQLITE_PREFIX, Settings, is_sqlite
from ledger_node.database import Database
from ledger_node.node import utc_now
from ledger_node.readmodel import ReadModel
from ledger_node.verification.exchange import Exchange, Unavailable
from network import components
from network.topology import Topology

CLOCK_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Offset:
    """Whose clock is how many seconds ahead of this machine's, negative when it is behind; exact to a second or two."""

    whose: str
    seconds: float

    def __str__(self) -> str:
        way = "ahead" if self.seconds > 0 else "behind"
        return f"{self.whose} is {abs(self.seconds):.0f} s {way}"


def of_components(topology: Topology) -> Iterator[Offset]:
    """Of the orderers and peers of this machine."""
    for each in topology.organisations:
        ports = {"orderer": each.ports.orderer_operations, "peer": each.ports.peer_operations}
        for kind, port in ports.items():
            offset = _offset(partial(components.clock, port))
            if offset is not None:
                yield Offset(f"{each.name}.{kind}", offset)


def of_nodes(settings: Settings) -> Iterator[Offset]:
    """Of the other organisations' nodes, as far as this one knows them and reaches their doors.

    Raises: ConfigError when the node's read model, keys or certificates cannot be read.
    """
    tls, url = settings.tls, settings.database_url(settings.readmodel_database)
    if is_sqlite(url) and not Path(url.removeprefix(SQLITE_PREFIX)).exists():
        return  # the node has never run, and doctor makes nothing
    roots = {msp_id: settings.at(path) for msp_id, path in tls.roots.items()}
    exchange = Exchange(settings.at(tls.certificate), settings.at(tls.private_key), roots, CLOCK_SECONDS_MAX)
    database = Database(url)
    with database.opening():
        parties = ReadModel(database).parties()
    for party in parties:
        msp_id = str(party["msp_id"])
        if msp_id == settings.msp_id:
            continue
        try:
            offset = _offset(partial(exchange.clock, str(party["peer_url"]), msp_id))
        except Unavailable:
            continue
        if offset is not None:
            yield Offset(f"the node of {msp_id}", offset)


def _offset(ask: Callable[[], dt.datetime | None]) -> float | None:
    """Seconds that a clock is ahead; the answer is taken to be of the middle between question and answer."""
    asked, begun = utc_now(), time.monotonic()
    told = ask()
    if told is None:
        return None
    middle = asked + dt.timedelta(seconds=(time.monotonic() - begun) / 2)
    return (told + dt.timedelta(seconds=0.5) - middle).total_seconds()  # it is cut to whole seconds
