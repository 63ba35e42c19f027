"""How an invoice is paid, or not: outside the ledger, early by the buyer, later, written off, bought back, undone."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import Field

from chaincode.money import deposit_currency
from ledger_node.api.invoice_changes import currency_of, step
from ledger_node.api.wire import AmountText, DateText, Deposit, In, Nothing, RecordId, to_minor
from ledger_node.api.writes import WRITERS, Answer, ReasonIn, in_minor, submit, submit_reasoned, writes

routes = APIBlueprint("invoice_payments", __name__, tag="Invoices")

HOLDER = ("approver", "funder")
DEPOSIT_EXAMPLE = {"deposit": "EUR@FinancierMSP"}


class PaidOutsideIn(ReasonIn):
    """How much was paid, and how one knows."""

    amount: AmountText


class DiscountIn(In):
    """A yearly rate for what the buyer pays before it is due."""

    rate_bps: int = Field(ge=0, le=10_000)
    day_count: Literal["ACT/360", "ACT/365F"] = "ACT/360"
    valid_until: DateText


class PaymentIn(In):
    """The deposit money to pay with."""

    deposit: Deposit


class DueDateIn(In):
    """A later due date."""

    due_date: DateText


class AmountIn(In):
    """An amount in the invoice's currency."""

    amount: AmountText


class RecoveryIn(PaymentIn):
    """How much of what was written off is paid."""

    amount: AmountText


class InvoicesIn(In):
    """Some invoices."""

    invoice_ids: list[RecordId] = Field(min_length=1, max_length=50)


class DeclineIn(ReasonIn):
    """Which facility declines, and why."""

    facility_id: RecordId


@routes.post("/v1/invoices/<invoice_id>/payment-outside")
@writes(routes, HOLDER, PaidOutsideIn, {"amount": "1234.50", "reason": "credit advice of 22 November"})
def record_paid_outside(invoice_id: str, body: PaidOutsideIn) -> Answer:
    """Confirm, as its holder, that the buyer paid an invoice outside the ledger, in part or in full."""
    amount_minor = to_minor(body.amount, currency_of(invoice_id), "amount")
    command = {"invoice_id": invoice_id, "amount_minor": amount_minor}
    about: dict[str, Any] = {"resource": f"/v1/invoices/{invoice_id}", "record_id": invoice_id}
    return submit_reasoned("RecordPaidOutside", command, body.reason, **about)


@routes.post("/v1/invoices/<invoice_id>/discount-offer")
@writes(routes, "uploader", DiscountIn, {"rate_bps": 400, "day_count": "ACT/360", "valid_until": "2027-01-31"})
def offer_discount(invoice_id: str, body: DiscountIn) -> Answer:
    """Offer the buyer a discount for paying early out of its own cash, as the supplier."""
    return step("OfferDiscount", invoice_id, body.model_dump())


@routes.post("/v1/invoices/<invoice_id>/early-settlement")
@writes(routes, "approver", PaymentIn, DEPOSIT_EXAMPLE)
def pay_early(invoice_id: str, body: PaymentIn) -> Answer:
    """Pay what is open at the discount that the supplier offers, as the buyer."""
    return step("PayEarly", invoice_id, body.model_dump())


@routes.post("/v1/invoices/<invoice_id>/due-date")
@writes(routes, HOLDER, DueDateIn, {"due_date": "2027-04-30"})
def extend_due_date(invoice_id: str, body: DueDateIn) -> Answer:
    """Give the buyer more time, as the invoice's holder."""
    return step("ExtendDueDate", invoice_id, body.model_dump())


@routes.post("/v1/overdue-checks")
@writes(routes, WRITERS, InvoicesIn)
def mark_overdue(body: InvoicesIn) -> Answer:
    """Say that due dates have passed; anybody can."""
    return submit("MarkOverdue", body.model_dump())


@routes.post("/v1/invoices/<invoice_id>/write-off")
@writes(routes, HOLDER, AmountIn, {"amount": "1234.50"})
def write_off(invoice_id: str, body: AmountIn) -> Answer:
    """Write off what is overdue, or a part of it, as the invoice's holder; the buyer owes it as before."""
    return step("WriteOff", invoice_id, in_minor(body.model_dump(), currency_of(invoice_id)))


@routes.post("/v1/invoices/<invoice_id>/recovery")
@writes(routes, "approver", RecoveryIn, {"amount": "1234.50", "deposit": "EUR@FinancierMSP"})
def recover(invoice_id: str, body: RecoveryIn) -> Answer:
    """Pay what was written off, or a part of it, as the buyer."""
    return step("RecordRecovery", invoice_id, in_minor(body.model_dump(), deposit_currency(body.deposit)))


@routes.post("/v1/invoices/<invoice_id>/repurchase")
@writes(routes, "approver", PaymentIn, DEPOSIT_EXAMPLE)
def repurchase(invoice_id: str, body: PaymentIn) -> Answer:
    """Buy an invoice back from its financier, as its supplier, where the facility has recourse."""
    return step("Repurchase", invoice_id, body.model_dump())


@routes.post("/v1/invoices/<invoice_id>/unwinding")
@writes(routes, HOLDER, Nothing)
def unwind(invoice_id: str, body: Nothing) -> Answer:
    """Consent to take an early payment back; the second of supplier and financier to do so carries it out."""
    return step("Unwind", invoice_id, {})


@routes.post("/v1/invoices/<invoice_id>/funding-posting")
@writes(routes, "funder", Nothing)
def post_funding(invoice_id: str, body: Nothing) -> Answer:
    """Pay what another person has set aside for an invoice, as its financier."""
    return step("PostFunding", invoice_id, {})


@routes.post("/v1/invoices/<invoice_id>/funding-voiding")
@writes(routes, "funder", Nothing)
def void_funding(invoice_id: str, body: Nothing) -> Answer:
    """Take back what is set aside for an invoice, as its financier."""
    return step("VoidFunding", invoice_id, {})


@routes.post("/v1/funding-expiries")
@writes(routes, WRITERS, InvoicesIn)
def expire_funding(body: InvoicesIn) -> Answer:
    """Give back what was set aside and not paid in time; anybody can."""
    return submit("ExpireFunding", body.model_dump())


@routes.post("/v1/invoices/<invoice_id>/funding-refusal")
@writes(routes, "funder", DeclineIn, {"facility_id": "c0ffee00c0ffee00c0ffee00c0ffee00", "reason": "outside policy"})
def decline(invoice_id: str, body: DeclineIn) -> Answer:
    """Say no to an invoice that was offered to a facility, as its financier."""
    command = {"invoice_id": invoice_id, "facility_id": body.facility_id}
    about: dict[str, Any] = {"resource": f"/v1/invoices/{invoice_id}", "record_id": invoice_id}
    return submit_reasoned("DeclineEarlyPayment", command, body.reason, **about)
