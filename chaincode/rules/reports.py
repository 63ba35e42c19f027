"""Rules of what a party reports of a shipment: once each, so many, and a delivery once however often it is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import Document, Invoice, Report, Shipment, ShipmentEvent, ShipmentReports, bodies
from chaincode.records.evidence import REPORTS_MAX
from chaincode.rules.days import require_begun
from chaincode.rules.documents import is_financed
from chaincode.rules.parties import require_new

CONTENT = ("type", "occurred_on", "partial", "document_id")
"""What two reports say the same by."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a party has reported of a shipment; `older` are its events under keys of their own, in an older ledger."""

    reports: ShipmentReports
    older: tuple[ShipmentEvent, ...] = ()

    @property
    def events(self) -> tuple[Report | ShipmentEvent, ...]:
        """All that it has reported."""
        return (*self.older, *self.reports.events)

    def find(self, event_id: str) -> Report | ShipmentEvent | None:
        """The event of that id, or the one that says what was told again under it."""
        wanted = self.reports.retold.get(event_id, event_id)
        return next((event for event in self.events if event.event_id == wanted), None)

    def delivery(self, body: bodies.RecordShipmentEvent) -> Report | ShipmentEvent | None:
        """The delivery that was reported in these words and not taken back."""
        if body.type != "delivered":
            return None
        standing = (event for event in self.events if not event.withdrawn_on)
        return next((event for event in standing if says_the_same(event, body)), None)


def events_of(reports: ShipmentReports) -> Iterable[ShipmentEvent]:
    """The events of a list, each with its shipment and party."""
    for one in reports.events:
        yield ShipmentEvent(
            shipment_id=reports.shipment_id,
            event_id=one.event_id,
            party=reports.party,
            type=one.type,
            occurred_on=one.occurred_on,
            partial=one.partial,
            document_id=one.document_id,
            day=one.day,
            withdrawn_on=one.withdrawn_on,
        )


def says_the_same(event: Report | ShipmentEvent, body: bodies.RecordShipmentEvent) -> bool:
    """Whether an event says what a command says."""
    return all(getattr(event, name) == getattr(body, name) for name in CONTENT)


def first_answer(told: Told, body: bodies.RecordShipmentEvent) -> tuple[str, tuple[str, ...]] | None:
    """What a command that reports just this was answered before: the event that says so, and the invoices it paid.

    None if it was never applied.
    """
    event = told.find(body.event_id)
    if event is None or not says_the_same(event, body):
        return None
    is_first = isinstance(event, Report) and event.event_id == body.event_id
    return event.event_id, event.paid if isinstance(event, Report) and is_first else ()


def tell(
    shipment: Shipment,
    told: Told,
    document: Document | None,
    body: bodies.RecordShipmentEvent,
    day: str,
    latest_date: str,
) -> tuple[ShipmentReports, str]:
    """Report an event of a shipment. A supplier's event is kept and never counts as delivery.

    Args:
        told: what the sender has reported of it.
        document: what stands under the body's document id, None also when it names none.
        latest_date: that has begun anywhere on Earth.

    Returns: all that the sender has reported then, and the id of the event that says so: of a delivery that was
        reported in the same words and not taken back, the first one.

    Raises: Refusal: NOT_YOUR_SHIPMENT, ID_TAKEN, EVENT_IN_FUTURE, DOCUMENT_UNKNOWN, EVENTS_EXHAUSTED.
    """
    reports, sender = told.reports, told.reports.party
    if sender not in (shipment.supplier, shipment.buyer, shipment.carrier):
        raise Refusal(RefusalCode.NOT_YOUR_SHIPMENT, f"{sender} has no part in this shipment")
    require_new(told.find(body.event_id), body.event_id)
    require_begun(body.occurred_on, latest_date, RefusalCode.EVENT_IN_FUTURE)
    if body.document_id and document is None:
        raise Refusal(RefusalCode.DOCUMENT_UNKNOWN, f"there is no document {body.document_id}")
    if first := told.delivery(body):
        if len(reports.retold) >= REPORTS_MAX:
            raise _exhausted(f"{sender} would have told deliveries again more than {REPORTS_MAX} times")
        return replace(reports, retold=reports.retold | {body.event_id: first.event_id}), first.event_id
    if len(told.events) >= REPORTS_MAX:
        raise _exhausted(f"{sender} would have reported more than {REPORTS_MAX} events of this shipment")
    report = Report(
        event_id=body.event_id,
        type=body.type,
        occurred_on=body.occurred_on,
        partial=body.partial,
        document_id=body.document_id,
        day=day,
        withdrawn_on="",
        paid=(),
    )
    return replace(reports, events=(*reports.events, report)), body.event_id


def _exhausted(text: str) -> Refusal:
    return Refusal(RefusalCode.EVENTS_EXHAUSTED, text)


def note_paid(reports: ShipmentReports, event_id: str, invoice_ids: Sequence[str]) -> ShipmentReports:
    """Keep with an event what its command has paid."""
    paid = tuple(invoice_ids)
    return replace(
        reports, events=tuple(replace(one, paid=paid) if one.event_id == event_id else one for one in reports.events)
    )


def withdraw(
    told: Told,
    others: Iterable[ShipmentEvent],
    invoices: Sequence[Invoice],
    body: bodies.WithdrawShipmentEvent,
    day: str,
) -> Told:
    """Take back an event that the sender has reported: it stays, and counts no more.

    Args:
        told: what the sender has reported of the shipment.
        others: what others have.
        invoices: all that rest on the shipment.

    Raises: Refusal: EVENT_UNKNOWN, NOT_YOUR_EVENT, ALREADY_WITHDRAWN, SHIPMENT_FINANCED.
    """
    event = next((one for one in told.events if one.event_id == body.event_id), None)
    if event is None:
        reporter = next((one.party for one in others if one.event_id == body.event_id), "")
        if reporter:
            raise Refusal(RefusalCode.NOT_YOUR_EVENT, f"only {reporter} can withdraw this event")
        raise Refusal(RefusalCode.EVENT_UNKNOWN, f"there is no event {body.event_id} of this shipment")
    if event.withdrawn_on:
        raise Refusal(RefusalCode.ALREADY_WITHDRAWN, f"the event was withdrawn on {event.withdrawn_on}")
    if any(is_financed(invoice) for invoice in invoices):
        raise Refusal(RefusalCode.SHIPMENT_FINANCED, "an invoice that rests on the shipment has been paid early")
    listed = tuple(replace(one, withdrawn_on=day) if one is event else one for one in told.reports.events)
    older = tuple(replace(one, withdrawn_on=day) if one is event else one for one in told.older)
    return Told(replace(told.reports, events=listed), older)
