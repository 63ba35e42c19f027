"""`ledger-node report`: a command for each row of `operations.reports`, at any past block or day."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.files import write_file
from ledger_node.cli.prompts import parameter, prompts
from ledger_node.cli.rest import reads
from ledger_node.client import JSON, Client, segment
from ledger_node.errors import BadRequest

FIGURES = click.option(
    "--figures",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The buyer's own figures (CSV or JSON), put below the ledger's.",
)


@click.group()
def command() -> None:
    """Reports: statement, exposure, totals, ageing, maturities, early-payments, journal, disclosure, duplicates."""


def _command(report: JSON, word: str) -> click.Command:
    @json_option
    @reads
    @click.option("--block", type=click.IntRange(0), metavar="NUMBER", help="As it was at this block; now otherwise.")
    @click.option("--as-of", default="", metavar="YYYY-MM-DD", help="As it was at the end of this day of the ledger.")
    @click.option(
        "--format",
        "form",
        type=click.Choice(["table", "csv", "json"]),
        default="table",
        show_default=True,
        help="For people, for a spreadsheet, or for scripts.",
    )
    def run(
        client: Client, block: int | None, form: str, as_json: bool, figures: Path | None = None, **query: str
    ) -> None:
        from ledger_node.reports import as_csv, read_figures  # loads the contract

        own = [] if figures is None else read_figures(_text(figures))
        answer = client.get(report["address"], query | ({} if block is None else {"block": block}))
        answer["items"] += own
        if form == "csv" and not as_json:
            click.echo(as_csv(answer["columns"], answer["items"]), nl=False)
            return
        title = f"{answer['report']} at block {answer['block_number']}, day {answer['day']}"
        emit(answer, as_json or form == "json", f"{title}\n\n{table(answer['items'], answer['columns'])}")

    run.__doc__ = report["text"]
    made: click.Command = click.command(name=word)(run)
    for described in report["parameters"]:
        parameter(described)(made)
    return made


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} is not UTF-8", "Save it as UTF-8.") from error


@command.command("month-end")
@json_option
@reads
@click.argument("month", metavar="YYYY-MM")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The ZIP file to write.")
def month_end(client: Client, as_json: bool, month: str, out: Path) -> None:
    """A month end in one archive: all reports as CSV, the own accounts as camt.053, and a manifest.

    \b
    Examples:
      ledger-node report month-end 2026-11 --out november.zip
    """
    content = client.fetch(f"/v1/month-ends/{segment(month)}")
    write_file(out, content, overwrite=True)
    emit({"file": str(out), "sha256": hashlib.sha256(content).hexdigest()}, as_json, f"{out}: {len(content)} bytes")


for row in prompts()["reports"]:
    command.add_command(_command(row, row["prompt"].removeprefix("report ")))
FIGURES(command.commands["disclosure"])
