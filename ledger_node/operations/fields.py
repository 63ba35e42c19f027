"""Types of fields in requests: how each of the contract's own types is written by people and programs, and said.

Amounts are decimal strings, dates and ids have a form, and nothing is turned into another type. No business rule here.
Source: ISO 4217, ISO 8601.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chaincode.records import fields as ledger
from ledger_node.config import MSP_ID


class In(BaseModel):
    """Base of every JSON body: an unknown field is refused, and no type is turned into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Nothing(In):
    """The body of a request that says everything by its address: none, or an empty object."""


class Out(BaseModel):
    """Base of every answer; it describes and is never used to check: a node may show what is newer than itself.

    So its validator is built when somebody asks for it, which is nobody: a node starts sooner.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)


class Answer(Out):
    """Base of what comes from the read model."""

    block_number: int = Field(description="The last block that this answer knows; -1 before the first.")


def _calendar_date(text: str) -> str:
    try:
        dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is no day of the calendar") from error
    return text


def _own_date(text: str) -> str:
    """The date at the place where something happened, of a date, or of a time with its zone."""
    if len(text) == len("YYYY-MM-DD"):
        return _calendar_date(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is no time of the calendar") from error
    if moment > dt.datetime.now(dt.UTC) + CLOCKS_DIFFER:
        raise ValueError(f"{text} has not come yet")
    return moment.date().isoformat()


RecordId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"])]
Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Msp = Annotated[str, Field(pattern=MSP_ID, examples=["BuyerMSP"])]
DateText = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-03-31"], json_schema_extra={"format": "date"}),
    AfterValidator(_calendar_date),
]
HappenedOn = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2}))?$",
        examples=["2026-11-22", "2026-11-22T08:00+09:00"],
        description="A date, or a time with its zone (RFC 3339), of which the date at that place is taken.",
    ),
    AfterValidator(_own_date),
]
"""When something has happened, at the place where it did: that date may be tomorrow's here."""
AmountText = Annotated[
    str,
    Field(max_length=40, examples=["1234.50"], description="Decimal string with at most the currency's digits."),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
Deposit = Annotated[str, Field(pattern=r"^[A-Z]{3}@[A-Za-z][A-Za-z0-9.-]{0,60}$", examples=["EUR@FinancierMSP"])]
GroupId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=["acme-group"])]
Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Url = Annotated[str, Field(pattern=r"^https://[!-~]{1,200}$", examples=["https://127.0.0.1:8002"])]
Empty = Literal[""]

CLOCKS_DIFFER = dt.timedelta(minutes=15)
"""By how much two clocks may differ: what a peer allows a transaction's time."""

SENT_AS = {"occurred_on": HappenedOn, "booked_on": HappenedOn}
"""The forms of fields that go by their name."""
SENT: dict[Any, Any] = {
    ledger.Id: RecordId,
    ledger.IdOrNone: RecordId | Empty,
    ledger.Hex: Hex64,
    ledger.Msp: Msp,
    ledger.Date: DateText,
    ledger.DateOrNone: DateText | Empty,
    ledger.Currency: Currency,
    ledger.Deposit: Deposit,
    ledger.GroupId: GroupId,
    ledger.Label: Text,
    ledger.Url: Url,
}
"""The contract's types that a request has a form of its own for; all others are as the contract has them."""

NAMED_KINDS = {
    "change_id": "membership",
    "credit_note_id": "credit_note",
    "document_id": "document",
    "facility_id": "facility",
    "invoice_id": "invoice",
    "redemption_id": "redemption",
    "seal_id": "seal",
    "shipment_id": "shipment",
    "facility_ids": "facility",
    "invoice_ids": "invoice",
    "proof_ids": "document",
    "shipment_ids": "shipment",
    "superseded_by": "document",
}
"""The kind of record that a field names by its id, of which the beginning, or a name, is taken instead."""

