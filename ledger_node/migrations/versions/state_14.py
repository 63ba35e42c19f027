"""Version 14: passkeys as second factor, and requests for certificates of signing keys that browsers made."""

import sqlalchemy as sa
from alembic import op

revision = "14"
down_revision = "12"


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "passkey",
        sa.Column("credential_id", sa.String, primary_key=True),
        sa.Column("login_id", sa.String, nullable=False),
        sa.Column("public_key", sa.String, nullable=False),
        sa.Column("sign_count", sa.Integer, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_index("ix_passkey_login_id", "passkey", ["login_id"])
    op.create_table(
        "key_request",
        sa.Column("login_id", sa.String, primary_key=True),
        sa.Column("request", sa.String, nullable=False),
        sa.Column("made_at", sa.String, nullable=False),
    )
