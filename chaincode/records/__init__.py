"""The shared vocabulary: what stands on the ledger, under which key, in which bytes.

`keys` makes keys, `codec` makes bytes, `bodies` are what commands carry, the other files are the records by noun.
Must never decide anything: that is for `rules`.
"""

from __future__ import annotations

from chaincode.records import bodies, keys
from chaincode.records.books import Account, Claim, Entry, Fingerprint
from chaincode.records.codec import canonical, decode, decode_newest, encode, from_plain, parse_json, plain
from chaincode.records.deposits import BookedCredit, IssuedDeposit, Redemption
from chaincode.records.evidence import Attestation, Document, EventCount, Facts, Shipment, ShipmentEvent
from chaincode.records.financing import (
    BuyerLimit,
    Decline,
    DiscountOffer,
    Facility,
    FacilityTerms,
    Hold,
    PendingTerms,
    Request,
    SupplierAcceptance,
)
from chaincode.records.invoices import (
    Approval,
    Clearance,
    Consent,
    CreditNote,
    Dispute,
    EarlyPayment,
    Invoice,
    MisdirectedPayment,
    Notice,
    Reservation,
    Settlement,
)
from chaincode.records.parties import Command, Day, Founding, Mark, MembershipChange, Party, Person
from chaincode.records.seals import Seal, SealDocuments

EPOCH = 1
"""The only fingerprint epoch so far; the key changes with the commands that move claims to a new one."""

__all__ = [
    "EPOCH",
    "Account",
    "Approval",
    "Attestation",
    "BookedCredit",
    "BuyerLimit",
    "Claim",
    "Clearance",
    "Command",
    "Consent",
    "CreditNote",
    "Day",
    "Decline",
    "DiscountOffer",
    "Dispute",
    "Document",
    "EarlyPayment",
    "Entry",
    "EventCount",
    "Facility",
    "FacilityTerms",
    "Facts",
    "Fingerprint",
    "Founding",
    "Hold",
    "Invoice",
    "IssuedDeposit",
    "Mark",
    "MembershipChange",
    "MisdirectedPayment",
    "Notice",
    "Party",
    "PendingTerms",
    "Person",
    "Redemption",
    "Request",
    "Reservation",
    "Seal",
    "SealDocuments",
    "Settlement",
    "Shipment",
    "ShipmentEvent",
    "SupplierAcceptance",
    "bodies",
    "canonical",
    "decode",
    "decode_newest",
    "encode",
    "from_plain",
    "keys",
    "parse_json",
    "plain",
]
