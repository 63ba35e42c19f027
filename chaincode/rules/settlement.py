"""Rules of paying an invoice, in part or in full, early or late, on the ledger or outside; and of not paying it.

`open_face_minor` is what the buyer owes, a part that was written off included: writing off is the holder's affair.
"""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import Quote, add_days, deposit_currency, deposit_issuer, maturity, quote
from chaincode.records import DiscountOffer, Facility, Invoice, Settlement, bodies, keys, plain
from chaincode.records.invoices import Status
from chaincode.records.sealed import DiscountOpening, DiscountTerms, Privacy
from chaincode.rules.invoices import require_buyers, require_status, require_suppliers, require_unreserved
from chaincode.rules.sealing import Readers, require_form, require_opening, require_wraps
from chaincode.words import digits, said, when

OWED: tuple[str, ...] = ("approved", "early-paid", "overdue")
EXTENSION_DAYS_MAX = 365


def settle(invoice: Invoice, sender: str, body: bodies.SettleInvoice, day: str, transaction_id: str) -> Invoice:
    """Pay, as its buyer, an invoice or a part of it. Whether the money is there is for the books.

    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, RESERVED, AMOUNT_INVALID, SETTLEMENT_EXCEEDS,
        DEPOSIT_DIFFERS.
    """
    require_buyers(invoice, sender)
    _require_payable(invoice, body.amount_minor)
    require_deposit(invoice, body.deposit)
    settlement = Settlement(body.amount_minor, body.deposit, day, transaction_id)
    return replace(_discharged(invoice, body.amount_minor), settlement=settlement)


def paid_outside(invoice: Invoice, sender: str, body: bodies.RecordPaidOutside) -> Invoice:
    """Confirm, as the holder, that the buyer has paid outside the ledger.

    Raises: Refusal: NOT_THE_HOLDER, STATUS_WRONG, RESERVED, AMOUNT_INVALID, SETTLEMENT_EXCEEDS.
    """
    require_holders(invoice, sender)
    _require_payable(invoice, body.amount_minor)
    return _discharged(invoice, body.amount_minor)


def _require_payable(invoice: Invoice, amount_minor: int) -> None:
    require_status(invoice, *OWED)
    require_unreserved(invoice)
    currency = invoice.facts.currency
    require_amount(amount_minor, currency)
    payable = payable_minor(invoice)
    if amount_minor > payable:
        text = f"{said(payable, currency)} is to be paid, not {digits(amount_minor, currency)}"
        raise Refusal(RefusalCode.SETTLEMENT_EXCEEDS, text)


def payable_minor(invoice: Invoice) -> int:
    """What is open and not written off."""
    return invoice.open_face_minor - invoice.written_off_minor


def require_amount(amount_minor: int, currency: str) -> None:
    """Raises: Refusal: AMOUNT_INVALID."""
    if amount_minor < 1:
        raise Refusal(RefusalCode.AMOUNT_INVALID, f"an amount of {said(amount_minor, currency)} cannot be paid")


def require_deposit(invoice: Invoice, deposit: str) -> None:
    """Require that the holder takes this deposit: the facility's, or before funding any of the invoice's currency.

    Then not the buyer's own: nobody pays what it owes with another promise of its own. A facility that pays in the
    buyer's deposit has agreed to be paid in it.

    Raises: Refusal: DEPOSIT_DIFFERS.
    """
    if invoice.early_payment and deposit != invoice.early_payment.deposit:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"the holder takes {invoice.early_payment.deposit}, not {deposit}")
    require_currency_of(invoice, deposit)
    if not invoice.early_payment and deposit_issuer(deposit) == invoice.buyer:
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, f"{invoice.buyer} does not pay in its own deposit")


def require_currency_of(invoice: Invoice, deposit: str) -> None:
    """Raises: Refusal: DEPOSIT_DIFFERS."""
    if deposit_currency(deposit) != invoice.facts.currency:
        text = f"the invoice is in {invoice.facts.currency}, not {deposit_currency(deposit)}"
        raise Refusal(RefusalCode.DEPOSIT_DIFFERS, text)


