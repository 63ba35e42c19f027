"""Version 1: outbox, own documents, tokens, tries of the verifier, signs of life."""

import sqlalchemy as sa
from alembic import op

from ledger_node.database import Serial

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables as the first release did."""
    op.create_table("state_schema", sa.Column("version", sa.Integer, primary_key=True))
    op.execute("INSERT INTO state_schema (version) VALUES (1)")
    op.create_table(
        "attempt",
        sa.Column("document_id", sa.String, primary_key=True),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("mismatch_commitment", sa.String, nullable=False),
        sa.Column("command_id", sa.String, nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
    )
    op.create_table(
        "heartbeat",
        sa.Column("worker", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("beat_at", sa.Float, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("number", Serial, primary_key=True),
        sa.Column("command_id", sa.String, nullable=False, unique=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("body", sa.String, nullable=False),
        sa.Column("request_digest", sa.String, nullable=False),
        sa.Column("idempotency_key", sa.String, unique=True),
        sa.Column("block_number_min", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String, nullable=False, index=True),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("result", sa.String),
        sa.Column("sent_transaction_id", sa.String, nullable=False),
        sa.Column("transaction_id", sa.String, nullable=False),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_table(
        "own_document",
        sa.Column("document_id", sa.String, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("filename", sa.String, nullable=False),
    )
    op.create_table(
        "token",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("expires_at", sa.String, nullable=False),
    )
