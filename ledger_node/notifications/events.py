"""Changes as CloudEvents 1.0, the same bytes wherever they go: to webhooks, and down the stream of events.

An event says what changed, between which states and for whom, and nothing else: no amounts, no names, no documents. The
ledger as every member sees it holds all of that already, and who wants more asks this node for the record.
Source: CloudEvents 1.0.2, its JSON format, and its documented extensions `partitionkey` and `sequence`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from ledger_node.database import Database
from ledger_node.notifications.changes import READ, TRANSFER, TYPES, changes
from ledger_node.operations.fields import Out
from ledger_node.readmodel.past import past_rows
from ledger_node.readmodel.tables import Checkpoint

MEDIA_TYPE = "application/cloudevents+json"
PREFIX = "ledger-node."
TEST_TYPE = "ledger-node.webhook.test"
ID_CHARACTERS = 16
_HEX = r"^[0-9a-f]+$"


class ChangeData(Out):
    """What an event says; `GET /v1/...` of this node says the rest."""

    record: str = Field(description="Its key on the ledger, such as invoice/5f0c…; the last part is its id.")
    state: str = Field(description="Its state now; empty where it has none any more.")
    previous_state: str = Field(description="Its state before; empty where it had none.")
    changed: list[str] = Field(description="Of an invoice, the names of its fields that changed; else empty.")
    parties: list[str] = Field(description="MSP ids of whom the record is about, in alphabetical order.")
    by: str = Field(description="MSP id of whoever sent the transaction.")
    block_number: int
    transaction_id: str


class CloudEvent(Out):
    """The envelope. `source` and `id` together name one event, the same at every node of the channel."""

    specversion: str = Field(json_schema_extra={"const": "1.0"})
    id: str = Field(description="Ledger, block, transaction, write and number. It is the `webhook-id`, too.")
    source: str = Field(description="The channel and the beginning of its first block's hash.")
    type: str = Field(json_schema_extra={"enum": [PREFIX + name for name in [*TYPES, "webhook.test"]]})
    subject: str = Field(description="The record's key on the ledger.")
    time: str = Field(description="The transaction's time, by its sender's clock, RFC 3339.")
    datacontenttype: str = Field(json_schema_extra={"const": "application/json"})
    partitionkey: str = Field(description="Told in order of: the invoice, shipment or document, else the record.")
    sequence: str = Field(pattern=r"^[0-9]{12}-[0-9]{6}-[0-9]{6}-[0-9]{3}$", description="In the ledger's order.")
    data: ChangeData


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is told: id, type without PREFIX, what it is in the order of, whom it is about, and its JSON."""

    id: str
    type: str
    order: str
    parties: tuple[str, ...]
    body: str
    block_number: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of some whole blocks, the number of the block after them, and the hash of the ledger's first block."""

    events: Sequence[Event]
    next_block: int
    genesis_hash: str


class EventLog:
    """The events of a node's ledger, told from its read model, at any time again.

    Args:
        database: the read model's.
        channel: the ledger's name.
    """

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self._channel = channel

    def genesis_hash(self) -> str:
        """The hash of the ledger's first block, 64 hex digits; empty before it."""
        with self._database.read() as session:
            row = session.get(Checkpoint, 0)
        return "" if row is None else row.genesis_hash

    def read(self, start: int, rows_max: int) -> Batch:
        """The events from a block on.

        Args:
            start: the number of that block; where the read model has not come so far, there are none.
            rows_max: how many writes are looked at, at least one block.
        """
        past = past_rows(self._database, start, READ, TRANSFER, rows_max)
        ledger = past.genesis_hash[:ID_CHARACTERS]
        source = f"/channels/{self._channel}/{ledger}"
        events = []
        for change in changes([*past.before, *past.rows], start):
            block, transaction, write, number = change.place
            content = {
                "specversion": "1.0",
                "id": f"{ledger}-{block}-{transaction}-{write}-{number}",
                "source": source,
                "type": PREFIX + change.type,
                "subject": change.record,
                "time": change.time,
                "datacontenttype": "application/json",
                "partitionkey": change.order,
                "sequence": f"{block:012}-{transaction:06}-{write:06}-{number:03}",
                "data": {
                    "record": change.record,
                    "state": change.state,
                    "previous_state": change.previous_state,
                    "changed": list(change.changed),
                    "parties": list(change.parties),
                    "by": change.by,
                    "block_number": block,
                    "transaction_id": change.transaction_id,
                },
            }
            events.append(Event(str(content["id"]), change.type, change.order, change.parties, written(content), block))
        return Batch(events, past.next_block, past.genesis_hash)


def trial(msp_id: str, time: str, event_id: str) -> str:
    """The body that tries a webhook out."""
    data = {"record": "", "state": "", "previous_state": "", "changed": [], "parties": [msp_id], "by": msp_id}
    return written(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "/webhooks",
            "type": TEST_TYPE,
            "subject": "",
            "time": time,
            "datacontenttype": "application/json",
            "partitionkey": "",
            "sequence": "000000000000-000000-000000-000",
            "data": {**data, "block_number": -1, "transaction_id": ""},
        }
    )


def written(content: dict[str, Any]) -> str:
    """An event's JSON, on one line."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
