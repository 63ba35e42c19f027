"""A file submitted in one request: uploaded, and registered as what it is, each with one effect however often.

The two commands have keys of their own, made of the request's, so a request that is repeated goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from apiflask import APIBlueprint
from flask import request
from pydantic import ValidationError
from werkzeug.datastructures import FileStorage

from chaincode.records import keys
from ledger_node.api.answers import existing
from ledger_node.api.commands import act
from ledger_node.api.context import current_node
from ledger_node.api.documents import entitled_of, keep, read_form, spooled
from ledger_node.api.naming import record_id
from ledger_node.api.problem import Problem, of_fields
from ledger_node.api.wire import Plain
from ledger_node.api.writes import Answer, writes
from ledger_node.errors import BadRequest, NodeError
from ledger_node.formats import TransportFacts, read_facts
from ledger_node.formats.fingerprints import reference
from ledger_node.formats.reported import reports, shipment_named
from ledger_node.operations.bodies import EventsIn, InvoiceIn, ShipmentIn
from ledger_node.operations.fields import In
from ledger_node.operations.table import OPERATIONS

routes = APIBlueprint("submitting", __name__)
ACTS = {operation.name: operation for operation in OPERATIONS}
DOCUMENT = "document"
Body = TypeVar("Body", bound=In)


@routes.post("/v1/invoice-submissions")
@routes.doc(tags=["Invoices"])
@writes(routes, "uploader", None)
def submit_invoice() -> Answer:
    """Upload an invoice and register it: a form with `file`, `buyer`, and what registering one takes.

    The buyer is entitled to the document; `entitled` names further parties, `proof_ids` and `shipment_ids` may be
    repeated. Where the invoice is refused, the document stays uploaded, and the problem's remedy names it.
    """
    form, file = read_form({"buyer", "stated_due_date"}, {"proof_ids", "shipment_ids"})
    named = {
        field: [record_id(kind, each) for each in request.form.getlist(field)]
        for field, kind in (("proof_ids", "document"), ("shipment_ids", "shipment"))
    }
    entitled = entitled_of([*request.form.getlist("entitled"), form.get("buyer", "")])

    def claim(document_id: str) -> InvoiceIn:
        return _body(InvoiceIn, {**form, **named, "document_id": document_id})

    return _submitted("register_invoice", "invoice", entitled, file, claim)


@routes.post("/v1/shipment-submissions")
@routes.doc(tags=["Shipments"])
@writes(routes, "uploader", None)
def submit_shipment() -> Answer:
    """Upload transport events, and register the one shipment that they name, or report what they say of one.

    A form with `file`, and either `buyer` and `carrier`, or `shipment_id`: then its departures and deliveries are
    reported, all or none, but for those that were taken back or name other shipments, with the file as their proof.
    `entitled` names who else may fetch the file.
    """
    form, file = read_form({"buyer", "carrier", "shipment_id"})
    buyer, carrier, shipment = (form.get(name, "") for name in ("buyer", "carrier", "shipment_id"))
    if bool(shipment) == bool(buyer and carrier) or bool(buyer) != bool(carrier):
        raise Problem(400, "INVALID_INPUT", "say buyer and carrier, or shipment_id", "Send the one or the other.")
    facts = read_facts("transport_events", file.mimetype or "", spooled(file))
    assert isinstance(facts, TransportFacts)
    entitled = entitled_of([*request.form.getlist("entitled"), buyer, carrier])
    if shipment:
        told = _reports(facts, record_id("shipment", shipment))

        def reported(document_id: str) -> In:
            return _body(EventsIn, {"events": [event | {"document_id": document_id} for event in told]})

        return _submitted("record_shipment_events", "transport_events", entitled, file, reported)
    body = _body(ShipmentIn, {"buyer": buyer, "carrier": carrier, "reference": shipment_named(facts)})
    return _submitted("register_shipment", "transport_events", entitled, file, lambda _: body)


def _reports(facts: TransportFacts, shipment_id: str) -> list[Plain]:
    """What a file reports of a shipment, found in it by the fingerprint of its reference.

    Raises: Problem; BadRequest.
    """
    node = current_node()
    shipment = existing(node.readmodel.record(keys.shipment(shipment_id)), "shipment", shipment_id)
    own: str = shipment["reference_fingerprint"]

    def is_its(number: str) -> bool:
        try:
            found = reference(node.fingerprint_key, shipment["supplier"], shipment["buyer"], number)
        except BadRequest:  # neither a letter nor a digit
            return False
        return found == own

    return reports(facts, shipment_id, is_its)


def _submitted(name: str, kind: str, entitled: list[str], file: FileStorage, body: Callable[[str], In]) -> Answer:
    """Both commands, the second with what the first has made.

    Raises: Problem; that of the second says what the first has left.
    """
    body("0" * 32)  # a form that cannot be right uploads nothing
    file.stream.seek(0)
    uploaded, _, _ = keep(kind, entitled, file, DOCUMENT)
    document_id = uploaded["record_id"]
    try:
        content, status, headers = act(ACTS[name], body(document_id), {})
    except NodeError as error:
        said = f"The file is uploaded as document {document_id}."
        error.remedy = f"{error.remedy.rstrip('.')}. {said}" if error.remedy else said
        raise
    return {**content, **{each: uploaded[each] for each in ("notes", "same_content")}}, status, headers


def _body(model: type[Body], values: Mapping[str, Any]) -> Body:
    try:
        return model(**values)
    except ValidationError as error:
        raise of_fields(error) from error
