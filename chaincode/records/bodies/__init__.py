"""The bodies of all commands and queries: what a client may say, field by field as the reference lists them.

Only shapes are checked here (a body that does not fit is MALFORMED); whether a command is allowed is for the rules.
"""

from __future__ import annotations

from chaincode.records.bodies.deposits import (
    ConfirmRedemption as ConfirmRedemption,
    CoverShortfall as CoverShortfall,
    IssueDeposit as IssueDeposit,
    RedeemDeposit as RedeemDeposit,
    RejectRedemption as RejectRedemption,
    ReverseIssue as ReverseIssue,
    TransferDeposit as TransferDeposit,
)
from chaincode.records.bodies.evidence import (
    AcceptCarrier as AcceptCarrier,
    AttestDocument as AttestDocument,
    RecordShipmentEvent as RecordShipmentEvent,
    RecordShipmentEvents as RecordShipmentEvents,
    RegisterDocument as RegisterDocument,
    RegisterShipment as RegisterShipment,
    RevokeDocument as RevokeDocument,
    SealDocuments as SealDocuments,
    WithdrawShipmentEvent as WithdrawShipmentEvent,
)
from chaincode.records.bodies.financing import (
    INVOICES_MAX as INVOICES_MAX,
    AcceptSupplier as AcceptSupplier,
    ChangeFacility as ChangeFacility,
    CheckRelease as CheckRelease,
    CloseFacility as CloseFacility,
    DeclineEarlyPayment as DeclineEarlyPayment,
    ExpireFunding as ExpireFunding,
    FundInvoice as FundInvoice,
    HoldFunding as HoldFunding,
    LiftHold as LiftHold,
    OpenFacility as OpenFacility,
    PostFunding as PostFunding,
    Repurchase as Repurchase,
    RequestEarlyPayment as RequestEarlyPayment,
    ResumeFacility as ResumeFacility,
    SetBuyerLimit as SetBuyerLimit,
    SuspendFacility as SuspendFacility,
    Unwind as Unwind,
    VoidFunding as VoidFunding,
)
from chaincode.records.bodies.invoices import (
    AcknowledgeAssignment as AcknowledgeAssignment,
    ApproveInvoice as ApproveInvoice,
    CancelInvoice as CancelInvoice,
    ClearDuplicate as ClearDuplicate,
    DisputeInvoice as DisputeInvoice,
    ExtendDueDate as ExtendDueDate,
    InvoicePart as InvoicePart,
    MarkOverdue as MarkOverdue,
    OfferDiscount as OfferDiscount,
    PayClaim as PayClaim,
    PayEarly as PayEarly,
    RecordCreditNote as RecordCreditNote,
    RecordPaidOutside as RecordPaidOutside,
    RecordRecovery as RecordRecovery,
    RegisterInvoice as RegisterInvoice,
    ReportMisdirectedPayment as ReportMisdirectedPayment,
    ResolveDispute as ResolveDispute,
    SettleInvoice as SettleInvoice,
    SplitInvoice as SplitInvoice,
    WithdrawApproval as WithdrawApproval,
    WriteOff as WriteOff,
)
from chaincode.records.bodies.membership import (
    ActivateParty as ActivateParty,
    ChangeAgreementKey as ChangeAgreementKey,
    ChangeIdentities as ChangeIdentities,
    ChangePayoutAccount as ChangePayoutAccount,
    ChangePeerUrl as ChangePeerUrl,
    ChangeRoles as ChangeRoles,
    ConfirmFounding as ConfirmFounding,
    FoundConsortium as FoundConsortium,
    OpenDay as OpenDay,
    ProposeParty as ProposeParty,
    ReinstateParty as ReinstateParty,
    SuspendParty as SuspendParty,
    VoteMembership as VoteMembership,
    WithdrawVote as WithdrawVote,
)
from chaincode.records.bodies.persons import (
    EnrolPerson as EnrolPerson,
    Persons as Persons,
    RetirePerson as RetirePerson,
    SetFourEyesThreshold as SetFourEyesThreshold,
)
from chaincode.records.bodies.queries import (
    QuoteQuery as QuoteQuery,
    RecordQuery as RecordQuery,
    ReleaseCheckQuery as ReleaseCheckQuery,
)
from chaincode.records.parties import (
    FoundingParty as FoundingParty,
)
