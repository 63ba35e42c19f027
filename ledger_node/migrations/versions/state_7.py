"""Version 7: names of what is on the ledger, names and last use of tokens, and what reasons are about."""

import json
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add tables and columns, and fill them with what is known from before."""
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
    link_reasons(connection)
    name_files(connection)


def link_reasons(connection: sa.Connection) -> None:
    """Reasons of before are about the invoice that the body of their command names."""
    reasoned = "SELECT idempotency_key, body FROM outbox WHERE body LIKE '%reason_commitment%'"
    link = sa.text("UPDATE reason SET about = :about, idempotency_key = :key WHERE commitment = :commitment")
    for key, text in connection.execute(sa.text(reasoned)).all():
        body = json.loads(text)
        if key and body.get("invoice_id") and body.get("reason_commitment"):
            about = f"invoice/{body['invoice_id']}"
            connection.execute(link, {"about": about, "key": key, "commitment": body["reason_commitment"]})


def name_files(connection: sa.Connection) -> None:
    """Own files are called as before."""
    add = sa.text("INSERT INTO name (key, field, value, folded) VALUES (:key, 'file', :value, :folded)")
    for document_id, filename in connection.execute(sa.text("SELECT document_id, filename FROM own_document")).all():
        value = "".join(each for each in filename if each.isprintable()).strip()
        if value:
            folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
            connection.execute(add, {"key": document_id, "value": value, "folded": folded})
