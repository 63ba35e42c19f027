"""`ledger-node logout`: forget a node's address and token."""

from __future__ import annotations

import click

from ledger_node.cli import profiles
from ledger_node.cli.common import emit, json_option


@click.command()
@json_option
@click.option("--profile", default=profiles.DEFAULT, show_default=True, help="Which one.")
def command(profile: str, as_json: bool) -> None:
    """Forget what `ledger-node login` kept; the token itself stays good until it is revoked.

    \b
    Examples:
      ledger-node logout
    """
    profiles.remove(profile)
    emit({"profile": profile}, as_json, f"forgot {profile}")
