"""One row: a command of the contract, where it is sent, by whom, and what it is called at the prompt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UPLOADER, APPROVER, FUNDER, ISSUER, OPERATOR = "uploader", "approver", "funder", "issuer", "operator"
ANY_WRITER = (UPLOADER, APPROVER, FUNDER, ISSUER, OPERATOR)
HOLDER = (APPROVER, FUNDER)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    """One command of the contract as a request.

    What the body of the request has follows from the command's own body: a field that the address names is not in it,
    nor is the id of what is made; `x_minor` is sent as the decimal string `x`, `reason_commitment` as the typed
    `reason`. Where a command has something computed, its request's body is written by hand in `bodies`.

    Args:
        command: its type in the contract.
        address: of the request; `<name>` is a field of the command.
        roles: of tokens; one of them is needed.
        prompt: as it is typed after `ledger-node`; empty for what has no command line.
        text: one sentence for people, what it does and as whom.
        schema: the name of the request's body in the API's description; empty where the address says everything.
        tag: the chapter of the API's description.
        example: of the request's body.
        defaults: of fields that may be left out.
        fixed: fields of the command whose values this request stands for.
        makes: the field that names the record which the command makes; its id is made from the idempotency key.
        is_new: whether it makes a record whose id is not made here.
        record: the field that names the record it is about, if that is not what it makes.
        resource: where that record can be read, with names in angle brackets.
        note: what the page of the API says besides.
        positional: fields of the body that are arguments at the prompt.
        flags: options at the prompt that are called otherwise than their field.
        former_prompts: earlier names at the prompt; they go on for this version and say so.
        beside_others: whether a transaction that holds only such commands may overtake others of this node.
        persons_first: how many persons sign before it is tried, where the contract asks for persons.
    """

    command: str
    address: str
    roles: tuple[str, ...]
    text: str
    tag: str
    prompt: str = ""
    schema: str = ""
    example: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    makes: str = ""
    is_new: bool = False
    record: str = ""
    resource: str = ""
    note: str = ""
    positional: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    former_prompts: tuple[str, ...] = ()
    beside_others: bool = False
    persons_first: int = 2

    @property
    def name(self) -> str:
        """The act's one name in code and in the API's description: `extend_due_date` for ExtendDueDate."""
        return "_".join((snake(self.command), *("for_all" for _ in self.fixed)))

    @property
    def in_address(self) -> tuple[str, ...]:
        """The fields that the address names."""
        return tuple(re.findall(r"<(\w+)>", self.address))

    @property
    def not_sent(self) -> frozenset[str]:
        """The fields of the command that are not in the request's body."""
        return frozenset({*self.in_address, *self.fixed, self.makes})


def snake(type_name: str) -> str:
    """`ExtendDueDate` -> `extend_due_date`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type_name).lower()
