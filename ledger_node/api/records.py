"""The shapes of what is read, made from the ledger's records: amounts as decimal strings, and pages of them.

Every answer carries `block_number`, the last block this node has seen; every record carries, as `written`, the block
and the transaction that wrote it last.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, create_model

from chaincode import records
from ledger_node.operations.fields import NAME_FIELDS, Answer, Out
from ledger_node.operations.shapes import answer_shape


class WrittenOut(Out):
    """The transaction that wrote a record last."""

    block_number: int
    transaction_id: str


class Written(Out):
    """Base of a ledger record."""

    written: WrittenOut


class Named(Written):
    """Base of a ledger record that people have names for."""

    names: dict[str, str] = Field(
        description="What this organisation knows it is called, which the ledger does not know. "
        + "; ".join(f"`{field}`: {text}" for field, text in NAME_FIELDS.items())
    )


def extended(shape: type[Out], name: str, text: str, **more: Any) -> type[Out]:
    """A shape with further fields, as `pydantic.create_model` takes them, under another name."""
    return create_model(name, __base__=shape, __doc__=text, **more)


def list_of(shape: type[Out], name: str, text: str) -> type[Out]:
    """All of something."""
    return extended(Answer, name, text, items=(list[shape], ...))  # type: ignore[valid-type]


def page_of(shape: type[Out], name: str, text: str) -> type[Out]:
    """A page of something."""
    return extended(list_of(shape, name, text), name, text, total=(int, ...), page=(int, ...), per_page=(int, ...))


def one_of(shape: type[Out], name: str, text: str, **more: Any) -> type[Out]:
    """One of something, with further fields as `pydantic.create_model` takes them."""
    return create_model(name, __base__=(Answer, shape), __doc__=text, **more)


NAMES = (
    dict[str, str],
    Field(description="Names of what it speaks of, where known; `invoice` is an invoice's number."),
)


class SigningOut(Out):
    """What persons have to sign before the ledger takes the command, and who has."""

    message: str = Field(description="Canonical JSON; sign SHA-256 of its UTF-8 bytes with ECDSA over P-256.")
    digest: str = Field(description="That SHA-256, 64 hex digits.")
    persons_needed: int
    signed_by: list[str] = Field(description="Ids of the persons who have signed.")


class SubmissionOut(Out):
    """A command on its way to the ledger, and what became of it."""

    id: str = Field(description="Id of the submission, and of the command on the ledger.")
    type: str = Field(examples=["RegisterInvoice"])
    status: str = Field(
        description="waiting, sent, awaiting_persons, applied, refused, failed or withdrawn; the last four are final."
    )
    code: str = Field(description="Why it was refused or failed; else empty.")
    text: str
    remedy: str = Field(description="What can be done where it was refused or failed; else empty.")
    record_id: str = Field(description="Id of the record that this write makes or changes; empty when unknown.")
    resource: str = Field(description="Where that record can be read, once it is applied; empty when there is none.")
    result: dict[str, Any] | None = Field(description="The contract's answer, once applied.")
    transaction_id: str
    block_number: int | None
    created_at: str
    principal: str = Field(description="Who asked for it; empty for what the node does by itself.")
    to_do: str = Field(description="What people can do about it now; empty when there is nothing to do.")
    signing: SigningOut | None = Field(description="While persons have to sign it.")
    notes: list[str] = Field(description="Of an upload: what registering it has to state, and broken rules.")
    same_content: list[str] = Field(description="Of an upload: ids of the other own documents with the same content.")


SubmissionRecordOut = extended(SubmissionOut, "SubmissionRecordOut", "A submission in a list.", names=NAMES)
SubmissionsOut = page_of(SubmissionRecordOut, "SubmissionsOut", "A page of submissions, the latest first.")


class OwnFileOut(Out):
    """What only the submitter's node knows."""

    digest: str
    filename: str


class DayOut(Answer):
    """The ledger's day; empty before the first."""

    date: str


PartyOut = answer_shape(records.Party, base=Written)
PartyAnswerOut = one_of(PartyOut, "PartyAnswerOut", "One party.")
FoundingOut = answer_shape(records.Founding, base=Written)
PartiesOut = extended(
    Answer,
    "PartiesOut",
    "All parties and the founding.",
    founding=(FoundingOut | None, ...),
    items=(list[PartyOut], ...),  # type: ignore[valid-type]
)

AttestationOut = answer_shape(records.Attestation, base=Written)
DocumentRecordOut = answer_shape(records.Document, "DocumentRecordOut", Named)
DocumentsOut = page_of(DocumentRecordOut, "DocumentsOut", "A page of documents, the latest first.")
DocumentOut = one_of(
    DocumentRecordOut,
    "DocumentOut",
    "A document, what was attested of it, and the file when it is this organisation's own.",
    attestations=(list[AttestationOut], ...),  # type: ignore[valid-type]
    own=(OwnFileOut | None, ...),
)

