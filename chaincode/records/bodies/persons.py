"""Bodies of the commands of persons, and how an envelope names the persons behind a command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chaincode.records.fields import Currency, Hex, Minor, Pattern, Size

Base64 = Annotated[
    str,
    Size(4, 200),
    Pattern(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", "base64"),
]


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person by its commitment, and its own signature (DER) of the command, which the contract cannot check."""

    person: Hex
    signature: Base64


@dataclass(frozen=True, slots=True)
class Persons:
    """The persons who stand behind a command."""

    persons: Annotated[tuple[NamedPerson, ...], Size(1, 2)]


@dataclass(frozen=True, slots=True)
class EnrolPerson:
    """Let a person act for one's party."""

    commitment: Hex


@dataclass(frozen=True, slots=True)
class RetirePerson:
    """Let a person no longer act for one's party, for ever."""

    commitment: Hex


@dataclass(frozen=True, slots=True)
class SetFourEyesThreshold:
    """Let one person approve, pay out, give away or fund by hand up to an amount, from the next day."""

    currency: Currency
    amount_minor: Minor
