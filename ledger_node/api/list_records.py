"""The shapes of what is only looked at: credit notes, redemptions, holds, limits, membership changes, persons."""

from __future__ import annotations

from pydantic import Field

from ledger_node.api.records import Answer, Written
from ledger_node.api.wire import Out


class Paged(Answer):
    """Base of a page, the latest first."""

    total: int
    page: int
    per_page: int


class CreditNoteRecordOut(Written):
    """A supplier's credit note, in the invoice's currency."""

    credit_note_id: str
    invoice_id: str
    supplier: str
    buyer: str
    amount: str
    document_id: str
    status: str = Field(description="credited (before funding), claimed (after it) or paid.")
    day: str


class CreditNoteOut(Answer, CreditNoteRecordOut):
    """One credit note."""


class CreditNotesOut(Paged):
    """Credit notes."""

    items: list[CreditNoteRecordOut]


class MisdirectedPaymentOut(Written):
    """A report that money went to somebody who is not the holder."""

    report_id: str
    invoice_id: str
    reporter: str
    amount: str
    currency: str
    day: str


class MisdirectedPaymentsOut(Paged):
    """Reports of misdirected payments."""

    items: list[MisdirectedPaymentOut]


class DiscountOfferOut(Written):
    """A supplier's offer to its buyer."""

    invoice_id: str
    rate_bps: int
    day_count: str
    valid_until: str
    day: str


class DiscountOffersOut(Paged):
    """Offers of suppliers to buyers."""

    items: list[DiscountOfferOut]


class RedemptionRecordOut(Written):
    """Deposit money to be paid out, to the account that the party had registered then."""

    redemption_id: str
    party: str
    deposit: str
    amount: str
    payout_fingerprint: str
    status: str = Field(description="requested, confirmed or rejected.")
    payment_reference: str
    day: str


class RedemptionOut(Answer, RedemptionRecordOut):
    """One redemption."""


class RedemptionsOut(Paged):
    """Redemptions."""

    items: list[RedemptionRecordOut]


class HoldOut(Written):
    """A financier's stop of all funding that a party has a part in."""

    financier: str
    msp_id: str
    reason_commitment: str
    day: str


class HoldsOut(Paged):
    """Holds."""

    items: list[HoldOut]


class PendingLimitOut(Out):
    """A higher limit that counts from a later day on."""

    limit: str
    from_day: str


class BuyerLimitOut(Written):
    """How much open face a financier takes of a buyer over these facilities, all it has on it in this currency."""

    financier: str
    buyer: str
    currency: str
    limit: str
    facility_ids: list[str]
    day: str
    pending: PendingLimitOut | None = None


class BuyerLimitsOut(Paged):
    """Limits on buyers."""

    items: list[BuyerLimitOut]


class ProposedPartyOut(Out):
    """The party to be admitted."""

    msp_id: str
    name: str
    roles: list[str]
    group_id: str
    peer_url: str
    identity_fingerprint: str
    payout_fingerprint: str
    issue_limits: dict[str, str]


class MembershipChangeRecordOut(Written):
    """A change of the membership and who is for it."""

    change_id: str
    kind: str = Field(description="admit, suspend, reinstate or roles.")
    msp_id: str
    proposed: ProposedPartyOut | None
    roles: list[str]
    issue_limits: dict[str, str]
    votes: list[str]
    status: str = Field(description="open, passed, applied or withdrawn.")
    day: str


class MembershipChangeOut(Answer, MembershipChangeRecordOut):
    """One change of the membership."""


class MembershipChangesOut(Paged):
    """Changes of the membership."""

    items: list[MembershipChangeRecordOut]


class PersonRecordOut(Written):
    """A person of a party: a keyed commitment of a certificate; `name` is empty for those of others."""

    person_id: str
    name: str
    party: str
    status: str = Field(description="active or retired.")
    day: str


class PersonAnswerOut(Answer, PersonRecordOut):
    """One person."""


class PersonsOut(Paged):
    """Persons."""

    items: list[PersonRecordOut]


class ReasonOut(Out):
    """A reason typed here; the ledger holds SHA-256(0x00 ‖ salt ‖ SHA-256 of the text); `salt` is 64 hex digits."""

    commitment: str
    text: str
    salt: str
