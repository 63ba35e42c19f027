"""Version 3: persons and their certificates, signatures of commands, what people typed as reasons.

The oldest commands that wait are found by an index, on PostgreSQL too, where the one on the status alone did not order.
"""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add the tables and the column."""
    op.create_table(
        "person",
        sa.Column("commitment", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("certificate", sa.String, nullable=False),
    )
    op.create_table(
        "reason",
        sa.Column("commitment", sa.String, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.String, nullable=False),
    )
    op.add_column("outbox", sa.Column("persons", sa.String, nullable=False, server_default="[]"))
    op.drop_index("ix_outbox_status", "outbox")
    op.create_index("ix_outbox_status_number", "outbox", ["status", "number"])
