"""A month end in one archive: every report as of its last day as CSV, the accounts as camt.053, and a manifest.

Nothing of the moment of writing is in it: once a month is over, its archive has the same bytes each time, until the
node learns what people call an invoice in it.
"""

from __future__ import annotations

import calendar
import datetime
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

from ledger_node.errors import BadRequest
from ledger_node.reports.camt import camt053
from ledger_node.reports.tables import Table, as_csv

MANIFEST, STATEMENTS = "manifest.json", "camt.053.xml"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def days_of(month: str) -> tuple[str, str]:
    """The first and the last day of a month such as 2026-11. Raises: BadRequest when there is no such month."""
    try:
        first = datetime.date.fromisoformat(f"{month}-01")
    except ValueError as error:
        raise BadRequest(f"{month!r} is no month", "Write it as 2026-11.") from error
    return first.isoformat(), first.replace(day=calendar.monthrange(first.year, first.month)[1]).isoformat()


def archive(month: str, party: str, tables: Mapping[str, Table], is_over: bool) -> bytes:
    """The archive.

    Args:
        month: such as 2026-11.
        party: whose statement and journal are among the tables.
        tables: by name; `statement` is of the whole month.
        is_over: whether the block that all tables are of is the month's last one; before that it may still change.

    Returns: a ZIP file.
    """
    first, last = days_of(month)
    statement = tables["statement"]
    files = {f"{name}.csv": as_csv(table.columns, table.rows).encode() for name, table in tables.items()}
    if statement.rows:
        files[STATEMENTS] = camt053(statement, first, last)
    manifest = {
        "month": month,
        "first_day": first,
        "last_day": last,
        "party": party,
        "block_number": statement.block_number,
        "day": statement.day,
        "is_over": is_over,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
    }
    files[MANIFEST] = json.dumps(manifest, indent=2).encode() + b"\n"
    archived = io.BytesIO()
    with zipfile.ZipFile(archived, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(zipfile.ZipInfo(f"{month}-{party}/{name}", _ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return archived.getvalue()
