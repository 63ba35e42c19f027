"""`ledger-node db`: the node's databases. The read model can be made anew at any time, the state database cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.errors import VerificationError

if TYPE_CHECKING:
    from ledger_node.node import Node


@click.group()
def command() -> None:
    """The node's databases: upgrade, rebuild, check."""


@command.command()
@json_option
@node_option
def upgrade(directory: Path, as_json: bool) -> None:
    """Make missing tables; a read model of another version is emptied, the node fills it again by itself.

    The node must be stopped.

    \b
    Examples:
      ledger-node db upgrade --node nodes/supplier
    """
    from ledger_node.config import load_settings
    from ledger_node.database import Database, ReadModelSchema, ReadModelTable, SchemaVersionError
    from ledger_node.node import open_node
    from ledger_node.readmodel import SCHEMA_VERSION

    settings = load_settings(directory)
    with _alone(settings.directory):
        database, emptied = Database(settings.database_url(settings.readmodel_database)), False
        try:
            database.migrate(ReadModelTable.metadata, ReadModelSchema, SCHEMA_VERSION)
        except SchemaVersionError:
            database.drop(ReadModelTable.metadata)
            emptied = True
        finally:
            database.close()
        open_node(settings).close()
    text = "the read model was emptied and will be filled again" if emptied else "the databases are up to date"
    emit({"schema_version": SCHEMA_VERSION, "read_model_emptied": emptied}, as_json, text)


@command.command()
@json_option
@node_option
def rebuild(directory: Path, as_json: bool) -> None:
    """Forget the read model and fold all blocks again from block 0. The node must be stopped.

    \b
    Examples:
      ledger-node db rebuild --node nodes/supplier
    """
    from ledger_node.background import projector_of
    from ledger_node.config import load_settings

    settings = load_settings(directory)
    with _alone(settings.directory), _opened(directory) as node:
        blocks = projector_of(node).rebuild()
    emit({"blocks": blocks}, as_json, f"folded {blocks} blocks")


@command.command()
@json_option
@node_option
def check(directory: Path, as_json: bool) -> None:
    """Compare read model with ledger, both books with zero, and own documents with their digests.

    Changes nothing; the node may run. Ends with 6 when something is false.

    \b
    Examples:
      ledger-node db check --node nodes/supplier --json
    """
    from ledger_node.check import check_node

    with _opened(directory) as node:
        report = check_node(node)
    if not report.well:
        parts = dataclasses.asdict(report).items()
        faults = {name: value for name, value in parts if isinstance(value, list) and value}
        remedy = "Tables: ledger-node db rebuild. Documents: restore the vault. Books: stop, and ask the other parties."
        raise VerificationError(f"the check found what is false: {faults}", remedy)
    text = f"{report.blocks} blocks and {report.documents} documents agree with the databases; both books sum to zero"
    emit(dataclasses.asdict(report), as_json, text)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    from ledger_node.workers.running import WorkersLock

    lock = WorkersLock(directory)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _opened(directory: Path) -> Iterator[Node]:
    from ledger_node.config import load_settings
    from ledger_node.node import open_node

    node = open_node(load_settings(directory))
    try:
        yield node
    finally:
        node.close()
