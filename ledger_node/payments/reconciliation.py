"""What a bank's file means for the deposit money of an issuer: one row a booking, and what is to be done about it.

A credit belongs to the party whose registered account it came from, and to nobody on a likeness of names. It is issued
once: the bank's reference and booking date say which one it is. A debit pays a redemption when it carries its id, its
amount and its account. Whatever is not certain is told with its reason and left to a person.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from chaincode.money import deposit_currency
from ledger_node.formats.bank_statement import Booking
from ledger_node.formats.fingerprints import account, credit_reference, is_text
from ledger_node.formats.payment_status import REFUSED, PaymentStatus

Record = Mapping[str, Any]
State = Literal[
    "to_issue", "issued", "taken_back", "to_confirm", "confirmed", "rejected", "promised", "open", "not_counted"
]


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger and the node know.

    Args:
        key: 32 bytes, the consortium's, for fingerprints.
        issuer: MSP id of the deposit's issuer, whose bank wrote the file.
        account: the one account whose credits are deposit money.
        parties: records of all parties.
        booked_credit: the issuer's record under a credit's fingerprint; None when nothing was issued against it.
        redemption: the record of that id; None when there is none.
    """

    key: bytes
    issuer: str
    account: str
    parties: tuple[Record, ...]
    booked_credit: Callable[[str], Record | None]
    redemption: Callable[[str], Record | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One booking, or one word of the bank about a payment.

    Args:
        state: what it is, or what is to be done.
        why: in words, where there is something to say.
        booking: as the bank has it; None for a payment's status.
        party: whose money it is; empty when that is not certain.
        redemption_id: which one it pays; empty when none.
    """

    state: State
    why: str
    booking: Booking | None = None
    party: str = ""
    redemption_id: str = ""


def reconcile(standing: Standing, bookings: Iterable[Booking]) -> list[Row]:
    """One row for each booking of a statement, in its order."""
    return [_row(standing, booking) for booking in bookings]


def follow(standing: Standing, statuses: Iterable[PaymentStatus]) -> list[Row]:
    """One row for each word of a bank about a redemption's payment, in its order."""
    return list(_followed(standing, statuses))


def _row(standing: Standing, booking: Booking) -> Row:
    if booking.left_out:
        return _left_out(standing, booking)
    if not is_text(booking.account) or account(standing.key, booking.account) != account(
        standing.key, standing.account
    ):
        return Row("not_counted", f"booked on another account than {standing.account}", booking)
    return _credit(standing, booking) if booking.is_credit else _debit(standing, booking)


def _left_out(standing: Standing, booking: Booking) -> Row:
    """What does not count, but for money that goes back: that of a payout, or of a credit that was issued against."""
    paid = standing.redemption(booking.end_to_end_id) if booking.end_to_end_id else None
    if paid is not None:
        why = f"{booking.left_out}: of a redemption that is {paid['status']}"
        return Row("open", why, booking, paid["party"], paid["redemption_id"])
    issued = _issued(standing, booking)
    if issued is not None and not issued["reversed"] and not booking.is_credit:
        why = f"{booking.left_out}, and deposit money was issued against it: deposit reverse-issue takes it back"
        return Row("open", why, booking, (issued["issued"] or {"to": ""})["to"])
    return Row("not_counted", booking.left_out, booking)


def _issued(standing: Standing, booking: Booking) -> Record | None:
    """What was issued against a credit of that reference and day."""
    if not is_text(booking.reference) or not booking.booked_on:
        return None
    return standing.booked_credit(credit_reference(standing.key, booking.reference, booking.booked_on))


def _credit(standing: Standing, booking: Booking) -> Row:
    if not is_text(booking.reference):
        return Row("open", "the bank gives no reference of its own, so it cannot be told from another", booking)
    found, owners = _issued(standing, booking), _owners(standing, booking.other_account)
    if found is not None:
        issued = found["issued"] or {"to": "", "amount_minor": booking.amount_minor}
        if issued["amount_minor"] != booking.amount_minor:
            return Row("open", "another amount was issued against this credit", booking, issued["to"])
        if issued["to"] and owners and issued["to"] not in owners:
            return Row("open", f"it was issued to {issued['to']}, who does not own the account", booking, issued["to"])
        return Row("taken_back" if found["reversed"] else "issued", "", booking, issued["to"])
    if len(owners) != 1:
        why = "several parties have" if owners else "no party has"
        return Row("open", f"{why} registered the account that it came from", booking)
    if owners[0] == standing.issuer:
        return Row("open", "it came from the issuer's own account", booking, owners[0])
    return Row("to_issue", "", booking, owners[0])


def _debit(standing: Standing, booking: Booking) -> Row:
    found = standing.redemption(booking.end_to_end_id) if booking.end_to_end_id else None
    if found is None:
        return Row("open", "it carries the id of no redemption", booking)
    known = {"party": found["party"], "redemption_id": found["redemption_id"]}
    currency = deposit_currency(found["deposit"])
    if (booking.amount_minor, booking.currency) != (found["amount_minor"], currency):
        return Row("open", "the redemption is over another amount", booking, **known)
    paid_to = booking.other_account
    if is_text(paid_to) and account(standing.key, paid_to) != found["payout_fingerprint"]:
        return Row("open", "it went to another account than the redemption's", booking, **known)
    if found["status"] == "requested":
        return Row("to_confirm", "", booking, **known)
    if found["status"] == "rejected":
        return Row("open", "the redemption was rejected, and was paid all the same", booking, **known)
    payment = credit_reference(standing.key, booking.reference or booking.end_to_end_id, booking.booked_on)
    if found["payment_reference"] != payment:
        return Row("open", "the redemption was confirmed by another payment: was it paid twice?", booking, **known)
    return Row("confirmed", "", booking, **known)


def _followed(standing: Standing, statuses: Iterable[PaymentStatus]) -> Iterator[Row]:
    for status in statuses:
        name = status.end_to_end_id or status.message_id
        found = standing.redemption(name) if name else None
        said = "; ".join((status.status, *status.reasons))
        if found is None:
            yield Row("open", f"{name or 'a payment'} is no redemption here: {said}")
        else:
            state: State = "rejected" if status.status in REFUSED else "promised"
            yield Row(state, said, party=found["party"], redemption_id=found["redemption_id"])


def _owners(standing: Standing, number: str) -> list[str]:
    """The parties that have registered an account for payouts."""
    if not is_text(number):
        return []
    value = account(standing.key, number)
    return [party["msp_id"] for party in standing.parties if party["payout_fingerprint"] == value]
