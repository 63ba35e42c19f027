"""Version 8: persons who sign in with a browser, their sessions and one-time links, and how often somebody guessed."""

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "login",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("full_name", sa.String, nullable=False),
        sa.Column("roles", sa.String, nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("totp_secret", sa.String, nullable=False),
        sa.Column("totp_step", sa.Integer, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    op.create_table(
        "login_link",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("login_id", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_table(
        "login_session",
        sa.Column("digest", sa.String, primary_key=True),
        sa.Column("id", sa.String, nullable=False, unique=True),
        sa.Column("login_id", sa.String, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("used_at", sa.Float, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("agent", sa.String, nullable=False),
    )
    op.create_index("ix_login_session_login_id", "login_session", ["login_id"])
    op.create_table(
        "guess",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.Float, nullable=False),
    )
