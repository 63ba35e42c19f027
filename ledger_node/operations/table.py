"""All operations, and the commands of the contract that are none."""

from __future__ import annotations

from ledger_node.operations import consortium, evidence, facilities, invoices, money, payments
from ledger_node.operations.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *consortium.OPERATIONS,
    *evidence.OPERATIONS,
    *invoices.OPERATIONS,
    *payments.OPERATIONS,
    *facilities.OPERATIONS,
    *money.OPERATIONS,
)
NOT_FOR_PEOPLE = {
    "AttestDocument": "verifiers attest, by themselves, what they recomputed",
    "RegisterDocument": "the upload of a file sends it (POST /v1/documents)",
}
"""Commands that no request of a person's is: each with the reason."""

BESIDE_OTHERS = frozenset(row.command for row in OPERATIONS if row.beside_others) | {
    "AttestDocument",
    "RegisterDocument",
}
"""Commands that may overtake others of this node, in a transaction that holds only such: no result depends on their
order."""
PERSONS_FIRST = {row.command: row.persons_first for row in OPERATIONS}
"""After how many signatures a command is tried, where the contract asks for persons: one where it may be the first of
two steps."""
