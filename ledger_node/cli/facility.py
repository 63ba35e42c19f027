"""`ledger-node facility`: a financier's standing offers, and the suppliers it has accepted."""

from __future__ import annotations

import json
from typing import IO, Any

import click

from ledger_node.cli.common import emit, json_option, table
from ledger_node.cli.rest import Writer, emit_submission, reads, writes
from ledger_node.cli.steps import REASON, Option, Step, add_steps
from ledger_node.client import Client, segment
from ledger_node.errors import BadRequest

COLUMNS = ("facility_id", "financier", "buyer", "suppliers", "deposit", "limit", "used", "rate_bps", "mode", "status")
DAYS = click.IntRange(0, 3650)


@click.group()
def command() -> None:
    """Facilities and supplier acceptances: open, list, accept-supplier, change, suspend, close, hold, limit."""


REASONED = [REASON]
ONE = ("facility_id",)
STEPS = (
    Step("suspend", "/v1/facilities/{facility_id}/suspension", "Fund nothing more, at once.", REASONED, ONE),
    Step("resume", "/v1/facilities/{facility_id}/resumption", "End a suspension.", [], ONE),
    Step("close", "/v1/facilities/{facility_id}/closure", "Fund nothing more, for good.", [], ONE),
    Step(
        "hold",
        "/v1/holds",
        "Fund nothing that a party has a part in, at once.",
        [Option("msp_id", "The party.", flag="--party"), REASON],
    ),
    Step("lift", "/v1/holds/{msp_id}/lifting", "End a hold.", [], ("msp_id",)),
    Step(
        "limit",
        "/v1/buyer-limits",
        "Bound the open face on a buyer over all own facilities.",
        [
            Option("buyer", "On whom."),
            Option("currency", "Such as EUR."),
            Option("limit", "Such as 1000000.00."),
            Option("facility_ids", "Id of a facility; repeat.", many=True, flag="--facility"),
        ],
    ),
)
add_steps(command, "facility", STEPS)


@command.command()
@json_option
@writes
@click.argument("facility_id")
@click.option(
    "--terms", required=True, type=click.File("rb"), help="JSON file with all terms, as the API's reference lists them."
)
def change(facility_id: str, terms: IO[bytes], writer: Writer, as_json: bool) -> None:
    """Give a facility other terms, whole, from the next day on, as its financier.

    \b
    Examples:
      ledger-node facility change c0ffee00c0ffee00c0ffee00c0ffee00 --terms terms.json
    """
    try:
        body = json.load(terms)
    except ValueError as error:
        raise BadRequest(f"{terms.name} is not JSON: {error}", "Write one JSON object.") from error
    emit_submission(writer.post(f"/v1/facilities/{segment(facility_id)}/terms", body), as_json)


@command.command(name="open")
@json_option
@writes
@click.option("--buyer", required=True, metavar="MSP", help="On whose invoices.")
@click.option("--supplier", "suppliers", required=True, multiple=True, metavar="MSP", help="For whom; repeat.")
@click.option("--deposit", required=True, metavar="CURRENCY@MSP", help="The deposit money to pay with.")
@click.option("--limit", required=True, help="For the whole facility, such as 1000000.00.")
@click.option("--supplier-limit", required=True, help="For each supplier.")
@click.option("--rate-bps", required=True, type=click.IntRange(0, 10_000), help="Yearly rate in basis points.")
@click.option(
    "--day-count", type=click.Choice(["ACT/360", "ACT/365F"]), default="ACT/360", show_default=True, help="Basis."
)
@click.option("--fee", default="0", show_default=True, help="Fixed fee for each invoice.")
@click.option("--tenor-days-min", type=DAYS, default=1, show_default=True, help="Shortest time to maturity.")
@click.option("--tenor-days-max", type=DAYS, default=180, show_default=True, help="Longest time to maturity.")
@click.option("--grace-days", type=click.IntRange(0, 365), default=0, show_default=True, help="Added to the due date.")
@click.option("--holiday", "holidays", multiple=True, metavar="YYYY-MM-DD", help="No business day; repeat.")
@click.option(
    "--mode", type=click.Choice(["automatic", "manual"]), default="automatic", show_default=True, help="Who decides."
)
@click.option(
    "--recourse", type=click.Choice(["none", "dilution", "full"]), default="none", show_default=True, help="To whom."
)
@click.option("--attestations-min", type=click.IntRange(2, 50), default=2, show_default=True, help="For each document.")
@click.option(
    "--both-delivery", default="0", show_default=True, help="Above this, carrier and buyer must report delivery."
)
@click.option(
    "--overdue-days-max", type=DAYS, default=30, show_default=True, help="How late the buyer may be elsewhere."
)
@click.option("--ack-days", type=DAYS, default=10, show_default=True, help="Time to acknowledge an assignment.")
@click.option("--insured-until", default="", metavar="YYYY-MM-DD", help="Last day of the insurance, if there is one.")
def open_facility(writer: Writer, as_json: bool, **terms: Any) -> None:
    """Open a facility, as a financier.

    \b
    Examples:
      ledger-node facility open --buyer BuyerMSP --supplier SupplierMSP --deposit EUR@FinancierMSP \\
        --limit 1000000.00 --supplier-limit 500000.00 --rate-bps 600
    """
    body = {name: list(value) if isinstance(value, tuple) else value for name, value in terms.items()}
    emit_submission(writer.post("/v1/facilities", body), as_json)


@command.command(name="list")
@json_option
@reads
def list_facilities(client: Client, as_json: bool) -> None:
    """List all facilities.

    \b
    Examples:
      ledger-node facility list
    """
    found = client.get("/v1/facilities")
    emit(found, as_json, table(found["items"], COLUMNS))


@command.command(name="accept-supplier")
@json_option
@writes
@click.argument("supplier", metavar="MSP")
@click.option("--agreement", required=True, help="Number of the agreement; the ledger gets a commitment only.")
@click.option("--screened-until", required=True, metavar="YYYY-MM-DD", help="How long the screening holds.")
@click.option("--group", "group_id", required=True, help="The corporate group that the supplier was found to be in.")
def accept_supplier(
    supplier: str, agreement: str, screened_until: str, group_id: str, writer: Writer, as_json: bool
) -> None:
    """Take a supplier on, or renew it, as a financier.

    \b
    Examples:
      ledger-node facility accept-supplier SupplierMSP --agreement RPA-2026-17 --screened-until 2027-11-22 \\
        --group supplier
    """
    body = {"supplier": supplier, "agreement": agreement, "screened_until": screened_until, "group_id": group_id}
    emit_submission(writer.post("/v1/supplier-acceptances", body), as_json)
