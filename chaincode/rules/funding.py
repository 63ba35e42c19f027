"""Rules of a funding in two steps: money set aside by one person, posted by another, voided or expired.

Available money never falls below zero, and what is set aside is paid at the quote it was set aside for.
"""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import Quote, add_days
from chaincode.records import Decline, Facility, Invoice, Party, Request, Reservation, bodies
from chaincode.rules.facilities import require_facility
from chaincode.rules.invoices import require_status, require_unreserved
from chaincode.rules.persons import PERSONS_MIN
from chaincode.words import when

Persons = tuple[str, ...]


def needs_two_steps(invoice: Invoice, facility: Facility) -> bool:
    """Whether a person has to set the money aside, and another one to pay it."""
    return invoice.open_face_minor > facility.two_step_above_minor


def reserve(
    invoice: Invoice, facility: Facility, financier: Party, quote: Quote, persons: Persons, day: str
) -> Reservation:
    """Set money aside for an invoice that may be paid, and that none is set aside for.

    Raises: Refusal: TWO_PERSONS_REQUIRED.
    """
    if financier.four_eyes and not persons:
        raise Refusal(RefusalCode.TWO_PERSONS_REQUIRED, "a person has to reserve, and another one to post")
    return Reservation(
        facility_id=facility.facility_id,
        financier=facility.financier,
        deposit=facility.deposit,
        rate_bps=quote.rate_bps,
        days=quote.days,
        maturity=quote.maturity,
        discount_minor=quote.discount_minor,
        fee_minor=quote.fee_minor,
        net_minor=quote.net_minor,
        persons=persons,
        day=day,
        expires_on=add_days(day, facility.reserve_days),
    )


def require_post(invoice: Invoice, financier: Party, persons: Persons, day: str) -> Reservation:
    """Require that the sender may pay what is set aside, and say what it is.

    Of a party under four eyes two persons must stand behind both steps together, and behind this one somebody who has
    not reserved; where the money was set aside by nobody, before there were two, both must stand behind this one.

    Args:
        financier: the sender.
        persons: commitments of the different active persons who stand behind the command.

    Raises: Refusal: NOT_RESERVED, NOT_THE_FINANCIER, RESERVATION_EXPIRED, TWO_PERSONS_REQUIRED.
    """
    reservation = _require_own(invoice, financier.msp_id)
    if reservation.expires_on < day:
        raise Refusal(RefusalCode.RESERVATION_EXPIRED, f"the reservation ended {when(reservation.expires_on, day)}")
    others_needed = 1 if reservation.persons else PERSONS_MIN if financier.four_eyes else 0
    if len(set(persons) - set(reservation.persons)) < others_needed:
        whom = (
            "another person than the one who reserved" if reservation.persons else "two persons, since nobody reserved,"
        )
        raise Refusal(RefusalCode.TWO_PERSONS_REQUIRED, f"{whom} must stand behind it")
    return reservation


def reserved_quote(reservation: Reservation) -> Quote:
    """The quote that the money was set aside for."""
    return Quote(
        discount_minor=reservation.discount_minor,
        fee_minor=reservation.fee_minor,
        net_minor=reservation.net_minor,
        days=reservation.days,
        maturity=reservation.maturity,
        rate_bps=reservation.rate_bps,
        yield_bps=0,
    )


def void(invoice: Invoice, sender: str) -> tuple[Invoice, Reservation]:
    """Take back, as the financier, what is set aside.

    Returns: the invoice after it, and what was reserved.
    Raises: Refusal: NOT_RESERVED, NOT_THE_FINANCIER.
    """
    reservation = _require_own(invoice, sender)
    return replace(invoice, reservation=None), reservation


def expire(invoice: Invoice, day: str) -> tuple[Invoice, Reservation]:
    """Give back what was set aside and not paid in time, which anybody can.

    Returns: the invoice after it, and what was reserved.
    Raises: Refusal: NOT_RESERVED, NOT_EXPIRED.
    """
    reservation = _require_reserved(invoice)
    if reservation.expires_on >= day:
        raise Refusal(RefusalCode.NOT_EXPIRED, f"the reservation's last day is {when(reservation.expires_on, day)}")
    return replace(invoice, reservation=None), reservation


def _require_reserved(invoice: Invoice) -> Reservation:
    if invoice.reservation is None:
        raise Refusal(RefusalCode.NOT_RESERVED, "no money is reserved for the invoice")
    return invoice.reservation


def _require_own(invoice: Invoice, sender: str) -> Reservation:
    reservation = _require_reserved(invoice)
    if reservation.financier != sender:
        raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"{reservation.financier} has reserved the money")
    return reservation


def decline(
    invoice: Invoice,
    facility: Facility | None,
    request: Request | None,
    sender: str,
    body: bodies.DeclineEarlyPayment,
    day: str,
) -> Decline:
    """Decline, as the financier, to fund an invoice out of a facility; a later request asks anew.

    Raises: Refusal: FACILITY_UNKNOWN, NOT_THE_FINANCIER, STATUS_WRONG, RESERVED,
        FACILITY_NOT_REQUESTED.
    """
    offer = require_facility(facility, body.facility_id)
    if offer.financier != sender:
        raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"the facility is {offer.financier}'s")
    require_status(invoice, "registered", "approved")
    require_unreserved(invoice)
    if request is None or body.facility_id not in request.facility_ids:
        raise Refusal(RefusalCode.FACILITY_NOT_REQUESTED, "the supplier has not offered the invoice to this facility")
    return Decline(body.invoice_id, body.facility_id, body.reason_commitment, day)
