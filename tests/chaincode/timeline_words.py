"""What the timeline of an invoice says of every command: the words of each, and which commands it never tells of."""

from __future__ import annotations

DOCUMENTED = ["document linked to the invoice"] * 2

# What the control of each command in the table of refusals makes the timeline say, in the order of the keys.
BY_CONTROL: dict[str, list[str]] = {
    "RevokeDocument": ["document superseded"],
    "WithdrawShipmentEvent": ["report withdrawn: shipment delivered"],
    "RegisterInvoice": [*DOCUMENTED, "invoice registered", "shipment linked to the invoice"],
    "ApproveInvoice": ["entry approve", "invoice approved"],
    "RequestEarlyPayment": ["early payment requested"],
    "FundInvoice": ["entry early_payment", "entry assignment", "paid early by decision of the financier"],
    "PostFunding": ["entry early_payment", "entry assignment", "paid early out of the money set aside"],
    "VoidFunding": ["entry void", "money set aside taken back"],
    "ExpireFunding": ["entry expire", "money set aside expired"],
    "DeclineEarlyPayment": ["early payment declined"],
    "AcknowledgeAssignment": ["assignment acknowledged"],
    "SettleInvoice": ["entry settle", "entry discharge", "settled"],
    "WithdrawApproval": ["entry void_approval", "approval withdrawn"],
    "DisputeInvoice": ["entry void_approval", "invoice disputed; approval void"],
    "ResolveDispute": ["dispute resolved"],
    "CancelInvoice": [
        *["document no longer linked to the invoice"] * 2,
        "entry void_approval",
        "invoice cancelled; approval void",
        "shipment no longer linked to the invoice",
    ],
    "SplitInvoice": [
        *["document linked to another invoice; document no longer linked to the invoice"] * 2,
        *sorted(["invoice split into parts", "part split off", "part split off"]),
        "shipment linked to another invoice; shipment no longer linked to the invoice",
    ],
    "ClearDuplicate": ["cleared of being a duplicate"],
    "RecordCreditNote": ["credit note credited", "entry void_approval", "credit note recorded; approval void"],
    "PayClaim": ["credit note paid", "entry claim_paid", "entry discharge", "claim of a credit note paid"],
    "ReportMisdirectedPayment": ["misdirected payment reported", "report of a misdirected payment"],
    "RecordPaidOutside": ["entry paid_outside", "paid outside the ledger in part"],
    "OfferDiscount": ["discount offered to the buyer"],
    "PayEarly": ["entry early_payment", "entry discharge", "paid early by the buyer at a discount"],
    "ExtendDueDate": ["due date extended to 2027-02-22"],
    "MarkOverdue": ["marked overdue"],
    "WriteOff": ["entry write_off", "written off in part"],
    "RecordRecovery": ["entry recovery", "entry discharge", "recovered in part"],
    "Repurchase": ["entry repurchase", "entry reassignment", "bought back by the supplier"],
    "Unwind": ["unwinding consented to"],
}
# What a step of the story makes it say, in an invoice that is registered only later.
BY_STEP: dict[str, tuple[str, list[str]]] = {
    "RegisterDocument": ("proof", ["document registered (proof_of_delivery)"]),
    "AttestDocument": ("buyer proof", ["attested verified"]),
    "RegisterShipment": ("shipment", ["shipment registered"]),
    "AcceptCarrier": ("carrier", ["carrier accepted"]),
    "RecordShipmentEvent": ("delivered", ["shipment delivered"]),
}
CHECKED = ["entry early_payment", "entry assignment", "paid early"]
# Commands that touch no invoice, nothing that one rests on, and nothing that is said of one.
OF_NO_INVOICE = {
    *("FoundConsortium", "ConfirmFounding", "OpenDay", "ProposeParty", "SuspendParty", "ReinstateParty"),
    *(
        "ChangeRoles",
        "ChangeIdentities",
        "VoteMembership",
        "WithdrawVote",
        "ActivateParty",
        "ChangePeerUrl",
        "ChangePayoutAccount",
        "ChangeAgreementKey",
    ),
    *("EnrolPerson", "RetirePerson", "SetFourEyesThreshold", "SealDocuments", "AcceptSupplier", "OpenFacility"),
    *("ChangeFacility", "SuspendFacility", "ResumeFacility", "CloseFacility", "HoldFunding", "LiftHold"),
    *("SetBuyerLimit", "IssueDeposit", "ReverseIssue", "CoverShortfall", "TransferDeposit", "RedeemDeposit"),
    *("ConfirmRedemption", "RejectRedemption"),
}
