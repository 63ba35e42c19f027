"""One party of the consortium, and the ledger's day."""

from __future__ import annotations

from apiflask import APIBlueprint

from ledger_node.api.answers import existing, reads
from ledger_node.api.context import current_node
from ledger_node.api.records import DayOut, PartyAnswerOut
from ledger_node.api.shape import written
from ledger_node.api.wire import Plain

routes = APIBlueprint("parties", __name__, tag="Consortium")


@reads(routes, "/v1/parties/<msp_id>", PartyAnswerOut)
def show_party(msp_id: str) -> Plain:
    """One party."""
    return written(existing(current_node().readmodel.party(msp_id), "party", msp_id))


@reads(routes, "/v1/days/current", DayOut)
def show_day() -> Plain:
    """The ledger's day."""
    return {"date": current_node().readmodel.day()}
