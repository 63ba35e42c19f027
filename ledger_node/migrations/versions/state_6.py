"""Version 6: signs of life say how the work goes, too."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("heartbeat", sa.Column("success_age_seconds", sa.Float))
    op.add_column("heartbeat", sa.Column("trouble_seconds", sa.Float, nullable=False, server_default="0"))
