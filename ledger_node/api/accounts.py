"""Money: deposits issued against booked credits, balances of both books, and their movements."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint

from chaincode.money import deposit_currency
from ledger_node import fingerprints
from ledger_node.api.answers import PageQuery, listed, paged, seen
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import AccountsOut, EntriesOut
from ledger_node.api.shape import Plain, shaped
from ledger_node.api.wire import AmountText, DateText, Deposit, In, Msp, Query, Text, to_minor
from ledger_node.api.writes import Answer, submit, writes

routes = APIBlueprint("accounts", __name__, tag="Money")
PLACE = ("transaction_index", "command_number", "write_index")
"""What orders movements, and is shown by their order alone."""


class DepositIn(In):
    """Money to issue against one booked credit; the reference goes to the ledger as a keyed fingerprint only.

    `again` says that it is another credit than the one it looks like (`CREDIT_LOOKS_ISSUED`).
    """

    deposit: Deposit
    to: Msp
    amount: AmountText
    credit_reference: Text
    booked_on: DateText
    again: bool = False


class AccountsQuery(Query):
    """Which balances; what is left out is not asked for."""

    party: str = ""
    book: Literal["", "cash", "obligation"] = ""
    invoice_id: str = ""


class EntriesQuery(PageQuery):
    """Which movements; `account` is a name such as "cash:BuyerMSP", on either side."""

    invoice_id: str = ""
    unit: str = ""
    account: str = ""


@routes.post("/v1/deposits")
@writes(
    routes,
    "issuer",
    DepositIn,
    {
        "deposit": "EUR@FinancierMSP",
        "to": "BuyerMSP",
        "amount": "1234.50",
        "credit_reference": "CAMT054-2026-11-22-0001",
        "booked_on": "2026-11-22",
    },
)
def issue(body: DepositIn) -> Answer:
    """Issue deposit money to a party against a booked credit, which counts once, as its issuer."""
    key = current_node().fingerprint_key
    command = {
        "deposit": body.deposit,
        "to": body.to,
        "amount_minor": to_minor(body.amount, deposit_currency(body.deposit), "amount"),
        "credit_reference": fingerprints.credit_reference(key, body.credit_reference, body.booked_on),
        "reference_fingerprint": fingerprints.bank_reference(key, body.credit_reference),
        "booked_on": body.booked_on,
        "again": body.again,
    }
    return submit("IssueDeposit", command, resource="/v1/accounts")


@routes.get("/v1/accounts")
@routes.auth_required(bearer)
@routes.input(AccountsQuery, location="query", arg_name="query")
@routes.output(AccountsOut)
def show_accounts(query: AccountsQuery) -> dict[str, Any]:
    """Balances: debit minus credit."""
    answer = seen()
    return {**answer, **listed(current_node().readmodel.accounts(**query.model_dump()), shaped)}


@routes.get("/v1/accounts/entries")
@routes.auth_required(bearer)
@routes.input(EntriesQuery, location="query", arg_name="query")
@routes.output(EntriesOut)
def show_entries(query: EntriesQuery) -> dict[str, Any]:
    """Movements between accounts, in the order of the ledger."""
    answer = seen()
    return {**answer, **paged(current_node().readmodel.entries(**query.model_dump()), _entry)}


def _entry(row: Plain) -> Plain:
    return shaped({name: value for name, value in row.items() if name not in PLACE})
