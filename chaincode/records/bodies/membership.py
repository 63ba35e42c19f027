"""Bodies of the commands of the membership and of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from chaincode.records.fields import (
    Date,
    GroupId,
    Hex,
    IssueLimits,
    Label,
    Msp,
    Role,
    Size,
    Unique,
    Url,
)


@dataclass(frozen=True, slots=True)
class FoundingParty:
    """One party as the founding lists it."""

    msp_id: Msp
    name: Label
    roles: Annotated[tuple[Role, ...], Size(1, 5), Unique()]
    group_id: GroupId
    peer_url: Url
    identity_fingerprint: Hex
    payout_fingerprint: Hex
    issue_limits: IssueLimits


@dataclass(frozen=True, slots=True)
class FoundConsortium:
    """List the first parties."""

    parties: Annotated[tuple[FoundingParty, ...], Size(2, 50)]


@dataclass(frozen=True, slots=True)
class ConfirmFounding:
    """Agree to the founding with this digest."""

    digest: Hex


@dataclass(frozen=True, slots=True)
class OpenDay:
    """Move the ledger's day forward."""

    date: Date
