"""Commands that are one write each, as a table: what they are called, what they ask for, where they go.

`add_steps` turns each row into a command like any other, with `--json`, the options of a write, help and an example.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from ledger_node.cli.common import json_option
from ledger_node.cli.rest import Writer, emit_submission, writes
from ledger_node.client import segment

ID = "5f0c8b2e9a7d4e31b6c2a1908f7e6d5c"
EXAMPLE_VALUES = {
    "reason": "'two pallets were broken'",
    "amount": "1234.50",
    "deposit": "EUR@FinancierMSP",
    "msp_id": "BuyerMSP",
    "due_date": "2027-04-30",
    "valid_until": "2027-01-31",
    "booked_on": "2026-11-22",
    "rate_bps": "400",
    "facility_id": "c0ffee00c0ffee00c0ffee00c0ffee00",
    "document_id": ID,
    "currency": "EUR",
    "limit": "1000000.00",
    "buyer": "BuyerMSP",
    "to": "SupplierMSP",
    "payment_reference": "PAIN001-0815",
    "credit_reference": "CAMT054-0001",
    "payout_account": "DE02120300000000202051",
    "peer_url": "https://127.0.0.1:8002",
    "submission_id": "9b2f6c1d4e8a47f0a1c3d5e7f9081726",
    "person_id": "5d41402abc4b2a76b9719d911017c592ae2c59a4f0a1c3d5e7f90817265f0c8b",
}


@dataclass(frozen=True)
class Option:
    """An option whose value goes into the body: `field` of the body, and what the help says."""

    field: str
    help: str
    kind: Any = str
    many: bool = False
    default: str | bool | None = None
    flag: str = ""

    @property
    def name(self) -> str:
        """As it is typed."""
        return self.flag or f"--{self.field.removesuffix('_id').removesuffix('_ids').replace('_', '-')}"


@dataclass(frozen=True)
class Step:
    """One command: `path` names its arguments in braces."""

    name: str
    path: str
    help: str
    options: Sequence[Option] = ()
    arguments: Sequence[str] = ()


REASON = Option("reason", "Why; the text stays with the node, the ledger gets a salted commitment.")
AMOUNT = Option("amount", "How much, such as 1234.50.")
DEPOSIT = Option("deposit", "The deposit money, CURRENCY@MSP.")
BOOKED_ON = Option("booked_on", "The booking date, YYYY-MM-DD.")
AGAIN = Option("again", "It is another one than the one that it looks like.", kind=bool, default=False)


def add_steps(group: click.Group, title: str, steps: Sequence[Step]) -> None:
    """Add the commands to a group.

    Args:
        group: such as `ledger-node invoice`.
        title: how the group is typed, for the examples.
        steps: the rows.
    """
    for step in steps:
        group.add_command(_command(title, step))


def _command(title: str, step: Step) -> click.Command:
    @json_option
    @writes
    def run(writer: Writer, as_json: bool, **given: Any) -> None:
        path = step.path.format(**{name: segment(given.pop(name)) for name in step.arguments})
        body = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
        emit_submission(writer.post(path, body), as_json)

    run.__doc__ = f"{step.help}\n\n\b\nExamples:\n  ledger-node {title} {step.name} {_example(step)}".rstrip()
    for option in reversed(step.options):
        required = option.default is None and not option.many
        run = click.option(
            option.name,
            option.field,
            type=option.kind,
            is_flag=option.kind is bool,
            multiple=option.many,
            required=required,
            default=option.default,
            help=option.help,
        )(run)
    for name in reversed(step.arguments):
        run = click.argument(name)(run)
    return click.command(name=step.name)(run)


def _example(step: Step) -> str:
    arguments = [EXAMPLE_VALUES.get(name, ID) for name in step.arguments]
    options = [f"{option.name} {_value(option)}" for option in step.options if option.default is None]
    return " ".join([*arguments, *options])


def _value(option: Option) -> str:
    if isinstance(option.kind, click.Choice):
        return str(option.kind.choices[0])
    return EXAMPLE_VALUES.get(option.field, ID)
