"""What would I get: the contract's own quote for an invoice, asked of the own peer. Nothing is computed here."""

from __future__ import annotations

import json

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.money import BASIS, divide_half_up
from chaincode.records import canonical
from ledger_node.api.answers import existing, reads
from ledger_node.api.context import current_node
from ledger_node.api.naming import record_id
from ledger_node.api.problem import Problem
from ledger_node.api.shape import shaped
from ledger_node.api.wire import Plain, Query
from ledger_node.ledger.interface import ContractRefused
from ledger_node.operations.fields import Answer, Out

routes = APIBlueprint("quotes", __name__, tag="Invoices")


class QuoteQuery(Query):
    """Which facility; the best of those that were asked when it is left out."""

    facility_id: str = Field("", max_length=200)


class OfferOut(Out):
    """What early payment on the payout date would pay: net + discount + fee is the face; rates are basis points."""

    face: str
    discount: str
    fee: str
    net: str
    payout_date: str
    maturity: str
    days: int
    rate_bps: int
    yield_bps: int
    yield_with_fees_bps: int


class QuoteAnswerOut(Answer):
    """A quote, or the reason why nothing can be quoted."""

    invoice_id: str
    status: str
    facility_id: str
    deposit: str
    currency: str
    reason: str = Field(description="Empty when there is a quote.")
    text: str
    quote: OfferOut | None


@reads(routes, "/v1/invoices/<invoice_id>/quote", QuoteAnswerOut, QuoteQuery)
def show_quote(invoice_id: str, query: QuoteQuery) -> Plain:
    """What early payment of an invoice would pay today, before all evidence is there."""
    node = current_node()
    facility_id = query.facility_id and record_id("facility", query.facility_id)
    asked = {"type": "Quote", "invoice_id": invoice_id, "facility_id": facility_id}
    argument = canonical({"version": 1, "query": asked})
    try:
        quote = json.loads(node.ledger.evaluate(argument, max(node.readmodel.block_number(), 0)))["result"]
    except ContractRefused as error:
        text, remedy = f"{invoice_id[:40]!r} is no id of an invoice", "An id is 32 lower-case hexadecimal digits."
        raise Problem(400, "ID_INVALID", text, remedy) from error
    found = existing(quote, "invoice", invoice_id)
    return shaped(found | {"quote": with_fees(found["quote"], found["facility_id"])})


def with_fees(quote: Plain | None, facility_id: str) -> Plain | None:
    """A quote of the contract with its yield when the fee is taken for discount, too.

    Args:
        quote: amounts in minor units.
        facility_id: of the facility that it is out of.
    """
    facility = current_node().readmodel.facility(facility_id)
    if quote is None or facility is None:
        return None
    earned = (quote["discount_minor"] + quote["fee_minor"]) * BASIS[facility["day_count"]]
    lent = quote["net_minor"] * quote["days"]
    return quote | {"yield_with_fees_bps": divide_half_up(earned * 10_000, lent) if lent > 0 else 0}
