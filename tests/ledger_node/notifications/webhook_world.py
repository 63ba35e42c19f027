"""A ledger, a node's state database, and receivers: what deliveries are tested in."""

from __future__ import annotations

import datetime as dt
import functools
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from consortium import SUPPLIER, eventually
from receivers import GENESIS, Ledger, Receiver, invoice

from ledger_node.config import WebhookSettings
from ledger_node.database import Database
from ledger_node.migrations import migrate_state
from ledger_node.notifications.events import EventLog
from ledger_node.notifications.post import Poster
from ledger_node.notifications.sender import Receiver as Deliveries
from ledger_node.notifications.store import Webhooks
from ledger_node.notifications.tables import WebhookRow

SETTINGS = WebhookSettings(
    private_hosts=("127.0.0.1",), seconds_max=20, tries_max=3, pause_seconds=0.01, pause_seconds_max=0.02
)


class World:
    """A ledger, the state database of a node, and receivers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ledger = Ledger(home / "readmodel.db")
        self.state = Database(f"sqlite:///{home / 'state.db'}")
        self.ahead = dt.timedelta()
        self.webhooks = Webhooks(self.state, lambda: dt.datetime.now(dt.UTC) + self.ahead)
        self.events = EventLog(self.ledger.database, "scf")
        self.receivers: list[Receiver] = []

    def receiver(self, answer: Any = None) -> Receiver:
        self.receivers.append(Receiver(answer))
        return self.receivers[-1]

    def webhook(self, receiver: Receiver, **changes: Any) -> tuple[str, WebhookRow]:
        row = {"name": "", "url": f"http://127.0.0.1:{receiver.port}/hook", "types": ["invoice"], "only_own": True}
        return self.webhooks.add({**row, "created_by": "me", "next_block": 0, "genesis_hash": GENESIS, **changes})

    def deliveries(self, webhook_id: str, msp_id: str = SUPPLIER, **changes: Any) -> Deliveries:
        settings = SETTINGS.model_copy(update=changes)
        poster = Poster(settings, None, settings.in_flight_max)
        return Deliveries(webhook_id, self.webhooks, self.events, settings, msp_id, poster)

    def until_told(self, webhook_id: str, **changes: Any) -> None:
        """Turn until nothing waits."""
        with closing(self.deliveries(webhook_id, **changes)) as deliveries:
            eventually(lambda: self.turned(deliveries, webhook_id), "everything is told")

    def turned(self, deliveries: Deliveries, webhook_id: str) -> bool:
        deliveries.turn()
        row = self.webhooks.get(webhook_id)
        behind = row.status == "active" and row.next_block < len(self.ledger.blocks)
        return not behind and not self.webhooks.waiting(webhook_id)

    def close(self) -> None:
        for receiver in self.receivers:
            receiver.close()
        self.state.close()
        self.ledger.database.close()


@functools.cache
def fresh() -> bytes:
    """A state database as a node makes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        with closing(Database(f"sqlite:///{path}")) as database:
            migrate_state(database)
        return path.read_bytes()


def opened(home: Path) -> Iterator[World]:
    """A world in a folder, for a fixture."""
    (home / "state.db").write_bytes(fresh())
    made = World(home)
    yield made
    made.close()


def life(world: World, *names: str) -> None:
    """Each invoice is registered, approved and settled, in blocks that all share."""
    for state in ("registered", "approved", "settled"):
        world.ledger.write([invoice(name, state) for name in names])


def states(receiver: Receiver) -> dict[str, list[str]]:
    """What each invoice was told to have become, without repetitions of one event."""
    found: dict[str, dict[str, str]] = {}
    for each in receiver.told:
        found.setdefault(each.event["partitionkey"], {})[each.headers["webhook-id"]] = each.event["data"]["state"]
    return {order: list(by_id.values()) for order, by_id in found.items()}
