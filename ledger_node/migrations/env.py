"""What Alembic runs to apply the steps: on the connection that it is given, in the transaction that is open there."""

from alembic import context

from ledger_node.database import StateTable

context.configure(connection=context.config.attributes["connection"], target_metadata=StateTable.metadata)
with context.begin_transaction():
    context.run_migrations()
