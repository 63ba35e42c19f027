"""Version 5: which ledger the commands in the outbox are for; the first one that is met after the upgrade."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "known_ledger",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("genesis_hash", sa.String, nullable=False),
    )
