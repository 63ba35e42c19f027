"""What happens to deposit money after it is issued: moved, paid out, taken back, a shortfall covered."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from chaincode.money import deposit_currency
from ledger_node import fingerprints
from ledger_node.api.context import current_node
from ledger_node.api.wire import AmountText, DateText, Deposit, In, Msp, Text
from ledger_node.api.writes import (
    REASON_EXAMPLE,
    Answer,
    ReasonIn,
    fresh_id,
    in_minor,
    submit,
    submit_reasoned,
    writes,
)

routes = APIBlueprint("deposits", __name__, tag="Money")


class MoneyIn(In):
    """An amount of own deposit money."""

    deposit: Deposit
    amount: AmountText


class TransferIn(MoneyIn):
    """Money for another party."""

    to: Msp


class PaidOutIn(In):
    """The payment's own reference; it goes to the ledger as a keyed fingerprint only.

    `again` says that it is another payment than the one it looks like (`PAYMENT_LOOKS_CONFIRMED`).
    """

    payment_reference: Text
    booked_on: DateText
    again: bool = False


class ReversalIn(ReasonIn):
    """The booked credit that turned out wrong, as it was named when money was issued against it."""

    credit_reference: Text
    booked_on: DateText


MONEY_EXAMPLE = {"deposit": "EUR@FinancierMSP", "amount": "1234.50"}
BOOKED = {"booked_on": "2026-11-22"}


@routes.post("/v1/deposits/transfers")
@writes(routes, "approver", TransferIn, MONEY_EXAMPLE | {"to": "SupplierMSP"})
def transfer(body: TransferIn) -> Answer:
    """Move own deposit money to another party."""
    return submit("TransferDeposit", _minor(body), resource="/v1/accounts")


@routes.post("/v1/deposits/reversals")
@writes(routes, "issuer", ReversalIn, {"credit_reference": "CAMT054-0001", "reason": "booked twice"} | BOOKED)
def reverse(body: ReversalIn) -> Answer:
    """Take back, once, what was issued against a booked credit, as its issuer."""
    key = current_node().fingerprint_key
    credit = fingerprints.credit_reference(key, body.credit_reference, body.booked_on)
    return submit_reasoned("ReverseIssue", {"credit_reference": credit}, body.reason, resource="/v1/accounts")


@routes.post("/v1/deposits/covers")
@writes(routes, "approver", MoneyIn, MONEY_EXAMPLE)
def cover(body: MoneyIn) -> Answer:
    """Pay, out of own deposit money, what a reversed issue left short."""
    return submit("CoverShortfall", _minor(body), resource="/v1/accounts")


@routes.post("/v1/redemptions")
@writes(routes, "approver", MoneyIn, MONEY_EXAMPLE)
def redeem(body: MoneyIn) -> Answer:
    """Ask the issuer to pay deposit money out to the own registered account."""
    redemption_id = fresh_id("redemption")
    command = _minor(body) | {"redemption_id": redemption_id}
    return submit("RedeemDeposit", command, created=True, **_about(redemption_id))


@routes.post("/v1/redemptions/<redemption_id>/confirmation")
@writes(routes, "issuer", PaidOutIn, {"payment_reference": "PAIN001-0815"} | BOOKED)
def confirm(redemption_id: str, body: PaidOutIn) -> Answer:
    """Say that a redemption is paid out by a payment, which counts once, as the deposit's issuer."""
    key = current_node().fingerprint_key
    command = {
        "redemption_id": redemption_id,
        "payment_reference": fingerprints.credit_reference(key, body.payment_reference, body.booked_on),
        "reference_fingerprint": fingerprints.bank_reference(key, body.payment_reference),
        "again": body.again,
    }
    return submit("ConfirmRedemption", command, **_about(redemption_id))


@routes.post("/v1/redemptions/<redemption_id>/rejection")
@writes(routes, "issuer", ReasonIn, REASON_EXAMPLE)
def reject(redemption_id: str, body: ReasonIn) -> Answer:
    """Give deposit money back that cannot be paid out, as its issuer."""
    return submit_reasoned("RejectRedemption", {"redemption_id": redemption_id}, body.reason, **_about(redemption_id))


def _minor(body: MoneyIn) -> dict[str, Any]:
    return in_minor(body.model_dump(), deposit_currency(body.deposit))


def _about(redemption_id: str) -> dict[str, Any]:
    return {"resource": f"/v1/redemptions/{redemption_id}", "record_id": redemption_id}
