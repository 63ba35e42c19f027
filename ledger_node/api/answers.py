"""How reads are answered: lists and pages of the read model, each with the block that it knows."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import Response, jsonify, make_response
from pydantic import Field

from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.naming import identified
from ledger_node.api.own_writes import await_own_writes
from ledger_node.api.problem import Problem
from ledger_node.api.shape import written
from ledger_node.api.wire import Plain, Query
from ledger_node.operations.fields import Answer, Out
from ledger_node.operations.remedies import remedy
from ledger_node.readmodel import PER_PAGE_MAX, Page

View = TypeVar("View", bound=Callable[..., Any])


def answers(routes: APIBlueprint, shape: type[Out], status: int = 200, **described: Any) -> Callable[[View], View]:
    """Decorator of a view: what it answers is described by a shape, and goes out as it is.

    Args:
        routes: the blueprint.
        shape: for the API's description.
        status: of the answer, where the view does not say another one.
        described: `example` and `description`, as `APIBlueprint.output` takes them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(*args: Any, **kwargs: Any) -> Response:
            content = view(*args, **kwargs)
            content, *rest = content if isinstance(content, tuple) else (content, status)
            return content if isinstance(content, Response) else make_response(jsonify(content), *rest)

        described_view: Any = routes.output(shape, status, **described)(answered)
        checked: View = described_view
        return checked

    return decorate


def reads(
    routes: APIBlueprint,
    address: str,
    shape: type[Out],
    query: type[Query] | None = None,
    tag: str = "",
    **described: Any,
) -> Callable[[View], View]:
    """Decorator of a read: any token may, and an answer of the read model says which block it knows at least.

    Args:
        routes: the blueprint.
        address: where it is read.
        shape: of the answer.
        query: handed over as `query`.
        tag: the chapter of the API's description, if it is not the blueprint's.
        described: `example`, as `APIBlueprint.output` takes it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(*args: Any, **kwargs: Any) -> Any:
            if issubclass(shape, Answer) and not address.startswith("/v1/submissions"):
                await_own_writes()  # of what is no answer of the read model nothing can be stale
            # The block is asked for before the records are: they may be newer than it, never older.
            block = {"block_number": current_node().readmodel.block_number()} if issubclass(shape, Answer) else {}
            content = view(*args, **identified(kwargs))
            return block | content if isinstance(content, dict) else content

        read: Any = answers(routes, shape, **described)(answered)
        if query is not None:
            read = routes.input(query, location="query", arg_name="query")(read)
        read = routes.doc(tags=[tag] if tag else None)(routes.auth_required(bearer)(read))
        routed: View = routes.get(address, endpoint=view.__name__)(read)
        return routed

    return decorate


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


def existing(record: Plain | None, what: str, record_id: str) -> Plain:
    """The record, or a 404 that says what might be the matter."""
    if record is None:
        text = f"there is no {what.replace('_', ' ')} {record_id} on the ledger"
        helps = "Look at its id; a fresh write may not be applied yet."
        raise Problem(404, f"{what.upper()}_UNKNOWN", text, f"{what_it_is(record_id)} {helps}".strip())
    return record


KINDS = {
    "invoice": "an invoice",
    "document": "a document",
    "shipment": "a shipment",
    "facility": "a facility",
    "credit_note": "a credit note",
    "redemption": "a redemption",
    "membership": "a change of the membership",
    "misdirected": "a misdirected payment",
    "seal": "a seal",
}
"""Records with an id of their own, by the beginnings of their keys."""


def what_it_is(record_id: str) -> str:
    """What an id that is none of what was wanted is the id of, in a sentence; empty when it is none that is known."""
    node = current_node()
    if not re.fullmatch("[0-9a-f]{32}", record_id):
        return ""
    known = [noun for kind, noun in KINDS.items() if node.readmodel.record(f"{kind}/{record_id}")]
    if not known and node.outbox.get(record_id):
        known = ["a submission, whose record has an id of its own"]
    return f"This is the id of {known[0]}." if known else ""


def helps_with(code: str, text: str) -> str:
    """What can be done about a refusal of the contract; of what is unknown also what its id is the id of instead."""
    mixed_up = map(what_it_is, re.findall("[0-9a-f]{32}", text)) if code.endswith("_UNKNOWN") else ()
    return " ".join([*filter(None, mixed_up), remedy(code)]).strip()
