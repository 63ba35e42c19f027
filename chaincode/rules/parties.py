"""Rules of the membership: founding, who may act, who may be named."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import replace

from chaincode.errors import Refusal, RefusalCode
from chaincode.money import CURRENCY_EXPONENTS
from chaincode.records import Founding, Party, bodies, canonical, plain
from chaincode.records.parties import FormerPayout
from chaincode.rules import agreement, sealing

FORMER_PAYOUTS_MAX = 10
"""How many of a party's earlier payout accounts an invoice may still name."""


def found(existing: Founding | None, sender: str, body: bodies.FoundConsortium) -> tuple[Founding, list[Party]]:
    """Propose the first parties. A proposal that is not active yet may be replaced by another one.

    Returns: the founding, and the listed parties as proposed.
    Raises: Refusal: ALREADY_FOUNDED, SENDER_NOT_LISTED, FOUNDING_INVALID.
    """
    digest = hashlib.sha256(canonical(plain(body))).hexdigest()
    if existing and (existing.active or existing.digest == digest):
        raise Refusal(RefusalCode.ALREADY_FOUNDED, "the consortium is founded, or this very founding is proposed")
    names = [party.msp_id for party in body.parties]
    if sender not in names:
        raise Refusal(RefusalCode.SENDER_NOT_LISTED, f"{sender} is not among the parties")
    if len(set(names)) != len(names):
        raise Refusal(RefusalCode.FOUNDING_INVALID, "a party is listed twice")
    for number, party in enumerate(body.parties):
        require_own_identity(RefusalCode.FOUNDING_INVALID, party, body.parties[:number])
        agreement.require_own_key(RefusalCode.FOUNDING_INVALID, party, body.parties[:number])
        sealing.require_key_to_seal(RefusalCode.FOUNDING_INVALID, party, body.privacy)
    for party in body.parties:
        require_sensible_limits(RefusalCode.FOUNDING_INVALID, party.msp_id, party.roles, party.issue_limits)
    return Founding(tuple(sorted(names)), (), False, digest, body.privacy), [propose(party) for party in body.parties]


def propose(party: bodies.FoundingParty) -> Party:
    """A party as it is listed, before it is active."""
    return Party(
        msp_id=party.msp_id,
        name=party.name,
        roles=tuple(sorted(party.roles)),
        status="proposed",
        group_id=party.group_id,
        peer_url=party.peer_url,
        identity_fingerprint=party.identity_fingerprint,
        payout_fingerprint=party.payout_fingerprint,
        issue_limits=party.issue_limits,
        active_persons=0,
        four_eyes=False,
        four_eyes_above={},
        former_payouts=(),
        pending_roles=None,
        pending_payout=None,
        pending_four_eyes_above={},
        identities=party.identities,
        agreement_keys=agreement.listed(party.agreement_key),
    )


def require_sensible_limits(
    code: RefusalCode, msp_id: str, roles: Collection[str], issue_limits: Collection[str]
) -> None:
    """Raises: Refusal: `code`: issue limits without role issuer, or in no currency."""
    if issue_limits and "issuer" not in roles:
        raise Refusal(code, f"{msp_id} has issue limits and is not in role issuer")
    unknown = sorted(set(issue_limits) - set(CURRENCY_EXPONENTS))
    if unknown:
        raise Refusal(code, f"{msp_id} may not issue {unknown[0]}: no such currency")


def require_own_identity(
    code: RefusalCode, listed: bodies.FoundingParty | Party, others: Iterable[bodies.FoundingParty | Party]
) -> None:
    """Require that no other party is the same legal person: it would be a stranger to itself, in two groups even.

    An identifier belongs to one party at most, under whatever scheme.

    Raises: Refusal: `code`.
    """
    own = identifiers(listed)
    for other in others:
        if not own.isdisjoint(identifiers(other)):
            raise Refusal(code, f"{listed.msp_id} has an identifier of {other.msp_id}")


def identifiers(party: bodies.FoundingParty | Party) -> frozenset[str]:
    """The fingerprints of all identifiers of a party: the one that it was listed with, and those by scheme."""
    return frozenset([party.identity_fingerprint, *(one for values in party.identities.values() for one in values)])


