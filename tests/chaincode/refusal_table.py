"""The table of refusals: for every command its codes in order, each with a state and a command that meet it.

A row changes the control, a command that is applied, in as little as it can: another sender, some fields of the body,
or something that happened before. `docs/reference/commands.md` must list the same codes in the same order.
"""

from __future__ import annotations

import refusals_changes
import refusals_deposits
import refusals_evidence
import refusals_financing
import refusals_funding
import refusals_invoices
import refusals_life
import refusals_membership
import refusals_persons
import refusals_seals
from refusal_rows import Table

from chaincode.contract import COMMANDS

ALL = (
    refusals_membership.TABLES
    | refusals_changes.TABLES
    | refusals_persons.TABLES
    | refusals_evidence.TABLES
    | refusals_seals.TABLES
    | refusals_financing.TABLES
    | refusals_funding.TABLES
    | refusals_invoices.TABLES
    | refusals_life.TABLES
    | refusals_deposits.TABLES
)
TABLES: dict[str, Table] = {name: ALL[name] for name in [*COMMANDS, *(set(ALL) - set(COMMANDS))] if name in ALL}
