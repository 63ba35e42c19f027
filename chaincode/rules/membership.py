"""Rules of the membership after the founding: admitting, suspending and reinstating parties, their roles and accounts.

A change has passed when more than half of the parties that are active at that moment are for it. The party that is to
be suspended has no vote and still counts as one of them: so a half can never get rid of the other half one by one.
Must never let a party be admitted that has not consented, or a payout account change before somebody can notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.records import MembershipChange, Party, bodies
from chaincode.records.parties import MembershipKind, PendingPayout, PendingRoles
from chaincode.records.sealed import Privacy
from chaincode.rules.agreement import require_own_key
from chaincode.rules.parties import (
    is_active,
    propose,
    require_different,
    require_new,
    require_own_identity,
    require_sensible_limits,
)
from chaincode.rules.persons import require_two_persons
from chaincode.rules.sealing import require_key_to_seal

PARTIES_MAX = 50
"""How many parties a consortium has: a vote reads them all."""
PAYOUT_DELAY_SECONDS = 86_400
"""How long a new payout account waits at least, however soon the next day is opened."""

Parties = Mapping[str, Party]
_STANDING_BEFORE = {
    "suspend": ("active",),
    "reinstate": ("suspended",),
    "roles": ("active", "suspended"),
    "identities": ("active",),
}


def admit(
    existing: MembershipChange | None,
    parties: Parties,
    sender: str,
    body: bodies.ProposeParty,
    day: str,
    privacy: Privacy,
) -> tuple[MembershipChange, Party | None]:
    """Ask for a party's admission, which is the first vote for it.

    Args:
        existing: what stands under the id.
        parties: all parties, by MSP id.
        privacy: of the consortium.

    Returns: the change, as `decide` leaves it, and the party that it changes.
    Raises: Refusal: ID_TAKEN, STANDING_WRONG, MEMBERS_EXHAUSTED, PARTY_INVALID.
    """
    listed = body.party
    require_new(existing, body.change_id)
    change = _change(body.change_id, "admit", listed.msp_id, sender, day)
    _require_applicable(change, parties)
    require_sensible_limits(RefusalCode.PARTY_INVALID, listed.msp_id, listed.roles, listed.issue_limits)
    require_own_identity(RefusalCode.PARTY_INVALID, listed, parties.values())
    require_own_key(RefusalCode.PARTY_INVALID, listed, parties.values())
    require_key_to_seal(RefusalCode.PARTY_INVALID, listed, privacy)
    return decide(replace(change, proposed=listed), parties)


def suspend(
    existing: MembershipChange | None, parties: Parties, sender: str, body: bodies.SuspendParty, day: str
) -> tuple[MembershipChange, Party | None]:
    """Ask for another party's suspension, which is the first vote for it.

    Raises: Refusal: ID_TAKEN, SAME_PARTY, STANDING_WRONG.
    """
    require_new(existing, body.change_id)
    require_different(sender, body.msp_id)
    change = _change(body.change_id, "suspend", body.msp_id, sender, day)
    _require_applicable(change, parties)
    return decide(change, parties)


def reinstate(
    existing: MembershipChange | None, parties: Parties, sender: str, body: bodies.ReinstateParty, day: str
) -> tuple[MembershipChange, Party | None]:
    """Ask for a suspended party to be active again, which is the first vote for it.

    Raises: Refusal: ID_TAKEN, STANDING_WRONG.
    """
    require_new(existing, body.change_id)
    change = _change(body.change_id, "reinstate", body.msp_id, sender, day)
    _require_applicable(change, parties)
    return decide(change, parties)


def change_roles(
    existing: MembershipChange | None,
    parties: Parties,
    sender: str,
    body: bodies.ChangeRoles,
    day: str,
    from_day: str,
) -> tuple[MembershipChange, Party | None]:
    """Ask for other roles and issue limits of a party, which is the first vote for them.

    Args:
        from_day: the next day, from which they count if this vote is enough.

    Raises: Refusal: ID_TAKEN, STANDING_WRONG, PARTY_INVALID.
    """
    require_new(existing, body.change_id)
    change = _change(body.change_id, "roles", body.msp_id, sender, day)
    _require_applicable(change, parties)
    require_sensible_limits(RefusalCode.PARTY_INVALID, body.msp_id, body.roles, body.issue_limits)
    asked = replace(change, roles=tuple(sorted(body.roles)), issue_limits=body.issue_limits)
    return decide(asked, parties, from_day)


def change_identities(
    existing: MembershipChange | None,
    parties: Parties,
    sender: str,
    persons: Sequence[str],
    body: bodies.ChangeIdentities,
    day: str,
) -> tuple[MembershipChange, Party | None]:
    """Ask for other identifiers of the sender's own, which is the first vote for them; they count at once.

    Args:
        persons: the different active persons who stand behind it.

    Raises: Refusal: TWO_PERSONS_REQUIRED, ID_TAKEN, PARTY_INVALID.
    """
    require_two_persons(parties[sender], persons)
    require_new(existing, body.change_id)
    change = replace(_change(body.change_id, "identities", sender, sender, day), identities=body.identities)
    _require_own_identities(change, parties)
    return decide(change, parties)


def vote(
    change: MembershipChange | None, parties: Parties, sender: str, change_id: str, from_day: str
) -> tuple[MembershipChange, Party | None]:
    """Be for a change.

    Args:
        from_day: the next day, from which other roles count if this vote is enough.

    Returns: the change, as `decide` leaves it, and the party that it changes.
    Raises: Refusal: CHANGE_UNKNOWN, CHANGE_CLOSED, NOT_ASKED, ALREADY_VOTED, STANDING_WRONG, MEMBERS_EXHAUSTED,
        PARTY_INVALID.
    """
    found = _require_open(change, change_id)
    if found.kind == "suspend" and found.msp_id == sender:
        raise Refusal(RefusalCode.NOT_ASKED, f"{sender} is not asked about its own suspension")
    if sender in found.votes:
        raise Refusal(RefusalCode.ALREADY_VOTED, f"{sender} is for it already")
    _require_applicable(found, parties)
    if found.kind == "identities":
        _require_own_identities(found, parties)
    return decide(replace(found, votes=tuple(sorted((*found.votes, sender)))), parties, from_day)


def withdraw_vote(change: MembershipChange | None, parties: Parties, sender: str, change_id: str) -> MembershipChange:
    """No longer be for a change; one that nobody is for is withdrawn, and an admission may have passed no longer.

    Raises: Refusal: CHANGE_UNKNOWN, CHANGE_CLOSED, NOT_VOTED.
    """
    found = _require_open(change, change_id)
    if sender not in found.votes:
        raise Refusal(RefusalCode.NOT_VOTED, f"{sender} is not for it")
    left = replace(found, votes=tuple(name for name in found.votes if name != sender))
    if not left.votes:
        return replace(left, status="withdrawn")
    passed = left.kind == "admit" and has_passed(left, parties)  # any other is applied by a vote, not by one less
    return replace(left, status="passed" if passed else "open")


def decide(change: MembershipChange, parties: Parties, from_day: str = "") -> tuple[MembershipChange, Party | None]:
    """Apply a change that has passed; an admission only waits for the new party then.

    Args:
        from_day: from which other roles count; no other change has one.

    Returns: the change, and the party as it changes it, None where it does not.
    """
    if not has_passed(change, parties):
        return change, None
    if change.kind == "admit":
        return replace(change, status="passed"), None
    return replace(change, status="applied"), _applied(change, parties[change.msp_id], from_day)


def has_passed(change: MembershipChange, parties: Parties) -> bool:
    """Whether more than half of the parties that are active now are for the change.

    Of other identifiers the party itself must still be for them: nobody else says who it is.
    """
    active = [party.msp_id for party in parties.values() if is_active(party)]
    votes = [name for name in change.votes if name in active]
    is_wanted = change.kind != "identities" or change.msp_id in votes
    return is_wanted and 2 * len(votes) > len(active)


def activate(
    change: MembershipChange | None, parties: Parties, sender: str, change_id: str
) -> tuple[MembershipChange, Party]:
    """Consent to one's own admission: the party is active, just as the change lists it.

    Raises: Refusal: CHANGE_UNKNOWN, NOT_ADMITTED, MEMBERS_EXHAUSTED, PARTY_INVALID.
    """
    found = _require_change(change, change_id)
    listed = found.proposed
    if found.status != "passed" or listed is None or found.msp_id != sender or not has_passed(found, parties):
        raise Refusal(RefusalCode.NOT_ADMITTED, f"more than half of the parties must be for admitting {sender}")
    _require_applicable(found, parties)
    require_own_identity(RefusalCode.PARTY_INVALID, listed, parties.values())
    require_own_key(RefusalCode.PARTY_INVALID, listed, parties.values())
    return replace(found, status="applied"), replace(propose(listed), status="active")


def change_payout(party: Party, persons: Sequence[str], fingerprint: str, from_day: str, seconds: int) -> Party:
    """Name another payout account; it counts from the next day, and not before 24 hours have passed.

    Args:
        persons: the different active persons who stand behind it.
        from_day: the next day.
        seconds: the proposal's time, in seconds since 1970 UTC.

    Raises: Refusal: TWO_PERSONS_REQUIRED.
    """
    require_two_persons(party, persons)
    pending = PendingPayout(fingerprint, from_day, seconds + PAYOUT_DELAY_SECONDS)
    return replace(party, pending_payout=pending)


def _change(change_id: str, kind: MembershipKind, msp_id: str, sender: str, day: str) -> MembershipChange:
    return MembershipChange(
        change_id=change_id,
        kind=kind,
        msp_id=msp_id,
        proposed=None,
        roles=(),
        issue_limits={},
        votes=(sender,),
        status="open",
        day=day,
        identities={},
    )


def _applied(change: MembershipChange, party: Party, from_day: str) -> Party:
    if change.kind == "roles":
        return replace(party, pending_roles=PendingRoles(change.roles, change.issue_limits, from_day))
    if change.kind == "identities":
        return replace(party, identities=change.identities)
    return replace(party, status="suspended" if change.kind == "suspend" else "active")


def _require_applicable(change: MembershipChange, parties: Parties) -> None:
    """Raises: Refusal: STANDING_WRONG, MEMBERS_EXHAUSTED."""
    party = parties.get(change.msp_id)
    if change.kind == "admit":
        if party is not None:
            raise Refusal(RefusalCode.STANDING_WRONG, f"{change.msp_id} is a party already")
        if len(parties) >= PARTIES_MAX:
            raise Refusal(RefusalCode.MEMBERS_EXHAUSTED, f"there are {PARTIES_MAX} parties already")
    elif party is None or party.status not in _STANDING_BEFORE[change.kind]:
        standing = " or ".join(_STANDING_BEFORE[change.kind])
        raise Refusal(RefusalCode.STANDING_WRONG, f"{change.msp_id} is not {standing}")


def _require_own_identities(change: MembershipChange, parties: Parties) -> None:
    """Raises: Refusal: PARTY_INVALID: an identifier is another party's, perhaps since the change was asked for."""
    others = [party for name, party in parties.items() if name != change.msp_id]
    wanted = replace(parties[change.msp_id], identities=change.identities)
    require_own_identity(RefusalCode.PARTY_INVALID, wanted, others)


def _require_change(change: MembershipChange | None, change_id: str) -> MembershipChange:
    if change is None:
        raise Refusal(RefusalCode.CHANGE_UNKNOWN, f"there is no change {change_id} of the membership")
    return change


def _require_open(change: MembershipChange | None, change_id: str) -> MembershipChange:
    found = _require_change(change, change_id)
    if found.status not in ("open", "passed"):
        raise Refusal(RefusalCode.CHANGE_CLOSED, f"the change is {found.status}")
    return found
