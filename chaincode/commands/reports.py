"""Commands that report what happened to shipments, one event or many, and pay what waited for it.

A command whose id is made of its content keeps no record of its own: what it has reported proves that it was applied,
and `first_result` tells from that what it was answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chaincode.commands.context import Context, Result
from chaincode.commands.links import linked, linked_invoices
from chaincode.commands.release import release
from chaincode.commands.told import all_events, told_by_sender
from chaincode.errors import Refusal
from chaincode.records import Document, Shipment, bodies, keys
from chaincode.rules.reports import Told, first_answer, note_paid, tell, withdraw
from chaincode.rules.shipments import no_shipment, require_shipment

_OfShipment = tuple[Shipment, Told]


async def record_shipment_event(context: Context, body: bodies.RecordShipmentEvent) -> Result:
    """Report a shipment's event, and pay what waited for it; a delivery told twice is answered with the first."""
    told = await _read_told(context, [body])
    event_ids = [await _tell(context, told, body)]
    return {"event_id": event_ids[0], "released": await _write_and_release(context, told, [body], event_ids)}


async def record_shipment_events(context: Context, body: bodies.RecordShipmentEvents) -> Result:
    """Report events of some shipments, all of them or none, and pay what waited for them."""
    told, event_ids = await _read_told(context, body.events), []
    for number, event in enumerate(body.events):
        try:
            event_ids.append(await _tell(context, told, event))
        except Refusal as refusal:
            raise Refusal(refusal.code, f"events[{number}]: {refusal.text}") from refusal
    return {"event_ids": event_ids, "released": await _write_and_release(context, told, body.events, event_ids)}


async def first_result_of_event(context: Context, body: bodies.RecordShipmentEvent) -> Result | None:
    """What the report of an event was answered, None if it was never applied.

    Of a delivery that was told again before there were lists, the record of the command is all that says so.
    """
    shipment = await context.read(Shipment, keys.shipment(body.shipment_id))
    answer = await _first_answer(context, shipment, body)
    if answer is None:
        return await context.kept_result() if shipment and not shipment.events_listed else None
    return {"event_id": answer[0], "released": list(answer[1])}


async def first_result_of_events(context: Context, body: bodies.RecordShipmentEvents) -> Result | None:
    """What the report of a list was answered, None unless all of it stands already."""
    answers = []
    for one in body.events:
        answer = await _first_answer(context, await context.read(Shipment, keys.shipment(one.shipment_id)), one)
        if answer is None:
            return None
        answers.append(answer)
    released = [invoice_id for _, paid in answers for invoice_id in paid]
    return {"event_ids": [event_id for event_id, _ in answers], "released": released}


async def withdraw_shipment_event(context: Context, body: bodies.WithdrawShipmentEvent) -> Result:
    """Take back a shipment's event, and pay what it stood in the way of."""
    shipment = require_shipment(await context.read(Shipment, keys.shipment(body.shipment_id)), body.shipment_id)
    told, resting = await told_by_sender(context, shipment), await linked_invoices(context, shipment)
    withdrawn = withdraw(told, await all_events(context, shipment), resting, body, context.day)
    if withdrawn.reports != told.reports:
        context.write(keys.shipment_reports(body.shipment_id, context.sender), withdrawn.reports)
    for event, before in zip(withdrawn.older, told.older, strict=True):
        if event != before:
            context.write(keys.shipment_event(body.shipment_id, event.event_id), event)
    return {"released": await release(context, await linked(context, shipment))}


async def _read_told(context: Context, events: Sequence[bodies.RecordShipmentEvent]) -> dict[str, _OfShipment]:
    """The shipments that exist of those that events are of, with what the sender has reported of them."""
    told = {}
    for shipment_id in dict.fromkeys(event.shipment_id for event in events):
        shipment = await context.read(Shipment, keys.shipment(shipment_id))
        if shipment:
            told[shipment_id] = shipment, await told_by_sender(context, shipment)
    return told


async def _tell(context: Context, told: dict[str, _OfShipment], body: bodies.RecordShipmentEvent) -> str:
    """Report an event among the others; the id of the one that says so."""
    shipment, before = told.get(body.shipment_id, (None, None))
    if shipment is None or before is None:
        raise no_shipment(body.shipment_id)
    document = await context.read(Document, keys.document(body.document_id)) if body.document_id else None
    reports, event_id = tell(shipment, before, document, body, context.day, context.latest_date)
    told[body.shipment_id] = shipment, replace(before, reports=reports)
    return event_id


async def _write_and_release(
    context: Context,
    told: dict[str, _OfShipment],
    events: Sequence[bodies.RecordShipmentEvent],
    event_ids: Sequence[str],
) -> list[str]:
    """Write what is told, and pay what waited for it; the last new event keeps what that was."""
    for shipment_id, (_, after) in told.items():
        context.write(keys.shipment_reports(shipment_id, context.sender), after.reports)
    fresh = [event for event, event_id in zip(events, event_ids, strict=True) if event_id == event.event_id]
    released: list[str] = []
    for shipment_id in dict.fromkeys(event.shipment_id for event in fresh):
        released += await release(context, await linked(context, told[shipment_id][0]))
    if released:
        last = fresh[-1]
        noted = note_paid(told[last.shipment_id][1].reports, last.event_id, released)
        context.write(keys.shipment_reports(last.shipment_id, context.sender), noted)
    return released


async def _first_answer(
    context: Context, shipment: Shipment | None, body: bodies.RecordShipmentEvent
) -> tuple[str, tuple[str, ...]] | None:
    return None if shipment is None else first_answer(await told_by_sender(context, shipment), body)