def confirm(founding: Founding | None, sender: str, digest: str) -> Founding:
    """Confirm the proposed founding; with the last confirmation it becomes active.

    Raises: Refusal: NOT_PROPOSED, DIGEST_DIFFERS, SENDER_NOT_LISTED, ALREADY_CONFIRMED.
    """
    if founding is None:
        raise Refusal(RefusalCode.NOT_PROPOSED, "nobody has proposed a founding")
    if founding.digest != digest:
        raise Refusal(RefusalCode.DIGEST_DIFFERS, f"the founding that is proposed has digest {founding.digest}")
    if sender not in founding.parties:
        raise Refusal(RefusalCode.SENDER_NOT_LISTED, f"{sender} is not among the parties")
    if sender in founding.confirmed:
        raise Refusal(RefusalCode.ALREADY_CONFIRMED, f"{sender} has confirmed already")
    confirmed = tuple(sorted((*founding.confirmed, sender)))
    return replace(founding, confirmed=confirmed, active=confirmed == founding.parties)


def current(party: Party, day: str, seconds: int) -> Party:
    """The party as it is on a day, at a time: what was pending until then counts.

    Args:
        day: the ledger's day, empty while none is open.
        seconds: the proposal's time, in seconds since 1970 UTC.
    """
    roles, payout = party.pending_roles, party.pending_payout
    if roles and roles.from_day <= day:
        party = replace(party, roles=roles.roles, issue_limits=roles.issue_limits, pending_roles=None)
    if payout and payout.from_day <= day and payout.not_before_seconds <= seconds:
        replaced = FormerPayout(party.payout_fingerprint, payout.from_day)
        former = (replaced, *party.former_payouts)[:FORMER_PAYOUTS_MAX]
        party = replace(party, payout_fingerprint=payout.fingerprint, former_payouts=former, pending_payout=None)
    due = {name: one for name, one in party.pending_four_eyes_above.items() if one.from_day <= day}
    if due:
        party = replace(
            party,
            four_eyes_above=party.four_eyes_above | {name: one.amount_minor for name, one in due.items()},
            pending_four_eyes_above={k: v for k, v in party.pending_four_eyes_above.items() if k not in due},
        )
    return party


def require_founded(founding: Founding | None) -> None:
    """Raises: Refusal: NOT_FOUNDED: nobody has proposed a founding, or not all have confirmed it."""
    if founding is None or not founding.active:
        raise Refusal(RefusalCode.NOT_FOUNDED, "not all parties have confirmed the founding")


def require_sender(party: Party | None, sender: str, role: str, standing: Collection[str]) -> None:
    """Require that the sender is a party of that standing, in that role unless `role` is empty.

    Raises: Refusal: PARTY_NOT_ACTIVE, ROLE_MISSING.
    """
    if party is None or party.status not in standing:
        raise Refusal(RefusalCode.PARTY_NOT_ACTIVE, f"{sender} is not an active party")
    if role and role not in party.roles:
        raise Refusal(RefusalCode.ROLE_MISSING, f"{sender} is not in role {role}")


def require_party(party: Party | None, msp_id: str, role: str = "") -> None:
    """Require that a party that a command names is active, and in that role unless `role` is empty.

    Raises: Refusal: PARTY_UNKNOWN.
    """
    if not is_active(party, role):
        wanted = f"an active party in role {role}" if role else "an active party"
        raise Refusal(RefusalCode.PARTY_UNKNOWN, f"{msp_id} is not {wanted}")


def is_active(party: Party | None, role: str = "") -> bool:
    """Whether the party is active, and in that role unless `role` is empty."""
    return party is not None and party.status == "active" and (not role or role in party.roles)


def require_different(*parties: str) -> None:
    """Raises: Refusal: SAME_PARTY: one of these MSP ids stands twice."""
    if len(set(parties)) != len(parties):
        raise Refusal(RefusalCode.SAME_PARTY, f"{', '.join(parties)} must be different parties")


def require_new(existing: object | None, record_id: str) -> None:
    """Raises: Refusal: ID_TAKEN: there is a record under this id already."""
    if existing is not None:
        raise Refusal(RefusalCode.ID_TAKEN, f"{record_id} is taken")
