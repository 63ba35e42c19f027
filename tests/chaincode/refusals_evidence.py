"""Refusals of the commands of evidence; see `refusal_table`."""

from __future__ import annotations

from typing import Any

from refusal_rows import (
    ANY_PARTY,
    COMMON,
    COUSIN,
    FINANCING,
    OTHER_BUYER,
    OTHER_SUPPLIER,
    Row,
    Table,
    did,
    everybody,
    for_cousin,
    happened,
    repeated,
)
from world import World, play
from world_bodies import (
    BUYER,
    CARRIER,
    SUPPLIER,
    attestation,
    document,
    event,
    facts,
    fingerprints,
    hex64,
    hexid,
    shipment,
)

WITHDRAWN = {"document_id": hexid("document"), "reason": "withdrawn", "superseded_by": ""}
REPORTED = (*FINANCING, "request", "carrier", "delivered")


def reports(**change: Any) -> dict[str, Any]:
    """A list of two events of which the first one is spoilt."""
    return {"events": [event(**change), event("last", type="in_transit")]}


TABLES: dict[str, Table] = {
    "RegisterDocument": Table(
        SUPPLIER,
        document("document"),
        common=(*COMMON[:4], "DAY_NOT_OPEN"),
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "RegisterDocument", **document("document"))),
            Row("ALGORITHM_UNKNOWN", {"algorithm": "SHA-1"}),
            Row("PARTY_UNKNOWN", {"entitled": [BUYER, "StrangerMSP"]}),
        ),
    ),
    "AttestDocument": Table(
        BUYER,
        attestation("document"),
        ("document",),
        common=(*COMMON[:4], "DAY_NOT_OPEN"),
        rows=(
            Row("DOCUMENT_UNKNOWN", {"document_id": hexid("no such document")}),
            Row("NOT_ENTITLED", sender=CARRIER),
            Row("NOT_INDEPENDENT", {"document_id": hexid("for a cousin")}, COUSIN, before=lambda w: for_cousin(w)),
            Row("VERDICT_INCONSISTENT", {"verdict": "unavailable"}),
            Row("VERDICT_INCONSISTENT", {"verdict": "unavailable", "commitment": "", "facts": facts()}),
            Row("VERDICT_INCONSISTENT", {"verdict": "unavailable", "commitment": "", "fingerprints": fingerprints()}),
            Row("VERDICT_INCONSISTENT", {"verdict": "mismatch", "commitment": ""}),
            Row("COMMITMENT_DIFFERS", {"commitment": hex64("other bytes")}),
            Row("COMMITMENT_SAME", {"verdict": "mismatch"}),
        ),
    ),
    "RegisterShipment": Table(
        SUPPLIER,
        shipment(),
        rows=(
            Row("ID_TAKEN", before=did(OTHER_SUPPLIER, "RegisterShipment", **shipment())),
            Row("SAME_PARTY", {"carrier": SUPPLIER}),
            Row("PARTY_UNKNOWN", {"buyer": CARRIER, "carrier": BUYER}),
            Row("PARTY_UNKNOWN", {"buyer": "StrangerMSP"}),
            Row("PARTY_UNKNOWN", {"carrier": "StrangerMSP"}),
        ),
    ),
    "AcceptCarrier": Table(
        BUYER,
        {"shipment_id": hexid("shipment")},
        ("shipment",),
        rows=(
            Row("SHIPMENT_UNKNOWN", {"shipment_id": hexid("no such shipment")}),
            Row("NOT_THE_BUYER", sender=OTHER_BUYER),
            Row("ALREADY_ACCEPTED", before=happened("carrier")),
        ),
    ),
    "RecordShipmentEvent": Table(
        CARRIER,
        event(),
        ("shipment",),
        common=(*COMMON[:4], "DAY_NOT_OPEN"),
        rows=(
            Row("SHIPMENT_UNKNOWN", {"shipment_id": hexid("no such shipment")}),
            Row("NOT_YOUR_SHIPMENT", sender=OTHER_SUPPLIER),
            Row("ID_TAKEN", before=did(CARRIER, "RecordShipmentEvent", **event(partial=True))),
            Row("EVENT_IN_FUTURE", {"occurred_on": "2026-11-24"}),
            Row("DOCUMENT_UNKNOWN", {"document_id": hexid("no such document")}),
            Row(
                "EVENTS_EXHAUSTED",
                before=repeated(100, CARRIER, "RecordShipmentEvent", lambda n: event(f"{n}", type="in_transit")),
            ),
        ),
    ),
    "RecordShipmentEvents": Table(
        CARRIER,
        reports(),
        ("shipment",),
        common=(*COMMON[:4], "DAY_NOT_OPEN"),
        rows=(
            Row("SHIPMENT_UNKNOWN", reports(shipment_id=hexid("no such shipment"))),
            Row("NOT_YOUR_SHIPMENT", sender=OTHER_SUPPLIER),
            Row("ID_TAKEN", before=did(CARRIER, "RecordShipmentEvent", **event())),
            Row("EVENT_IN_FUTURE", reports(occurred_on="2026-11-24")),
            Row("DOCUMENT_UNKNOWN", reports(document_id=hexid("no such document"))),
            Row(
                "EVENTS_EXHAUSTED",
                before=repeated(99, CARRIER, "RecordShipmentEvent", lambda n: event(f"{n}", type="in_transit")),
            ),
        ),
    ),
    "RevokeDocument": Table(
        SUPPLIER,
        {"document_id": hexid("document"), "reason": "superseded", "superseded_by": hexid("corrected")},
        FINANCING,
        world=lambda: with_corrected(),
        common=ANY_PARTY,
        rows=(
            Row("DOCUMENT_UNKNOWN", {"document_id": hexid("no such document")}),
            Row("DOCUMENT_NOT_YOURS", sender=BUYER),
            Row("ALREADY_REVOKED", before=did(SUPPLIER, "RevokeDocument", **WITHDRAWN)),
            Row("REVOCATION_INCONSISTENT", {"reason": "withdrawn"}),
            Row("REVOCATION_INCONSISTENT", {"superseded_by": ""}),
            Row("REVOCATION_INCONSISTENT", {"superseded_by": hexid("document")}),
            Row("REVOCATION_INCONSISTENT", {"superseded_by": hexid("proof")}),
            Row("REVOCATION_INCONSISTENT", {"superseded_by": hexid("buyer's")}),
            Row("REVOCATION_INCONSISTENT", {"superseded_by": hexid("no such document")}),
            Row("DOCUMENT_FINANCED", before=lambda world: rest_of_story(world, *FINANCING)),
        ),
    ),
    "WithdrawShipmentEvent": Table(
        CARRIER,
        {"shipment_id": hexid("shipment"), "event_id": hexid("event delivered")},
        REPORTED,
        common=ANY_PARTY,
        rows=(
            Row("SHIPMENT_UNKNOWN", {"shipment_id": hexid("no such shipment")}),
            Row("EVENT_UNKNOWN", {"event_id": hexid("no such event")}),
            Row("NOT_YOUR_EVENT", sender=BUYER),
            Row(
                "ALREADY_WITHDRAWN",
                before=did(
                    CARRIER,
                    "WithdrawShipmentEvent",
                    shipment_id=hexid("shipment"),
                    event_id=hexid("event delivered"),
                ),
            ),
            Row("SHIPMENT_FINANCED", before=lambda world: rest_of_story(world, *REPORTED)),
        ),
    ),
}


def with_corrected() -> World:
    """The supplier has registered a corrected invoice document, and the buyer one of its own."""
    world = everybody()
    world.must(SUPPLIER, "RegisterDocument", **document("corrected"))
    world.must(BUYER, "RegisterDocument", **document("buyer's", entitled=[SUPPLIER]))
    return world


def rest_of_story(world: World, *done: str) -> None:
    """All that the story has besides these steps: the invoice is paid early."""
    assert play(world, without=done) == [hexid("invoice")]
