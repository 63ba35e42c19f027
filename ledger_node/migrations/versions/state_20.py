"""Version 20: answers to invoices that are written by themselves, and how far they have come."""

import sqlalchemy as sa
from alembic import op

from ledger_node.database import KeyText

revision = "20"
down_revision = "14"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "invoice_response",
        sa.Column("id", KeyText, primary_key=True),
        sa.Column("invoice_id", sa.String, nullable=False),
        sa.Column("document_id", sa.String, nullable=False),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("made_on", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Float, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("written_at", sa.String, nullable=False),
    )
    op.create_index("ix_invoice_response_waiting", "invoice_response", ["status", "block_number", "id"])
    op.create_index("ix_invoice_response_invoice", "invoice_response", ["invoice_id", "status"])
    op.create_table(
        "invoice_response_place",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("next_block", sa.BigInteger, nullable=False),
        sa.Column("genesis_hash", sa.String, nullable=False),
    )
