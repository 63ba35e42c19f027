"""Account statements and notifications of banks (camt.053, camt.054) as a plain list of what was booked.

What is not booked yet, taken back, or one sum for several payments that the file does not tell apart is never money
that came in: it is listed with its reason, so that the sums of the file can be added up again.
Source: ISO 20022 camt.053 and camt.054, versions 02 to 12; ISO 20022 external code set (bank transaction codes).
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ledger_node.formats.amounts import amount_to_minor
from ledger_node.formats.facts import FormatCode, FormatError
from ledger_node.formats.fingerprints import is_text, normalise_reference
from ledger_node.formats.iso20022 import at, read_message, text_at

KINDS = ("camt.053", "camt.054")
NOT_PROVIDED = "NOTPROVIDED"
EMPTY = "an amount of zero"
DIGITS_MAX = 18  # of an amount, ISO 20022
RETURNS = ("RRTN", "RPCR", "RCCN")
"""Sub-families of bank transaction codes: a payment that came back, one that was cancelled or reversed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Booking:
    """One movement on an account, as the bank that keeps it has it.

    Args:
        account: of the statement: an IBAN, or the bank's own number.
        is_credit: whether money came in.
        amount_minor: in minor units of `currency`, zero only where `left_out` says so.
        currency: ISO 4217 code.
        booked_on: YYYY-MM-DD.
        reference: the bank's own, the same whenever it tells of this movement; empty when it gives none.
        end_to_end_id: what the payer called it, empty when it was called nothing.
        other_account: the payer's of a credit, the payee's of a debit; empty when the bank does not tell.
        other_name: as the bank has it.
        text: what the payer wrote.
        left_out: why it is no money that came in or went out; empty for what counts.
    """

    account: str
    is_credit: bool
    amount_minor: int
    currency: str
    booked_on: str
    reference: str
    end_to_end_id: str
    other_account: str
    other_name: str
    text: str
    left_out: str = ""


def read_statement(content: bytes) -> tuple[Booking, ...]:
    """All entries of a camt.053 or camt.054, in the order of the file, a collective entry as the payments in it.

    Args:
        content: the whole file.

    Raises: FormatError for whatever the content is.
    """
    kind, message = read_message(content, KINDS)
    parts = at(message, "stmt" if kind == "camt.053" else "ntfctn") or []
    bookings = [booking for part in parts for entry in part.ntry for booking in _entry(part, entry)]
    counts = Counter(_place(booking) for booking in bookings if not booking.left_out)
    return tuple(
        dataclasses.replace(booking, left_out="the file has another movement with this reference")
        if not booking.left_out and booking.reference and counts[_place(booking)] > 1
        else booking
        for booking in bookings
    )


def _place(booking: Booking) -> tuple[str, str, str, bool]:
    """What the ledger knows a movement by: its reference as it is compared, and its day."""
    reference = normalise_reference(booking.reference) if is_text(booking.reference) else ""
    return booking.account, reference, booking.booked_on, booking.is_credit


def _entry(part: Any, entry: Any) -> Iterator[Booking]:
    groups = at(entry, "ntry_dtls") or []
    details = [detail for group in groups for detail in group.tx_dtls]
    counted = sum(_count(text_at(group, "btch.nb_of_txs") or "0") for group in groups)
    whole = _booking(part, entry, details[0] if len(details) == 1 else None)
    if whole.left_out:
        yield whole
        return
    parts = [_part(whole, detail) for detail in details]
    # A bank may count several payments and show one, or show one that is smaller than what it booked.
    told = max(counted, len(parts)) == len(parts) and sum(each.amount_minor for each in parts) == whole.amount_minor
    if len(parts) > 1 and told:
        yield from parts
    elif counted > 1 or len(parts) > 1 or (parts and 0 < parts[0].amount_minor < whole.amount_minor):
        yield dataclasses.replace(whole, left_out="one sum for several payments, which the file does not tell apart")
    else:
        yield whole


