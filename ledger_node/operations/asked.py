"""What a list or a report can be asked by: one row a parameter of its query, which is an option at the prompt too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ledger_node.operations.fields import DateText


@dataclass(frozen=True, slots=True)
class Asked:
    """One parameter of a query.

    Args:
        name: in the query.
        text: for the help at the prompt.
        hint: what the API takes.
        default: when it is left out.
        required: whether it must be given.
        flag: at the prompt, where it is called otherwise.
        metavar: what the help shows for the value.
        choices: at the prompt, where the API takes any text and answers what fits.
        at_prompt: what the prompt always asks for, and has no option for; empty for what people choose.
    """

    name: str
    text: str
    hint: Any = str
    default: str = ""
    required: bool = False
    flag: str = ""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    at_prompt: str = ""


def party(name: str, text: str) -> Asked:
    """A party, by its MSP id; any when it is left out."""
    return Asked(name, text, metavar="MSP")


SEARCH = Asked(
    "q", "Only those with this text in a name, or at the beginning of the id.", flag="--search", metavar="TEXT"
)
"""Names and ids together: what people type who look for something."""

WAITS = Asked(
    "waits",
    "With for whom each waits, since when, and what is expected next: the contract's release check of each.",
    Literal["", "true"],
    at_prompt="true",
)
"""Not without being asked: it costs milliseconds for each record."""

PERIOD = (
    Asked("from_day", "The first day of the period.", DateText | Literal[""], flag="--from", metavar="YYYY-MM-DD"),
    Asked("to_day", "Its last day.", DateText | Literal[""], flag="--to", metavar="YYYY-MM-DD"),
)
"""A period by days of the ledger, both included; an end that is left out is open."""
