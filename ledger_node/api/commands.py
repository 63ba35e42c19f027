"""Every command of the contract as a write of the API: made from its row, one view each.

A field of the command comes from the address, from the body, from what the row fixes, or is the fresh id of what is
made; where something must be computed, `computed` has a function of the act's name.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping

from apiflask import APIBlueprint

from chaincode.money import deposit_currency
from ledger_node.api import computed
from ledger_node.api.answers import existing
from ledger_node.api.computed import Command
from ledger_node.api.context import current_node
from ledger_node.api.wire import Plain, in_ledger_form
from ledger_node.api.writes import Answer, fresh_id, submit, writes
from ledger_node.operations.bodies import command_body, request_body
from ledger_node.operations.fields import In
from ledger_node.operations.operation import Operation
from ledger_node.operations.shapes import REASON
from ledger_node.operations.table import OPERATIONS

routes = APIBlueprint("commands", __name__)


def command_of(operation: Operation, body: In, named: Mapping[str, str]) -> Plain:
    """The command that a request asks for, but for a typed reason.

    Args:
        body: of the request.
        named: the fields that the address names.

    Raises: Problem 404 or 422.
    """
    made = {operation.makes: fresh_id(operation.makes.removesuffix("_id"))} if operation.makes else {}
    return in_ledger_form(
        command_body(operation), body, {**named, **operation.fixed, **made}, lambda: _currency(body, named)
    )


def _currency(body: In, named: Mapping[str, str]) -> str:
    """The currency of a request's amounts: the one it names, else that of the record in its address."""
    if currency := getattr(body, "currency", ""):
        return str(currency)
    if deposit := getattr(body, "deposit", ""):
        return deposit_currency(str(deposit))
    invoice_id = named["invoice_id"]
    return str(existing(current_node().readmodel.invoice(invoice_id), "invoice", invoice_id)["facts"]["currency"])


def _add(operation: Operation) -> None:
    def view(body: In, **named: str) -> Answer:
        return act(operation, body, named)

    view.__name__ = operation.name
    view.__doc__ = f"{operation.text}\n\n{operation.note}".rstrip()
    written = writes(routes, operation.roles, request_body(operation), dict(operation.example) or None)(view)
    described = routes.doc(tags=[operation.tag])(written)
    routes.post(operation.address, endpoint=operation.name)(described)


def act(operation: Operation, body: In, named: Mapping[str, str]) -> Answer:
    """Queue the command that a request asks for, and answer.

    Args:
        body: of the request.
        named: the fields that the address names.

    Raises: Problem.
    """
    compute: Callable[[In, Mapping[str, str]], Command] | None = getattr(computed, operation.name, None)
    command = compute(body, named) if compute else Command(command_of(operation, body, named))
    known = {"own": current_node().msp_id, **named, **command.body}
    record = operation.makes or operation.record
    reason = getattr(body, "reason", "") if _is_reasoned(operation) else ""
    return submit(
        operation.command,
        command.body,
        reason=reason,
        beside=command.beside,
        resource=re.sub(r"<(\w+)>", lambda match: str(known[match[1]]), operation.resource),
        record_id=str(known[record]) if record else "",
        created=bool(operation.makes) or operation.is_new,
    )


def _is_reasoned(operation: Operation) -> bool:
    return REASON in {field.name for field in dataclasses.fields(command_body(operation))}


for row in OPERATIONS:
    _add(row)
