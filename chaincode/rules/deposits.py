"""Rules of deposit money: only the bank named in it issues it, against one booked credit, never to itself.

A credit counts once: the very same reference and booking date never again, and one that looks the same (reference,
receiver and amount, booked within 30 days) only by a person's explicit word. Banks do use references again.
"""

from __future__ import annotations

from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import add_days, deposit_currency, deposit_issuer
from chaincode.records import Account, BookedCredit, IssuedDeposit, Party, Redemption, bodies
from chaincode.rules.books import Movement, cash
from chaincode.rules.books import transfer as move_deposit
from chaincode.rules.days import require_begun
from chaincode.rules.facilities import require_currency
from chaincode.rules.parties import require_different, require_new, require_party
from chaincode.words import digits, said

ALIKE_DAYS = 30
"""How many days apart two entries of a bank's book with one reference, party and amount may be one."""


def alike_days(day: str) -> tuple[str, str]:
    """The first and the last day on which an entry may be the one that was booked on `day`."""
    return add_days(day, -ALIKE_DAYS), add_days(day, ALIKE_DAYS)


def issue(
    credit_used: bool, looks_used: bool, to: Party | None, sender: str, body: bodies.IssueDeposit, latest_date: str
) -> Movement:
    """Issue deposit money against one booked credit. Whether the issuer's limit allows it is for the books.

    Args:
        credit_used: whether anything was issued against this reference and booking date.
        looks_used: whether something was issued against a credit that looks the same, and is not taken back.
        to: the party that the body names.
        latest_date: that has begun anywhere on Earth.

    Raises: Refusal: NOT_THE_ISSUER, CURRENCY_UNKNOWN, AMOUNT_INVALID, ISSUE_TO_SELF, PARTY_UNKNOWN,
        BOOKED_IN_FUTURE, CREDIT_ALREADY_ISSUED, CREDIT_LOOKS_ISSUED.
    """
    if deposit_issuer(body.deposit) != sender:
        raise Refusal(RefusalCode.NOT_THE_ISSUER, f"{body.deposit} is not {sender}'s")
    require_currency(deposit_currency(body.deposit))
    if body.amount_minor < 1:
        text = f"an amount of {said(body.amount_minor, deposit_currency(body.deposit))} cannot be issued"
        raise Refusal(RefusalCode.AMOUNT_INVALID, text)
    if body.to == sender:
        raise Refusal(RefusalCode.ISSUE_TO_SELF, "an issuer holds no deposit of its own")
    require_party(to, body.to)
    require_begun(body.booked_on, latest_date, RefusalCode.BOOKED_IN_FUTURE)
    if credit_used:
        raise Refusal(RefusalCode.CREDIT_ALREADY_ISSUED, "deposit money has been issued against this credit already")
    if looks_used and not body.again:
        text = f"as much is issued to {body.to} against this reference, booked within {ALIKE_DAYS} days of this one"
        raise Refusal(RefusalCode.CREDIT_LOOKS_ISSUED, f"{text}: say `again` if it is another credit")
    return cash(body.deposit, body.to, sender, body.amount_minor, "issue")


def reverse(
    credit: BookedCredit | None, account: Account | None, body: bodies.ReverseIssue
) -> tuple[BookedCredit, IssuedDeposit, int]:
    """Take back what was issued against a booked credit, as its issuer, once.

    Args:
        credit: the sender's, under the body's reference.
        account: the cash account of the party that it was issued to.

    Returns: the credit after it, what was issued, and how much of it that party's account covers.
    Raises: Refusal: CREDIT_UNKNOWN, ALREADY_REVERSED.
    """
    if credit is None or credit.issued is None:
        raise Refusal(RefusalCode.CREDIT_UNKNOWN, "no deposit money is known to be issued against this credit")
    if credit.reversed:
        raise Refusal(RefusalCode.ALREADY_REVERSED, "what was issued against this credit is taken back already")
    covered = min(credit.issued.amount_minor, account.balance_minor if account else 0)
    return replace(credit, reversed=True), credit.issued, covered


def cover(shortfall: Account | None, sender: str, body: bodies.CoverShortfall) -> Movement:
    """Pay, out of the sender's deposit, what a reversed issue left short.

    Args:
        shortfall: the sender's suspense account in that deposit.

    Raises: Refusal: AMOUNT_INVALID, COVER_EXCEEDS.
    """
    _require_amount(body.amount_minor, body.deposit)
    short = -shortfall.balance_minor if shortfall else 0
    if body.amount_minor > short:
        currency = deposit_currency(body.deposit)
        text = f"{said(short, currency)} is short, not {digits(body.amount_minor, currency)}"
        raise Refusal(RefusalCode.COVER_EXCEEDS, text)
    debit, credit = f"suspense:{sender}", f"cash:{sender}"
    return move_deposit(body.deposit, debit, credit, body.amount_minor, "cover")


