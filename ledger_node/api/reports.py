"""Reports at any past block: a view for each row of `operations.reports`, as JSON or as a file for a spreadsheet."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from ledger_node import reports
from ledger_node.api.answers import reads
from ledger_node.api.context import current_node
from ledger_node.api.lists import query_of
from ledger_node.api.naming import names_of
from ledger_node.api.wire import Plain, Query
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


for row in REPORTS:
    _add(row)
