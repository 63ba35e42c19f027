"""The tables of the webhooks and of the answers to invoices, in the state database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from ledger_node.database import KeyText, Serial, StateTable

WAITING, DEAD = "waiting", "dead"
WRITTEN, FAILED = "written", "failed"
ACTIVE, PAUSED, GONE = "active", "paused", "gone"


class WebhookRow(StateTable, table=True):
    """A receiver. `next_block` is the first of whose events none was put down for it, of the ledger `genesis_hash`.

    `types` are beginnings of types, with commas between, none for all; times are RFC 3339, empty for never.
    """

    __tablename__ = "webhook"
    id: str = Field(primary_key=True)
    name: str
    url: str
    types: str
    only_own: bool
    status: str
    reason: str
    created_at: str
    created_by: str
    next_block: int = Field(sa_type=BigInteger)
    genesis_hash: str
    delivered: int = Field(sa_type=BigInteger)
    delivered_at: str
    failed_at: str
    error: str


class WebhookSecretRow(StateTable, table=True):
    """A secret by which deliveries are signed, until `expires_at`, seconds since 1970; 0 for the one that is in use."""

    __tablename__ = "webhook_secret"
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    webhook_id: str = Field(index=True)
    secret: str
    expires_at: float


class DeliveryRow(StateTable, table=True):
    """An event that is to be told to a receiver, or that was given up; told ones are removed.

    `order_key` is what it is told in the order of; `due_at` in seconds since 1970; a dead one says when it died.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        Index("ix_webhook_delivery_order", "webhook_id", "status", "order_key", "id"),
        Index("ix_webhook_delivery_event", "webhook_id", "event_id", unique=True),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=Serial)
    webhook_id: str
    event_id: str = Field(sa_type=KeyText)
    type: str
    order_key: str = Field(sa_type=KeyText)
    body: str
    status: str
    tries: int
    due_at: float
    error: str
    died_at: str


class ResponseRow(StateTable, table=True):
    """An answer to an invoice: what it says since which block, and whether its file was written.

    `id` is the answer's own; `made_on` its day; `due_at` in seconds since 1970; `written_at` RFC 3339, empty for never.
    """

    __tablename__ = "invoice_response"
    __table_args__ = (
        Index("ix_invoice_response_waiting", "status", "block_number", "id"),
        Index("ix_invoice_response_invoice", "invoice_id", "status"),
    )
    id: str = Field(primary_key=True, sa_type=KeyText)
    invoice_id: str
    document_id: str
    block_number: int = Field(sa_type=BigInteger)
    code: str
    reason: str
    text: str
    made_on: str
    status: str
    tries: int
    due_at: float
    error: str
    written_at: str


class ResponsePlaceRow(StateTable, table=True):
    """The one row that says which block is the first of whose changes no answer was put down, of which ledger."""

    __tablename__ = "invoice_response_place"
    id: int = Field(default=0, primary_key=True)
    next_block: int = Field(sa_type=BigInteger)
    genesis_hash: str
