"""`ledger-node invoice match`: what an invoice bills against what left and came, as a table."""

from __future__ import annotations

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import identify, reads
from ledger_node.client import JSON, Client

COLUMNS = ("lines", "item", "unit", "billed", "despatched", "delivered", "state", "short")


@click.command()
@json_option
@reads
@click.argument("invoice_id")
def match(invoice_id: str, client: Client, as_json: bool) -> None:
    """Show what an invoice bills, line by line, against the goods that left and came: the three-way match.

    Despatch advices and transport events among its proofs tell of goods; the least that anybody tells is what came.
    What the verifiers of buyer and financier have attested of it, which counts for early payment, stands below.

    \b
    Examples:
      ledger-node invoice match INV-2026-17
      ledger-node invoice match 5f0c8b2e --json
    """
    found = client.get(f"/v1/invoices/{identify(client, 'invoice_id', invoice_id)}/match")
    emit(found, as_json, _as_text(found))


def _as_text(found: JSON) -> str:
    rows = [row | {"lines": ", ".join(row["lines"]), "short": _percent(row["short_bps"])} for row in found["rows"]]
    parts = [f"match: {found['verdict']}"]
    if found["off_days"]:
        parts.append(f"delivered {found['off_days']} days off the day that is billed")
    parts += [table(rows, COLUMNS)] if rows else []
    parts += [f"note: {note}" for note in found["notes"]]
    parts += [f"attested by {said['party']}: {_attested(said['match'])}" for said in found["attested"]]
    return "\n".join(parts)


def _attested(said: JSON) -> str:
    lines = f", line {', '.join(said['lines'])}" if said["lines"] else ""
    short = f", {_percent(said['short_bps'])} short" if said["short_bps"] else ""
    unclear = ", others unclear" if said["unclear"] and said["verdict"] != "unclear" else ""
    return f"{said['verdict']}{short}{lines}{unclear}"


def _percent(basis_points: int) -> str:
    return f"{basis_points / 100:.2f} %" if basis_points else ""
