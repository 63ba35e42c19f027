"""`ledger-node login`: keep a node's address and a token, so that no command needs them again."""

from __future__ import annotations

import sys

import click

from ledger_node.cli import profiles
from ledger_node.cli.common import emit, json_option
from ledger_node.cli.profiles import Profile
from ledger_node.client import Client


@click.command()
@json_option
@click.option("--url", required=True, envvar="LEDGER_NODE_URL", show_envvar=True, help="The node, http://HOST:PORT.")
@click.option("--profile", default=profiles.DEFAULT, show_default=True, help="What to call it.")
def command(url: str, profile: str, as_json: bool) -> None:
    """Keep a node's address and a token for the commands to come; the token is asked for, or read from standard input.

    The node is asked whether it knows the token. A token that is kept is sent to this address and to no other.

    \b
    Examples:
      ledger-node login --url http://127.0.0.1:8001
      ledger-node token create --node nodes/supplier --role uploader | ledger-node login --url http://127.0.0.1:8001
      ledger-node login --url http://127.0.0.1:8001 --profile approvals
    """
    token = click.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    with Client(url, token) as client:
        found = client.get("/v1/tokens/current")
    profiles.save(profile, Profile(url, token))
    text = f"{found['msp_id']} as {found['principal']} with the role {found['role']}, until {found['expires_at']}"
    emit({"profile": profile, "url": url, **found}, as_json, text)
