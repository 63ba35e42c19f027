"""Version 12: webhooks, their secrets, and what is to be told to them."""

import sqlalchemy as sa
from alembic import op

from ledger_node.database import KeyText, Serial

revision = "12"
down_revision = "8"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "webhook",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("types", sa.String, nullable=False),
        sa.Column("only_own", sa.Boolean, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("created_by", sa.String, nullable=False),
        sa.Column("next_block", sa.BigInteger, nullable=False),
        sa.Column("genesis_hash", sa.String, nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("delivered_at", sa.String, nullable=False),
        sa.Column("failed_at", sa.String, nullable=False),
        sa.Column("error", sa.String, nullable=False),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("webhook_id", sa.String, nullable=False),
        sa.Column("secret", sa.String, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_index("ix_webhook_secret_webhook_id", "webhook_secret", ["webhook_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("webhook_id", sa.String, nullable=False),
        sa.Column("event_id", KeyText, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("order_key", KeyText, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("died_at", sa.String, nullable=False),
    )
    op.create_index("ix_webhook_delivery_order", "webhook_delivery", ["webhook_id", "status", "order_key", "id"])
    op.create_index("ix_webhook_delivery_event", "webhook_delivery", ["webhook_id", "event_id"], unique=True)
