"""Rules of financing: accepted suppliers, facilities and what is left of them, requests."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Literal

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import CURRENCY_EXPONENTS, deposit_currency, deposit_issuer
from chaincode.records import (
    Facility,
    FacilityTerms,
    Invoice,
    Party,
    PendingTerms,
    Request,
    SupplierAcceptance,
    bodies,
    plain,
)
from chaincode.rules.parties import require_different, require_new, require_party
from chaincode.words import count, digits, said, when

TERMS = tuple(field.name for field in fields(FacilityTerms))
HOLIDAYS_MAX = 400
"""As many as a record holds."""


def accept_supplier(supplier: Party | None, sender: str, body: bodies.AcceptSupplier, day: str) -> SupplierAcceptance:
    """Take a supplier on, which replaces the sender's earlier acceptance of it.

    Raises: Refusal: SAME_PARTY, PARTY_UNKNOWN, SCREENING_PASSED.
    """
    require_different(sender, body.supplier)
    require_party(supplier, body.supplier, "supplier")
    if body.screened_until < day:
        raise Refusal(RefusalCode.SCREENING_PASSED, f"the screening ended {when(body.screened_until, day)}")
    return SupplierAcceptance(
        financier=sender,
        supplier=body.supplier,
        agreement_commitment=body.agreement_commitment,
        screened_until=body.screened_until,
        group_id=body.group_id,
        day=day,
    )


def open_facility(
    existing: Facility | None,
    buyer: Party | None,
    suppliers: list[Party | None],
    issuer: Party | None,
    sender: str,
    body: bodies.OpenFacility,
    day: str,
) -> Facility:
    """Open a facility of the sender's.

    Args:
        suppliers: the parties that the body names as suppliers, in its order.
        issuer: the party that the body's deposit names.

    Raises: Refusal: ID_TAKEN, SAME_PARTY, PARTY_UNKNOWN, CURRENCY_UNKNOWN, TERMS_INVALID.
    """
    require_new(existing, body.facility_id)
    require_different(sender, body.buyer, *body.suppliers)
    require_party(buyer, body.buyer, "buyer")
    for msp_id, supplier in zip(body.suppliers, suppliers, strict=True):
        require_party(supplier, msp_id, "supplier")
    require_party(issuer, deposit_issuer(body.deposit), "issuer")
    require_currency(deposit_currency(body.deposit))
    _require_sensible_terms(body, body.deposit)
    terms = plain(body) | {
        "suppliers": tuple(sorted(body.suppliers)),
        "holidays": tuple(sorted(body.holidays)),
    }
    return Facility(**terms, financier=sender, used_minor=0, used_by_supplier={}, status="open", day=day)


def _require_sensible_terms(body: bodies.OpenFacility | FacilityTerms, deposit: str) -> None:
    if body.attestations_min < 2:
        raise Refusal(RefusalCode.TERMS_INVALID, "at least 2 attestations are needed: a facility may only ask for more")
    if body.tenor_days_min > body.tenor_days_max:
        text = f"no tenor is at least {body.tenor_days_min} and at most {count(body.tenor_days_max, 'day')}"
        raise Refusal(RefusalCode.TERMS_INVALID, text)
    if body.supplier_limit_minor > body.limit_minor:
        currency = deposit_currency(deposit)
        whole, each = said(body.limit_minor, currency), digits(body.supplier_limit_minor, currency)
        raise Refusal(RefusalCode.TERMS_INVALID, f"the limit is {whole}: that of one supplier cannot be {each}")


def terms_on(facility: Facility, day: str) -> Facility:
    """The facility with the terms that count on a day."""
    pending = facility.pending
    if pending is None or day < pending.from_day:
        return facility
    return replace(facility, **{name: getattr(pending.terms, name) for name in TERMS}, pending=None)


def change(
    facility: Facility | None,
    suppliers: list[Party | None],
    sender: str,
    body: bodies.ChangeFacility,
    from_day: str,
) -> Facility:
    """Give a facility of the sender's other terms from the next day on; a change that waits is replaced.

    Args:
        facility: with the terms of today.
        suppliers: the parties that the new terms name as suppliers, in their order.
        from_day: the next day.

    Raises: Refusal: FACILITY_UNKNOWN, NOT_THE_FINANCIER, FACILITY_CLOSED, SAME_PARTY, PARTY_UNKNOWN, TERMS_INVALID.
    """
    found = _require_own(facility, sender, body.facility_id)
    require_different(sender, found.buyer, *body.terms.suppliers)
    for msp_id, supplier in zip(body.terms.suppliers, suppliers, strict=True):
        require_party(supplier, msp_id, "supplier")
    _require_sensible_terms(body.terms, found.deposit)
    holidays = _holidays(found.holidays, body.terms.holidays, from_day)
    terms = replace(body.terms, suppliers=tuple(sorted(body.terms.suppliers)), holidays=holidays)
    return replace(found, pending=PendingTerms(terms, from_day))


def _holidays(before: tuple[str, ...], wanted: tuple[str, ...], from_day: str) -> tuple[str, ...]:
    """The holidays from a day on as they are wanted, and those before it as they were.

    What was overdue on a day, and what was not, stays so whatever is changed later.

    Raises: Refusal: TERMS_INVALID: one that is past is added, or with those that are past there are too many.
    """
    past = {day for day in before if day < from_day}
    if added := sorted(day for day in wanted if day < from_day and day not in past):
        text = f"{added[0]} is no holiday of the facility so far, and it is past: what was overdue stays so"
        raise Refusal(RefusalCode.TERMS_INVALID, text)
    if len(holidays := past.union(wanted)) > HOLIDAYS_MAX:
        text = f"{len(past - set(wanted))} past holidays stay, and with them there are more than {HOLIDAYS_MAX}"
        raise Refusal(RefusalCode.TERMS_INVALID, text)
    return tuple(sorted(holidays))


def set_status(
    facility: Facility | None,
    sender: str,
    facility_id: str,
    status: Literal["open", "suspended", "closed"],
) -> Facility:
    """Suspend, resume or close a facility of the sender's; what it has funded lives on.

    Raises: Refusal: FACILITY_UNKNOWN, NOT_THE_FINANCIER, FACILITY_CLOSED, STATUS_WRONG.
    """
    found = _require_own(facility, sender, facility_id)
    if found.status == status:
        raise Refusal(RefusalCode.STATUS_WRONG, f"the facility is {status} already")
    return replace(found, status=status)


def _require_own(facility: Facility | None, sender: str, facility_id: str) -> Facility:
    found = require_facility(facility, facility_id)
    if found.financier != sender:
        raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"the facility is {found.financier}'s")
    if found.status == "closed":
        raise Refusal(RefusalCode.FACILITY_CLOSED, "the facility is closed for good")
    return found


def use(facility: Facility, supplier: str, amount_minor: int) -> Facility:
    """The facility with so many more minor units used by a supplier; given back when negative.

    Raises: Refusal: NOT_RELEASABLE: that is beyond a limit. The release check has seen to it that it is not.
    """
    used_by_supplier = facility.used_by_supplier.get(supplier, 0) + amount_minor
    used = facility.used_minor + amount_minor
    if amount_minor > 0 and (used > facility.limit_minor or used_by_supplier > facility.supplier_limit_minor):
        raise Refusal(RefusalCode.NOT_RELEASABLE, "the facility's limit would be exceeded")
    return replace(
        facility,
        used_minor=used,
        used_by_supplier=facility.used_by_supplier | {supplier: used_by_supplier},
        funded_count=facility.funded_count + (amount_minor > 0),
    )


def request(
    invoice: Invoice | None,
    facilities: list[Facility | None],
    sender: str,
    body: bodies.RequestEarlyPayment,
    day: str,
) -> Request:
    """Offer an invoice, or all invoices, of the sender's for early payment.

    Args:
        invoice: what stands under the body's invoice id, None also when it names none.
        facilities: what stands under the body's facility ids, in its order.

    Raises: Refusal: INVOICE_UNKNOWN, NOT_THE_SUPPLIER, FACILITY_UNKNOWN, VALIDITY_PASSED, STATUS_WRONG.
    """
    if body.invoice_id and invoice is None:
        raise Refusal(RefusalCode.INVOICE_UNKNOWN, f"there is no invoice {body.invoice_id}")
    if invoice and invoice.supplier != sender:
        raise Refusal(RefusalCode.NOT_THE_SUPPLIER, f"only {invoice.supplier} can offer this invoice")
    for facility_id, facility in zip(body.facility_ids, facilities, strict=True):
        require_facility(facility, facility_id)
    if body.valid_until < day:
        raise Refusal(RefusalCode.VALIDITY_PASSED, f"the request ended {when(body.valid_until, day)}")
    if invoice:
        _require_unpaid(invoice)
    return Request(
        supplier=sender,
        invoice_id=body.invoice_id,
        facility_ids=body.facility_ids,
        net_min_minor=body.net_min_minor,
        valid_until=body.valid_until,
        day=day,
    )


def require_facility(facility: Facility | None, facility_id: str) -> Facility:
    """Raises: Refusal: FACILITY_UNKNOWN."""
    if facility is None:
        raise Refusal(RefusalCode.FACILITY_UNKNOWN, f"there is no facility {facility_id}")
    return facility


def require_decision(
    invoice: Invoice, facility: Facility | None, request_: Request | None, sender: str, facility_id: str
) -> Facility:
    """Require that the sender may decide to fund the invoice out of the facility, which is given back.

    Raises: Refusal: FACILITY_UNKNOWN, NOT_THE_FINANCIER, STATUS_WRONG, FACILITY_NOT_REQUESTED.
    """
    found = require_facility(facility, facility_id)
    if found.financier != sender:
        raise Refusal(RefusalCode.NOT_THE_FINANCIER, f"the facility is {found.financier}'s")
    _require_unpaid(invoice)
    if request_ is None or facility_id not in request_.facility_ids:
        raise Refusal(RefusalCode.FACILITY_NOT_REQUESTED, "the supplier has not offered the invoice to this facility")
    return found


def _require_unpaid(invoice: Invoice) -> None:
    if invoice.status not in ("registered", "approved"):
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")


def require_currency(currency: str) -> None:
    """Raises: Refusal: CURRENCY_UNKNOWN."""
    if currency not in CURRENCY_EXPONENTS:
        raise Refusal(RefusalCode.CURRENCY_UNKNOWN, f"{currency} is no currency with a minor unit in ISO 4217")
