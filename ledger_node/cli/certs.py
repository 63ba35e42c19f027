"""`ledger-node certs`: when each certificate and revocation list ends, for people and for monitoring."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.network_options import network_option, translated

if TYPE_CHECKING:
    from network.topology import Topology

EXIT_CODE_ENDING = 1
COLUMNS = ("name", "days_left", "ends", "file")


@click.group()
def command() -> None:
    """Certificates and revocation lists of the own organisations, and the others' TLS roots."""


@command.command(name="list")
@click.option(
    "--days", type=click.IntRange(min=0), default=30, show_default=True, help="Exit code 1 when one ends within these."
)
@json_option
@translated
@network_option
def list_(topology: Topology, days: int, as_json: bool) -> None:
    """List every certificate and revocation list with the days it has left, the first to end on top.

    It reads files alone, so it works whatever runs. Exit code 1 when one has ended or ends within --days; what
    renews it is told then.

    \b
    Examples:
      ledger-node certs list
      ledger-node certs list --days 60 --json
    """
    from network import certificates

    now = dt.datetime.now(dt.UTC)
    found = sorted(certificates.dated(topology), key=lambda each: each.ends)
    ending = [each for each in found if each.days_left(now) < days]
    rows = [
        {
            "name": each.name,
            "days_left": each.days_left(now),
            "ends": each.ends.isoformat().replace("+00:00", "Z"),
            "file": str(each.path),
        }
        for each in found
    ]
    remedies = dict.fromkeys(f"- {each.name}: {certificates.renewal(each)}" for each in ending)
    result = {"certificates": rows, "ending": [each.name for each in ending], "days": days}
    emit(result, as_json, "\n".join([table(rows, COLUMNS), *remedies]))
    if ending:
        sys.exit(EXIT_CODE_ENDING)
