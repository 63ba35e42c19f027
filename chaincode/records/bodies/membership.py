"""Bodies of the commands of the membership and of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from chaincode.records.fields import Date, Hex, Id, Identities, IssueLimits, Msp, Role, Size, Unique, Url
from chaincode.records.parties import FoundingParty
from chaincode.records.sealed import Privacy


@dataclass(frozen=True, slots=True)
class FoundConsortium:
    """List the first parties, and say whether the consortium's terms are sealed for those whom they are for."""

    LATER: ClassVar[dict[str, Any]] = {"parties": FoundingParty.LATER, "privacy": "open"}

    parties: Annotated[tuple[FoundingParty, ...], Size(2, 50)]
    privacy: Privacy


@dataclass(frozen=True, slots=True)
class ConfirmFounding:
    """Agree to the founding with this digest."""

    digest: Hex


@dataclass(frozen=True, slots=True)
class OpenDay:
    """Move the ledger's day forward."""

    date: Date


@dataclass(frozen=True, slots=True)
class ProposeParty:
    """Ask the active parties to admit another one."""

    LATER: ClassVar[dict[str, Any]] = {"party": FoundingParty.LATER}

    change_id: Id
    party: FoundingParty


@dataclass(frozen=True, slots=True)
class SuspendParty:
    """Ask the active parties to suspend one of them."""

    change_id: Id
    msp_id: Msp


@dataclass(frozen=True, slots=True)
class ReinstateParty:
    """Ask the active parties to make a suspended one active again."""

    change_id: Id
    msp_id: Msp


@dataclass(frozen=True, slots=True)
class ChangeRoles:
    """Ask the active parties to give a party other roles and issue limits, from the next day."""

    change_id: Id
    msp_id: Msp
    roles: Annotated[tuple[Role, ...], Size(1, 5), Unique()]
    issue_limits: IssueLimits


@dataclass(frozen=True, slots=True)
class ChangeIdentities:
    """Ask the active parties to take these for one's own identifiers, all but the one that one was listed with."""

    change_id: Id
    identities: Identities


@dataclass(frozen=True, slots=True)
class VoteMembership:
    """Be for a change of the membership."""

    change_id: Id


@dataclass(frozen=True, slots=True)
class WithdrawVote:
    """No longer be for a change of the membership that has not been applied."""

    change_id: Id


@dataclass(frozen=True, slots=True)
class ActivateParty:
    """Consent to one's own admission, as this change lists one."""

    change_id: Id


@dataclass(frozen=True, slots=True)
class ChangePeerUrl:
    """Say where the other nodes reach one's own."""

    peer_url: Url


@dataclass(frozen=True, slots=True)
class ChangePayoutAccount:
    """Say to which account one is paid, from the next day and not before 24 hours have passed."""

    payout_fingerprint: Hex


@dataclass(frozen=True, slots=True)
class ChangeAgreementKey:
    """Name the public key by which others agree on secrets with one's own, from the day after the next."""

    agreement_key: Hex