def transfer(to: Party | None, sender: str, body: bodies.TransferDeposit) -> Movement:
    """Move deposit money to another party. An issuer neither gives its own away nor takes it in without paying out.

    Raises: Refusal: AMOUNT_INVALID, SAME_PARTY, PARTY_UNKNOWN, ISSUER_HOLDS_NONE.
    """
    _require_amount(body.amount_minor, body.deposit)
    require_different(sender, body.to)
    require_party(to, body.to)
    if deposit_issuer(body.deposit) in (sender, body.to):
        raise Refusal(RefusalCode.ISSUER_HOLDS_NONE, "an issuer issues against a booked credit, and redeems")
    return cash(body.deposit, body.to, sender, body.amount_minor, "transfer")


def redeem(
    existing: Redemption | None, party: Party, body: bodies.RedeemDeposit, day: str
) -> tuple[Redemption, Movement]:
    """Ask the issuer to pay deposit money out to one's registered account.

    Raises: Refusal: ID_TAKEN, AMOUNT_INVALID, ISSUER_HOLDS_NONE.
    """
    require_new(existing, body.redemption_id)
    _require_amount(body.amount_minor, body.deposit)
    if deposit_issuer(body.deposit) == party.msp_id:
        raise Refusal(RefusalCode.ISSUER_HOLDS_NONE, "an issuer holds no deposit of its own")
    redemption = Redemption(
        redemption_id=body.redemption_id,
        party=party.msp_id,
        deposit=body.deposit,
        amount_minor=body.amount_minor,
        payout_fingerprint=party.payout_fingerprint,
        status="requested",
        payment_reference="",
        day=day,
    )
    debit, credit = f"redeeming:{party.msp_id}", f"cash:{party.msp_id}"
    return redemption, move_deposit(body.deposit, debit, credit, body.amount_minor, "redeem")


def confirm(
    redemption: Redemption | None, looks_used: bool, sender: str, body: bodies.ConfirmRedemption
) -> tuple[Redemption, Movement]:
    """Say, as the issuer, that a redemption is paid out.

    Args:
        redemption: what stands under the body's id.
        looks_used: whether a redemption of that party and amount was confirmed with this reference lately.

    Raises: Refusal: REDEMPTION_UNKNOWN, NOT_THE_ISSUER, STATUS_WRONG, PAYMENT_LOOKS_CONFIRMED.
    """
    found = _require_requested(redemption, sender, body.redemption_id)
    if looks_used and not body.again:
        text = f"as much is confirmed as paid to {found.party} with this reference within {ALIKE_DAYS} days"
        raise Refusal(RefusalCode.PAYMENT_LOOKS_CONFIRMED, f"{text}: say `again` if it is another payment")
    confirmed = replace(found, status="confirmed", payment_reference=body.payment_reference)
    debit, credit = f"issued:{sender}", f"redeeming:{found.party}"
    return confirmed, move_deposit(found.deposit, debit, credit, found.amount_minor, "redeemed")


def reject(redemption: Redemption | None, sender: str, redemption_id: str) -> tuple[Redemption, Movement]:
    """Give deposit money back, as the issuer, that cannot be paid out.

    Raises: Refusal: REDEMPTION_UNKNOWN, NOT_THE_ISSUER, STATUS_WRONG.
    """
    found = _require_requested(redemption, sender, redemption_id)
    debit, credit = f"cash:{found.party}", f"redeeming:{found.party}"
    movement = move_deposit(found.deposit, debit, credit, found.amount_minor, "redemption_rejected")
    return replace(found, status="rejected"), movement


def _require_requested(redemption: Redemption | None, sender: str, redemption_id: str) -> Redemption:
    if redemption is None:
        raise Refusal(RefusalCode.REDEMPTION_UNKNOWN, f"there is no redemption {redemption_id}")
    if deposit_issuer(redemption.deposit) != sender:
        raise Refusal(RefusalCode.NOT_THE_ISSUER, f"{redemption.deposit} is not {sender}'s")
    if redemption.status != "requested":
        raise Refusal(RefusalCode.STATUS_WRONG, f"the redemption is {redemption.status}")
    return redemption


def require_unfrozen(shortfall: Account | None, movement: Movement) -> None:
    """Require that the payer has no shortfall in this deposit; covering it, and reversing more, are always possible.

    Args:
        shortfall: the payer's suspense account.

    Raises: Refusal: FROZEN.
    """
    if shortfall and shortfall.balance_minor and movement.step not in ("cover", "reverse_issue"):
        short = said(-shortfall.balance_minor, deposit_currency(shortfall.unit))
        text = f"{shortfall.party} is short of {short} in {shortfall.unit} and has to cover that first"
        raise Refusal(RefusalCode.FROZEN, text)


def _require_amount(amount_minor: int, deposit: str) -> None:
    if amount_minor < 1:
        text = f"an amount of {said(amount_minor, deposit_currency(deposit))} cannot be moved"
        raise Refusal(RefusalCode.AMOUNT_INVALID, text)
