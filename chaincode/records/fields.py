"""The field types that records and command bodies are made of, with their limits.

An annotation here is both the type that mypy sees and the check that the codec runs on every decode.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import re
from collections.abc import Sized
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from chaincode.errors import RecordError
from chaincode.money import MINOR_MAX

YEAR_MIN = 2000
YEAR_MAX = 2999
SHORT_BPS_MAX = 1_000
"""How far short of what is billed a facility may let goods be paid: a tolerance is for weights and counts, not for
deliveries that did not come."""


class Pattern:
    """A string must match the pattern as a whole; `name` says what it should be."""

    def __init__(self, pattern: str, name: str) -> None:
        self.pattern = pattern
        self._fullmatch = re.compile(pattern, re.ASCII).fullmatch
        self._name = name

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when the string does not match."""
        if self._fullmatch(value) is None:
            raise RecordError(path, f"must be {self._name}")


@dataclass(frozen=True)
class Range:
    """An integer must lie between the two bounds, both included."""

    low: int
    high: int

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when the integer is out of bounds."""
        if not self.low <= value <= self.high:
            raise RecordError(path, f"must be from {self.low} to {self.high}")


@dataclass(frozen=True)
class Size:
    """A list or object must have so many items, both bounds included."""

    low: int
    high: int

    def check(self, value: Sized, path: str) -> None:
        """Raise RecordError when there are too few or too many items."""
        if not self.low <= len(value) <= self.high:
            raise RecordError(path, f"must have from {self.low} to {self.high} items")


class Unique:
    """A list of strings must not name anything twice."""

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when an item stands twice."""
        if len(set(value)) != len(value):
            raise RecordError(path, "names something twice")


class Ascending:
    """A list of strings must be in order, and name nothing twice: so whoever reads the same writes the same."""

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when an item does not come after the one before it."""
        if any(one >= following for one, following in itertools.pairwise(value)):
            raise RecordError(path, "must be in order, each once")


class RealDate:
    """A string must be a day of the calendar, `YYYY-MM-DD`, in the years from 2000 to 2999; or empty if `optional`."""

    def __init__(self, optional: bool = False) -> None:
        self._optional = optional

    def check(self, value: Any, path: str) -> None:
        """Raise RecordError when there is no such day."""
        if self._optional and value == "":
            return
        if not _is_day(value):
            raise RecordError(path, "must be a day, YYYY-MM-DD")


@functools.lru_cache(maxsize=1_000)
def _is_day(text: str) -> bool:
    """Remembered, since the same few days stand in almost all records."""
    try:
        is_written_so = re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) is not None
        return is_written_so and YEAR_MIN <= datetime.date.fromisoformat(text).year <= YEAR_MAX
    except ValueError:
        return False


MSP_PATTERN = r"[A-Za-z0-9][A-Za-z0-9.-]{0,63}"

Id = Annotated[str, Pattern(r"[0-9a-f]{32}", "32 lower-case hexadecimal digits")]
IdOrNone = Annotated[str, Pattern(r"([0-9a-f]{32})?", "32 lower-case hexadecimal digits, or empty")]
Hex = Annotated[str, Pattern(r"[0-9a-f]{64}", "64 lower-case hexadecimal digits")]
HexOrNone = Annotated[str, Pattern(r"([0-9a-f]{64})?", "64 lower-case hexadecimal digits, or empty")]
Msp = Annotated[str, Pattern(MSP_PATTERN, "an MSP id")]
GroupId = Annotated[str, Pattern(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", "a group id of letters, digits, dots, dashes")]
_PLAIN_TEXT = r"[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,200}"
Label = Annotated[str, Pattern(_PLAIN_TEXT, "1 to 200 characters without control characters")]
Url = Annotated[str, Pattern(r"https?://[!-~]{1,200}", "an http or https URL")]
MediaType = Annotated[str, Pattern(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}", "a media type such as application/pdf")]
Name = Annotated[str, Pattern(r"[A-Za-z0-9-]{1,20}", "1 to 20 letters, digits and dashes")]
Date = Annotated[str, RealDate()]
DateOrNone = Annotated[str, RealDate(optional=True)]
Currency = Annotated[str, Pattern(r"[A-Z]{3}", "a currency code of three capital letters")]
Deposit = Annotated[str, Pattern(rf"[A-Z]{{3}}@{MSP_PATTERN}", "currency@issuer, such as EUR@BankMSP")]
CASH_KINDS = ("cash", "issued", "reserved", "redeeming", "suspense")
OBLIGATION_KINDS = ("recv", "recv_wo", "pay", "claim", "owed")
ACCOUNT_KINDS = (*CASH_KINDS, *OBLIGATION_KINDS)
OWING_KINDS = ("suspense", "pay", "owed")
"""The kinds of accounts that stand on the credit side: what their party owes. Those of kind "issued" stand on either
side: an issuer that has redeemed what it then takes back from whom it was issued to is owed that shortfall."""
AccountName = Annotated[
    str, Pattern(rf"({'|'.join(ACCOUNT_KINDS)}):{MSP_PATTERN}", "an account's name, such as cash:BankMSP")
]
AccountUnit = Annotated[str, Pattern(rf"[A-Z]{{3}}(@{MSP_PATTERN})?", "a currency, or a deposit kind")]

Minor = Annotated[int, Range(0, MINOR_MAX)]
Signed = Annotated[int, Range(-MINOR_MAX, MINOR_MAX)]
RateBps = Annotated[int, Range(0, 10_000)]
ShortBps = Annotated[int, Range(0, SHORT_BPS_MAX)]
Days = Annotated[int, Range(0, 3_650)]
TransactionId = Annotated[str, Size(1, 128)]
SizeBytes = Annotated[int, Range(1, 2**40)]
Epoch = Annotated[int, Range(0, 1_000_000)]

Role = Literal["buyer", "carrier", "financier", "issuer", "supplier"]
DocumentKind = Literal["invoice", "proof_of_delivery", "transport_events"]
FingerprintKind = Literal["amount", "delivery", "number"]
Condition = Literal["collected", "prepayment"]
RuleVerdict = Literal["valid", "invalid", "indeterminate"]
MatchVerdict = Literal["counts", "full", "part", "unclear"]
LineId = Annotated[str, Pattern(r"[A-Za-z0-9._-]{1,20}", "the id of a line, such as 1")]
RuleId = Annotated[str, Pattern(r"[A-Za-z0-9._-]{1,60}", "the id of a rule, such as BR-CO-15")]
Verdict = Literal["verified", "mismatch", "unavailable"]
EventType = Literal["picked_up", "in_transit", "delivered"]
DayCount = Literal["ACT/360", "ACT/365F"]
Mode = Literal["automatic", "manual"]
Recourse = Literal["none", "dilution", "full"]

Fingerprints = Annotated[dict[FingerprintKind, Hex], Size(0, 3)]
IdentityScheme = Annotated[str, Pattern(r"[A-Za-z0-9:._-]{1,20}", "a scheme such as VAT, 0199 or tax:GST")]
Identities = Annotated[
    dict[IdentityScheme, Annotated[tuple[Hex, ...], Size(1, 10), Ascending()]],
    Size(0, 20),
]
IssueLimits = Annotated[dict[Currency, Minor], Size(0, 50)]
Parties = Annotated[tuple[Msp, ...], Size(1, 50), Unique()]
Resting = Annotated[tuple[Id, ...], Size(0, 20), Unique()]
