"""Account statement: opening balance, every movement with the balance after it, closing balance.

The balance is debit minus credit, as everywhere on the ledger: money held is positive, and what an issuer owes the
holders of its deposits (`issued:`) is negative.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger_node.reports.past import Entry, Past
from ledger_node.reports.tables import Row, Table, decimal

COLUMNS = (
    "deposit", "account", "day", "step", "counter_account", "invoice_id", "debit", "credit", "balance",
    "block_number", "transaction_id",
)  # fmt: skip
FIRST_DAY, LAST_DAY = "0000-00-00", "9999-99-99"


def statement(past: Past, party: str, deposit: str = "", from_day: str = "", to_day: str = "") -> Table:
    """The statements of a party's cash accounts, one after the other.

    Args:
        deposit: one deposit kind; all of them when empty.
        from_day, to_day: the first and last day of the ledger to show movements of; open ends when empty.
    """
    entries = [entry for entry in past.entries(party=party) if entry["book"] == "cash"]
    names = sorted({(entry["unit"], name) for entry in entries for name in (entry["debit"], entry["credit"])})
    own = [(unit, name) for unit, name in names if name.partition(":")[2] == party and deposit in ("", unit)]
    rows: list[Row] = []
    for unit, name in own:
        rows += _account(entries, unit, name, from_day or FIRST_DAY, to_day or LAST_DAY)
    return Table("statement", past.block_number, past.day, COLUMNS, tuple(rows))


def _account(entries: Sequence[Entry], unit: str, name: str, from_day: str, to_day: str) -> list[Row]:
    touching = [entry for entry in entries if entry["unit"] == unit and name in (entry["debit"], entry["credit"])]
    balance = sum(_signed(entry, name) for entry in touching if entry["day"] < from_day)
    rows = [_total(unit, name, "opening", balance)]
    for entry in touching:
        if from_day <= entry["day"] <= to_day:
            balance += _signed(entry, name)
            rows.append(_movement(entry, unit, name, balance))
    return [*rows, _total(unit, name, "closing", balance)]


def _signed(entry: Entry, name: str) -> int:
    return int(entry["amount_minor"]) * (1 if entry["debit"] == name else -1)


def _movement(entry: Entry, unit: str, name: str, balance: int) -> Row:
    amount, debited = decimal(entry["amount_minor"], unit), entry["debit"] == name
    return {
        "deposit": unit,
        "account": name,
        "day": entry["day"],
        "step": entry["step"],
        "counter_account": entry["credit"] if debited else entry["debit"],
        "invoice_id": entry["invoice_id"],
        "debit": amount if debited else "",
        "credit": "" if debited else amount,
        "balance": decimal(balance, unit),
        "block_number": str(entry["block_number"]),
        "transaction_id": entry["transaction_id"],
    }


def _total(unit: str, name: str, step: str, balance: int) -> Row:
    shown = {"deposit": unit, "account": name, "step": step, "balance": decimal(balance, unit)}
    return dict.fromkeys(COLUMNS, "") | shown