NAME_FIELDS = {
    "number": "of an invoice or a credit note, as its document says",
    "order": "the buyer's order, as the invoice says",
    "shipments": "the delivery notes that an invoice names, or the waybills of transport events",
    "file": "what its submitter calls the file",
    "buyer_reference": "the buyer's own number for an invoice",
    "reference": "of a shipment",
    "payment_reference": "of the payment that a redemption was confirmed by",
    "agreement": "under which a supplier was accepted",
    "invoice": "the number of the invoice that a record speaks of",
}
"""What `names` may hold of a record; each is known to those who typed it or may read the document that says it."""

SAID = {
    "RevokeDocument.reason": "Why.",
    "again": "It is another one than the one that it looks like.",
    "agreement": "Number of the agreement; the ledger gets a commitment only.",
    "amount": "How much, such as 1234.50.",
    "attestations_min": "For each document.",
    "ack_days": "Time to acknowledge an assignment.",
    "both_delivery": "Above this, carrier and buyer must report delivery.",
    "booked_on": "The booking date, YYYY-MM-DD, or a time with zone.",
    "buyer": "The buyer's MSP id.",
    "buyer_reference": "The buyer's own number for it; one approval each.",
    "carrier": "Who carries the goods.",
    "certificate": "PEM.",
    "credit_reference": "The account servicer's reference of the booked credit.",
    "currency": "Such as EUR.",
    "date": "YYYY-MM-DD.",
    "day_count": "Basis of the rate.",
    "deposit": "The deposit money, CURRENCY@MSP.",
    "digest": "Digest of the founding, 64 hexadecimal digits.",
    "document_id": "Id of an uploaded document.",
    "due_date": "When it is owed, YYYY-MM-DD.",
    "facility_id": "Id of the facility.",
    "facility_ids": "Id of a facility; repeat.",
    "fee": "Fixed fee for each invoice.",
    "grace_days": "Added to the due date.",
    "group_id": "The corporate group that the supplier was found to be in.",
    "holidays": "No business day, YYYY-MM-DD; repeat.",
    "insured_until": "Last day of the insurance, if there is one.",
    "invoice_ids": "Id of an invoice; repeat.",
    "limit": "For all of it, such as 1000000.00.",
    "agreement_key": "The public half, 64 hex digits: `ledger-node crypto make-agreement-key`.",
    "mode": "Who decides.",
    "msp_id": "The party.",
    "name": "The person's name.",
    "net_min": "The least to be paid out, such as 1200.00.",
    "occurred_on": "When, YYYY-MM-DD or 2026-11-22T08:00+09:00, of the place where it happened.",
    "outcome": "To be approved anew, or not owed at all.",
    "two_step_above": "A person's decision above this needs two persons.",
    "manual_first": "How many invoices are decided by a person first, whatever the mode.",
    "reserve_days": "How many days money that is set aside waits.",
    "short_bps_max": "How far short of what is billed goods may come, in basis points.",
    "off_days_max": "How far a delivery may be off the day that is billed.",
    "overdue_days_max": "How late the buyer may be elsewhere.",
    "partial": "Only a part of the goods.",
    "payment_reference": "The payment's own reference.",
    "payout_account": "IBAN or other number.",
    "peer_url": "https://HOST:PORT.",
    "proof_ids": "Id of an uploaded shipping proof; repeat.",
    "rate_bps": "Yearly rate in basis points.",
    "reason": "Why; the ledger gets a salted commitment, the parties of an invoice can read it.",
    "recourse": "When the supplier buys back.",
    "reference": "The despatch advice's number, as the invoice names it.",
    "screened_until": "How long the screening holds, YYYY-MM-DD.",
    "shipment_ids": "Id of a shipment; repeat.",
    "stated_due_date": "When it is owed, YYYY-MM-DD, if its file names no due date; the buyer has to approve it.",
    "superseded_by": "Id of the one that takes its place.",
    "supplier": "The supplier's MSP id.",
    "supplier_limit": "For each supplier.",
    "suppliers": "For whom; repeat.",
    "tenor_days_max": "Longest time to maturity.",
    "tenor_days_min": "Shortest time to maturity.",
    "to": "Who gets it.",
    "type": "What happened.",
    "valid_until": "The last day of the offer, YYYY-MM-DD.",
}
"""What the help at the prompt says of a field; `Command.field` where it says something else of one command."""
