"""Version 2: findings, the checkpoint of scrubbing, and tries that can be asked for by submitter and time.

The tries of version 1 are forgotten: they only say how often a document was asked for. No attestation is made twice
by that, since its command id follows from document and verdict.
"""

import sqlalchemy as sa
from alembic import op

from ledger_node.database import Serial

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the tables, columns and indexes."""
    op.create_table(
        "finding",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("document_id", sa.String, nullable=False),
        sa.Column("file", sa.String, nullable=False),
        sa.Column("expected", sa.String, nullable=False),
        sa.Column("found", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("backend", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("raised_at", sa.String, nullable=False),
        sa.Column("closed_at", sa.String, nullable=False),
    )
    still_open = sa.text("state = 'open'")
    op.create_index(
        "one_open_finding",
        "finding",
        ["kind", "document_id", "file"],
        unique=True,
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "scrub",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float, nullable=False),
        sa.Column("documents", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
    )
    op.add_column("own_document", sa.Column("checked_at", sa.Float, nullable=False, server_default="0"))
    op.create_index("ix_own_document_checked_at", "own_document", ["checked_at", "document_id"])
    op.create_index("ix_own_document_digest", "own_document", ["digest"])
    op.execute("DELETE FROM attempt")
    op.add_column("attempt", sa.Column("submitter", sa.String, nullable=False, server_default=""))
    op.create_index("ix_attempt_due", "attempt", ["submitter", "not_before"])
