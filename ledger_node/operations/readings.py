"""What of the ledger is only looked at: one row a list, from which its view, description and command follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from chaincode import records
from chaincode.records.fields import DocumentKind
from chaincode.records.invoices import Status
from ledger_node.operations.asked import SEARCH, WAITS, Asked, party

SubmissionState = Literal[
    "", "in_flight", "attention", "waiting", "sent", "awaiting_persons", "applied", "refused", "failed", "withdrawn"
]
"""What submissions can be narrowed to; `outbox.worklist` says which statuses each holds."""
WAITED = ("waits", "expected")
"""The last columns of what somebody waits for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One kind of records, listed; one by one, too, where `id_name` says so.

    Args:
        kind: the first part of their keys on the ledger.
        address: of the list; that of one record goes on with `/<id_name>`.
        text: one sentence for people.
        noun: in the names of the shapes.
        record: the contract's dataclass; None where `api.records` has the shapes.
        id_name: the field that names one, which is the rest of its key; empty where the API shows none alone, or does
            so by hand.
        tag: the chapter of the API's description.
        question: of the read model, where it is not all records of that kind, the latest first.
        is_paged: whether it is shown in pages.
        asked: what the list can be narrowed by.
        prompt: as it is typed after `ledger-node`; empty for what has no command line.
        is_named: whether people have names for them, or for the invoice that they speak of.
        columns: of the table at the prompt; names are columns too.
        example: what is typed after the prompt.
    """

    kind: str
    address: str
    text: str
    noun: str
    record: type[Any] | None = None
    id_name: str = ""
    tag: str = "Records"
    question: str = ""
    is_paged: bool = True
    asked: tuple[Asked, ...] = ()
    prompt: str = ""
    is_named: bool = False
    columns: tuple[str, ...] = ()
    example: str = ""

    @property
    def shape_name(self) -> str:
        """The name of a record's shape."""
        return f"{self.noun}RecordOut" if self.id_name else f"{self.noun}Out"

    @property
    def list_name(self) -> str:
        """The name of the list's shape."""
        return f"{self.noun.removesuffix('y')}iesOut" if self.noun.endswith("y") else f"{self.noun}sOut"


