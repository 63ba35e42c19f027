"""Answers by pages, and records as plain data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_
from sqlmodel import SQLModel, col, select

from chaincode.records import keys
from ledger_node.database import Database
from ledger_node.errors import BadRequest
from ledger_node.readmodel.naming import Sought
from ledger_node.readmodel.tables import NameLinkRow, RecordRow

PER_PAGE_MAX = 500

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer; `total` counts all pages' items."""

    items: list[Record]
    total: int
    page: int
    per_page: int


def page_of(
    database: Database, statement: Any, order: list[Any], page: int, per_page: int, counting: Any = None
) -> Page:
    """One page; `counting` is a statement that counts all of it for less than looking at each record."""
    if page < 1 or not 1 <= per_page <= PER_PAGE_MAX:
        raise BadRequest(f"page {page} with {per_page} items does not exist", f"At most {PER_PAGE_MAX} a page.")
    with database.read() as session:
        counting = select(func.count()).select_from(statement.subquery()) if counting is None else counting
        total = int(session.scalar(counting) or 0)  # PostgreSQL sums large integers as decimals, JSON has those as text
        rows = session.exec(statement.order_by(*order).offset((page - 1) * per_page).limit(per_page)).all()
    return Page([record_of(row) if isinstance(row, RecordRow) else plain(row) for row in rows], total, page, per_page)


OF_ONE_INVOICE = ("discount_offer", "request")
"""Kinds of records whose key is, but for the kind, that of their invoice."""
SPEAK_OF_AN_INVOICE = ("misdirected",)
"""Kinds of few records that have an id of their own, and their invoice's in them."""


def only(statement: Any, kind: str, sought: Sought | None) -> Any:
    """Narrowed to the records of a kind that are sought; what is of one invoice is called as that is."""
    if sought is None:
        return statement
    named = "invoice" if kind in OF_ONE_INVOICE + SPEAK_OF_AN_INVOICE else kind
    start, end = keys.prefix_range(f"{named}/")
    identity = func.substr(col(NameLinkRow.record), len(named) + 2)
    called = select(identity).where(
        col(NameLinkRow.name_key).in_(sought.name_keys), col(NameLinkRow.record) >= start, col(NameLinkRow.record) < end
    )
    fits: ColumnElement[bool] = col(RecordRow.key).in_(called.with_only_columns(literal(f"{kind}/") + identity))
    if kind in SPEAK_OF_AN_INVOICE:
        fits = called.where(col(RecordRow.value).contains(identity)).exists()
    if sought.id_prefix:
        first = f"{kind}/{sought.id_prefix}"
        fits = or_(fits, and_(col(RecordRow.key) >= first, col(RecordRow.key) < first + "g"))  # after all hex digits
    return statement.where(fits)


def record_of(row: RecordRow) -> Record:
    """A record with the block and the transaction that wrote it last."""
    value: Record = json.loads(row.value)
    return {**value, "block_number": row.block_number, "transaction_id": row.transaction_id}


def plain(row: SQLModel) -> Record:
    """A row by its columns."""
    return row.model_dump()
