"""Sealed terms: what of a record its readers alone can read, and what everybody can check of it.

A sealed record keeps its skeleton in clear and carries a body that its sender's node has encrypted, the body's key once
for each reader, and a commitment. All endorsers write these same bytes; none of them needs a key. Whoever shows salt
and values later, shows to everybody that they are those that were sealed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from chaincode.records.codec import canonical
from chaincode.records.fields import DayCount, Hex, Msp, Pattern, RateBps, Size

Privacy = Literal["open", "sealed"]
"""Whether the terms of a consortium are read by every member, or by those alone whom they are for."""
BODY_STEP = 128
"""A body is padded to a multiple of so many bytes, so that its length tells nothing of its values."""
TAG_BYTES = 16
_BODY_STEPS_MAX = 8

SealedBody = Annotated[
    str,
    Pattern(
        f"[0-9a-f]{{{2 * TAG_BYTES}}}([0-9a-f]{{{2 * BODY_STEP}}}){{1,{_BODY_STEPS_MAX}}}",
        f"hexadecimal digits of {TAG_BYTES} bytes and 1 to {_BODY_STEPS_MAX} times {BODY_STEP}",
    ),
]
WrappedKey = Annotated[str, Pattern(r"[0-9a-f]{96}", "96 lower-case hexadecimal digits")]


@dataclass(frozen=True, slots=True)
class Wrap:
    """The body's key for one reader: encrypted under what its agreement key `key` makes with the sender's."""

    party: Msp
    key: Hex
    wrapped: WrappedKey


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted terms: AES-SIV, hexadecimal; `sender_key` is the sender's agreement key, `wraps` in order of party."""

    sender: Msp
    sender_key: Hex
    body: SealedBody
    commitment: Hex
    wraps: Annotated[tuple[Wrap, ...], Size(1, 50)]


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """What a supplier offers its buyer for paying early: a yearly rate, and how its days are counted."""

    rate_bps: RateBps
    day_count: DayCount


@dataclass(frozen=True, slots=True)
class DiscountOpening:
    """A discount's terms with the salt that they were committed to with."""

    salt: Hex
    terms: DiscountTerms


def commitment(salt: str, record: str, values: dict[str, Any]) -> str:
    """What binds a sender to sealed values: SHA-256(salt ‖ canonical JSON of record and values), 64 hex digits.

    Args:
        salt: 64 hex digits that nobody but the readers knows.
        record: the ledger's key of the record.
        values: plain data.
    """
    body = canonical({"record": record, "values": values})
    return hashlib.sha256(bytes.fromhex(salt) + body).hexdigest()
