"""Reports at any past block: one row each, with the function of its name in the room `reports`.

Any token may read them. They share one shape, and one question besides their own: the block or day to look back from.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger_node.operations.asked import PERIOD, Asked, party
from ledger_node.operations.fields import Answer, DateText, Msp


@dataclass(frozen=True, slots=True)
class Report:
    """One report.

    Args:
        name: the last part of its address, and what it is called at the prompt.
        text: one sentence for people.
        asked: what it is asked by, besides the block.
        example: what is typed after its name.
    """

    name: str
    text: str
    asked: tuple[Asked, ...] = ()
    example: str = ""

    @property
    def address(self) -> str:
        """Where it is read."""
        return f"/v1/reports/{self.name}"

    @property
    def function(self) -> str:
        """Its name in code."""
        return self.name.replace("-", "_")


class ReportOut(Answer):
    """A report: `day` is the ledger's day at `block_number`, and every row has all columns, as text."""

    report: str
    day: str
    columns: list[str]
    items: list[dict[str, str]]


REPORTS = (
    Report(
        "statement",
        "Account statement: opening balance, movements with the balance after each, closing balance.",
        (
            Asked("party", "Whose accounts.", Msp, required=True, metavar="MSP"),
            Asked("deposit", "Only this deposit.", metavar="CURRENCY@MSP"),
            *PERIOD,
        ),
        "--party SupplierMSP --format csv",
    ),
    Report(
        "exposure",
        "Limit, used, left and overdue per facility, supplier and buyer.",
        (party("financier", "Only this one's."),),
        "--financier FinancierMSP --block 4711",
    ),
    Report(
        "ageing",
        "Open receivables by holder and days past due.",
        (party("holder", "Only this one's."),),
        "--holder FinancierMSP",
    ),
    Report(
        "maturities",
        "Open receivables by holder and days until they are to be paid.",
        (party("holder", "Only this one's."),),
        "--holder FinancierMSP --as-of 2026-11-30",
    ),
    Report(
        "totals",
        "Open receivables by buyer, supplier and their groups: count, open, of it paid early, overdue and written off.",
        (party("holder", "Only this one's."),),
        "--holder FinancierMSP --as-of 2026-11-30",
    ),
    Report(
        "early-payments",
        "Early payments of a period: count, face, discount, fees, net and weighted yield.",
        PERIOD,
        "--from 2026-11-01 --to 2026-11-30",
    ),
    Report(
        "journal",
        "A party's derived journal: finance cost, and discounts earned over their tenor.",
        (Asked("party", "Whose books.", Msp, required=True, metavar="MSP"),),
        "--party FinancierMSP --format csv",
    ),
    Report(
        "disclosure",
        "What the ledger knows for a buyer's disclosure of supplier finance (IAS 7.44H).",
        (
            Asked("buyer", "Who discloses.", Msp, required=True, metavar="MSP"),
            Asked(
                "from_day",
                "The first day of its period.",
                DateText,
                required=True,
                flag="--from",
                metavar="YYYY-MM-DD",
            ),
        ),
        "--buyer BuyerMSP --from 2026-01-01 --figures other-payables.csv",
    ),
    Report("duplicates", "All claims on fingerprints that look alike, and their clearings."),
)
