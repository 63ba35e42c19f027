"""Bodies of the commands of an invoice's life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chaincode.records.evidence import Facts
from chaincode.records.fields import (
    Currency,
    Date,
    Deposit,
    Epoch,
    Fingerprints,
    Hex,
    Id,
    Msp,
    Signed,
    Size,
    Unique,
)


@dataclass(frozen=True, slots=True)
class RegisterInvoice:
    """Claim an amount from a buyer, resting on documents and shipments."""

    invoice_id: Id
    buyer: Msp
    document_ids: Annotated[tuple[Id, ...], Size(1, 5), Unique()]
    proof_ids: Annotated[tuple[Id, ...], Size(0, 20), Unique()]
    shipment_ids: Annotated[tuple[Id, ...], Size(0, 10), Unique()]
    facts: Facts
    fingerprints: Fingerprints
    epoch: Epoch


@dataclass(frozen=True, slots=True)
class ApproveInvoice:
    """Undertake to pay this amount on that date to the holder the ledger shows."""

    invoice_id: Id
    amount_minor: Signed
    currency: Currency
    due_date: Date
    buyer_reference: Hex


@dataclass(frozen=True, slots=True)
class AcknowledgeAssignment:
    """Confirm to have noticed to whom the invoice is owed."""

    invoice_id: Id


@dataclass(frozen=True, slots=True)
class SettleInvoice:
    """Pay an invoice in full."""

    invoice_id: Id
    amount_minor: Signed
    deposit: Deposit
