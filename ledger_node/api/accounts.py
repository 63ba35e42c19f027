"""Money: deposits issued against booked credits, balances of both books, and their movements."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint

from ledger_node.api.answers import PageQuery, answers, as_of_block, listed, paged
from ledger_node.api.auth import bearer
from ledger_node.api.context import current_node
from ledger_node.api.records import AccountsOut, EntriesOut
from ledger_node.api.shape import shaped
from ledger_node.api.wire import Plain, Query

routes = APIBlueprint("accounts", __name__, tag="Money")
PLACE = ("transaction_index", "command_number", "write_index")
"""What orders movements, and is shown by their order alone."""


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


@routes.get("/v1/accounts")
@routes.auth_required(bearer)
@routes.input(AccountsQuery, location="query", arg_name="query")
@answers(routes, AccountsOut)
def show_accounts(query: AccountsQuery) -> dict[str, Any]:
    """Balances: debit minus credit."""
    answer = as_of_block()
    return {**answer, **listed(current_node().readmodel.accounts(**query.model_dump()), shaped)}


@routes.get("/v1/accounts/entries")
@routes.auth_required(bearer)
@routes.input(EntriesQuery, location="query", arg_name="query")
@answers(routes, EntriesOut)
def show_entries(query: EntriesQuery) -> dict[str, Any]:
    """Movements between accounts, in the order of the ledger."""
    answer = as_of_block()
    return {**answer, **paged(current_node().readmodel.entries(**query.model_dump()), _entry)}


def _entry(row: Plain) -> Plain:
    return shaped({name: value for name, value in row.items() if name not in PLACE})
