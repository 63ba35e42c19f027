"""The words of the story: names, ids, and the bodies of commands, each with a good default for every field.

Ids are made of short names, so that a test reads like the story: `hexid("invoice")`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from chaincode.records.command_ids import command_digest, id_of_content

SUPPLIER, BUYER, FINANCIER, CARRIER = "SupplierMSP", "BuyerMSP", "FinancierMSP", "CarrierMSP"
DEPOSIT = f"EUR@{FINANCIER}"
DAY = "2026-11-23"
DUE = "2027-01-22"
FACE_MINOR = 1_000_000
ISSUE_LIMIT_MINOR = 100_000_000
SECONDS_OF_DAY = 1_795_392_000
"""2026-11-23 00:00 UTC, the date on which proposals are made unless a test says otherwise."""


def hexid(name: str) -> str:
    """An id made of a name."""
    return hashlib.sha256(f"id {name}".encode()).hexdigest()[:32]


def hex64(name: str) -> str:
    """A digest, commitment or keyed fingerprint made of a name."""
    return hashlib.sha256(f"hex {name}".encode()).hexdigest()


def command(type_: str, command_id: str, /, **body: Any) -> dict[str, Any]:
    """A command as it stands in an envelope."""
    return {"command_id": command_id, "type": type_, "body": body}


def of_content(one: dict[str, Any]) -> dict[str, Any]:
    """The same command with the id that is made of its content."""
    return one | {"command_id": id_of_content(command_digest(one["type"], one["body"]))}


def named(*persons: str) -> dict[str, Any]:
    """What an envelope says of the persons behind a command: nothing when there are none."""
    people = [{"person": hex64(f"person {name}"), "signature": "MEUCIQ=="} for name in persons]
    return {"persons": people} if people else {}


def agreement_key(name: str) -> str:
    """The public agreement key (X25519) of a private one that is made of a name."""
    private = X25519PrivateKey.from_private_bytes(hashlib.sha256(f"agreement {name}".encode()).digest())
    return private.public_key().public_bytes_raw().hex()


def party(msp_id: str, *roles: str, **other: Any) -> dict[str, Any]:
    """A party as a founding lists it; an issuer has a limit in EUR."""
    return {
        "msp_id": msp_id,
        "name": f"{msp_id} Ltd",
        "roles": list(roles),
        "group_id": f"{msp_id}-group",
        "peer_url": f"https://{msp_id.lower()}.example:8443",
        "identity_fingerprint": hex64(f"identity {msp_id}"),
        "payout_fingerprint": hex64(f"payout {msp_id}"),
        "issue_limits": {"EUR": ISSUE_LIMIT_MINOR} if "issuer" in roles else {},
    } | other


PARTIES = (
    party(SUPPLIER, "supplier"),
    party(BUYER, "buyer"),
    party(FINANCIER, "financier", "issuer"),
    party(CARRIER, "carrier"),
)


def facts(**other: Any) -> dict[str, Any]:
    """What the invoice says."""
    return {
        "amount_minor": FACE_MINOR,
        "currency": "EUR",
        "issue_date": "2026-11-20",
        "due_date": DUE,
        "supplier": hex64(f"identity {SUPPLIER}"),
        "buyer": hex64(f"identity {BUYER}"),
        "payee": hex64(f"payout {SUPPLIER}"),
        "predecessors": [],
        "other_payees": [],
        "conditions": [],
        "deliveries": [],
    } | other


def fingerprints(invoice: str = "invoice") -> dict[str, str]:
    """The fingerprints of an invoice, made of its name."""
    return {kind: hex64(f"{kind} {invoice}") for kind in ("amount", "number")}


def document(name: str, kind: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RegisterDocument."""
    entitled = [BUYER, FINANCIER] if kind == "invoice" else [BUYER, CARRIER, FINANCIER]
    return {
        "document_id": hexid(name),
        "kind": kind,
        "media_type": "application/xml",
        "size_bytes": 4_711,
        "algorithm": "SHA-256",
        "commitment": hex64(f"commitment {name}"),
        "entitled": entitled,
    } | other


def attestation(name: str, **other: Any) -> dict[str, Any]:
    """The body of AttestDocument: verified, without facts."""
    return {
        "document_id": hexid(name),
        "verdict": "verified",
        "commitment": hex64(f"commitment {name}"),
        "fingerprints": {},
        "facts": None,
    } | other


def seal(name: str = "seal", **other: Any) -> dict[str, Any]:
    """The body of SealDocuments: three documents."""
    return {"seal_id": hexid(name), "algorithm": "SHA-256", "root": hex64(f"root {name}"), "size": 3} | other


def shipment(name: str = "shipment", **other: Any) -> dict[str, Any]:
    """The body of RegisterShipment."""
    return {
        "shipment_id": hexid(name),
        "buyer": BUYER,
        "carrier": CARRIER,
        "reference_fingerprint": hex64(f"reference {name}"),
    } | other


