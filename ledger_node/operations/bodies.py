"""The bodies of requests: those that have something computed are written here, found by name; all others are made.

What people type in clear (numbers, accounts, references) reaches the ledger as a keyed fingerprint or a commitment.
"""

from __future__ import annotations

import functools
from typing import Any

from pydantic import Field

from chaincode import records
from chaincode.records import bodies
from chaincode.records.fields import DayCount, Role
from chaincode.records.sealed import Privacy
from ledger_node.operations.fields import (
    AmountText,
    Currency,
    DateText,
    Deposit,
    Empty,
    GroupId,
    HappenedOn,
    Hex64,
    In,
    Msp,
    Nothing,
    RecordId,
    Text,
    Url,
)
from ledger_node.operations.operation import Operation
from ledger_node.operations.shapes import request_shape
from ledger_node.operations.table import OPERATIONS


class IdentifierIn(In):
    """An identifier; `scheme` is VAT, LEI, GLN, DUNS, an ISO 6523 code, `legal`, or a tax scheme such as GST."""

    scheme: str = Field(pattern=r"^[A-Za-z0-9:._-]{1,20}$", examples=["LEI"])
    id: Text


class PartyIn(In):
    """One party of the founding. `legal_id` is what its invoices name it by: VAT id, else legal id, else name.

    `identifiers` are further ones, of which any may stand in an invoice and none may contradict. `agreement_key` is
    what `ledger-node crypto make-agreement-key` shows at the party's own node; without it, it may name one later.
    """

    msp_id: Msp
    name: Text
    roles: list[Role] = Field(min_length=1, max_length=5)
    group_id: GroupId
    peer_url: Url
    legal_id: Text
    payout_account: Text
    issue_limits: dict[Currency, AmountText] = Field(default_factory=dict, max_length=50)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    agreement_key: Hex64 | Empty = ""


class IdentitiesIn(In):
    """All identifiers of the own party, but for the one that it was listed with; they replace those before."""

    identifiers: list[IdentifierIn] = Field(max_length=50)


class FoundingIn(In):
    """The first parties; the founding is inert until each of them has confirmed it."""

    parties: list[PartyIn] = Field(min_length=2, max_length=50)
    privacy: Privacy = "open"


class AdmissionIn(In):
    """The party to be admitted, in full; it must consent to just this."""

    party: PartyIn


class PayoutAccountIn(In):
    """The account to be paid to; it goes to the ledger as a keyed fingerprint only."""

    payout_account: Text


class PersonIn(In):
    """A person by its certificate (PEM); name and certificate stay with this node."""

    name: Text
    certificate: str = Field(max_length=10_000, examples=["-----BEGIN CERTIFICATE-----\nMIIB..."])


class ShipmentIn(In):
    """Goods that go to a buyer with a carrier; `reference` is the despatch advice's number, as the invoice names it."""

    buyer: Msp
    carrier: Msp
    reference: Text


EventOfListIn = request_shape(
    "EventOfListIn", bodies.RecordShipmentEvent, ("event_id",), {"partial": False, "document_id": ""}
)


class EventsIn(In):
    """What happened to some shipments; no more than ten of them."""

    events: list[EventOfListIn] = Field(min_length=1, max_length=500)  # type: ignore[valid-type]


class InvoiceIn(In):
    """A claim on a buyer: its document, the shipping proofs and the shipments it rests on.

    `stated_due_date` is for an invoice whose file names none; it counts once the buyer has approved it.
    """

    document_id: RecordId
    proof_ids: list[RecordId] = Field(default_factory=list, max_length=20)
    shipment_ids: list[RecordId] = Field(default_factory=list, max_length=10)
    buyer: Msp
    stated_due_date: DateText | Empty = ""


class ApprovalIn(In):
    """The buyer's undertaking; `buyer_reference` is its own document's number, one approval each."""

    amount: AmountText
    currency: Currency
    due_date: DateText
    buyer_reference: Text


class PartIn(In):
    """One part of an invoice, with the shipments that belong to it: the whole's own, or one that brings the rest."""

    amount: AmountText
    shipment_ids: list[RecordId] = Field(default_factory=list, max_length=10)


class SplitIn(In):
    """The parts; together they are the whole."""

    parts: list[PartIn] = Field(min_length=2, max_length=10)


class DiscountIn(In):
    """What a supplier offers its buyer for paying early; where the consortium's terms are sealed, for the two alone."""

    rate_bps: int = Field(ge=0, le=10_000)
    day_count: DayCount = "ACT/360"
    valid_until: DateText


class AcceptanceIn(In):
    """A supplier taken on. `agreement` names the agreement; the ledger gets a commitment to it only."""

    supplier: Msp
    agreement: Text
    screened_until: DateText
    group_id: GroupId


class DepositIn(In):
    """Money to issue against one booked credit; the reference goes to the ledger as a keyed fingerprint only.

    `again` says that it is another credit than the one it looks like (`CREDIT_LOOKS_ISSUED`).
    """

    deposit: Deposit
    to: Msp
    amount: AmountText
    credit_reference: Text
    booked_on: HappenedOn
    again: bool = False


class ReversalIn(In):
    """The booked credit that turned out wrong, as it was named when money was issued against it."""

    reason: Text
    credit_reference: Text
    booked_on: HappenedOn


class PaidOutIn(In):
    """The payment's own reference; it goes to the ledger as a keyed fingerprint only.

    `again` says that it is another payment than the one it looks like (`PAYMENT_LOOKS_CONFIRMED`).
    """

    payment_reference: Text
    booked_on: HappenedOn
    again: bool = False


BY_HAND = {shape.__name__: shape for shape in In.__subclasses__() if shape.__module__ == __name__}
BY_HAND |= {
    "TermsIn": request_shape("TermsIn", records.FacilityTerms),
    "PaymentIn": request_shape("PaymentIn", bodies.PayEarly, ("invoice_id", "opening")),
    "SealIn": request_shape("SealIn", bodies.SealDocuments, ("seal_id", "algorithm")),
}


def command_body(operation: Operation) -> type[Any]:
    """The contract's own body of a command."""
    body: type[Any] = getattr(bodies, operation.command)
    return body


@functools.cache
def _derived() -> dict[str, type[In]]:
    """The models of all rows that have none by hand, by name; rows that share a name have the same fields."""
    made: dict[str, type[In]] = {}
    for operation in OPERATIONS:
        if operation.schema and operation.schema not in BY_HAND:
            shape = request_shape(
                operation.schema,
                command_body(operation),
                operation.not_sent,
                operation.defaults,
            )
            first = made.setdefault(operation.schema, shape)
            assert _said(first) == _said(shape), f"{operation.schema} of {operation.command} is another"
    return made


def _said(shape: type[In]) -> dict[str, tuple[str, bool]]:
    return {name: (str(field.annotation), field.is_required()) for name, field in shape.model_fields.items()}


def request_body(operation: Operation) -> type[In]:
    """The model of a request's body."""
    if not operation.schema:
        return Nothing
    return BY_HAND.get(operation.schema) or _derived()[operation.schema]
