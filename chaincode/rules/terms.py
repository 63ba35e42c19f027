"""The release classes about the deal: PARTIES, FACILITY, FUNDS. Without a request all three answer NO_REQUEST."""

from __future__ import annotations

from chaincode.money import Quote, add_days, deposit_currency, deposit_issuer, maturity
from chaincode.rules.snapshot import Candidate, Snapshot
from chaincode.rules.verdicts import HOLDS, Finding, Reason, indeterminate, invalid
from chaincode.words import count, digits, said, when


def no_request(snapshot: Snapshot) -> Finding:
    """The supplier has not offered the invoice to any facility."""
    supplier = snapshot.invoice.supplier
    return indeterminate(Reason.NO_REQUEST, f"{supplier} has not asked for early payment", supplier)


def parties(snapshot: Snapshot, candidate: Candidate) -> Finding:
    """All parties active, the supplier accepted and screened by the financier, buyer and supplier unrelated."""
    invoice, facility, acceptance = snapshot.invoice, candidate.facility, candidate.acceptance
    for msp_id, role in (
        (invoice.supplier, "supplier"),
        (invoice.buyer, "buyer"),
        (facility.financier, "financier"),
        (deposit_issuer(facility.deposit), "issuer"),
    ):
        if not snapshot.active(msp_id, role):
            return invalid(Reason.PARTY_NOT_ACTIVE, f"{msp_id} is not an active {role}", msp_id)
    if snapshot.parties[invoice.buyer].group_id in snapshot.supplier_groups(candidate):
        return invalid(Reason.SAME_GROUP, "supplier and buyer belong to one group", facility.financier)
    if candidate.held:
        text = f"{facility.financier} holds all funding of {candidate.held[0]}"
        return invalid(Reason.FUNDING_HELD, text, facility.financier)
    if acceptance is None:
        text = f"{facility.financier} has not accepted {invoice.supplier}"
        return indeterminate(Reason.ACCEPTANCE_MISSING, text, facility.financier)
    if acceptance.screened_until < snapshot.day:
        text = f"the screening of {invoice.supplier} ended {when(acceptance.screened_until, snapshot.day)}"
        return invalid(Reason.SCREENING_PASSED, text, facility.financier)
    return HOLDS


def facility(snapshot: Snapshot, candidate: Candidate, quote: Quote) -> Finding:
    """The facility is open and made for this invoice, has room for it, and yields what the supplier asks for."""
    return (
        _fits(snapshot, candidate, quote)
        or _has_room(snapshot, candidate)
        or _buyer_in_order(snapshot, candidate)
        or _agreed(snapshot, candidate, quote)
        or HOLDS
    )


def _fits(snapshot: Snapshot, candidate: Candidate, quote: Quote) -> Finding | None:
    invoice, offer, request = snapshot.invoice, candidate.facility, snapshot.request
    if request is None or request.valid_until < snapshot.day:
        return invalid(Reason.REQUEST_EXPIRED, "the request for early payment has expired", invoice.supplier)
    if offer.status == "closed":
        return invalid(Reason.FACILITY_CLOSED, "the facility is closed", offer.financier)
    if offer.status == "suspended":
        return invalid(Reason.FACILITY_SUSPENDED, "the facility is suspended", offer.financier)
    if candidate.declined:
        return invalid(Reason.DECLINED, f"{offer.financier} has declined the invoice", invoice.supplier)
    if offer.buyer != invoice.buyer:
        return invalid(Reason.BUYER_DIFFERS, f"the facility is for invoices on {offer.buyer}", invoice.supplier)
    if invoice.supplier not in offer.suppliers:
        text = f"the facility is not for invoices of {invoice.supplier}"
        return invalid(Reason.SUPPLIER_NOT_ACCEPTED, text, offer.financier)
    if deposit_currency(offer.deposit) != invoice.facts.currency:
        return invalid(Reason.CURRENCY_DIFFERS, f"the facility pays in {offer.deposit}", invoice.supplier)
    in_bounds = offer.tenor_days_min <= quote.days <= offer.tenor_days_max
    if invoice.due_date <= snapshot.day or not in_bounds:
        bounds = f"{offer.tenor_days_min} to {count(offer.tenor_days_max, 'day')}"
        text = f"{count(quote.days, 'day')} to maturity, due {when(invoice.due_date, snapshot.day)}: taken are {bounds}"
        return invalid(Reason.TENOR_OUT_OF_BOUNDS, text, offer.financier)
    return None


