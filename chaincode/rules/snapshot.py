"""All that a release check looks at, read from one state: plain data, nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chaincode.records import (
    Attestation,
    Document,
    Facility,
    Fingerprint,
    Invoice,
    Party,
    Request,
    Shipment,
    ShipmentEvent,
    SupplierAcceptance,
)
from chaincode.rules.documents import is_independent
from chaincode.rules.parties import is_active

ATTESTATIONS_MIN = 2
"""How many independent parties must attest a document, where no facility asks for more."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A facility that the supplier offers the invoice to.

    `spendable_minor` is what the financier can pay in the facility's deposit, money set aside for this invoice
    included; `decided` says that the financier has decided, in this very command, to fund the invoice; `held` are those
    of supplier and buyer that it holds funding of; `buyer_left_minor` is what is left of its limit of the buyer over
    all its facilities, None without such a limit.
    """

    facility: Facility
    acceptance: SupplierAcceptance | None
    spendable_minor: int
    decided: bool
    held: tuple[str, ...]
    declined: bool
    buyer_left_minor: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state on which a release is decided.

    `parties` holds every party that plays a part, by MSP id; `attestations` the latest of each entitled party, by
    document id; `fingerprints` stand in the order of the keys that the invoice claims, None where nothing is claimed;
    `oldest_due` is the earliest due date of what the buyer owes and should have paid, and `oldest_notice` the earliest
    day of an assignment notice that it has not acknowledged, both empty when there is none.
    """

    day: str
    invoice: Invoice
    parties: Mapping[str, Party]
    documents: Mapping[str, Document]
    attestations: Mapping[str, tuple[Attestation, ...]]
    shipments: tuple[Shipment, ...]
    events: Mapping[str, tuple[ShipmentEvent, ...]]
    fingerprints: tuple[Fingerprint | None, ...]
    request: Request | None
    candidates: tuple[Candidate, ...]
    oldest_due: str
    oldest_notice: str

    def active(self, msp_id: str, role: str) -> bool:
        """Whether the party is active and in that role."""
        return is_active(self.parties.get(msp_id), role)

    def verifiers(self, candidate: Candidate | None) -> tuple[str, str]:
        """Who must have read the invoice itself; "", as nobody is called, while it is not known which financier."""
        return self.invoice.buyer, candidate.facility.financier if candidate else ""

    def supplier_groups(self, candidate: Candidate | None) -> set[str]:
        """The groups that the supplier is of: by its own record, and as this financier has found."""
        found = {candidate.acceptance.group_id} if candidate and candidate.acceptance else set()
        return {self.parties[self.invoice.supplier].group_id, *found}

    def independent_attestations(self, document_id: str) -> list[Attestation]:
        """The attestations that count: of active parties that are neither the submitter nor of its group."""
        submitter = self.parties.get(self.documents[document_id].submitter)
        return [
            attestation
            for attestation in self.attestations[document_id]
            if is_active(party := self.parties.get(attestation.party)) and party and is_independent(party, submitter)
        ]

    def verified_by(self, msp_id: str, document_ids: tuple[str, ...]) -> list[Attestation]:
        """What a party, as an independent one, has verified of the documents named."""
        return [
            attestation
            for document_id in document_ids
            for attestation in self.independent_attestations(document_id)
            if attestation.party == msp_id and attestation.verdict == "verified"
        ]