def _discharged(invoice: Invoice, amount_minor: int) -> Invoice:
    left = invoice.open_face_minor - amount_minor
    paid = replace(invoice, open_face_minor=left, settled_minor=invoice.settled_minor + amount_minor)
    return replace(paid, status=_status_after(paid))


def _status_after(invoice: Invoice) -> Status:
    """The status that follows from what is still owed and what of it is written off."""
    if not invoice.open_face_minor:
        return "recovered" if invoice.status == "written-off" else "settled"
    if invoice.open_face_minor == invoice.written_off_minor:
        return "written-off"
    return invoice.status


def offer_discount(
    invoice: Invoice, sender: str, body: bodies.OfferDiscount, day: str, privacy: Privacy, readers: Readers
) -> DiscountOffer:
    """Offer the buyer, as the supplier, a discount for paying early out of its own cash.

    Args:
        privacy: of the consortium.
        readers: supplier and buyer, by MSP id.

    Raises: Refusal: NOT_THE_SUPPLIER, VALIDITY_PASSED, STATUS_WRONG, PRIVACY_DIFFERS, WRAPS_INVALID.
    """
    require_suppliers(invoice, sender)
    if body.valid_until < day:
        raise Refusal(RefusalCode.VALIDITY_PASSED, f"the offer ended {when(body.valid_until, day)}")
    require_status(invoice, "registered", "approved")
    require_form(privacy, body.sealed, (body.rate_bps, body.day_count))
    if body.sealed:
        require_wraps(body.sealed, sender, readers, day)
    return DiscountOffer(body.invoice_id, body.rate_bps, body.day_count, body.valid_until, day, body.sealed)


def shown_offer(offer: DiscountOffer, opening: DiscountOpening | None) -> tuple[DiscountOffer, DiscountTerms]:
    """A discount with its terms in clear: as it was offered so, or by what the buyer shows of sealed ones.

    Raises: Refusal: OPENING_DIFFERS.
    """
    if offer.sealed and opening:
        require_opening(offer.sealed, keys.discount_offer(offer.invoice_id), opening.salt, plain(opening.terms))
        terms = opening.terms
        return replace(offer, rate_bps=terms.rate_bps, day_count=terms.day_count), terms
    if offer.rate_bps is None or offer.day_count is None or opening:
        text = "the offer is sealed and its terms are not shown" if offer.sealed else "the offer was never sealed"
        raise Refusal(RefusalCode.OPENING_DIFFERS, text)
    return offer, DiscountTerms(offer.rate_bps, offer.day_count)


def pay_early(
    invoice: Invoice,
    offer: DiscountOffer | None,
    sender: str,
    body: bodies.PayEarly,
    day: str,
    transaction_id: str,
) -> tuple[Invoice, DiscountOffer, Quote]:
    """Pay, as the buyer and out of its own cash, what is open at the discount that the supplier offers.

    Returns: the invoice, the offer as it is known to all from now on, and what is paid.
    Raises: Refusal: NOT_THE_BUYER, STATUS_WRONG, RESERVED, NO_OFFER, OPENING_DIFFERS, DUE_DATE_PASSED,
        DEPOSIT_DIFFERS, NET_BELOW_ONE.
    """
    require_buyers(invoice, sender)
    if invoice.status != "approved" or invoice.holder != invoice.supplier:
        raise Refusal(RefusalCode.STATUS_WRONG, f"the invoice is {invoice.status}")
    require_unreserved(invoice)
    if offer is None or offer.valid_until < day:
        raise Refusal(RefusalCode.NO_OFFER, "the supplier offers no discount, or not any more")
    shown, terms = shown_offer(offer, body.opening)
    if invoice.due_date <= day:
        raise Refusal(RefusalCode.DUE_DATE_PASSED, f"due {when(invoice.due_date, day)}: too late for early payment")
    require_deposit(invoice, body.deposit)
    paid = quote(invoice.open_face_minor, terms.rate_bps, terms.day_count, 0, day, invoice.due_date)
    if paid.net_minor < 1:
        raise Refusal(RefusalCode.NET_BELOW_ONE, "the discount leaves nothing to be paid")
    settlement = Settlement(paid.net_minor, body.deposit, day, transaction_id, paid.discount_minor)
    return replace(_discharged(invoice, invoice.open_face_minor), settlement=settlement), shown, paid


