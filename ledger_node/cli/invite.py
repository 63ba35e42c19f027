"""`ledger-node invite`: the way in for the first admin, and for whoever lost password or second factor."""

from __future__ import annotations

from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, node_option
from ledger_node.cli.token import by_account, opened
from ledger_node.people.roles import ADMIN, Role

HOURS = 72


@click.command()
@json_option
@node_option
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([*(role.value for role in Role), ADMIN]),
    help="What the person may do; repeat. An admin invites the others on a page.",
)
@click.option("--full-name", default="", help="As it is shown to others.")
@click.option("--hours", type=int, default=HOURS, show_default=True, help="How long the link is good.")
@click.argument("name")
def command(directory: Path, roles: tuple[str, ...], full_name: str, hours: int, name: str, as_json: bool) -> None:
    """Print a one-time link with which a person chooses a password and a second factor, and is signed in.

    NAME is what the person signs in as. For somebody who is there already it is a way back in: the roles become those
    that are given, links from before end, and so do password and second factor once the link is used.

    \b
    Examples:
      ledger-node invite anna --node nodes/supplier --role admin --role uploader
      ledger-node invite ben --node nodes/buyer --role approver --full-name "Ben Okri"
    """
    with opened(directory) as node:
        node.audit.append(act="person invited", **by_account(), name=name, roles=",".join(sorted(roles)))
        link = f"{node.settings.web_url}/link/{node.logins.invite(name, full_name, roles, hours)}"
    emit({"name": name, "roles": sorted(roles), "link": link, "hours": hours}, as_json, link)