EventOut = answer_shape(records.ShipmentEvent, "EventOut", Written)


class WaitOut(Out):
    """For whom a record waits: a party, or a role; nothing has happened to it since then."""

    for_: str = Field(alias="for")
    reasons: list[str] = Field(
        description="Of an invoice's classes that are not VALID; ACKNOWLEDGEMENT_MISSING, NOT_DUE_YET or OVERDUE of "
        "its buyer; PAYOUT_MISSING of a redemption, CREDIT_NOT_PAID of a credit note, FUNDING_HELD of a hold; "
        "NOT_DELIVERED or CARRIER_NOT_ACCEPTED of a shipment, VOTE_MISSING or CONSENT_MISSING of a membership change."
    )
    since: str


class ExpectedOut(Out):
    """The next payment to be expected; an early one as soon as nothing is waited for, at today's price."""

    what: str = Field(description="early payment, settlement, payout or credit.")
    to: str
    day: str = Field(description="YYYY-MM-DD; empty where no day is agreed.")
    amount: str


WAITS: dict[str, Any] = {
    "waits": (
        list[WaitOut] | None,
        Field(description="For whom it waits, once for each of them; empty when it is done, null when not asked for."),
    ),
    "expected": (ExpectedOut | None, Field(description="The next payment; null when there is none, or not asked for.")),
}
"""What is said of records that somebody waits for, in lists and one by one."""
ShipmentRecordOut = answer_shape(records.Shipment, "ShipmentRecordOut", Named, more=WAITS)
ShipmentsOut = page_of(ShipmentRecordOut, "ShipmentsOut", "A page of shipments, the latest first.")
ShipmentOut = one_of(ShipmentRecordOut, "ShipmentOut", "A shipment and its events.", events=(list[EventOut], ...))  # type: ignore[valid-type]

PersonRecordOut = answer_shape(
    records.Person, "PersonRecordOut", Written, ("commitment",), {"person_id": (str, ...), "name": (str, ...)}
)
PersonAnswerOut = one_of(PersonRecordOut, "PersonAnswerOut", "One person.")
PersonsOut = page_of(PersonRecordOut, "PersonsOut", "Persons; `name` is empty for those of others.")

AccountsOut = list_of(
    answer_shape(records.Account, leave_out=("guard_parties",), more={"key": (str, ...), "names": NAMES}),
    "AccountsOut",
    "Balances.",
)
EntriesOut = page_of(
    answer_shape(
        records.Entry,
        leave_out=("command_number",),
        more={"key": (str, ...), "block_number": (int, ...), "names": NAMES},
    ),
    "EntriesOut",
    "A page of movements, in the order of the ledger.",
)


class MomentOut(Out):
    """One write that touched an invoice or shipment, or what it rests on."""

    what: str
    key: str
    msp_id: str
    transaction_id: str
    block_number: int
    timestamp: str


TimelineOut = list_of(MomentOut, "TimelineOut", "Writes, in the order of the ledger.")


class ClassOut(Out):
    """One of the seven classes of evidence: VALID, INVALID or INDETERMINATE, why, and who can mend it."""

    class_: str = Field(alias="class", description="PARTIES, INTEGRITY, AMOUNT, DELIVERY, UNIQUE, FACILITY or FUNDS.")
    verdict: str
    reason: str
    text: str
    who: str


class QuoteOut(Out):
    """What early payment today would cost and yield."""

    discount: str
    fee: str
    net: str
    days: int
    maturity: str
    rate_bps: int
    yield_bps: int
    yield_with_fees_bps: int


InvoiceRecordOut = answer_shape(
    records.Invoice,
    "InvoiceRecordOut",
    Named,
    more={
        "amount": (str, ...),
        "amount_due": (
            str,
            Field(description="What is claimed: the document's amount less credit notes and other parts."),
        ),
        "currency": (str, ...),
        "issue_date": (str, ...),
        "due_date": (
            str,
            Field(description="Of the document; `stated_due_date` where it names none, which is not from the file."),
        ),
        **WAITS,
    },
)
InvoicesOut = page_of(InvoiceRecordOut, "InvoicesOut", "A page of invoices.")
InvoiceOut = one_of(
    InvoiceRecordOut,
    "InvoiceOut",
    "An invoice with all there is to say of it; `warning` says when the ledger could not be asked for classes.",
    timeline=(list[MomentOut], ...),
    facility_id=(str, Field(description="The facility that the classes speak of; empty when there is none.")),
    classes=(list[ClassOut], ...),
    quote=(QuoteOut | None, ...),
    warning=(str, ...),
)
