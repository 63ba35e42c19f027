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

    Private keys are looked for and not read, but for agreement keys, which are shown by their public halves.
    Certificates of the network's components are listed by `ledger-node network status --certificates`. Signatures of
    Fabric itself are ECDSA; only evidence is signed by ML-DSA-65 besides.

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


@command.command(name="make-agreement-key")
@json_option
@node_option
def make_agreement_key(directory: Path, as_json: bool) -> None:
    """Make another private key by which this organisation agrees on secrets with others, and show its public half.

    It is used once it is named on the ledger, from the day after the next: ledger-node party change-agreement-key.
    The keys before stay in the file, and are needed for what was issued under them: back the file up, now.

    \b
    Examples:
      ledger-node crypto make-agreement-key --node nodes/supplier
    """
    from ledger_node.agreement import make_key
    from ledger_node.config import load_settings

    settings = load_settings(directory)
    path = settings.at(settings.agreement_key_file)
    made = make_key(path)
    text = f"{made}\nNext: back up {path}, then: ledger-node party change-agreement-key --to {made}"
    emit({"agreement_key": made, "path": str(path)}, as_json, text)
