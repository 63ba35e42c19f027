"""Reports at any past block: `/v1/reports/...`, as JSON, or with `?format=csv` as a file for a spreadsheet."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from ledger_node import reports
from ledger_node.api.answers import answers
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import Answer
from ledger_node.api.wire import Query
from ledger_node.operations.fields import DateText, Msp
from ledger_node.reports import Past, Table

routes = APIBlueprint("reports", __name__, tag="Reports")


class ReportQuery(Query):
    """The block to look back from, the newest one when left out, and the form of the answer."""

    block: int | None = Field(None, ge=0)
    format: Literal["json", "csv"] = "json"


class PeriodQuery(ReportQuery):
    """A period by days of the ledger, both included; an end that is left out is open."""

    from_day: DateText | Literal[""] = ""
    to_day: DateText | Literal[""] = ""


class StatementQuery(PeriodQuery):
    """Whose accounts, and of which deposit; of all of them when it is left out."""

    party: Msp
    deposit: str = ""


class PartyQuery(ReportQuery):
    """Whose books."""

    party: Msp


class FinancierQuery(ReportQuery):
    """Whose exposure; everybody's when left out."""

    financier: str = ""


class HolderQuery(ReportQuery):
    """Whose receivables; everybody's when left out."""

    holder: str = ""


class DisclosureQuery(ReportQuery):
    """Which buyer, and the first day of its period."""

    buyer: Msp
    from_day: DateText


class ReportOut(Answer):
    """A report: `day` is the ledger's day at `block_number`, and every row has all columns, as text."""

    report: str
    day: str
    columns: list[str]
    items: list[dict[str, str]]


@routes.get("/v1/reports/statement")
@routes.auth_required(bearer)
@routes.input(StatementQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def statement(query: StatementQuery) -> dict[str, Any] | Response:
    """Account statement: opening balance, movements with the balance after each, closing balance."""
    table = reports.statement(_past(query), query.party, query.deposit, query.from_day, query.to_day)
    return _answer(table, query)


@routes.get("/v1/reports/exposure")
@routes.auth_required(bearer)
@routes.input(FinancierQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def exposure(query: FinancierQuery) -> dict[str, Any] | Response:
    """Limit, used, left and overdue per facility, supplier and buyer."""
    return _answer(reports.exposure(_past(query), query.financier), query)


@routes.get("/v1/reports/ageing")
@routes.auth_required(bearer)
@routes.input(HolderQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def ageing(query: HolderQuery) -> dict[str, Any] | Response:
    """Open receivables by holder and days past due."""
    return _answer(reports.ageing(_past(query), query.holder), query)


@routes.get("/v1/reports/early-payments")
@routes.auth_required(bearer)
@routes.input(PeriodQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def early_payments(query: PeriodQuery) -> dict[str, Any] | Response:
    """Early payments of a period: count, face, discount, fees, net and the weighted yield."""
    return _answer(reports.early_payments(_past(query), query.from_day, query.to_day), query)


@routes.get("/v1/reports/journal")
@routes.auth_required(bearer)
@routes.input(PartyQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def journal(query: PartyQuery) -> dict[str, Any] | Response:
    """A party's derived journal, with discounts earned over their tenor."""
    return _answer(reports.journal(_past(query), query.party), query)


@routes.get("/v1/reports/disclosure")
@routes.auth_required(bearer)
@routes.input(DisclosureQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def disclosure(query: DisclosureQuery) -> dict[str, Any] | Response:
    """What the ledger knows for a buyer's disclosure of supplier finance (IAS 7.44H)."""
    return _answer(reports.disclosure(_past(query), query.buyer, query.from_day), query)


@routes.get("/v1/reports/duplicates")
@routes.auth_required(bearer)
@routes.input(ReportQuery, location="query", arg_name="query")
@answers(routes, ReportOut)
def duplicates(query: ReportQuery) -> dict[str, Any] | Response:
    """All claims on fingerprints that look alike, and their clearings."""
    return _answer(reports.duplicates(_past(query)), query)


def _past(query: ReportQuery) -> Past:
    return reports.at_block(current_node().readmodel, query.block)


def _answer(table: Table, query: ReportQuery) -> dict[str, Any] | Response:
    if query.format == "csv":
        name = f"{table.report}-block-{table.block_number}.csv"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(reports.as_csv(table.columns, table.rows), mimetype="text/csv", headers=disposition)
    return {
        "report": table.report,
        "block_number": table.block_number,
        "day": table.day,
        "columns": list(table.columns),
        "items": list(table.rows),
    }
