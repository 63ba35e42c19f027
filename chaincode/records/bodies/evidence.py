"""Bodies of the commands of evidence: documents, attestations, seals, shipments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.errors import RecordError
from chaincode.records.codec import WithinOrNone
from chaincode.records.evidence import Facts, GoodsMatch, RuleCheck
from chaincode.records.fields import (
    Date,
    DocumentKind,
    EventType,
    Fingerprints,
    Hex,
    HexOrNone,
    Id,
    IdOrNone,
    MediaType,
    Msp,
    Name,
    Size,
    SizeBytes,
    Unique,
    Verdict,
)
from chaincode.records.seals import Leaves

EVENTS_OF_A_LIST_MAX = 500
SHIPMENTS_OF_A_LIST_MAX = 10


@dataclass(frozen=True, slots=True)
class RegisterDocument:
    """Say that a document exists, and who may fetch and attest it."""

    document_id: Id
    kind: DocumentKind
    media_type: MediaType
    size_bytes: SizeBytes
    algorithm: Name
    commitment: Hex
    entitled: Annotated[tuple[Msp, ...], Size(1, 20), Unique()]


@dataclass(frozen=True, slots=True)
class AttestDocument:
    """State what one has recomputed from a document."""

    LATER: ClassVar[dict[str, Any]] = {"facts": Facts.LATER, "rules": None, "match": WithinOrNone(GoodsMatch.LATER)}

    document_id: Id
    verdict: Verdict
    commitment: HexOrNone
    fingerprints: Fingerprints
    facts: Facts | None
    rules: RuleCheck | None
    match: GoodsMatch | None


@dataclass(frozen=True, slots=True)
class SealDocuments:
    """Record one root for any number of documents."""

    seal_id: Id
    algorithm: Name
    root: Hex
    size: Leaves


@dataclass(frozen=True, slots=True)
class RegisterShipment:
    """Say that goods are to go to a buyer with a carrier."""

    shipment_id: Id
    buyer: Msp
    carrier: Msp
    reference_fingerprint: Hex


@dataclass(frozen=True, slots=True)
class AcceptCarrier:
    """Take the word of the shipment's carrier."""

    shipment_id: Id


@dataclass(frozen=True, slots=True)
class RecordShipmentEvent:
    """Report what happened to a shipment."""

    shipment_id: Id
    event_id: Id
    type: EventType
    occurred_on: Date
    partial: bool
    document_id: IdOrNone


class FewShipments:
    """A list of events may be of so many shipments: invoices rest on each, and all of them are checked for release."""

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when it names more of them."""
        if len({event.shipment_id for event in value}) > SHIPMENTS_OF_A_LIST_MAX:
            raise RecordError(path, f"names more than {SHIPMENTS_OF_A_LIST_MAX} shipments")


@dataclass(frozen=True, slots=True)
class RecordShipmentEvents:
    """Report what happened to some shipments, all of it or nothing."""

    events: Annotated[tuple[RecordShipmentEvent, ...], Size(1, EVENTS_OF_A_LIST_MAX), FewShipments()]


@dataclass(frozen=True, slots=True)
class RevokeDocument:
    """Take a document back, or say which one takes its place."""

    document_id: Id
    reason: Literal["withdrawn", "superseded"]
    superseded_by: IdOrNone


@dataclass(frozen=True, slots=True)
class WithdrawShipmentEvent:
    """Take back what one has reported of a shipment."""

    shipment_id: Id
    event_id: Id
