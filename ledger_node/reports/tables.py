"""A report as a table: columns and rows of text, and the table as CSV for spreadsheets.

Source: RFC 4180 (CSV), OWASP "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaincode.money import Money

Row = dict[str, str]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """A report at a block: `day` is the ledger's day then, every row has all columns, and every cell is text."""

    report: str
    block_number: int
    day: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """A table as CSV, with a line of column names.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay as they are.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([[_harmless(row[column]) for column in columns] for row in rows])
    return file.getvalue()


def decimal(amount_minor: int, unit: str) -> str:
    """An amount of a currency or deposit kind as a decimal string; a sum may be larger than any one amount."""
    exponent = Money(0, unit.partition("@")[0]).exponent
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{digits[: len(digits) - exponent]}.{digits[-exponent:]}" if exponent else sign + digits


def _harmless(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
