"""How reads are answered: lists and pages of the read model, each with the block that it knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.shape import Plain, written
from ledger_node.api.wire import Query
from ledger_node.readmodel import PER_PAGE_MAX, Page


class PageQuery(Query):
    """Which page."""

    page: int = Field(1, ge=1, le=1_000_000)
    per_page: int = Field(50, ge=1, le=PER_PAGE_MAX)


def listed(records: list[Plain], shape: Callable[[Plain], Plain] = written) -> dict[str, Any]:
    """All of something."""
    return {"items": [shape(record) for record in records]}


def paged(page: Page, shape: Callable[[Plain], Plain] = written) -> dict[str, Any]:
    """One page of something."""
    return {**listed(page.items, shape), "total": page.total, "page": page.page, "per_page": page.per_page}


def seen() -> dict[str, int]:
    """The block that an answer knows at least; to be asked before the records are."""
    return {"block_number": current_node().readmodel.block_number()}


def existing(record: Plain | None, what: str, record_id: str) -> Plain:
    """The record, or a 404 that says what might be the matter."""
    if record is None:
        text = f"there is no {what} {record_id} on the ledger"
        raise Problem(404, f"{what.upper()}_UNKNOWN", text, "Look at its id; a fresh write may not be applied yet.")
    return record
