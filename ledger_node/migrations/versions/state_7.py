"""Version 7: names of what is on the ledger, those of own files from before; tokens have names and a last use."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add the table, with the names of own files."""
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
    connection = op.get_bind()
    add = sa.text("INSERT INTO name (key, field, value, folded) VALUES (:key, 'file', :value, :folded)")
    for document_id, filename in connection.execute(sa.text("SELECT document_id, filename FROM own_document")).all():
        value = "".join(each for each in filename if each.isprintable()).strip()
        if value:
            folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
            connection.execute(add, {"key": document_id, "value": value, "folded": folded})
