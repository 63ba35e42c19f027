"""The state database's schema: one numbered step per change, run in place when a node opens its database.

The state database is precious, so it is never made anew: every version that was ever released is brought up to this
program's, all steps in one transaction together with the version number, so that a kill leaves the old version or the
new one. Two processes that open it at once take turns. A version that this program does not know is refused. The
read model has no steps: it is emptied and folded again. This room reads no row of anybody.
Source: Alembic; SQLite's and PostgreSQL's transactional DDL.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, update
from sqlmodel import select

from ledger_node.database import Database, SchemaVersionError, StateSchema, table_of

if TYPE_CHECKING:
    from alembic.config import Config

STATE_VERSION = 20
"""The number of the last file in `versions`."""
STEPS = Path(__file__).parent
ADVISORY_LOCK = 0x1ED6E4  # any number that no other program of the server uses


def migrate_state(database: Database) -> None:
    """Bring the state database to this program's version; a fresh one is made.

    Args:
        database: the state database.

    Raises: SchemaVersionError when a newer program wrote it; ConfigError when it cannot be opened.
    """
    with database.opening():
        with database.read() as session:
            version = database.version(session, StateSchema)
        if version is None or 1 <= version < STATE_VERSION:
            version = _upgrade(database)
    if version != STATE_VERSION:
        raise SchemaVersionError(
            f"the database {database.place} has schema version {version}, this program knows 1 to {STATE_VERSION}",
            "Run the version of the program that wrote it, or restore a backup of this version.",
        )


def configuration(connection: Connection) -> Config:
    """Alembic's configuration, which runs the steps on this connection and in its transaction."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _upgrade(database: Database) -> int:
    """Run the steps that are missing, and give the version that is there now."""
    from alembic import command  # a tenth of a second that only an upgrade needs

    with database.write() as session:
        connection = session.connection()
        if database.dialect == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        version = database.version(session, StateSchema)  # another process may have been here meanwhile
        if version is not None and version >= STATE_VERSION:
            return version
        config = configuration(connection)
        if version == 1:
            command.stamp(config, "1")  # version 1 was made without Alembic
        command.upgrade(config, "head")
        connection.execute(update(table_of(StateSchema)).values(version=STATE_VERSION))
        return session.exec(select(StateSchema.version)).one()
