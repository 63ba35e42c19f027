"""The steps of an invoice after it is registered: approval, request, funding, acknowledgement, settlement."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.money import deposit_currency
from ledger_node.api.answers import existing
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem
from ledger_node.api.wire import AmountText, Currency, DateText, Deposit, In, Nothing, RecordId, Text, to_minor
from ledger_node.api.writes import WRITERS, Answer, submit, writes
from ledger_node.formats import fingerprints

routes = APIBlueprint("invoice_steps", __name__, tag="Invoices")


class ApprovalIn(In):
    """The buyer's undertaking; `buyer_reference` is its own document's number, one approval each."""

    amount: AmountText
    currency: Currency
    due_date: DateText
    buyer_reference: Text


class RequestIn(In):
    """The supplier's offer to sell: to which facilities, for how much at least, until when."""

    facility_ids: list[RecordId] = Field(min_length=1, max_length=8)
    net_min: AmountText
    valid_until: DateText


class FundingIn(In):
    """The facility to fund from."""

    facility_id: RecordId


class SettlementIn(In):
    """Payment with deposit money, in part or in full."""

    amount: AmountText
    deposit: Deposit


class ReleaseIn(In):
    """Invoices to run the release check for."""

    invoice_ids: list[RecordId] = Field(min_length=1, max_length=50)


REQUEST_EXAMPLE = {
    "facility_ids": ["c0ffee00c0ffee00c0ffee00c0ffee00"],
    "net_min": "1200.00",
    "valid_until": "2027-01-31",
}


@routes.post("/v1/invoices/<invoice_id>/approval")
@writes(
    routes,
    "approver",
    ApprovalIn,
    {"amount": "1234.50", "currency": "EUR", "due_date": "2027-03-31", "buyer_reference": "AP-2026-0815"},
)
def approve(invoice_id: str, body: ApprovalIn) -> Answer:
    """Undertake to pay, as the invoice's buyer."""
    node = current_node()
    reference = fingerprints.order(node.fingerprint_key, node.msp_id, body.buyer_reference)
    command = {
        "invoice_id": invoice_id,
        "amount_minor": to_minor(body.amount, body.currency, "amount"),
        "currency": body.currency,
        "due_date": body.due_date,
        "buyer_reference": reference,
    }
    return _step("ApproveInvoice", invoice_id, command)


@routes.post("/v1/invoices/<invoice_id>/early-payment-request")
@writes(routes, "uploader", RequestIn, REQUEST_EXAMPLE)
def request_early_payment(invoice_id: str, body: RequestIn) -> Answer:
    """Offer one invoice for early payment, as its supplier."""
    return _step("RequestEarlyPayment", invoice_id, _request(invoice_id, body))


@routes.post("/v1/early-payment-requests")
@writes(routes, "uploader", RequestIn, REQUEST_EXAMPLE)
def request_standing(body: RequestIn) -> Answer:
    """Offer all invoices of the own organisation, those to come too, for early payment."""
    return submit("RequestEarlyPayment", _request("", body))


@routes.post("/v1/invoices/<invoice_id>/funding")
@writes(routes, "funder", FundingIn)
def fund(invoice_id: str, body: FundingIn) -> Answer:
    """Decide to fund an invoice out of a manual facility, as its financier."""
    return _step("FundInvoice", invoice_id, {"invoice_id": invoice_id, "facility_id": body.facility_id})


@routes.post("/v1/invoices/<invoice_id>/assignment-acknowledgement")
@writes(routes, "approver", Nothing)
def acknowledge(invoice_id: str, body: Nothing) -> Answer:
    """Confirm to have noticed to whom the invoice is owed now, as its buyer."""
    return _step("AcknowledgeAssignment", invoice_id, {"invoice_id": invoice_id})


@routes.post("/v1/invoices/<invoice_id>/settlement")
@writes(routes, "approver", SettlementIn, {"amount": "1234.50", "deposit": "EUR@FinancierMSP"})
def settle(invoice_id: str, body: SettlementIn) -> Answer:
    """Pay an invoice, in part or in full, as its buyer."""
    amount_minor = to_minor(body.amount, deposit_currency(body.deposit), "amount")
    command = {"invoice_id": invoice_id, "amount_minor": amount_minor, "deposit": body.deposit}
    return _step("SettleInvoice", invoice_id, command)


@routes.post("/v1/release-checks")
@writes(routes, WRITERS, ReleaseIn)
def check_release(body: ReleaseIn) -> Answer:
    """Run the release check again, when funds or limits have arrived."""
    return submit("CheckRelease", {"invoice_ids": body.invoice_ids})


def _step(command_type: str, invoice_id: str, command: dict[str, Any]) -> Answer:
    return submit(command_type, command, resource=f"/v1/invoices/{invoice_id}", record_id=invoice_id)


def _request(invoice_id: str, body: RequestIn) -> dict[str, Any]:
    """The command of a request; `net_min` is in the currency of the facilities, which must be one."""
    readmodel = current_node().readmodel
    found = [existing(readmodel.facility(each), "facility", each) for each in body.facility_ids]
    currencies = {deposit_currency(facility["deposit"]) for facility in found}
    if len(currencies) != 1:
        text = f"the facilities have different currencies: {', '.join(sorted(currencies))}"
        raise Problem(422, "CURRENCY_DIFFERS", text, "Send one request for each currency.")
    return {
        "invoice_id": invoice_id,
        "facility_ids": body.facility_ids,
        "net_min_minor": to_minor(body.net_min, currencies.pop(), "net_min"),
        "valid_until": body.valid_until,
    }
