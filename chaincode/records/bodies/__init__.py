"""The bodies of all commands and queries: what a client may say, field by field as the reference lists them.

Only shapes are checked here (a body that does not fit is MALFORMED); whether a command is allowed is for the rules.
"""

from __future__ import annotations

from chaincode.records.bodies.deposits import (
    IssueDeposit,
)
from chaincode.records.bodies.evidence import (
    AcceptCarrier,
    AttestDocument,
    RecordShipmentEvent,
    RegisterDocument,
    RegisterShipment,
)
from chaincode.records.bodies.financing import (
    INVOICES_MAX,
    AcceptSupplier,
    CheckRelease,
    FundInvoice,
    OpenFacility,
    RequestEarlyPayment,
)
from chaincode.records.bodies.invoices import (
    AcknowledgeAssignment,
    ApproveInvoice,
    RegisterInvoice,
    SettleInvoice,
)
from chaincode.records.bodies.membership import (
    ConfirmFounding,
    FoundConsortium,
    FoundingParty,
    OpenDay,
)
from chaincode.records.bodies.persons import (
    EnrolPerson,
    Persons,
    RetirePerson,
    SetFourEyesThreshold,
)
from chaincode.records.bodies.queries import (
    RecordQuery,
    ReleaseCheckQuery,
)

__all__ = [
    "INVOICES_MAX",
    "AcceptCarrier",
    "AcceptSupplier",
    "AcknowledgeAssignment",
    "ApproveInvoice",
    "AttestDocument",
    "CheckRelease",
    "ConfirmFounding",
    "EnrolPerson",
    "FoundConsortium",
    "FoundingParty",
    "FundInvoice",
    "IssueDeposit",
    "OpenDay",
    "OpenFacility",
    "Persons",
    "RecordQuery",
    "RecordShipmentEvent",
    "RegisterDocument",
    "RegisterInvoice",
    "RegisterShipment",
    "ReleaseCheckQuery",
    "RequestEarlyPayment",
    "RetirePerson",
    "SetFourEyesThreshold",
    "SettleInvoice",
]
