"""Records of who takes part, the ledger's day, and what commands have been done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from chaincode.records.fields import Date, GroupId, Hex, IssueLimits, Label, Msp, Parties, Role, Url


@dataclass(frozen=True, slots=True)
class Founding:
    """The founding of the consortium: inert until every listed party has confirmed `digest`."""

    parties: Parties
    confirmed: tuple[Msp, ...]
    active: bool
    digest: Hex


@dataclass(frozen=True, slots=True)
class Day:
    """The ledger's date; it only moves forward."""

    date: Date


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation. `issue_limits` are minor units by currency, for a party in role issuer."""

    msp_id: Msp
    name: Label
    roles: tuple[Role, ...]
    status: Literal["proposed", "active", "suspended"]
    group_id: GroupId
    peer_url: Url
    identity_fingerprint: Hex
    payout_fingerprint: Hex
    issue_limits: IssueLimits


@dataclass(frozen=True, slots=True)
class Mark:
    """The value of an index key: that the key stands there is all it says."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was applied: the digest of its type and body, and its result."""

    digest: Hex
    result: dict[str, Any]