def _booking(part: Any, entry: Any, detail: Any) -> Booking:
    """An entry as one movement; `detail` is the only payment in it, if there is just one."""
    is_credit = text_at(entry, "cdt_dbt_ind") == "CRDT"
    amount_minor, currency = _amount(entry.amt)
    booked_on = text_at(entry, "bookg_dt.dt", "bookg_dt.dt_tm")[:10]
    left_out = _left_out(entry, booked_on) or _returned(entry) or _returned(detail) or ("" if amount_minor else EMPTY)
    return Booking(
        account=text_at(part, "acct.id.iban", "acct.id.othr.id"),
        is_credit=is_credit,
        amount_minor=amount_minor,
        currency=currency,
        booked_on=booked_on,
        reference=text_at(entry, "acct_svcr_ref") or text_at(detail, "refs.acct_svcr_ref"),
        left_out=left_out,
        **_told(detail, is_credit),
    )


def _part(whole: Booking, detail: Any) -> Booking:
    """One payment of a collective entry: its own amount, and the entry's reference with what is its own."""
    found = at(detail, "amt") or at(detail, "amt_dtls.tx_amt.amt")
    amount_minor, currency = _amount(found) if found is not None else (0, whole.currency)
    # The one reference that is the bank's own: a UETR or an end-to-end id is the payer's, and other messages, or other
    # versions of them, leave it out, so that the same payment would have two names.
    own = text_at(detail, "refs.acct_svcr_ref")
    reference = "/".join(dict.fromkeys((whole.reference or own, own))) if own else ""
    return dataclasses.replace(
        whole,
        amount_minor=amount_minor if currency == whole.currency else 0,
        reference=reference,
        left_out=_returned(detail) or ("" if amount_minor else EMPTY),
        **_told(detail, whole.is_credit),
    )


def _told(detail: Any, is_credit: bool) -> dict[str, Any]:
    """What the bank tells of the payment and of its other side."""
    side = "dbtr" if is_credit else "cdtr"
    called = text_at(detail, "refs.end_to_end_id")
    lines = [line.strip() for line in at(detail, "rmt_inf.ustrd") or [] if line.strip()]
    lines += [text for each in at(detail, "rmt_inf.strd") or [] if (text := text_at(each, "cdtr_ref_inf.ref"))]
    return {
        "end_to_end_id": "" if called == NOT_PROVIDED else called,
        "other_account": text_at(detail, *(f"rltd_pties.{side}_acct.id.{name}" for name in ("iban", "othr.id"))),
        "other_name": text_at(detail, f"rltd_pties.{side}.nm", f"rltd_pties.{side}.pty.nm"),
        "text": " ".join(lines),
    }


def _left_out(entry: Any, booked_on: str) -> str:
    status = text_at(entry, "sts.cd", "sts.prtry") if hasattr(entry.sts, "cd") else text_at(entry, "sts")
    if status != "BOOK":
        return f"not booked yet ({status})"
    if entry.rvsl_ind:
        return "taken back (a reversal)"
    return "" if booked_on else "without a booking date"


def _returned(part: Any) -> str:
    """Whether an entry or a payment in it is one that came back."""
    codes = {text_at(part, "bk_tx_cd.domn.fmly.cd"), text_at(part, "bk_tx_cd.domn.fmly.sub_fmly_cd")}
    if at(part, "rtr_inf") is not None or not codes.isdisjoint(RETURNS):
        return "a payment that came back"
    return ""


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,15}", text):
        raise FormatError(
            FormatCode.SCHEMA, f"{text[:20]!r} is no number of payments", "ask the bank for the file again"
        )
    return int(text)


def _amount(amount: Any) -> tuple[int, str]:
    """An amount in minor units, and its currency.

    Raises: FormatError when it is not one of that currency.
    """
    # The library takes whatever Python takes for a decimal. XML knows no exponents, which would be written out in full.
    if not amount.value.is_finite() or abs(amount.value.adjusted()) > DIGITS_MAX:
        raise FormatError(
            FormatCode.AMOUNT, "an entry's amount is no amount of money", "ask the bank for the file again"
        )
    return amount_to_minor(format(amount.value, "f"), amount.ccy), str(amount.ccy)
