"""Rules of the two books: every movement has two sides, so both books always sum to zero.

A party that is itself the issuer of a deposit kind holds no deposit of it: it pays by issuing ("issued:P" is read for
"cash:P"), and what it receives is extinguished. Must never let cash fall below zero or an issuer pass its limit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import MINOR_MAX, deposit_currency, deposit_issuer
from chaincode.records import Account, keys
from chaincode.records.books import Book, Step
from chaincode.words import digits, said


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount, in minor units of the unit's currency, from the credited account to the debited one."""

    book: Book
    unit: str
    invoice_id: str
    debit: str
    credit: str
    amount_minor: int
    step: Step

    def account_keys(self) -> tuple[str, str]:
        """The keys of the debited and of the credited account."""
        return self._key(self.debit), self._key(self.credit)

    def _key(self, name: str) -> str:
        if self.book == "cash":
            return keys.cash_account(self.unit, name)
        return keys.obligation_account(self.invoice_id, name)


def cash_name(party: str, deposit: str) -> str:
    """The name of the account through which a party holds, or as its issuer issues, a deposit kind."""
    return f"issued:{party}" if deposit_issuer(deposit) == party else f"cash:{party}"


def cash(deposit: str, payee: str, payer: str, amount_minor: int, step: Step, invoice_id: str = "") -> Movement:
    """A movement of deposit money from payer to payee; `invoice_id` says for which invoice, if for one."""
    debit, credit = cash_name(payee, deposit), cash_name(payer, deposit)
    return transfer(deposit, debit, credit, amount_minor, step, invoice_id)


def transfer(deposit: str, debit: str, credit: str, amount_minor: int, step: Step, invoice_id: str = "") -> Movement:
    """A movement of deposit money from the credited account to the debited one, both by name."""
    return Movement("cash", deposit, invoice_id, debit, credit, amount_minor, step)


def obligation(invoice_id: str, currency: str, debit: str, credit: str, amount_minor: int, step: Step) -> Movement:
    """A movement in the obligations of an invoice."""
    return Movement("obligation", currency, invoice_id, debit, credit, amount_minor, step)


def spendable_minor(account: Account | None, name: str, issue_limit_minor: int) -> int:
    """What can be paid out of a cash account: its balance, or what is left of the issuer's limit.

    Args:
        account: the account, None when nothing has been moved there yet.
        name: its name.
        issue_limit_minor: the limit of the deposit's issuer, less what others are short of it.
    """
    balance = account.balance_minor if account else 0
    return issue_limit_minor + balance if name.startswith("issued:") else balance


def move(accounts: Mapping[str, Account | None], movement: Movement, issue_limit_minor: int) -> dict[str, Account]:
    """Carry out one movement.

    Args:
        accounts: the accounts under the movement's `account_keys`.
        movement: what to move.
        issue_limit_minor: the limit of the deposit's issuer, less what others are short of it; of no meaning where
            the credited account is not the issuer's.

    Returns: both accounts after it, by key.
    Raises: Refusal: FUNDS_MISSING, ISSUE_LIMIT_EXCEEDED, BALANCE_EXCEEDS.
    """
    debit_key, credit_key = movement.account_keys()
    assert debit_key != credit_key, f"{movement.debit} cannot pay itself"
    assert movement.amount_minor > 0, f"{movement.step} moves {movement.amount_minor}: turn debit and credit round"
    debit = accounts[debit_key] or _opened(movement, movement.debit)
    credit = accounts[credit_key] or _opened(movement, movement.credit)
    if movement.book == "cash" and not movement.credit.startswith("suspense:"):
        _require_funds(credit, movement.amount_minor, issue_limit_minor)
    return {debit_key: _moved(debit, movement.amount_minor), credit_key: _moved(credit, -movement.amount_minor)}


def _moved(account: Account, amount_minor: int) -> Account:
    balance = account.balance_minor + amount_minor
    if abs(balance) > MINOR_MAX:
        currency = deposit_currency(account.unit)
        text = f"{account.name} would stand at {said(balance, currency)}, beyond {digits(MINOR_MAX, currency)}"
        raise Refusal(RefusalCode.BALANCE_EXCEEDS, text)
    return replace(account, balance_minor=balance)


def guard(account: Account, parties: Collection[str]) -> tuple[list[str], list[str], int]:
    """Whose peers must endorse a change of a cash account: its owner's always, and with it a majority of all parties.

    The owner alone would not do: it could then give itself any balance, in a transaction that writes nothing else.

    Args:
        account: of the cash book.
        parties: MSP ids of all, the owner among them.

    Returns: who always, the others, and how many of them: as `Stub.set_key_endorsers` takes them.
    """
    others = sorted(msp_id for msp_id in parties if msp_id != account.party)
    return [account.party], others, len(parties) // 2


def _require_funds(account: Account, amount_minor: int, issue_limit_minor: int) -> None:
    available = spendable_minor(account, account.name, issue_limit_minor)
    if amount_minor <= available:
        return
    currency = deposit_currency(account.unit)
    there, wanted = said(available, currency), digits(amount_minor, currency)
    if account.name.startswith("issued:"):
        raise Refusal(RefusalCode.ISSUE_LIMIT_EXCEEDED, f"{account.party} may issue {there} more, not {wanted}")
    text = f"{account.party} has {there} issued by {deposit_issuer(account.unit)}, not {wanted}"
    raise Refusal(RefusalCode.FUNDS_MISSING, text)


def _opened(movement: Movement, name: str) -> Account:
    return Account(
        book=movement.book,
        unit=movement.unit,
        invoice_id=movement.invoice_id if movement.book == "obligation" else "",
        name=name,
        party=name.partition(":")[2],
        balance_minor=0,
        guard_parties=0,
    )
