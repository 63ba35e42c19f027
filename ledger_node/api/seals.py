"""Seals: one root on the ledger for any number of documents, whose proofs their owner keeps beside them."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.records.seals import SEALED_DOCUMENTS_MAX
from ledger_node.api.answers import PageQuery, existing, paged, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import Answer as Answered
from ledger_node.api.records import Written
from ledger_node.api.shape import written
from ledger_node.api.wire import In
from ledger_node.api.writes import Answer, fresh_id, submit, writes

routes = APIBlueprint("seals", __name__, tag="Seals")


class SealIn(In):
    """The root over the salted commitments of `size` documents."""

    root: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=SEALED_DOCUMENTS_MAX)]


class SealRecordOut(Written):
    """A seal on the ledger."""

    seal_id: str
    submitter: str
    algorithm: str
    root: str
    size: int
    day: str


class SealOut(Answered, SealRecordOut):
    """One seal."""


class SealsOut(Answered):
    """A page of seals, the latest first."""

    items: list[SealRecordOut]
    total: int
    page: int
    per_page: int


@routes.post("/v1/seals")
@writes(routes, "uploader", SealIn, {"root": "ab" * 32, "size": 1000})
def seal(body: SealIn) -> Answer:
    """Record a root; the documents, their salts and their proofs stay with the caller."""
    seal_id = fresh_id("seal")
    command = {"seal_id": seal_id, "algorithm": "SHA-256", "root": body.root, "size": body.size}
    return submit("SealDocuments", command, resource=f"/v1/seals/{seal_id}", record_id=seal_id, created=True)


@routes.get("/v1/seals")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(SealsOut)
def show_all(query: PageQuery) -> dict[str, Any]:
    """Seals on the ledger, whoever made them, the latest first."""
    return {**seen(), **paged(current_node().readmodel.seals(**query.model_dump()))}


@routes.get("/v1/seals/<seal_id>")
@routes.auth_required(bearer)
@routes.output(SealOut)
def show(seal_id: str) -> dict[str, Any]:
    """A seal."""
    answer = seen()
    return {**written(existing(current_node().readmodel.seal(seal_id), "seal", seal_id)), **answer}
