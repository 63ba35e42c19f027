"""Records that are only looked at, in pages and one by one: credit notes, redemptions, holds, limits, changes."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from chaincode.records import keys
from ledger_node.api import list_records as records
from ledger_node.api.answers import PageQuery, existing, paged, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.shape import Plain, written

routes = APIBlueprint("lists", __name__, tag="Records")


def _page(kind: str, query: PageQuery) -> dict[str, Any]:
    found = seen()
    page = current_node().readmodel.records(kind, page=query.page, per_page=query.per_page)
    return {**found, **paged(page, _shown)}


@routes.get("/v1/credit-notes")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.CreditNotesOut)
def show_credit_notes(query: PageQuery) -> dict[str, Any]:
    """Credit notes, the latest first."""
    return _page("credit_note", query)


@routes.get("/v1/credit-notes/<credit_note_id>")
@routes.auth_required(bearer)
@routes.output(records.CreditNoteOut)
def show_credit_note(credit_note_id: str) -> Plain:
    """One credit note."""
    return _one("credit_note", keys.credit_note(credit_note_id), credit_note_id)


@routes.get("/v1/misdirected-payments")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.MisdirectedPaymentsOut)
def show_misdirected(query: PageQuery) -> dict[str, Any]:
    """Reports of payments to others than the holder, the latest first."""
    return _page("misdirected", query)


@routes.get("/v1/discount-offers")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.DiscountOffersOut)
def show_discount_offers(query: PageQuery) -> dict[str, Any]:
    """What suppliers offer their buyers for paying early, the latest first."""
    return _page("discount_offer", query)


@routes.get("/v1/redemptions")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.RedemptionsOut)
def show_redemptions(query: PageQuery) -> dict[str, Any]:
    """Redemptions of deposit money, the latest first."""
    return _page("redemption", query)


@routes.get("/v1/redemptions/<redemption_id>")
@routes.auth_required(bearer)
@routes.output(records.RedemptionOut)
def show_redemption(redemption_id: str) -> Plain:
    """One redemption."""
    return _one("redemption", keys.redemption(redemption_id), redemption_id)


@routes.get("/v1/holds")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.HoldsOut)
def show_holds(query: PageQuery) -> dict[str, Any]:
    """Holds of financiers on parties, the latest first."""
    return _page("hold", query)


@routes.get("/v1/buyer-limits")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.BuyerLimitsOut)
def show_buyer_limits(query: PageQuery) -> dict[str, Any]:
    """Limits of financiers on buyers over several facilities, the latest first."""
    return _page("buyer_limit", query)


@routes.get("/v1/membership-changes")
@routes.auth_required(bearer)
@routes.input(PageQuery, location="query", arg_name="query")
@routes.output(records.MembershipChangesOut)
def show_changes(query: PageQuery) -> dict[str, Any]:
    """Changes of the membership, the latest first."""
    return _page("membership", query)


@routes.get("/v1/membership-changes/<change_id>")
@routes.auth_required(bearer)
@routes.output(records.MembershipChangeOut)
def show_change(change_id: str) -> Plain:
    """One change of the membership, and who is for it."""
    return _one("change", keys.membership(change_id), change_id)


@routes.get("/v1/reasons/<commitment>")
@routes.auth_required(bearer)
@routes.output(records.ReasonOut)
def show_reason(commitment: str) -> Plain:
    """What was typed here as the reason behind a commitment on the ledger, with its salt."""
    reason = current_node().reasons.get(commitment)
    if reason is None:
        text = f"nobody typed a reason here that {commitment} commits to"
        raise Problem(404, "REASON_UNKNOWN", text, "Ask the organisation that gave it.")
    return {"commitment": commitment, "text": reason.text, "salt": reason.salt.hex()}


def person_record(record: Plain, names: dict[str, str]) -> Plain:
    """A person as the API shows it, named when it is an own one."""
    shown = written(record)
    return shown | {"person_id": shown.pop("commitment"), "name": names.get(record["commitment"], "")}


def _one(what: str, key: str, record_id: str) -> Plain:
    found = seen()
    return {**_shown(existing(current_node().readmodel.record(key), what, record_id)), **found}


def _shown(record: Plain) -> Plain:
    """A record with its amounts; a credit note's are in its invoice's currency."""
    if "credit_note_id" not in record:
        return written(record)
    invoice = current_node().readmodel.invoice(record["invoice_id"])
    assert invoice is not None, "a credit note is of an invoice on the ledger"
    return written(record, invoice["facts"]["currency"])
