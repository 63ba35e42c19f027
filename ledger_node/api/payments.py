"""A deposit's issuer and its bank: statements read against the ledger, orders written for redemptions.

Nothing is written here: what a row asks for is sent as `IssueDeposit` or `ConfirmRedemption` like any other. Each view
imports the bank's formats when it is asked: few nodes ever are, and they take a second to load.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from chaincode.money import Money, deposit_currency, deposit_issuer
from chaincode.records import keys
from ledger_node.api.answers import answers, existing
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.problem import Problem, refused
from ledger_node.api.wire import Plain, Query
from ledger_node.formats import FormatCode, FormatError, fingerprints, sniff
from ledger_node.node import utc_now
from ledger_node.operations.fields import Answer, DateText, In, Out
from ledger_node.operations.operation import ISSUER

routes = APIBlueprint("payments", __name__, tag="Money")
FILE_BYTES_MAX = 20 << 20
State = Literal[
    "to_issue", "issued", "taken_back", "to_confirm", "confirmed", "rejected", "promised", "open", "not_counted"
]


class BankFileQuery(Query):
    """The one account whose credits are deposit money."""

    account: str = Field(min_length=5, max_length=34, pattern=r"^[A-Za-z0-9 ]*$", examples=["DE75512108001245126199"])


class BankRowOut(Out):
    """One booking, or one word of the bank about a payment, and what it means here.

    `state`: `to_issue`, `to_confirm`: certain, and not done yet; `issued`, `confirmed`: done; `taken_back`: issued and
    reversed; `rejected`, `promised`: what the bank says of an order, which is never a booking; `open`: a person must
    look, `why` says at what; `not_counted`: no money that came in or went out.
    """

    state: State
    why: str
    direction: Literal["in", "out", ""]
    deposit: str = Field(description="Which deposit money it is or pays; empty for a bank's word about a payment.")
    amount: str
    booked_on: str
    reference: str
    end_to_end_id: str
    other_account: str
    other_name: str
    text: str
    party: str
    redemption_id: str


class BankFileOut(Answer):
    """A bank's file as rows, in its order."""

    items: list[BankRowOut]


class AccountIn(In):
    """Who pays or is paid, as the bank has it, with a structured address; `bic` is needed for pacs.008."""

    name: str = Field(max_length=140)
    iban: str = Field(max_length=42)
    country: str = Field(max_length=40)
    town: str = Field(max_length=140)
    bic: str = Field("", max_length=11)
    street: str = Field("", max_length=140)
    building: str = Field("", max_length=140)
    postcode: str = Field("", max_length=140)


class PaymentOrderIn(In):
    """How a redemption is paid: the message, both accounts, the day."""

    form: Literal["pain.001", "pacs.008"] = "pain.001"
    payer: AccountIn
    payee: AccountIn
    execution_date: DateText
    text: str = Field("Redemption of deposit money", min_length=1, max_length=140)


@routes.post("/v1/bank-files")
@routes.auth_required(bearer, roles=[ISSUER])
@routes.input(BankFileQuery, location="query", arg_name="query")
@answers(routes, BankFileOut)
def read_bank_file(query: BankFileQuery) -> Plain:
    """Compare a bank's file (camt.053, camt.054, pain.002 or pacs.002, as application/xml) with the ledger.

    Nothing is stored and nothing is sent.
    """
    from ledger_node.formats import bank_statement, payment_status
    from ledger_node.payments import follow, reconcile

    block_number = current_node().readmodel.block_number()  # the records may be newer, never older
    content, standing = _file(), _standing(query.account)
    try:
        rows = reconcile(standing, bank_statement.read_statement(content))
    except FormatError as error:
        if error.code != FormatCode.NOT_SUPPORTED:
            raise
        rows = follow(standing, payment_status.read_payment_status(content))
    return {"items": [_shown(row) for row in rows], "block_number": block_number}


