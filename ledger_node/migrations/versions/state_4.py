"""Version 4: idempotency keys belong to principals, and ids of records are made with a secret of the node.

A token of before acts for its role, as tokens without a principal of their own do from now on. A key that was used
before goes to that principal. Whose it was is not known where the token has been revoked, and two tokens of a role may
have used the same: such a key is kept as anybody's (`key_of_a_token`), so that nothing is done twice under it.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add the columns and the table, and hand each key over to its principal."""
    op.add_column("token", sa.Column("principal", sa.String, nullable=False, server_default=""))
    op.execute("UPDATE token SET principal = role")
    op.create_table(
        "secret",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.add_column("outbox", sa.Column("key_of_a_token", sa.String))
    op.create_index("ix_outbox_key_of_a_token", "outbox", ["key_of_a_token"])
    connection = op.get_bind()
    make = sa.text("INSERT INTO secret (name, value) VALUES ('record ids', :value)")
    connection.execute(make.bindparams(sa.bindparam("value", type_=sa.LargeBinary)), {"value": secrets.token_bytes(32)})
    hand_over(connection)


def hand_over(connection: sa.Connection) -> None:
    """Give the keys of before, `token id/key`, to their tokens' principals."""
    of_tokens = connection.execute(sa.text("SELECT id, principal FROM token")).all()
    principals = {token_id: principal for token_id, principal in of_tokens}
    keys = "SELECT number, idempotency_key FROM outbox WHERE idempotency_key IS NOT NULL ORDER BY number"
    kept = sa.text("UPDATE outbox SET key_of_a_token = :key WHERE number = :number")
    handed = sa.text("UPDATE outbox SET idempotency_key = :key WHERE number = :number")
    taken = set[str]()
    for number, of_a_token in connection.execute(sa.text(keys)).all():
        token_id, _, key = of_a_token.partition("/")
        of_a_principal = f"{principals.get(token_id, '')}/{key}"
        if token_id in principals and of_a_principal not in taken:
            taken.add(of_a_principal)
            connection.execute(handed, {"number": number, "key": of_a_principal})
        elif key:
            connection.execute(kept, {"number": number, "key": key})
