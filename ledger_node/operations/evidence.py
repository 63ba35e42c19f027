"""What is done about evidence: documents, seals, shipments and what is reported of them."""

from __future__ import annotations

from ledger_node.operations.operation import APPROVER, UPLOADER, Operation

DOCUMENT, SHIPMENT = "/v1/documents/<document_id>", "/v1/shipments/<shipment_id>"

OPERATIONS = (
    Operation(
        command="RevokeDocument",
        address=f"{DOCUMENT}/revocation",
        roles=(UPLOADER,),
        text="Take an own document back, or say which one takes its place.",
        tag="Documents",
        prompt="document revoke",
        schema="RevocationIn",
        example={"reason": "withdrawn"},
        defaults={"superseded_by": ""},
        record="document_id",
        resource=DOCUMENT,
        note="`withdrawn`, or `superseded` by a current one",
        flags={"superseded_by": "--superseded-by"},
    ),
    Operation(
        command="SealDocuments",
        address="/v1/seals",
        roles=(UPLOADER,),
        text="Record a root; the documents, their salts and their proofs stay with the caller.",
        tag="Seals",
        schema="SealIn",
        example={"root": "ab" * 32, "size": 1000},
        makes="seal_id",
        resource="/v1/seals/<seal_id>",
    ),
    Operation(
        command="RegisterShipment",
        address="/v1/shipments",
        roles=(UPLOADER,),
        text="Register a shipment, as its supplier.",
        tag="Shipments",
        prompt="shipment register",
        schema="ShipmentIn",
        example={"buyer": "BuyerMSP", "carrier": "CarrierMSP", "reference": "DESADV-4711"},
        makes="shipment_id",
        resource=SHIPMENT,
        beside_others=True,
    ),
    Operation(
        command="AcceptCarrier",
        address=f"{SHIPMENT}/carrier-acceptance",
        roles=(APPROVER,),
        text="Take the word of the shipment's carrier, as its buyer.",
        tag="Shipments",
        prompt="shipment accept-carrier",
        record="shipment_id",
        resource=SHIPMENT,
        beside_others=True,
    ),
    Operation(
        command="RecordShipmentEvent",
        address=f"{SHIPMENT}/events",
        roles=(UPLOADER,),
        text="Report what happened to a shipment, as its supplier, buyer or carrier.",
        tag="Shipments",
        prompt="shipment record-event",
        schema="EventIn",
        example={"type": "delivered", "occurred_on": "2026-11-22", "partial": False, "document_id": ""},
        defaults={"partial": False, "document_id": ""},
        makes="event_id",
        resource=SHIPMENT,
        note="`result.event_id` is the event that says so: of a delivery reported so before, the first one",
        flags={"occurred_on": "--on"},
        former_prompts=("shipment event",),
        beside_others=True,
    ),
    Operation(
        command="RecordShipmentEvents",
        address="/v1/shipment-events",
        roles=(UPLOADER,),
        text="Report what happened to some shipments, as supplier, buyer or carrier of each: all of it or nothing.",
        tag="Shipments",
        schema="EventsIn",
        example={
            "events": [
                {"shipment_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c", "type": "picked_up", "occurred_on": "2026-11-20"},
                {"shipment_id": "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c", "type": "delivered", "occurred_on": "2026-11-22"},
            ]
        },
        is_new=True,
        note="Up to 500 events of up to 10 shipments; `result.event_ids` are in their order, a refusal says which one",
        beside_others=True,
    ),
    Operation(
        command="WithdrawShipmentEvent",
        address=f"{SHIPMENT}/events/<event_id>/withdrawal",
        roles=(UPLOADER,),
        text="Take back what this organisation has reported of a shipment; the event stays and counts no more.",
        tag="Shipments",
        prompt="shipment withdraw-event",
        record="event_id",
        resource=SHIPMENT,
    ),
)
