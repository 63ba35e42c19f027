"""`ledger-node crypto`: which keys and algorithms this node uses; read on the node's machine."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, node_option, table

COLUMNS = ("name", "kind", "algorithm", "ends", "quantum", "use", "fault")


@click.group()
def command() -> None:
    """Keys and algorithms of this node."""


@command.command()
@json_option
@node_option
def inventory(directory: Path, as_json: bool) -> None:
    """List every key of the node: algorithm, end, use, and whether it falls to a large quantum computer.

    Private keys are looked for and not read. Certificates of the network's components are listed by `ledger-node
    network status --certificates`. Signatures of Fabric itself are ECDSA; only evidence is signed by ML-DSA-65 besides.

    \b
    Examples:
      ledger-node crypto inventory --node nodes/supplier
      ledger-node crypto inventory --json
    """
    from ledger_node.config import load_settings
    from ledger_node.keyring import METHODS, keys

    found = [dataclasses.asdict(key) for key in keys(load_settings(directory), dt.datetime.now(dt.UTC))]
    methods = [{"algorithm": name, "use": use, "quantum": quantum} for name, use, quantum in METHODS]
    text = f"{table(found, COLUMNS)}\n\n{table(methods, ('algorithm', 'quantum', 'use'))}"
    emit({"keys": found, "methods": methods}, as_json, text)
