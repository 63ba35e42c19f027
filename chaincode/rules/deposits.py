"""Rules of deposit money: only the bank named in it issues it, against one booked credit, never to itself."""

from __future__ import annotations

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import deposit_currency, deposit_issuer
from chaincode.records import Party, bodies
from chaincode.rules.books import Movement, cash
from chaincode.rules.facilities import require_currency
from chaincode.rules.parties import require_party


def issue(credit_used: bool, to: Party | None, sender: str, body: bodies.IssueDeposit, day: str) -> Movement:
    """Issue deposit money against one booked credit. Whether the issuer's limit allows it is for the books.

    Raises: Refusal: NOT_THE_ISSUER, CURRENCY_UNKNOWN, AMOUNT_INVALID, ISSUE_TO_SELF, PARTY_UNKNOWN,
        BOOKED_IN_FUTURE, CREDIT_ALREADY_ISSUED.
    """
    if deposit_issuer(body.deposit) != sender:
        raise Refusal(RefusalCode.NOT_THE_ISSUER, f"{body.deposit} is not {sender}'s")
    require_currency(deposit_currency(body.deposit))
    if body.amount_minor < 1:
        raise Refusal(RefusalCode.AMOUNT_INVALID, f"an amount of {body.amount_minor} cannot be issued")
    if body.to == sender:
        raise Refusal(RefusalCode.ISSUE_TO_SELF, "an issuer holds no deposit of its own")
    require_party(to, body.to)
    if body.booked_on > day:
        raise Refusal(RefusalCode.BOOKED_IN_FUTURE, f"booked on {body.booked_on}, it is {day}")
    if credit_used:
        raise Refusal(RefusalCode.CREDIT_ALREADY_ISSUED, "deposit money has been issued against this credit already")
    return cash(body.deposit, body.to, sender, body.amount_minor, "issue")