@routes.post("/v1/redemptions/<redemption_id>/payment-order")
@routes.auth_required(bearer, roles=[ISSUER])
@routes.input(PaymentOrderIn, arg_name="body")
@routes.doc(responses={200: "The message, as application/xml."})
def write_payment_order(redemption_id: str, body: PaymentOrderIn) -> Response:
    """Write the order for the bank that pays a redemption: to the account that it names, and to no other.

    All ids in it are the redemption's own: written again it is the same payment. Nothing is stored and nothing is sent.
    """
    from ledger_node.payments import Account, Order, order_file

    node = current_node()
    found = existing(node.readmodel.record(keys.redemption(redemption_id)), "redemption", redemption_id)
    if deposit_issuer(found["deposit"]) != node.msp_id:
        raise refused(
            "NOT_THE_ISSUER", f"the redemption is of {found['deposit']}, which {node.msp_id} does not pay out"
        )
    if found["status"] != "requested":
        raise refused("STATUS_WRONG", f"the redemption is {found['status']}: only one that waits is to be paid")
    payee = Account(**body.payee.model_dump())
    if not fingerprints.is_text(payee.iban) or (
        fingerprints.account(node.fingerprint_key, payee.iban) != found["payout_fingerprint"]
    ):
        text = f"this is not the account that {found['party']} had registered when it asked"
        raise Problem(422, "PAYEE_DIFFERS", text, "Ask the party for the account, or reject the redemption.")
    order = Order(
        redemption_id=redemption_id,
        amount_minor=found["amount_minor"],
        currency=deposit_currency(found["deposit"]),
        payer=Account(**body.payer.model_dump()),
        payee=payee,
        execution_date=datetime.date.fromisoformat(body.execution_date),
        text=body.text,
    )
    message = order_file(order, body.form, datetime.datetime.now(datetime.UTC))
    return Response(message, content_type="application/xml")


def _file() -> bytes:
    if sniff.MEDIA_TYPES.get(request.mimetype) != sniff.XML:
        text = f"a bank's file is XML, not {request.mimetype or 'without a media type'}"
        raise Problem(415, "MEDIA_TYPE", text, "Send the header Content-Type: application/xml.")
    request.max_content_length = FILE_BYTES_MAX
    return request.get_data(cache=False)


def _standing(account: str) -> Any:
    from ledger_node.payments import Standing

    node = current_node()
    if not fingerprints.is_text(account):
        raise Problem(400, "INVALID_INPUT", "the account has no letter and no digit", "Name the account's IBAN.")
    return Standing(
        key=node.fingerprint_key,
        issuer=node.msp_id,
        account=account,
        parties=tuple(map(_as_of_now, node.readmodel.parties())),
        booked_credit=lambda value: node.readmodel.record(keys.booked_credit(node.msp_id, value)),
        redemption=_own_redemption,
    )


def _as_of_now(party: Plain) -> Plain:
    """A party with the account that counts by now: its record is only written again when the party acts."""
    pending, day = party["pending_payout"], current_node().readmodel.day()
    if pending and pending["from_day"] <= day and pending["not_before_seconds"] <= utc_now().timestamp():
        return party | {"payout_fingerprint": pending["fingerprint"]}
    return party


def _own_redemption(redemption_id: str) -> Plain | None:
    """Of a deposit that this organisation pays out; a bank's text may be anything."""
    node = current_node()
    found = node.readmodel.record(keys.redemption(redemption_id))
    return found if found is not None and deposit_issuer(found["deposit"]) == node.msp_id else None


def _shown(row: Any) -> Plain:
    booking = row.booking
    known = {"state": row.state, "why": row.why, "party": row.party, "redemption_id": row.redemption_id}
    if booking is None:
        return known | dict.fromkeys(BankRowOut.model_fields.keys() - known.keys(), "")
    said = ("booked_on", "reference", "end_to_end_id", "other_account", "other_name", "text")
    amount = Money(booking.amount_minor, booking.currency).decimal()
    return known | {
        "direction": "in" if booking.is_credit else "out",
        "deposit": f"{booking.currency}@{current_node().msp_id}",
        "amount": amount,
        **{name: getattr(booking, name) for name in said},
    }