def _has_room(snapshot: Snapshot, candidate: Candidate) -> Finding | None:
    offer, supplier = candidate.facility, snapshot.invoice.supplier
    face = face_minor(snapshot)
    left = {
        "the facility": offer.limit_minor - offer.used_minor,
        f"the supplier {supplier}": offer.supplier_limit_minor - offer.used_by_supplier.get(supplier, 0),
    }
    if candidate.buyer_left_minor is not None:
        left[f"the buyer {offer.buyer}"] = candidate.buyer_left_minor
    for of_what, minor in left.items():
        if face > minor:
            room = said(max(minor, 0), snapshot.invoice.facts.currency)
            text = f"{room} is left of the limit of {of_what}, not {digits(face, snapshot.invoice.facts.currency)}"
            return invalid(Reason.LIMIT_EXCEEDED, text, offer.financier)
    return None


def _buyer_in_order(snapshot: Snapshot, candidate: Candidate) -> Finding | None:
    offer, buyer = candidate.facility, snapshot.invoice.buyer
    if snapshot.oldest_due and maturity(snapshot.oldest_due, offer.overdue_days_max, offer.holidays) < snapshot.day:
        return invalid(
            Reason.BUYER_OVERDUE, f"{buyer} should have paid {when(snapshot.oldest_due, snapshot.day)}", buyer
        )
    if snapshot.oldest_notice and add_days(snapshot.oldest_notice, offer.ack_days) < snapshot.day:
        text = f"{buyer} has not acknowledged an assignment made {when(snapshot.oldest_notice, snapshot.day)}"
        return invalid(Reason.ASSIGNMENT_UNACKNOWLEDGED, text, buyer)
    return None


def _agreed(snapshot: Snapshot, candidate: Candidate, quote: Quote) -> Finding | None:
    offer, request = candidate.facility, snapshot.request
    if offer.insured_until and offer.insured_until < snapshot.day:
        return invalid(
            Reason.INSURANCE_PASSED, f"the insurance ended {when(offer.insured_until, snapshot.day)}", offer.financier
        )
    net_min = max(1, request.net_min_minor if request else 0)
    if quote.net_minor < net_min:
        currency = snapshot.invoice.facts.currency
        text = f"{said(quote.net_minor, currency)} would be paid, at least {digits(net_min, currency)} is wanted"
        return invalid(Reason.NET_BELOW_MIN, text, snapshot.invoice.supplier)
    return None if candidate.decided else _undecided(snapshot, candidate)


def _undecided(snapshot: Snapshot, candidate: Candidate) -> Finding | None:
    """What a person of the financier still has to do, where the facility, a new buyer or a late debt wants one."""
    offer, reservation = candidate.facility, snapshot.invoice.reservation
    if reservation:
        text = f"{reservation.financier} has reserved the money, and a second person has to post it"
        return indeterminate(Reason.RESERVED, text, reservation.financier)
    if offer.mode == "manual" or offer.funded_count < offer.manual_first:
        return indeterminate(Reason.DECISION_MISSING, f"{offer.financier} has to decide", offer.financier)
    if snapshot.invoice.extended_due_date:
        text = f"it was due {snapshot.invoice.first_due_date} at first: {offer.financier} has to decide"
        return indeterminate(Reason.DECISION_MISSING, text, offer.financier)
    return None


def funds(candidate: Candidate, quote: Quote) -> Finding:
    """The financier can pay the net amount in the facility's deposit."""
    if candidate.spendable_minor < quote.net_minor:
        currency = deposit_currency(candidate.facility.deposit)
        there, wanted = said(candidate.spendable_minor, currency), digits(quote.net_minor, currency)
        text = f"{candidate.facility.financier} can pay {there}, not {wanted}"
        return invalid(Reason.FUNDS_MISSING, text, candidate.facility.financier)
    return HOLDS


def face_minor(snapshot: Snapshot) -> int:
    """The open face of an approved invoice, else what it claims."""
    invoice = snapshot.invoice
    return invoice.open_face_minor if invoice.approval else invoice.amount_due_minor
