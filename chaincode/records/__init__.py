"""The shared vocabulary: what stands on the ledger, under which key, in which bytes.

`keys` makes keys, `codec` makes bytes, `bodies` are what commands carry, the other files are the records by noun.
Must never decide anything: that is for `rules`.
"""

from __future__ import annotations

from chaincode.records import (
    bodies as bodies,
    keys as keys,
)
from chaincode.records.books import (
    Account as Account,
    Claim as Claim,
    Entry as Entry,
    Fingerprint as Fingerprint,
)
from chaincode.records.codec import (
    canonical as canonical,
    decode as decode,
    decode_newest as decode_newest,
    encode as encode,
    from_body as from_body,
    from_plain as from_plain,
    parse_json as parse_json,
    plain as plain,
)
from chaincode.records.deposits import (
    BookedCredit as BookedCredit,
    IssuedDeposit as IssuedDeposit,
    Redemption as Redemption,
)
from chaincode.records.evidence import (
    Attestation as Attestation,
    Document as Document,
    EventCount as EventCount,
    Facts as Facts,
    GoodsMatch as GoodsMatch,
    RuleCheck as RuleCheck,
    Report as Report,
    Reported as Reported,
    Shipment as Shipment,
    ShipmentEvent as ShipmentEvent,
    ShipmentReports as ShipmentReports,
)
from chaincode.records.financing import (
    BuyerLimit as BuyerLimit,
    Decline as Decline,
    DiscountOffer as DiscountOffer,
    Facility as Facility,
    FacilityTerms as FacilityTerms,
    Hold as Hold,
    PendingTerms as PendingTerms,
    Request as Request,
    SupplierAcceptance as SupplierAcceptance,
)
from chaincode.records.invoices import (
    Approval as Approval,
    Clearance as Clearance,
    Consent as Consent,
    CreditNote as CreditNote,
    Dispute as Dispute,
    EarlyPayment as EarlyPayment,
    Invoice as Invoice,
    MisdirectedPayment as MisdirectedPayment,
    Notice as Notice,
    Reservation as Reservation,
    Settlement as Settlement,
)
from chaincode.records.parties import (
    Command as Command,
    Day as Day,
    DayWord as DayWord,
    Founding as Founding,
    Mark as Mark,
    MembershipChange as MembershipChange,
    Party as Party,
    Person as Person,
)
from chaincode.records.seals import (
    Seal as Seal,
)

EPOCH = 1
"""The only fingerprint epoch so far; the key changes with the commands that move claims to a new one."""
