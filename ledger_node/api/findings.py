"""What this node checked and found false: `/v1/findings`. Nothing is changed here: mending is work on the machine."""

from __future__ import annotations

from typing import Literal

from apiflask import APIBlueprint
from pydantic import Field

from ledger_node.api.answers import PageQuery, reads
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain
from ledger_node.operations.fields import Out

routes = APIBlueprint("findings", __name__, tag="Findings")


class FindingsQuery(PageQuery):
    """Which findings; both states when it is left out."""

    state: Literal["", "open", "closed"] = ""


class FindingOut(Out):
    """One finding with its evidence; times are RFC 3339, digests 64 hex characters or empty."""

    id: int
    kind: str = Field(description="mismatch, damaged, missing, unreadable or extra.")
    document_id: str = Field(description="Empty for a file that belongs to no document.")
    file: str = Field(description="Its place in the vault; empty for another organisation's document.")
    expected: str = Field(description="The ledger's commitment.")
    found: str = Field(description="The commitment recomputed; empty when nothing could be read.")
    size_bytes: int
    backend: str = Field(description="What computed it.")
    state: str = Field(description="open or closed.")
    raised_at: str
    closed_at: str


class FindingsOut(Out):
    """A page of findings, the latest first."""

    items: list[FindingOut]
    total: int
    page: int
    per_page: int


@reads(routes, "/v1/findings", FindingsOut, FindingsQuery)
def list_finding(query: FindingsQuery) -> Plain:
    """What this node found false, the latest first."""
    items, total = current_node().findings.list(**query.model_dump())
    return {"items": items, "total": total, "page": query.page, "per_page": query.per_page}