def in_time_until(invoice: Invoice, facility: Facility | None) -> str:
    """The last day on which paying is in time: the due date, moved to a business day just as maturity is.

    Args:
        facility: that the invoice was paid out of, whose holidays count; without one only weekends do.
    """
    return maturity(invoice.due_date, grace_days=0, holidays=facility.holidays if facility else ())


def mark_overdue(invoice: Invoice, facility: Facility | None, day: str) -> Invoice:
    """Say that the last day to pay has passed, which anybody can.

    Args:
        facility: that the invoice was paid out of, None where it was not.

    Raises: Refusal: STATUS_WRONG, NOT_DUE.
    """
    require_status(invoice, "approved", "early-paid")
    last = in_time_until(invoice, facility)
    if last >= day:
        text = f"due {when(invoice.due_date, day)}: overdue from {add_days(last, 1)} on"
        raise Refusal(RefusalCode.NOT_DUE, text)
    return replace(invoice, status="overdue", overdue_since=day)


def extend_due_date(invoice: Invoice, sender: str, body: bodies.ExtendDueDate, day: str) -> Invoice:
    """Give the buyer, as the holder, more time.

    Raises: Refusal: NOT_THE_HOLDER, STATUS_WRONG, RESERVED, EXTENSION_INVALID.
    """
    require_holders(invoice, sender)
    require_status(invoice, *OWED)
    if invoice.written_off_minor:
        written_off = said(invoice.written_off_minor, invoice.facts.currency)
        raise Refusal(RefusalCode.STATUS_WRONG, f"{written_off} of it is written off")
    require_unreserved(invoice)
    latest = add_days(invoice.first_due_date, EXTENSION_DAYS_MAX)
    if not max(invoice.due_date, day) < body.due_date <= latest:
        earliest = add_days(max(invoice.due_date, day), 1)
        text = f"the due date can be moved to a day from {earliest} to {latest}, not to {body.due_date}"
        raise Refusal(RefusalCode.EXTENSION_INVALID, text)
    status: Status = "early-paid" if invoice.early_payment else "approved"
    return replace(invoice, status=status, extended_due_date=body.due_date, overdue_since="")


def write_off(invoice: Invoice, sender: str, body: bodies.WriteOff) -> Invoice:
    """Write off, as the holder, what is overdue or a part of it; the buyer owes it as before.

    Raises: Refusal: NOT_THE_HOLDER, STATUS_WRONG, AMOUNT_INVALID, SETTLEMENT_EXCEEDS.
    """
    require_holders(invoice, sender)
    require_status(invoice, "overdue")
    _require_payable(invoice, body.amount_minor)
    written_off = replace(invoice, written_off_minor=invoice.written_off_minor + body.amount_minor)
    return replace(written_off, status=_status_after(written_off))


def recover(invoice: Invoice, sender: str, body: bodies.RecordRecovery, day: str, transaction_id: str) -> Invoice:
    """Pay, as the buyer, what the holder has written off or a part of it.

    Raises: Refusal: NOT_THE_BUYER, AMOUNT_INVALID, RECOVERY_EXCEEDS, DEPOSIT_DIFFERS.
    """
    require_buyers(invoice, sender)
    currency = invoice.facts.currency
    require_amount(body.amount_minor, currency)
    if body.amount_minor > invoice.written_off_minor:
        text = f"{said(invoice.written_off_minor, currency)} is written off, not {digits(body.amount_minor, currency)}"
        raise Refusal(RefusalCode.RECOVERY_EXCEEDS, text)
    require_deposit(invoice, body.deposit)
    recovered = replace(
        invoice,
        open_face_minor=invoice.open_face_minor - body.amount_minor,
        written_off_minor=invoice.written_off_minor - body.amount_minor,
        recovered_minor=invoice.recovered_minor + body.amount_minor,
        settlement=Settlement(body.amount_minor, body.deposit, day, transaction_id),
    )
    return replace(recovered, status=_status_after(recovered))


def require_holders(invoice: Invoice, sender: str) -> None:
    """Raises: Refusal: NOT_THE_HOLDER."""
    if sender != invoice.holder:
        raise Refusal(RefusalCode.NOT_THE_HOLDER, f"the invoice is owed to {invoice.holder}")
