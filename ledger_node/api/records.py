"""The shapes of what is read: ledger records with amounts as decimal strings, and pages of them.

Every answer carries `block_number`, the last block this node has seen; every record carries, as `written`, the block
and the transaction that wrote it last.
"""

from __future__ import annotations

from pydantic import Field

from ledger_node.api.wire import Out


class Answer(Out):
    """Base of what comes from the read model."""

    block_number: int = Field(description="The last block that this answer knows; -1 before the first.")


class WrittenOut(Out):
    """The transaction that wrote a record last."""

    block_number: int
    transaction_id: str


class Written(Out):
    """Base of a ledger record."""

    written: WrittenOut


class PendingRolesOut(Out):
    """Roles and issue limits that count from a day on."""

    roles: list[str]
    issue_limits: dict[str, str]
    from_day: str


class PendingPayoutOut(Out):
    """A payout account that counts from a day on, and not before a time, in seconds since 1970 UTC."""

    fingerprint: str
    from_day: str
    not_before_seconds: int


class FormerPayoutOut(Out):
    """A payout account that was replaced on a day, and counts for invoices that were registered before it."""

    fingerprint: str
    replaced_on: str


class PendingThresholdOut(Out):
    """A threshold for two persons that counts from a day on."""

    amount: str
    from_day: str


class PartyOut(Written):
    """A party. Fingerprints are keyed: they say nothing to outsiders. What is pending counts from its day on."""

    msp_id: str
    name: str
    roles: list[str]
    status: str
    group_id: str
    peer_url: str
    identity_fingerprint: str
    payout_fingerprint: str
    issue_limits: dict[str, str]
    active_persons: int
    four_eyes: bool
    four_eyes_above: dict[str, str]
    former_payouts: list[FormerPayoutOut]
    pending_roles: PendingRolesOut | None
    pending_payout: PendingPayoutOut | None
    pending_four_eyes_above: dict[str, PendingThresholdOut]


class PartyAnswerOut(Answer, PartyOut):
    """One party."""


class FoundingOut(Written):
    """The founding: who is listed, who has confirmed, and the digest to confirm."""

    parties: list[str]
    confirmed: list[str]
    active: bool
    digest: str


class PartiesOut(Answer):
    """All parties and the founding."""

    founding: FoundingOut | None
    items: list[PartyOut]


class DayOut(Answer):
    """The ledger's day; empty before the first."""

    date: str


class FactsOut(Out):
    """What a verifier read from an invoice document; parties, accounts and the invoices it follows are fingerprints."""

    amount: str
    currency: str
    issue_date: str
    due_date: str
    supplier: str
    buyer: str
    payee: str
    predecessors: list[str]
    other_payees: list[str]
    conditions: list[str]


class AttestationOut(Written):
    """What a party states that it recomputed."""

    document_id: str
    party: str
    verdict: str
    commitment: str
    fingerprints: dict[str, str]
    facts: FactsOut | None
    day: str


class DocumentRecordOut(Written):
    """A document on the ledger."""

    document_id: str
    submitter: str
    kind: str
    media_type: str
    size_bytes: int
    algorithm: str
    commitment: str
    entitled: list[str]
    day: str
    status: str = Field(description="current, withdrawn or superseded.")
    superseded_by: str
    invoice_ids: list[str] | None = Field(
        description="Invoices that rest on it; null where an older ledger keeps them apart."
    )


class OwnFileOut(Out):
    """What only the submitter's node knows."""

    digest: str
    filename: str


class DocumentOut(Answer, DocumentRecordOut):
    """A document, what was attested of it, and the file when it is this organisation's own."""

    attestations: list[AttestationOut]
    own: OwnFileOut | None


class DocumentsOut(Answer):
    """A page of documents, the latest first."""

    items: list[DocumentRecordOut]
    total: int
    page: int
    per_page: int


class EventOut(Written):
    """What a party reported of a shipment."""

    shipment_id: str
    event_id: str
    party: str
    type: str
    occurred_on: str
    partial: bool
    document_id: str
    day: str
    withdrawn_on: str = Field(description="Empty unless its reporter has taken it back.")


class ShipmentRecordOut(Written):
    """A shipment on the ledger."""

    shipment_id: str
    supplier: str
    buyer: str
    carrier: str
    carrier_accepted: bool
    reference_fingerprint: str
    day: str
    invoice_ids: list[str] | None = Field(
        description="Invoices that rest on it; null where an older ledger keeps them apart."
    )


class ShipmentOut(Answer, ShipmentRecordOut):
    """A shipment and its events."""

    events: list[EventOut]


class ShipmentsOut(Answer):
    """A page of shipments, the latest first."""

    items: list[ShipmentRecordOut]
    total: int
    page: int
    per_page: int


class AcceptanceOut(Written):
    """A financier's acceptance of a supplier."""

    financier: str
    supplier: str
    agreement_commitment: str
    screened_until: str
    group_id: str
    day: str


class AcceptancesOut(Answer):
    """All acceptances of suppliers."""

    items: list[AcceptanceOut]


class FacilityTermsOut(Out):
    """Terms of a facility that do not count yet."""

    suppliers: list[str]
    limit: str
    supplier_limit: str
    rate_bps: int
    fee: str
    tenor_days_min: int
    tenor_days_max: int
    grace_days: int
    holidays: list[str]
    mode: str
    recourse: str
    attestations_min: int
    both_delivery: str
    overdue_days_max: int
    ack_days: int
    insured_until: str
    two_step_above: str
    manual_first: int
    reserve_days: int


class PendingTermsOut(Out):
    """Terms that count from a day on."""

    terms: FacilityTermsOut
    from_day: str


class FacilityRecordOut(Written):
    """A facility on the ledger; amounts are in the deposit's currency."""

    facility_id: str
    financier: str
    buyer: str
    suppliers: list[str]
    deposit: str
    limit: str
    supplier_limit: str
    used: str
    used_by_supplier: dict[str, str]
    rate_bps: int
    day_count: str
    fee: str
    tenor_days_min: int
    tenor_days_max: int
    grace_days: int
    holidays: list[str]
    mode: str
    recourse: str
    attestations_min: int
    both_delivery: str
    overdue_days_max: int
    ack_days: int
    insured_until: str
    status: str
    day: str
    two_step_above: str
    manual_first: int
    reserve_days: int
    funded_count: int
    pending: PendingTermsOut | None


class FacilityOut(Answer, FacilityRecordOut):
    """One facility."""


class FacilitiesOut(Answer):
    """All facilities."""

    items: list[FacilityRecordOut]


class AccountOut(Out):
    """A balance: debit minus credit. `unit` is a deposit kind (cash) or a currency (obligation)."""

    key: str
    book: str
    unit: str
    invoice_id: str
    name: str
    party: str
    balance: str


class AccountsOut(Answer):
    """Balances."""

    items: list[AccountOut]


class EntryOut(Out):
    """A movement between two accounts."""

    key: str
    block_number: int
    book: str
    unit: str
    invoice_id: str
    debit: str
    credit: str
    amount: str
    step: str
    command_id: str
    transaction_id: str
    day: str


class EntriesOut(Answer):
    """A page of movements, in the order of the ledger."""

    items: list[EntryOut]
    total: int
    page: int
    per_page: int
