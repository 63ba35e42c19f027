"""Records of who takes part and who acts for it, the ledger's day, and what commands have been done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from chaincode.records.codec import Upgrade, adding
from chaincode.records.fields import (
    Currency,
    Date,
    GroupId,
    Hex,
    HexOrNone,
    Id,
    Identities,
    IssueLimits,
    Label,
    Minor,
    Msp,
    Parties,
    Range,
    Role,
    Size,
    Unique,
    Url,
)
from chaincode.records.sealed import Privacy

AGREEMENT_KEYS_MAX = 20
"""How many agreement keys a party may ever have: what was issued under one may be registered any time later."""
MembershipKind = Literal["admit", "suspend", "reinstate", "roles", "identities"]


@dataclass(frozen=True, slots=True)
class FoundingParty:
    """One party as a founding, or the proposal to admit it, lists it; `identities` as in Party.

    `agreement_key` counts from the beginning; empty where the party names one later, or none.
    """

    LATER: ClassVar[dict[str, Any]] = {"identities": {}, "agreement_key": ""}

    msp_id: Msp
    name: Label
    roles: Annotated[tuple[Role, ...], Size(1, 5), Unique()]
    group_id: GroupId
    peer_url: Url
    identity_fingerprint: Hex
    payout_fingerprint: Hex
    issue_limits: IssueLimits
    identities: Identities
    agreement_key: HexOrNone


@dataclass(frozen=True, slots=True)
class Founding:
    """The founding of the consortium: inert until every listed party has confirmed `digest`.

    `privacy` says whether terms are in clear for all members, or sealed for those whom they are for.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (adding(privacy="open"),)

    parties: Parties
    confirmed: tuple[Msp, ...]
    active: bool
    digest: Hex
    privacy: Privacy


@dataclass(frozen=True, slots=True)
class Day:
    """The ledger's date; it only moves forward."""

    date: Date


@dataclass(frozen=True, slots=True)
class DayWord:
    """The latest date that a party has asked the ledger's day to go to in a long step."""

    date: Date


@dataclass(frozen=True, slots=True)
class PendingRoles:
    """Roles and issue limits that count from a day on."""

    roles: tuple[Role, ...]
    issue_limits: IssueLimits
    from_day: Date


@dataclass(frozen=True, slots=True)
class PendingPayout:
    """A payout account that counts from a day on, and not before a time, in seconds since 1970 UTC."""

    fingerprint: Hex
    from_day: Date
    not_before_seconds: Annotated[int, Range(0, 2**40)]


@dataclass(frozen=True, slots=True)
class FormerPayout:
    """A payout account that another one has replaced: it counts for what was registered before that day."""

    fingerprint: Hex
    replaced_on: Date


@dataclass(frozen=True, slots=True)
class PendingThreshold:
    """A threshold for two persons that counts from a day on."""

    amount_minor: Minor
    from_day: Date


@dataclass(frozen=True, slots=True)
class AgreementKey:
    """A public key (X25519, little-endian) by which a party agrees on secrets, for what is issued from a day on."""

    key: Hex
    from_day: Date


def _party_as_of_3(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 3 nobody noted when an account was replaced: such a one counts for nothing any more."""
    former = [{"fingerprint": one, "replaced_on": "2000-01-01"} for one in old["former_payouts"]]
    return old | {"former_payouts": former}


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation. `issue_limits` are minor units by currency, for a party in role issuer.

    `four_eyes` says that it has had two active persons: from then on two must stand behind what the rules name, and
    behind amounts above `four_eyes_above`, minor units by currency, 0 where none is set. What is pending counts from
    its day on: `rules.parties.current` says what holds; `former_payouts` are the accounts it had before, latest first.
    `identities` are keyed fingerprints of its identifiers by their scheme ("VAT", "0199", "tax:GST", ...), beside the
    one that it was listed with; each belongs to no other party. `agreement_keys` are all that it has named, by day.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (
        adding(
            active_persons=0,
            four_eyes=False,
            four_eyes_above={},
            former_payouts=[],
            pending_roles=None,
            pending_payout=None,
            pending_four_eyes_above={},
        ),
        _party_as_of_3,
        adding(identities={}),
        adding(agreement_keys=[]),
    )

    msp_id: Msp
    name: Label
    roles: tuple[Role, ...]
    status: Literal["proposed", "active", "suspended"]
    group_id: GroupId
    peer_url: Url
    identity_fingerprint: Hex
    payout_fingerprint: Hex
    issue_limits: IssueLimits
    active_persons: Minor
    four_eyes: bool
    four_eyes_above: Annotated[dict[Currency, Minor], Size(0, 200)]
    former_payouts: Annotated[tuple[FormerPayout, ...], Size(0, 10)]
    pending_roles: PendingRoles | None
    pending_payout: PendingPayout | None
    pending_four_eyes_above: Annotated[dict[Currency, PendingThreshold], Size(0, 200)]
    identities: Identities
    agreement_keys: Annotated[tuple[AgreementKey, ...], Size(0, AGREEMENT_KEYS_MAX)]


@dataclass(frozen=True, slots=True)
class Person:
    """A certificate of a party's, known to the ledger by a keyed commitment only; once retired, for ever."""

    party: Msp
    commitment: Hex
    status: Literal["active", "retired"]
    day: Date


def _change_as_of_2(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 2 a party had one identifier, for ever."""
    return adding(identities={})(old | {"proposed": old["proposed"] and FoundingParty.LATER | old["proposed"]})


def _change_as_of_3(old: dict[str, Any]) -> dict[str, Any]:
    """Until version 3 nobody was listed with an agreement key."""
    return old | {"proposed": old["proposed"] and FoundingParty.LATER | old["proposed"]}


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """A change of the membership and who is for it.

    `proposed` is null but for an admission; `roles` and `issue_limits`, and `identities`, are empty but for a change of
    those. An admission that has passed waits for the new party's own consent; all else is applied with
    the vote that passes it.
    """

    UPGRADES: ClassVar[tuple[Upgrade, ...]] = (_change_as_of_2, _change_as_of_3)

    change_id: Id
    kind: MembershipKind
    msp_id: Msp
    proposed: FoundingParty | None
    roles: tuple[Role, ...]
    issue_limits: IssueLimits
    votes: tuple[Msp, ...]
    status: Literal["open", "passed", "applied", "withdrawn"]
    day: Date
    identities: Identities


@dataclass(frozen=True, slots=True)
class Mark:
    """The value of an index key: that the key stands there is all it says."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was applied: the digest of its type and body, and its result."""

    digest: Hex
    result: dict[str, Any]
