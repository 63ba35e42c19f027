"""The node's two databases, on SQLite or PostgreSQL: opening them, their schema version, reading and writing.

The *state* database (outbox, own documents, tokens) is precious and backed up; the *read model* can be deleted and
folded again from block 0. Each has its own tables and its own version number: the state database is brought up to
date in place (`migrations`), a read model of another version is refused, and none is ever guessed at. On SQLite a
write begins with BEGIN IMMEDIATE, so two processes never deadlock upgrading a read lock. This room knows no table of
anybody. Source: SQLite's WAL documentation, SQLAlchemy's pysqlite notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    Insert,
    Integer,
    MetaData,
    String,
    Table,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, Session, SQLModel, create_engine

from ledger_node.errors import ConfigError

BUSY_TIMEOUT_MS = 10_000
ROWS_A_STATEMENT_MAX = 500


class KeyText(TypeDecorator[str]):
    """Text that is compared byte by byte on both databases, as the ledger compares its keys."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """PostgreSQL would otherwise use the language of the server."""
        return String(collation="C") if dialect.name == "postgresql" else String()


class Serial(TypeDecorator[int]):
    """The type of a primary key that the database counts up."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[int]:
        """SQLite counts only plain integers up."""
        return Integer() if dialect.name == "sqlite" else BigInteger()


class StateTable(SQLModel, registry=registry()):
    """Base of the tables in the state database."""


class ReadModelTable(SQLModel, registry=registry()):
    """Base of the tables in the read-model database."""


class StateSchema(StateTable, table=True):
    """One row: the version of the state database's tables."""

    __tablename__ = "state_schema"
    version: int = Field(primary_key=True)


class ReadModelSchema(ReadModelTable, table=True):
    """One row: the version of the read model's tables."""

    __tablename__ = "readmodel_schema"
    version: int = Field(primary_key=True)


class Database:
    """A database with its tables in place; may be used from any thread.

    Args:
        url: an SQLAlchemy URL, absolute when it names a file.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._writer = self._engine.execution_options(ledger_node_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One snapshot to read from."""
        with Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def changes(self) -> Iterator[Callable[[], bool]]:
        """A question to ask often: has anybody committed since it was last asked? The first answer is yes.

        On SQLite it costs a hundredth of the cheapest look at a table, and misses no commit of any process. PostgreSQL
        has nothing like it: there the answer is always yes. To be asked by one thread. Source: SQLite's PRAGMA
        data_version, which counts what other connections commit; this one never writes.
        """
        if not self.tells_changes:
            yield lambda: True
            return
        with self._engine.connect() as pooled:
            pooled.detach()  # it is kept for long, and the pool has few
            connection = pooled.connection.dbapi_connection
            assert connection is not None
            version: list[object] = [None]

            def changed() -> bool:
                before = version[0]
                (version[0],) = connection.execute("PRAGMA data_version").fetchone()
                return version[0] != before

            yield changed

    def close(self) -> None:
        """Close the connections; closing twice is fine."""
        self._engine.dispose()

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Around the first use of the database: says what is wrong with it, and keeps no connection.

        Raises: ConfigError when the database cannot be opened.
        """
        try:
            yield
        except SQLAlchemyError as error:
            raise ConfigError(
                f"the database {self.place} cannot be opened: {_cause(error)}",
                "Look at its URL in node.toml, at its server or its file, and start again.",
            ) from error
        finally:
            self._engine.dispose()  # the process may fork

    def migrate(self, metadata: MetaData, schema: type[ReadModelSchema], version: int) -> None:
        """Make missing tables and refuse a database whose tables have another version.

        Args:
            metadata: the tables wanted.
            schema: where the version stands.
            version: the version that this program reads and writes.

        Raises: SchemaVersionError; ConfigError when the database cannot be opened.
        """
        with self.opening(), self.write() as session:
            stored = self.version(session, schema)
            if stored is None:
                metadata.create_all(session.connection())
                session.add(schema(version=version))
        if stored not in (None, version):
            text = f"the database {self.place} has schema version {stored}, this program has {version}"
            raise SchemaVersionError(text, "Run: ledger-node db upgrade")

    def empty(self, metadata: MetaData, schema: type[ReadModelSchema]) -> None:
        """Remove all rows of `metadata`, but for the version; readers see all of them, or none."""
        with self.write() as session:
            for table in reversed(metadata.sorted_tables):
                if table is not table_of(schema):
                    session.connection().execute(table.delete())

    def drop(self, metadata: MetaData) -> None:
        """Remove all tables of `metadata`; only for what can be made again."""
        with self.write() as session:
            metadata.drop_all(session.connection())

    @property
    def dialect(self) -> str:
        """Which database it is: "sqlite" or "postgresql"."""
        return self._engine.dialect.name

    @property
    def tells_changes(self) -> bool:
        """Whether `changes` can tell; where it cannot, its answer is always yes, and each look costs statements."""
        return self.dialect == "sqlite"

    @property
    def place(self) -> str:
        """The URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def version(self, session: Session, schema: type[StateSchema] | type[ReadModelSchema]) -> int | None:
        """The version of the tables that are there; None when there are none."""
        if not inspect(session.connection()).has_table(str(schema.__tablename__)):
            return None
        version: int | None = session.connection().execute(select(table_of(schema).c.version)).scalar()
        return version


class SchemaVersionError(ConfigError):
    """A database was written by another version of the program."""


def upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: bool = False) -> None:
    """Insert rows, or replace those with the same primary key; or with `keep` leave those as they are.

    Args:
        connection: of a write transaction.
        table: where to.
        rows: all with the same columns, no two with one primary key.
    """
    write_rows(connection, replacing(connection.dialect.name, table, keep=keep), rows)


def write_rows(connection: Connection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    """Run an insert for many rows, past what SQLAlchemy does for each of them; the types here need nothing of it.

    Args:
        connection: of a write transaction.
        statement: an insert without values.
        rows: with all columns of its table.
    """
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect, column_keys=list(rows[0]))
    names = compiled.positiontup  # None where the driver takes names
    arguments: Sequence[Any] = rows if names is None else [tuple([row[name] for name in names]) for row in rows]
    for start in range(0, len(arguments), ROWS_A_STATEMENT_MAX):
        connection.exec_driver_sql(str(compiled), arguments[start : start + ROWS_A_STATEMENT_MAX])


def replacing(dialect: str, table: Table, *, keep: bool = False) -> postgresql.Insert | sqlite.Insert:
    """The statement that inserts a row, or replaces (or keeps) the one with the same primary key.

    Args:
        dialect: of `Database.dialect`.
        table: where to.
    """
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in keys]
    statement = inserting(dialect, table)
    if keep or not others:
        return statement.on_conflict_do_nothing()
    return statement.on_conflict_do_update(
        index_elements=keys, set_={name: statement.excluded[name] for name in others}
    )


def inserting(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that can be told what to do on conflict."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert one row unless one of its unique values is taken.

    Returns: whether it was inserted.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).values(row).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    table = inspect(model).local_table
    assert isinstance(table, Table)
    return table


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})
    file = Path(str(make_url(url).database))
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        with suppress(OSError):  # whoever opens it says what is wrong
            file.touch(0o600)  # only its owner reads it; SQLite gives the files beside it the same mode

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("ledger_node_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _cause(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