def event(name: str = "delivered", shipment: str = "shipment", **other: Any) -> dict[str, Any]:
    """The body of RecordShipmentEvent: delivered in full today."""
    return {
        "shipment_id": hexid(shipment),
        "event_id": hexid(f"event {name}"),
        "type": "delivered",
        "occurred_on": DAY,
        "partial": False,
        "document_id": "",
    } | other


def acceptance(**other: Any) -> dict[str, Any]:
    """The body of AcceptSupplier."""
    return {
        "supplier": SUPPLIER,
        "agreement_commitment": hex64("agreement"),
        "screened_until": "2027-11-23",
        "group_id": "SupplierMSP-group",
    } | other


def facility(name: str = "facility", **other: Any) -> dict[str, Any]:
    """The body of OpenFacility: automatic, 5 % a year, in the financier's own money."""
    return {
        "facility_id": hexid(name),
        "buyer": BUYER,
        "suppliers": [SUPPLIER],
        "deposit": DEPOSIT,
        "limit_minor": 10_000_000,
        "supplier_limit_minor": 5_000_000,
        "rate_bps": 500,
        "day_count": "ACT/360",
        "fee_minor": 2_500,
        "tenor_days_min": 5,
        "tenor_days_max": 120,
        "grace_days": 3,
        "holidays": ["2027-01-01"],
        "mode": "automatic",
        "recourse": "none",
        "attestations_min": 2,
        "both_delivery_minor": 0,
        "overdue_days_max": 10,
        "ack_days": 14,
        "insured_until": "",
    } | other


def invoice(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RegisterInvoice, resting on documents and a shipment of fixed names."""
    return {
        "invoice_id": hexid(name),
        "buyer": BUYER,
        "document_ids": [hexid("document")],
        "proof_ids": [hexid("proof")],
        "shipment_ids": [hexid("shipment")],
        "facts": facts(),
        "fingerprints": fingerprints(name),
        "epoch": 1,
    } | other


def approval(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of ApproveInvoice."""
    return {
        "invoice_id": hexid(name),
        "amount_minor": FACE_MINOR,
        "currency": "EUR",
        "due_date": DUE,
        "buyer_reference": hex64(f"buyer reference {name}"),
    } | other


def request(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of RequestEarlyPayment for one invoice, to the one facility."""
    return {
        "invoice_id": hexid(name),
        "facility_ids": [hexid("facility")],
        "net_min_minor": 900_000,
        "valid_until": "2026-12-31",
    } | other


def deposit(name: str = "credit", **other: Any) -> dict[str, Any]:
    """The body of IssueDeposit: what the buyer needs to settle."""
    return {
        "deposit": DEPOSIT,
        "to": BUYER,
        "amount_minor": FACE_MINOR,
        "credit_reference": hex64(name),
        "reference_fingerprint": hex64(f"bank reference {name}"),
        "booked_on": DAY,
        "again": False,
    } | other


def confirmation(redemption: str = "redemption", payment: str = "payment", **other: Any) -> dict[str, Any]:
    """The body of ConfirmRedemption."""
    return {
        "redemption_id": hexid(redemption),
        "payment_reference": hex64(payment),
        "reference_fingerprint": hex64(f"bank reference {payment}"),
        "again": False,
    } | other


def settlement(name: str = "invoice", **other: Any) -> dict[str, Any]:
    """The body of SettleInvoice."""
    return {"invoice_id": hexid(name), "amount_minor": FACE_MINOR, "deposit": DEPOSIT} | other


Step = tuple[str, str, dict[str, Any]]


def story() -> dict[str, Step]:
    """The main job from the acceptance of the supplier to the payment, step by step: name -> (who, type, body).

    Each of the steps after "invoice" is a piece of evidence, and whichever comes last pays.
    """
    read_in_invoice = {"facts": facts(), "fingerprints": fingerprints()}
    return {
        "acceptance": (FINANCIER, "AcceptSupplier", acceptance()),
        "facility": (FINANCIER, "OpenFacility", facility()),
        "document": (SUPPLIER, "RegisterDocument", document("document")),
        "proof": (SUPPLIER, "RegisterDocument", document("proof", "proof_of_delivery")),
        "shipment": (SUPPLIER, "RegisterShipment", shipment()),
        "invoice": (SUPPLIER, "RegisterInvoice", invoice()),
        "request": (SUPPLIER, "RequestEarlyPayment", request()),
        "carrier": (BUYER, "AcceptCarrier", {"shipment_id": hexid("shipment")}),
        "delivered": (CARRIER, "RecordShipmentEvent", event()),
        "approval": (BUYER, "ApproveInvoice", approval()),
        "buyer proof": (BUYER, "AttestDocument", attestation("proof")),
        "carrier proof": (CARRIER, "AttestDocument", attestation("proof")),
        "buyer document": (BUYER, "AttestDocument", attestation("document", **read_in_invoice)),
        "financier document": (FINANCIER, "AttestDocument", attestation("document", **read_in_invoice)),
    }


def body(name: str, **changes: object) -> dict[str, Step]:
    """The step of the story with some fields changed."""
    msp_id, type_, fields = story()[name]
    return {name: (msp_id, type_, fields | changes)}