READINGS = (
    Reading(
        kind="submission",
        address="/v1/submissions",
        text="What was sent from here, what became of it and what is to do about it, the latest first.",
        noun="Submission",
        tag="Submissions",
        asked=(
            Asked(
                "state", "Those on their way, for people (to sign, refused, failed) or of a status.", SubmissionState
            ),
            Asked("type", "Only commands of this type, such as ApproveInvoice."),
            Asked("own", "With those that the node makes by itself.", Literal["", "true"]),
            SEARCH,
        ),
        is_named=True,
        prompt="submission list",
        columns=("id", "type", "status", "code", "text", "number", "record_id", "principal", "created_at", "to_do"),
        example="--state attention",
    ),
    Reading(
        kind="party",
        address="/v1/parties",
        text="All parties, and how far the founding is.",
        noun="Party",
        tag="Consortium",
        question="parties",
        is_paged=False,
        prompt="party list",
        columns=("msp_id", "name", "roles", "status", "four_eyes", "active_persons"),
    ),
    Reading(
        kind="membership",
        address="/v1/membership-changes",
        text="Changes of the membership and who is for them, the latest first.",
        noun="MembershipChange",
        record=records.MembershipChange,
        id_name="change_id",
        asked=(WAITS,),
        prompt="party changes",
        columns=("change_id", "kind", "msp_id", "votes", "status", "day", "waits"),
    ),
    Reading(
        kind="person",
        address="/v1/persons",
        text="Persons of all parties; names are known of own ones only.",
        noun="Person",
        tag="Persons",
        prompt="person list",
        columns=("person_id", "name", "party", "status", "day"),
    ),
    Reading(
        kind="document",
        address="/v1/documents",
        text="Documents on the ledger, whoever submitted them, the latest first.",
        noun="Document",
        tag="Documents",
        question="documents",
        asked=(
            SEARCH,
            party("submitter", "Only those of this organisation."),
            Asked("kind", "Only those of this kind.", choices=("", *get_args(DocumentKind))),
        ),
        is_named=True,
        prompt="document list",
        columns=("document_id", "number", "file", "kind", "submitter", "size_bytes", "day"),
        example="--submitter SupplierMSP --kind invoice",
    ),
    Reading(
        kind="seal",
        address="/v1/seals",
        text="Seals on the ledger, whoever made them, the latest first.",
        noun="Seal",
        record=records.Seal,
        id_name="seal_id",
        tag="Seals",
        prompt="document seals",
        columns=("seal_id", "submitter", "root", "size", "day"),
    ),
    Reading(
        kind="shipment",
        address="/v1/shipments",
        text="Shipments, the latest first.",
        noun="Shipment",
        tag="Shipments",
        question="shipments",
        asked=(
            SEARCH,
            Asked(
                "state",
                "Only those without, or with, a report of whole delivery that counts.",
                Literal["", "open", "delivered"],
            ),
            party("supplier", "Only those of this supplier."),
            party("buyer", "Only those for this buyer."),
            party("carrier", "Only those with this carrier."),
            WAITS,
        ),
        is_named=True,
        prompt="shipment list",
        columns=("shipment_id", "reference", "supplier", "buyer", "carrier", "carrier_accepted", "day", "waits"),
        example="--carrier CarrierMSP --state open",
    ),
    Reading(
        kind="invoice",
        address="/v1/invoices",
        text="Invoices that fit all that is given.",
        noun="Invoice",
        tag="Invoices",
        question="invoices",
        asked=(
            SEARCH,
            Asked("status", "Only those that stand there.", Literal[""] | Status),
            party("supplier", "Only those of this supplier."),
            party("buyer", "Only those on this buyer."),
            party("holder", "Only those owed to this party now."),
            Asked("sort", "A field, with a minus for the greatest first.", default="-day"),
            WAITS,
        ),
        is_named=True,
        prompt="invoice list",
        columns=(
            "invoice_id",
            "number",
            "order",
            "buyer_reference",
            "status",
            "supplier",
            "buyer",
            "holder",
            "amount",
            "currency",
            "due_date",
            "stated_due_date",
            *WAITED,
        ),
        example="--status approved --sort due_date",
    ),
    Reading(
        kind="request",
        address="/v1/early-payment-requests",
        text="What suppliers offer for early payment, one invoice each, the latest first.",
        noun="EarlyPaymentRequest",
        record=records.Request,
        tag="Invoices",
        question="requests",
        asked=(
            SEARCH,
            party("financier", "Only those made to a facility of this financier."),
            Asked(
                "state",
                "Only those whose invoice may still be paid early.",
                Literal["", "open"],
            ),
            WAITS,
        ),
        is_named=True,
        prompt="invoice requests",
        columns=(
            "invoice_id",
            "invoice",
            "supplier",
            "net_min",
            "valid_until",
            "facility_ids",
            "day",
            *WAITED,
        ),
        example="--financier FinancierMSP --state open",
    ),
    Reading(
        kind="credit_note",
        address="/v1/credit-notes",
        text="Credit notes, the latest first.",
        noun="CreditNote",
        record=records.CreditNote,
        id_name="credit_note_id",
        asked=(SEARCH, WAITS),
        is_named=True,
        prompt="invoice credit-notes",
        columns=(
            "credit_note_id",
            "number",
            "invoice_id",
            "invoice",
            "supplier",
            "buyer",
            "amount",
            "status",
            "day",
            *WAITED,
        ),
    ),
    Reading(
        kind="misdirected",
        address="/v1/misdirected-payments",
        text="Reports of payments to others than the holder, the latest first.",
        noun="MisdirectedPayment",
        record=records.MisdirectedPayment,
        asked=(SEARCH,),
        is_named=True,
        prompt="invoice misdirected-payments",
        columns=("invoice_id", "invoice", "reporter", "amount", "currency", "day"),
    ),
    Reading(
        kind="discount_offer",
        address="/v1/discount-offers",
        text="What suppliers offer their buyers for paying early, the latest first.",
        noun="DiscountOffer",
        record=records.DiscountOffer,
        asked=(SEARCH, WAITS),
        is_named=True,
        prompt="invoice discount-offers",
        columns=("invoice_id", "invoice", "rate_bps", "day_count", "valid_until", "day", "not_visible", *WAITED),
    ),
    Reading(
        kind="facility",
        address="/v1/facilities",
        text="All facilities.",
        noun="Facility",
        record=records.Facility,
        id_name="facility_id",
        tag="Facilities",
        question="facilities",
        is_paged=False,
        prompt="facility list",
        columns=(
            "facility_id",
            "financier",
            "buyer",
            "suppliers",
            "deposit",
            "limit",
            "used",
            "rate_bps",
            "mode",
            "status",
        ),
    ),
    Reading(
        kind="acceptance",
        address="/v1/supplier-acceptances",
        text="All acceptances of suppliers.",
        noun="Acceptance",
        record=records.SupplierAcceptance,
        tag="Facilities",
        question="acceptances",
        is_paged=False,
        asked=(SEARCH,),
        is_named=True,
        prompt="facility acceptances",
        columns=("financier", "supplier", "agreement", "screened_until", "group_id", "day"),
    ),
    Reading(
        kind="hold",
        address="/v1/holds",
        text="Holds of financiers on parties, the latest first.",
        noun="Hold",
        record=records.Hold,
        asked=(WAITS,),
        prompt="facility holds",
        columns=("financier", "msp_id", "day", "waits"),
    ),
    Reading(
        kind="buyer_limit",
        address="/v1/buyer-limits",
        text="Limits of financiers on buyers over several facilities, the latest first.",
        noun="BuyerLimit",
        record=records.BuyerLimit,
        prompt="facility buyer-limits",
        columns=("financier", "buyer", "currency", "limit", "facility_ids", "day"),
    ),
    Reading(
        kind="account",
        address="/v1/accounts",
        text="Balances: debit minus credit.",
        noun="Account",
        tag="Money",
        question="accounts",
        is_paged=False,
        asked=(
            party("party", "Only those of this party."),
            Asked("book", "Only those of this book.", Literal["", "cash", "obligation"]),
            Asked("invoice_id", "Only those of this invoice.", flag="--invoice"),
        ),
        is_named=True,
        prompt="account list",
        columns=("book", "unit", "name", "invoice_id", "invoice", "balance"),
        example="--party SupplierMSP --book cash",
    ),
    Reading(
        kind="entry",
        address="/v1/accounts/entries",
        text="Movements between accounts, in the order of the ledger.",
        noun="Entry",
        tag="Money",
        question="entries",
        asked=(
            Asked("invoice_id", "Only those of this invoice.", flag="--invoice"),
            Asked("unit", "Only those of this currency or deposit kind."),
            Asked("account", 'Only those that touch this account, such as "cash:BuyerMSP".'),
        ),
        is_named=True,
        prompt="account entries",
        columns=("day", "book", "step", "debit", "credit", "amount", "unit", "invoice"),
        example="--invoice 5f0c8b2e9a7d4e31b6c2a1908f7e6d5c",
    ),
    Reading(
        kind="redemption",
        address="/v1/redemptions",
        text="Redemptions of deposit money, the latest first.",
        noun="Redemption",
        record=records.Redemption,
        id_name="redemption_id",
        asked=(SEARCH, WAITS),
        is_named=True,
        prompt="deposit redemptions",
        columns=(
            "redemption_id",
            "party",
            "deposit",
            "amount",
            "payment_reference",
            "status",
            "day",
            *WAITED,
        ),
    ),
)
