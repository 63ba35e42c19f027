"""Reports at any past block: a view for each row of `operations.reports`, as JSON or as a file for a spreadsheet."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from apiflask import APIBlueprint, FileSchema
from flask import Response
from pydantic import Field

from ledger_node import reports
from ledger_node.api.answers import reads
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.lists import query_of
from ledger_node.api.naming import names_of
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.problem import Problem
from ledger_node.api.wire import Plain, Query
from ledger_node.errors import BadRequest
from ledger_node.operations.fields import DateText
from ledger_node.operations.reports import REPORTS, Report, ReportOut
from ledger_node.reports import Table

routes = APIBlueprint("reports", __name__, tag="Reports")


class ReportQuery(Query):
    """The block, or the end of the day, to look back from, the newest one when left out; and the form of the answer."""

    block: int | None = Field(None, ge=0)
    as_of: DateText | Literal[""] = ""
    format: Literal["json", "csv"] = "json"


def _add(report: Report) -> None:
    table_of = getattr(reports, report.function)

    def show(query: Any) -> Plain | Response:
        past = reports.at_block(current_node().readmodel, query.block, query.as_of)
        table = _named(table_of(past, **query.model_dump(exclude={"block", "as_of", "format"})))
        return _as_file(table) if query.format == "csv" else _as_json(table)

    show.__name__, show.__doc__ = f"report_{report.function}", report.text
    reads(routes, report.address, ReportOut, query_of(report.asked, ReportQuery))(show)


def _named(table: Table) -> Table:
    """With the numbers of the invoices that its rows speak of, as far as this organisation knows them."""
    if "invoice_id" not in table.columns:
        return table
    names = names_of("", table.rows)
    rows = tuple({**row, "invoice": named.get("invoice", "")} for row, named in zip(table.rows, names, strict=True))
    return dataclasses.replace(table, columns=(*table.columns, "invoice"), rows=rows)


def _as_file(table: Table) -> Response:
    name = f"{table.report}-block-{table.block_number}.csv"
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(reports.as_csv(table.columns, table.rows), mimetype="text/csv", headers=disposition)


def _as_json(table: Table) -> Plain:
    return {
        "report": table.report,
        "block_number": table.block_number,
        "day": table.day,
        "columns": list(table.columns),
        "items": list(table.rows),
    }


@routes.get("/v1/month-ends/<month>")
@routes.auth_required(bearer)
@routes.output(FileSchema(type="string", format="binary"), content_type="application/zip", description="A ZIP file.")
def fetch_month_end(month: str) -> Response:
    """A month end in one archive: all reports as of its last day as CSV, the own accounts as camt.053, a manifest.

    `manifest.json` says the block, the SHA-256 of each file, and whether the month `is_over` at that block.
    """
    await_own_writes()
    node = current_node()
    try:
        first, last = reports.days_of(month)
        past = reports.at_block(node.readmodel, as_of=last)
    except BadRequest as error:
        raise Problem(404, "MONTH_UNKNOWN", error.text, error.remedy) from error
    if first > node.readmodel.day():
        text = f"{month} has not begun on the ledger, whose day is {node.readmodel.day()}"
        raise Problem(404, "MONTH_UNKNOWN", text, "Name an earlier one.")
    own = {"party": node.msp_id, "buyer": node.msp_id, "from_day": first, "to_day": last}
    tables = {}
    for report in REPORTS:
        asked = {part.name: own[part.name] for part in report.asked if part.name in own}
        tables[report.name] = _named(getattr(reports, report.function)(past, **asked))
    content = reports.archive(month, node.msp_id, tables, reports.is_over(past, last))
    disposition = {"Content-Disposition": f'attachment; filename="{month}-{node.msp_id}.zip"'}
    return Response(content, mimetype="application/zip", headers=disposition)


for row in REPORTS:
    _add(row)
