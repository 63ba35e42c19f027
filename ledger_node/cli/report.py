"""`ledger-node report`: statements, exposure, ageing, journals and disclosure, at any past block."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import reads
from ledger_node.client import JSON, Client
from ledger_node.errors import BadRequest
from ledger_node.reports import as_csv, read_figures

F = TypeVar("F", bound=Callable[..., JSON])


@click.group()
def command() -> None:
    """Reports: statement, exposure, ageing, early-payments, journal, disclosure, duplicates."""


def report(function: F) -> F:
    """Make a command that prints what the function asks the node for; it gets `ask(name, **query)`."""

    @command.command(name=function.__name__.replace("_", "-"))
    @json_option
    @reads
    @click.option("--block", type=click.IntRange(0), metavar="NUMBER", help="As it was at this block; now otherwise.")
    @click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="For people, for a spreadsheet, or for scripts.",
    )
    @functools.wraps(function)
    def wrapped(client: Client, block: int | None, form: str, as_json: bool, **options: Any) -> None:
        def ask(name: str, **query: str) -> JSON:
            found: JSON = client.get(f"/v1/reports/{name}", query | ({} if block is None else {"block": block}))
            return found

        found = function(ask, **options)
        if form == "csv" and not as_json:
            click.echo(as_csv(found["columns"], found["items"]), nl=False)
        else:
            emit(found, as_json or form == "json", _told(found))

    return wrapped  # type: ignore[return-value]


def _told(found: JSON) -> str:
    title = f"{found['report']} at block {found['block_number']}, day {found['day']}"
    return f"{title}\n\n{table(found['items'], found['columns'])}"


def period(function: F) -> F:
    """Add the ends of a period."""
    first = click.option("--from", "from_day", default="", metavar="YYYY-MM-DD", help="The first day of the period.")
    last = click.option("--to", "to_day", default="", metavar="YYYY-MM-DD", help="Its last day.")
    return first(last(function))


@report
@click.option("--party", required=True, metavar="MSP", help="Whose accounts.")
@click.option("--deposit", default="", metavar="CURRENCY@MSP", help="Only this deposit.")
@period
def statement(ask: Callable[..., JSON], **query: str) -> JSON:
    """Account statement: opening balance, movements with the balance after each, closing balance.

    \b
    Examples:
      ledger-node report statement --party SupplierMSP --format csv
    """
    return ask("statement", **query)


@report
@click.option("--financier", default="", metavar="MSP", help="Only this one's.")
def exposure(ask: Callable[..., JSON], **query: str) -> JSON:
    """Limit, used, left and overdue per facility, supplier and buyer.

    \b
    Examples:
      ledger-node report exposure --financier FinancierMSP --block 4711
    """
    return ask("exposure", **query)


@report
@click.option("--holder", default="", metavar="MSP", help="Only this one's.")
def ageing(ask: Callable[..., JSON], **query: str) -> JSON:
    """Open receivables by holder and days past due.

    \b
    Examples:
      ledger-node report ageing --holder FinancierMSP
    """
    return ask("ageing", **query)


@report
@period
def early_payments(ask: Callable[..., JSON], **query: str) -> JSON:
    """Early payments of a period: count, face, discount, fees, net and weighted yield.

    \b
    Examples:
      ledger-node report early-payments --from 2026-11-01 --to 2026-11-30
    """
    return ask("early-payments", **query)


@report
@click.option("--party", required=True, metavar="MSP", help="Whose books.")
def journal(ask: Callable[..., JSON], **query: str) -> JSON:
    """A party's derived journal: finance cost, and discounts earned over their tenor.

    \b
    Examples:
      ledger-node report journal --party FinancierMSP --format csv
    """
    return ask("journal", **query)


@report
@click.option("--buyer", required=True, metavar="MSP", help="Who discloses.")
@click.option("--from", "from_day", required=True, metavar="YYYY-MM-DD", help="The first day of its period.")
@click.option(
    "--figures",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The buyer's own figures (CSV or JSON), put below the ledger's.",
)
def disclosure(ask: Callable[..., JSON], figures: Path | None, **query: str) -> JSON:
    """What the ledger knows for a buyer's disclosure of supplier finance (IAS 7.44H).

    \b
    Examples:
      ledger-node report disclosure --buyer BuyerMSP --from 2026-01-01 --figures other-payables.csv
    """
    own = [] if figures is None else read_figures(_text(figures))
    found = ask("disclosure", **query)
    return found | {"items": [*found["items"], *own]}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8", "Save it as UTF-8.") from error


@report
def duplicates(ask: Callable[..., JSON]) -> JSON:
    """All claims on fingerprints that look alike, and their clearings.

    \b
    Examples:
      ledger-node report duplicates
    """
    return ask("duplicates")
