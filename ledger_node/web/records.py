"""Lists, single records and reports: for each row of the operations' readings and reports, the same page.

So every list that the API has is here, searched, narrowed and paged by what the API takes, and as a file for a
spreadsheet where the API has one.
"""

from __future__ import annotations

import typing
from typing import Any

from flask import Blueprint, abort, g, request, url_for
from werkzeug.wrappers import Response

from ledger_node.operations.asked import Asked
from ledger_node.operations.readings import READINGS, Reading
from ledger_node.operations.reports import REPORTS
from ledger_node.web.asking import Plain, ask, file_of
from ledger_node.web.forms import CALLED, with_forms
from ledger_node.web.guard import Answered
from ledger_node.web.texts import page

routes = Blueprint("records", __name__)

READING = {each.kind: each for each in READINGS}
REPORT = {each.name: each for each in REPORTS}
OWN_PAGES = {"invoice": "invoices.show", "shipment": "goods.show"}
PER_PAGE = 50


@routes.get("/records/<kind>")
def listed(kind: str) -> Answered:
    """A list."""
    reading = READING.get(kind) or abort(404)
    query: dict[str, Any] = {part.name: request.args.get(part.name, "").strip() for part in reading.asked}
    if reading.is_paged:
        number = request.args.get("page", "1")
        query |= {"page": int(number[:9]) if number.isdecimal() and number.isascii() else 1, "per_page": PER_PAGE}
    found = ask(reading.address, **query)
    rows = [{"address": _page_of(reading, item), "cells": item} for item in found["items"]]
    pages = -(-found["total"] // PER_PAGE) if reading.is_paged else 1
    columns = sorted(reading.columns, key=lambda column: column not in CALLED)
    shown = {"columns": columns, "rows": rows, "total": found.get("total", len(rows)), "pages": pages, "query": query}
    return page("records.html", reading=reading, asked=_fields(reading.asked), **shown), 200


@routes.get("/records/<kind>/<record_id>")
def one(kind: str, record_id: str) -> Answered:
    """One record, with all its fields."""
    reading = READING.get(kind)
    if reading is None or not (reading.id_name or kind in ("document", "person")):
        abort(404)
    record = ask(f"{reading.address}/{record_id}")
    identity = reading.id_name or f"{kind}_id"
    acts = [
        each
        for each in with_forms().values()
        if each.in_address == (identity,) and set(each.roles) & set(g.login.roles)
    ]
    return page("record.html", reading=reading, record=record, record_id=record_id, acts=acts), 200


@routes.get("/documents/<document_id>/content")
def content(document_id: str) -> Response:
    """The file of a document, to be kept: a browser never shows it among these pages."""
    return file_of(f"/v1/documents/{document_id}/content")


@routes.get("/reports")
def reports() -> Answered:
    """All reports."""
    return page("reports.html", reports=REPORTS), 200


@routes.get("/reports/<name>")
def report(name: str) -> Answered | Response:
    """A report; its table, or its file."""
    row = REPORT.get(name) or abort(404)
    if request.args.get("format") == "csv":
        return file_of(row.address)
    query = {part.name: request.args.get(part.name, "").strip() for part in row.asked}
    query["as_of"] = request.args.get("as_of", "").strip()
    missing = [part for part in row.asked if part.required and not query[part.name]]
    found: Plain | None = None if missing else ask(row.address, **query)
    given = {name: value for name, value in query.items() if value} | {"format": "csv"}
    return page("report.html", report=row, asked=_fields(row.asked), query=query, found=found, given=given), 200


def _page_of(reading: Reading, item: Plain) -> str:
    """Where one reads all of a record; empty where the list has all."""
    if reading.kind == "submission":
        return url_for("acts.submission", submission_id=item["id"])
    if "invoice_id" in item and reading.kind in ("request", "credit_note", "entry", "account") and item["invoice_id"]:
        return url_for("invoices.show", record_id=item["invoice_id"])
    identity = reading.id_name or f"{reading.kind}_id"
    if identity not in item:
        return ""
    if reading.kind in OWN_PAGES:
        return url_for(OWN_PAGES[reading.kind], record_id=item[identity])
    return url_for("records.one", kind=reading.kind, record_id=item[identity])


def _fields(asked: tuple[Asked, ...]) -> list[Plain]:
    """What a list can be narrowed by, as fields: what is chosen, a day, or text."""
    fields = []
    for part in asked:
        choices = [each for hint in (part.hint, *typing.get_args(part.hint)) for each in _literals(hint)]
        is_day = "_day" in part.name
        choices = [] if is_day else choices
        fields.append(
            {
                "part": part,
                "choices": choices or list(part.choices),
                "is_day": is_day,
                "is_party": part.metavar == "MSP",
            }
        )
    return fields


def _literals(hint: Any) -> list[str]:
    return (
        [each for each in typing.get_args(hint) if isinstance(each, str)]
        if typing.get_origin(hint) is typing.Literal
        else []
    )
