"""A party's own journal, derived from the ledger's movements: what each step means in that party's books.

The ledger's two books hold claims and money; profit and loss is each party's own. Every command of the ledger becomes
lines that sum to zero: the party's side of the movements, and a contra account for the rest. The financier's discount
is unearned when it is kept, and earned day by day in equal parts until maturity (largest remainders, the earliest days
first), so that the days sum to it exactly; what is left when the buyer pays sooner is earned that day.
The supplier's sale is taken as a sale: its finance cost is recognised at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ledger_node.reports.past import Entry, Past
from ledger_node.reports.payments import EarlyPaid, all_early_paid
from ledger_node.reports.tables import Row, Table, decimal
from ledger_node.reports.tenor import Tenor

COLUMNS = ("day", "invoice_id", "step", "account", "currency", "debit", "credit")
ACCOUNTS = {
    "cash": "deposits held",
    "issued": "deposits issued",
    "reserved": "deposits reserved",
    "redeeming": "deposits in redemption",
    "suspense": "shortfall of deposits",
    "recv": "receivables",
    "recv_wo": "losses on receivables",
    "pay": "payables",
    "claim": "claims on suppliers",
    "owed": "owed to buyers",
}
BANK, UNEARNED, INCOME, FEES = "bank", "unearned discount", "discount income", "fee income"
COST, FEE_COST, TAKEN = "finance cost", "fees paid", "discount received"
EARNED = "earned"
CONTRA = {
    "issue": BANK,
    "reverse_issue": BANK,
    "redeemed": BANK,
    "paid_outside": BANK,
    "transfer": "transfers of deposits",
    "approve": "invoices",
    "void_approval": "invoices",
    "credit_note": "invoices",
}
"""Where the other side of a step stands, when the party's own accounts on the ledger do not balance by themselves."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: debit when the amount, in minor units, is above zero."""

    day: str
    invoice_id: str
    step: str
    account: str
    currency: str
    amount_minor: int


class Books:
    """The lines of one party, as its movements are told in their order.

    Args:
        party: whose books they are.
        payments: every early payment, by transaction and invoice.
    """

    def __init__(self, party: str, payments: dict[tuple[str, str], EarlyPaid]) -> None:
        self.lines: list[Line] = []
        self._party = party
        self._payments = payments
        self._tenors: dict[str, tuple[Tenor, str]] = {}
        self._receivable: dict[str, int] = defaultdict(int)

    def add(self, entries: Sequence[Entry]) -> None:
        """Take in movements that belong together and balance, but for what is the party's own gain or cost."""
        own = [line for entry in entries for line in _own(entry, self._party)]
        self.lines += own
        first, steps = own[0], {entry["step"] for entry in entries}
        rest = -sum(line.amount_minor for line in own)
        self._receivable[first.invoice_id] += sum(line.amount_minor for line in own if line.account == ACCOUNTS["recv"])
        paid = self._payments.get((entries[0]["transaction_id"], first.invoice_id))
        if paid and "early_payment" in steps:
            self._early_payment(first, paid, rest)
        elif "reassignment" in steps:
            self._taken_back(first, rest)
        elif rest:
            self._line(first, CONTRA[first.step], rest)
        if steps & {"settle", "paid_outside"} and not self._receivable[first.invoice_id]:
            self._paid_back(first)

    def earn_until(self, day: str) -> None:
        """Book what all open tenors have earned up to a day."""
        for invoice_id in self._tenors:
            self._earn(invoice_id, day)

    def _early_payment(self, first: Line, paid: EarlyPaid, rest: int) -> None:
        """Discount and fee: cost of who is paid, gain of who pays."""
        names = (UNEARNED, FEES) if paid.source == "financier" else (TAKEN, FEES)
        if self._party == paid.supplier:
            names = COST, FEE_COST
        fee = paid.fee_minor if rest > 0 else -paid.fee_minor
        self._line(first, names[0], rest - fee)
        self._line(first, names[1], fee)
        if paid.source == "financier" and paid.payer == self._party:
            self._tenors[first.invoice_id] = Tenor(paid.day, paid.days, paid.discount_minor), first.currency

    def _taken_back(self, first: Line, rest: int) -> None:
        """A repurchase or an unwinding: the supplier's cost comes back, the financier's income is what it keeps."""
        if first.invoice_id not in self._tenors:
            self._line(first, COST, rest)
            return
        self._earn(first.invoice_id, first.day)
        left = self._tenors.pop(first.invoice_id)[0].close()
        self._line(first, UNEARNED, left)
        self._line(first, INCOME, rest - left)

    def _paid_back(self, first: Line) -> None:
        """The buyer has paid before maturity: the rest of the discount is earned."""
        if first.invoice_id in self._tenors:
            self._earn(first.invoice_id, first.day)
            self._income(first, self._tenors.pop(first.invoice_id)[0].close())

    def _earn(self, invoice_id: str, day: str) -> None:
        tenor, currency = self._tenors[invoice_id]
        for booked_on, amount in tenor.earn_until(day):
            self._income(Line(booked_on, invoice_id, EARNED, "", currency, 0), amount)

    def _income(self, like: Line, amount_minor: int) -> None:
        self._line(replace(like, step=EARNED), UNEARNED, amount_minor)
        self._line(replace(like, step=EARNED), INCOME, -amount_minor)

    def _line(self, like: Line, account: str, amount_minor: int) -> None:
        if amount_minor:
            self.lines.append(replace(like, account=account, amount_minor=amount_minor))


def _whole(entry: Entry) -> tuple[str, str, str, str]:
    """What belongs together: of one command in one invoice, a step with a contra account of its own apart."""
    alone = entry["step"] if entry["step"] in CONTRA else ""
    return entry["transaction_id"], entry["command_id"], entry["invoice_id"], alone


def _own(entry: Entry, party: str) -> Iterator[Line]:
    """The party's side, or sides, of a movement."""
    currency = entry["unit"].partition("@")[0]
    for name, sign in ((entry["debit"], 1), (entry["credit"], -1)):
        kind, _, owner = name.partition(":")
        if owner == party:
            amount = sign * int(entry["amount_minor"])
            yield Line(entry["day"], entry["invoice_id"], entry["step"], ACCOUNTS[kind], currency, amount)


def _row(line: Line) -> Row:
    amount = decimal(abs(line.amount_minor), line.currency)
    return {
        "day": line.day,
        "invoice_id": line.invoice_id,
        "step": line.step,
        "account": line.account,
        "currency": line.currency,
        "debit": amount if line.amount_minor > 0 else "",
        "credit": amount if line.amount_minor < 0 else "",
    }


def journal(past: Past, party: str) -> Table:
    """The journal of a party from the first block on, with the discounts earned up to the ledger's day."""
    books = Books(party, {(paid.transaction_id, paid.invoice_id): paid for paid in all_early_paid(past)})
    for _, whole in groupby(past.entries(party=party), key=_whole):
        books.add(list(whole))
    books.earn_until(past.day)
    rows = tuple(_row(line) for line in sorted(books.lines, key=lambda line: line.day))
    return Table("journal", past.block_number, past.day, COLUMNS, rows)
