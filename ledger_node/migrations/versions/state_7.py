"""Version 7: names of what is on the ledger, names and last use of tokens, and what reasons are about."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add tables and columns, and the names of files.

    Reasons of before stay what their writers were promised: known here alone, and told to nobody.
    """
    op.create_table(
        "name",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("field", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
        sa.Column("folded", sa.String, nullable=False),
    )
    op.create_index("ix_name_folded", "name", ["folded"])
    op.add_column("token", sa.Column("name", sa.String, nullable=False, server_default=""))
    op.add_column("token", sa.Column("last_used_at", sa.String, nullable=False, server_default=""))
    op.create_table(
        "heard_reason",
        sa.Column("commitment", sa.String, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("about", sa.String, nullable=False),
        sa.Column("party", sa.String, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("transaction_id", sa.String, nullable=False),
    )
    op.create_index("ix_heard_reason_about", "heard_reason", ["about"])
    op.add_column("reason", sa.Column("about", sa.String, nullable=False, server_default=""))
    op.add_column("reason", sa.Column("idempotency_key", sa.String, nullable=False, server_default=""))
    op.create_index("ix_reason_about", "reason", ["about"])
    connection = op.get_bind()
    name_files(connection)


def name_files(connection: sa.Connection) -> None:
    """Own files are called as before."""
    add = sa.text("INSERT INTO name (key, field, value, folded) VALUES (:key, 'file', :value, :folded)")
    for document_id, filename in connection.execute(sa.text("SELECT document_id, filename FROM own_document")).all():
        value = "".join(each for each in filename if each.isprintable()).strip()
        if value:
            folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
            connection.execute(add, {"key": document_id, "value": value, "folded": folded})
