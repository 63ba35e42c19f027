"""`ledger-node token`: API tokens of a node, made on the node's own machine, since they are where trust begins."""

from __future__ import annotations

import dataclasses
import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger_node.cli.common import emit, json_option, node_option, table
from ledger_node.errors import NotFound
from ledger_node.people.roles import DAYS_DEFAULT, Role

if TYPE_CHECKING:
    from ledger_node.node import Node


@click.group()
def command() -> None:
    """API tokens: create, renew, list, revoke."""


@command.command()
@json_option
@node_option
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option("--days", type=int, default=DAYS_DEFAULT, show_default=True, help="How long it is good for.")
@click.option("--principal", default="", help="Who acts with it; the role's name when left out.")
@click.option("--name", default="", help="What you call it, such as where it is used.")
def create(directory: Path, role: str, days: int, principal: str, name: str, as_json: bool) -> None:
    """Make a token; it is shown once and stored as its digest only.

    Idempotency keys belong to the principal: a write sent again under its key is the same write, whichever of the
    principal's tokens it is sent with. Give each person and program that writes a principal of its own.

    \b
    Examples:
      ledger-node token create --node nodes/supplier --role uploader
      ledger-node token create --node nodes/supplier --role uploader --principal erp --name "ERP of plant 2"
      export LEDGER_NODE_TOKEN=$(ledger-node token create --node nodes/buyer --role approver)
    """
    with opened(directory) as node:
        secret, token = node.tokens.create(role, days, principal, name)
        node.audit.append(act="token create", **by_account(), made=token.id, role=role, principal=token.principal)
    emit({"token": secret, **dataclasses.asdict(token)}, as_json, secret)


@command.command()
@json_option
@node_option
@click.option("--days", type=int, default=DAYS_DEFAULT, show_default=True, help="How long the new one is good for.")
@click.argument("token_id")
def renew(directory: Path, token_id: str, days: int, as_json: bool) -> None:
    """Make a token with the role and the principal of another, which stays good until it expires or is revoked.

    \b
    Examples:
      ledger-node token renew --node nodes/supplier 0123456789abcdef
    """
    with opened(directory) as node:
        secret, token = node.tokens.renew(token_id, days)
        node.audit.append(act="token renew", **by_account(), renewed=token_id, made=token.id, principal=token.principal)
    emit({"token": secret, **dataclasses.asdict(token)}, as_json, secret)


@command.command(name="list")
@json_option
@node_option
def list_tokens(directory: Path, as_json: bool) -> None:
    """List the tokens with their last use (to ten minutes), expired ones too; never the secrets.

    \b
    Examples:
      ledger-node token list --node nodes/supplier
    """
    with opened(directory) as node:
        rows = [dataclasses.asdict(token) for token in node.tokens.list()]
    emit(rows, as_json, table(rows, ("id", "name", "role", "principal", "created_at", "expires_at", "last_used_at")))


@command.command()
@json_option
@node_option
@click.argument("token_id")
def revoke(directory: Path, token_id: str, as_json: bool) -> None:
    """Revoke a token by its id, at once.

    \b
    Examples:
      ledger-node token revoke --node nodes/supplier 0123456789abcdef
    """
    with opened(directory) as node:
        if not node.tokens.revoke(token_id):
            raise NotFound(f"there is no token {token_id}", "List them: ledger-node token list")
        node.audit.append(act="token revoke", **by_account(), revoked=token_id)
    emit({"revoked": token_id}, as_json, f"revoked {token_id}")


@contextmanager
def opened(directory: Path) -> Iterator[Node]:
    """The node in that folder of this machine."""
    from ledger_node.config import load_settings
    from ledger_node.node import open_node

    node = open_node(load_settings(directory))
    try:
        yield node
    finally:
        node.close()


def by_account() -> dict[str, str]:
    """The account of this machine that ran the command: at the prompt nobody has a token."""
    try:
        return {"account": getpass.getuser()}
    except OSError:  # a container that knows no name for its user
        return {"account": str(os.getuid())}
