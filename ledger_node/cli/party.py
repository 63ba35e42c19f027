"""`ledger-node party`: who takes part, and the changes of the membership."""

from __future__ import annotations

import json
from typing import IO, Any

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.lists import add_lists
from ledger_node.cli.operations import add_operations, post
from ledger_node.cli.rest import Writer, writes
from ledger_node.errors import BadRequest


@click.group()
def command() -> None:
    """Parties: found, confirm, list, propose, suspend, reinstate, vote, activate, address, payout account."""


@command.command()
@json_option
@writes
@click.argument("file", type=click.File("rb"))
def propose(file: IO[bytes], writer: Writer, as_json: bool) -> None:
    """Ask for the admission of the party that a JSON file describes, as in a founding.

    \b
    Examples:
      ledger-node party propose party.json
    """
    post("party propose", writer, as_json, {}, {"party": _read_json(file)})


@command.command()
@json_option
@writes
@click.argument("file", type=click.File("rb"))
def found(file: IO[bytes], writer: Writer, as_json: bool) -> None:
    """Found the consortium: a JSON file lists its first parties, each as for `party propose`.

    The file is that list, or an object with `parties` and `privacy`: `sealed` keeps discount offers for supplier and
    buyer, and each party then has an `agreement_key`; else they are in clear for all.

    The answer names the digest, which each of the parties confirms: ledger-node party confirm DIGEST

    \b
    Examples:
      ledger-node party found parties.json
    """
    listed = _read_json(file)
    post("party found", writer, as_json, {}, listed if isinstance(listed, dict) else {"parties": listed})


@command.command(name="change-roles")
@json_option
@writes
@click.argument("msp_id")
@click.option("--role", "roles", required=True, multiple=True, help="Repeat.")
@click.option("--issue-limit", "limits", multiple=True, nargs=2, metavar="CURRENCY AMOUNT", help="Repeat.")
def change_roles(
    msp_id: str, roles: tuple[str, ...], limits: tuple[tuple[str, str], ...], writer: Writer, as_json: bool
) -> None:
    """Ask for other roles and issue limits of a party.

    \b
    Examples:
      ledger-node party change-roles BankMSP --role issuer --issue-limit EUR 1000000.00
    """
    body = {"msp_id": msp_id, "roles": list(roles), "issue_limits": dict(limits)}
    post("party change-roles", writer, as_json, {}, body)


@command.command(name="change-identities")
@json_option
@writes
@click.option("--identifier", "named", required=True, multiple=True, nargs=2, metavar="SCHEME ID", help="Repeat.")
def change_identities(named: tuple[tuple[str, str], ...], writer: Writer, as_json: bool) -> None:
    """Ask the others to take these for all further identifiers of the own organisation.

    SCHEME is VAT, LEI, GLN, DUNS, an ISO 6523 code, legal, or a tax scheme such as GST.

    \b
    Examples:
      ledger-node party change-identities --identifier LEI 529900T8BM49AURSDO55 --identifier GST M90001
    """
    body = {"identifiers": [{"scheme": scheme, "id": text} for scheme, text in named]}
    post("party change-identities", writer, as_json, {}, body)


def _read_json(file: IO[bytes]) -> Any:
    try:
        return json.load(file)
    except ValueError as error:
        from ledger_node.faults import not_json

        text = f"{file.name} is not JSON: {not_json(error)}"
        raise BadRequest(text, "Write it as the API's reference shows it.") from error


add_operations(command, "party")
add_lists(command, "party")
