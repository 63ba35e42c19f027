"""`ledger-node verify`, and `python -m ledger_node.verify`: the checks of this room at the prompt."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ledger_node.verify.checking import verify

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE]...")
@click.option("--bundle", required=True, type=FILE, help="The evidence, as a certificate command wrote it.")
@click.option("--trust", required=True, type=FILE, help="Whom to believe; got by another way than the bundle.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document for scripts.")
def command(files: tuple[Path, ...], bundle: Path, trust: Path, as_json: bool) -> None:
    """Check an evidence bundle, and that FILEs are the documents it speaks of: off line, without any node.

    Exit code 0 only when every step is VALID; 6 when any is INVALID; 4 when any is ERROR or SKIPPED. A trust file comes
    from a member of the channel that you trust: ledger-node channel trust.

    \b
    Examples:
      ledger-node verify invoice.xml --bundle invoice.bundle.json --trust trust.json
      python -m ledger_node.verify invoice.xml --bundle invoice.bundle.json --trust trust.json --json
    """
    report = verify(files, bundle, trust)
    result = {"ok": report.exit_code == 0, "result": report.as_json()}
    click.echo(json.dumps(result, indent=2) if as_json else report.as_text())
    sys.exit(report.exit_code)
