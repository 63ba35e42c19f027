"""`ledger-node payment`: a deposit's issuer and the files of its bank."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import Writer, reads, writes
from ledger_node.client import JSON, Client, StillOpen, segment
from ledger_node.errors import BadRequest, NodeError

COLUMNS = ("state", "direction", "amount", "deposit", "booked_on", "reference", "party", "redemption_id", "why")
ACCOUNT_COLUMNS = ("party", "name", "iban", "country", "town", "bic", "street", "building", "postcode")
NEEDED_COLUMNS = frozenset(ACCOUNT_COLUMNS[:5])
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """A deposit's issuer and its bank: what statements mean, orders for redemptions."""


@command.command()
@json_option
@writes
@click.argument("file", type=FILE)
@click.option("--account", required=True, metavar="IBAN", help="The one account whose credits are deposit money.")
@click.option("--post", is_flag=True, help="Issue what is to be issued, confirm what is to be confirmed.")
def reconcile(file: Path, account: str, post: bool, writer: Writer, as_json: bool) -> None:
    """Compare a bank's file with the ledger: camt.053, camt.054, pain.002 or pacs.002, as the deposit's issuer.

    A credit counts once, by the bank's reference and booking date, and belongs to the party whose registered account
    it came from. What is not certain is `open`, with its reason, and left to a person; `--post` never touches it.
    It may be repeated: what was done before is shown as done.

    \b
    Examples:
      ledger-node payment reconcile camt054.xml --account DE75512108001245126199
      ledger-node payment reconcile camt054.xml --account DE75512108001245126199 --post
    """
    asked = writer.client.ask(
        "/v1/bank-files", params={"account": account}, content=file.read_bytes(), media_type="application/xml"
    )
    rows: list[JSON] = json.loads(asked)["items"]
    troubled = [trouble for row in rows if post and (trouble := _posted(writer, row))]
    emit(rows, as_json, table(rows, COLUMNS) if rows else "the file holds no booking")
    if troubled:
        raise troubled[0]


@command.command()
@json_option
@reads
@click.argument("redemption_id")
@click.option("--accounts", required=True, type=FILE, help=f"CSV file with the columns {', '.join(ACCOUNT_COLUMNS)}.")
@click.option("--payer", required=True, metavar="MSP", help="Whose row of that file pays.")
@click.option("--form", type=click.Choice(["pain.001", "pacs.008"]), default="pain.001", show_default=True)
@click.option("--execution-date", metavar="YYYY-MM-DD", help="When the bank is to pay; today when left out.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
def export(  # each option is one
    redemption_id: str,
    accounts: Path,
    payer: str,
    form: str,
    execution_date: str | None,
    out: Path,
    client: Client,
    as_json: bool,
) -> None:
    """Write the order for the bank that pays a redemption: pain.001.001.09, or pacs.008.001.08 for a bank.

    It pays to the account that the party had registered, and no other is taken. All ids in it are the redemption's own:
    exported again it is the same payment. The ledger learns of it when the bank has booked it: payment reconcile.

    \b
    Examples:
      ledger-node payment export 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c --accounts accounts.csv --payer FinancierMSP \\
        --out order.xml
    """
    path = f"/v1/redemptions/{segment(redemption_id)}"
    known = _accounts(accounts)
    sides = {"payer": payer, "payee": client.get(path)["party"]}
    for party in sides.values():
        if party not in known:
            raise BadRequest(f"{accounts} has no row for {party}", "Add its name, account, town and country.")
    day = execution_date or date.today().isoformat()  # noqa: DTZ011  the bank's day is the user's
    body: dict[str, Any] = {side: known[party] for side, party in sides.items()}
    message = client.ask(f"{path}/payment-order", body=body | {"form": form, "execution_date": day})
    out.write_bytes(message)
    emit(
        {"redemption_id": redemption_id, "file": str(out), "form": form}, as_json, f"{out}: {form}, to be paid on {day}"
    )


def _posted(writer: Writer, row: JSON) -> NodeError | None:
    """Do what a row says is to be done, and show in it what became of that; the same file again is the same write."""
    if row["state"] == "to_issue":
        path = "/v1/deposits"
        body = {"deposit": row["deposit"], "to": row["party"], "amount": row["amount"]}
        body["credit_reference"] = row["reference"]
    elif row["state"] == "to_confirm":
        path = f"/v1/redemptions/{row['redemption_id']}/confirmation"
        body = {"payment_reference": row["reference"] or row["end_to_end_id"]}
    else:
        return None
    body["booked_on"] = row["booked_on"]
    name = "\0".join((path, row["reference"], row["booked_on"], row["redemption_id"]))
    key = f"bank-{hashlib.sha256(name.encode()).hexdigest()[:40]}"
    try:
        try:
            writer.client.post(path, body, wait_seconds=writer.wait_seconds, idempotency_key=key)
        except StillOpen:
            raise
        except NodeError:
            # An earlier try was refused or withdrawn, perhaps for what is mended by now. A fresh one has no second
            # effect: the ledger itself counts a credit, and a redemption, once.
            writer.client.post(path, body, wait_seconds=writer.wait_seconds)
    except NodeError as error:
        row["why"] = error.text
        return error
    row["state"] = "issued" if row["state"] == "to_issue" else "confirmed"
    return None


def _accounts(path: Path) -> dict[str, JSON]:
    """The rows of a CSV file, UTF-8, by party.

    Raises: BadRequest naming the file and what is wrong with it.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream, restkey="", strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} is no CSV file in UTF-8: {error}", "Save it anew as CSV, UTF-8.") from error
    for number, row in enumerate(rows, start=2):
        if not NEEDED_COLUMNS <= row.keys() <= set(ACCOUNT_COLUMNS) or None in row.values():
            text = f"line {number} of {path} has not the columns {', '.join(ACCOUNT_COLUMNS)}"
            raise BadRequest(text, "The last four may be left out; the separator is a comma.")
    found = {row.pop("party").strip(): {name: text.strip() for name, text in row.items()} for row in rows}
    if len(found) != len(rows):
        raise BadRequest(f"{path} has two rows for one party", "Keep the one that is right.")
    return found
