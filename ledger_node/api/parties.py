"""The consortium: its founding, its parties and the ledger's day."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from ledger_node.api.answers import answers, as_of_block, existing, listed
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import DayOut, PartiesOut, PartyAnswerOut
from ledger_node.api.shape import written
from ledger_node.api.wire import Plain

routes = APIBlueprint("parties", __name__, tag="Consortium")


@routes.get("/v1/parties")
@routes.auth_required(bearer)
@answers(routes, PartiesOut)
def show_parties() -> dict[str, Any]:
    """All parties, and how far the founding is."""
    readmodel, answer = current_node().readmodel, as_of_block()
    founding = readmodel.founding()
    return {**answer, "founding": founding and written(founding), **listed(readmodel.parties())}


@routes.get("/v1/parties/<msp_id>")
@routes.auth_required(bearer)
@answers(routes, PartyAnswerOut)
def show_party(msp_id: str) -> Plain:
    """One party."""
    answer = as_of_block()
    return {**written(existing(current_node().readmodel.party(msp_id), "party", msp_id)), **answer}


@routes.get("/v1/days/current")
@routes.auth_required(bearer)
@answers(routes, DayOut)
def show_day() -> dict[str, Any]:
    """The ledger's day."""
    return {**as_of_block(), "date": current_node().readmodel.day()}
