"""What happens to the consortium itself in a generated life: persons, votes, roles, accounts, and second thoughts."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from invariants_records import reported
from refusal_rows import COUSIN, OTHER_BANK, OTHER_BUYER, OTHER_SUPPLIER
from world import World
from world_bodies import CARRIER, FINANCIER, Step, hex64, hexid, named, party

ACTIVE_WANTED = 8
"""Where fewer are active, they are soon made so again, so that trade goes on."""
PERSONS = ("anna", "berta", "carl", "dora")


def behind(world: World, random: Random, sender: str) -> dict[str, Any]:
    """Who stands behind a command: now and then one person only, or one whom nobody knows."""
    known = [name for name in PERSONS if f"person/{sender}/{hex64(f'person {name}')}" in world.state]
    chance = random.random()
    if len(known) < 2 or chance < 0.03:
        return named(*known[:1]) if chance < 0.5 else {}
    return named("stranger") if chance < 0.05 else named(*random.sample(known, 2))


def turn(world: World, random: Random, number: int, senders: Sequence[str]) -> list[Step]:
    """What some of the active parties now want of the consortium; `number` is another one every time."""
    senders = [who for who in senders if b'"status":"active"' in world.state[f"party/{who}"]]
    kinds = (_person, _threshold, _account, _standing, _roles, _admission, _admission, _revocation, _withdrawal, _names)
    if len(senders) < ACTIVE_WANTED and random.random() < 0.7:
        return _standing(world, random, f"turn {number}", senders)
    return random.choice(kinds)(world, random, f"turn {number}", senders)


def _person(_world: World, random: Random, _name: str, senders: Sequence[str]) -> list[Step]:
    body = {"commitment": hex64(f"person {random.choice(PERSONS)}")}
    who = random.choice(senders)
    return [(who, "EnrolPerson", body), (who, random.choice(["EnrolPerson", "RetirePerson"]), body)][
        :: random.choice([1, 2])
    ]


def _threshold(_world: World, random: Random, _name: str, senders: Sequence[str]) -> list[Step]:
    body = {"currency": "EUR", "amount_minor": random.choice([0, 500_000, 2_000_000])}
    return [(random.choice(senders), "SetFourEyesThreshold", body)]


def _account(_world: World, random: Random, name: str, senders: Sequence[str]) -> list[Step]:
    who = random.choice(senders)
    url = {"peer_url": f"https://{hexid(name)}.example"}
    key = {"agreement_key": hex64(name)[:-2] + "00"} if random.random() < 0.9 else {"agreement_key": "00" * 32}
    named: list[Step] = [(who, "ChangePayoutAccount", {"payout_fingerprint": hex64(name)}), (who, "ChangePeerUrl", url)]
    return [*named, (who, "ChangeAgreementKey", key)]


def _votes(random: Random, first: Step, senders: Sequence[str], msp_id: str) -> list[Step]:
    """A proposal, and the votes of some others; one of them has second thoughts."""
    change = {"change_id": first[2]["change_id"]}
    voters = [who for who in senders if who not in (first[0], msp_id)]
    votes: list[Step] = [(who, "VoteMembership", change) for who in random.sample(voters, min(6, len(voters)))]
    return [first, *votes[:2], (votes[0][0], "WithdrawVote", change), *votes[2:], votes[0]]


def _standing(world: World, random: Random, name: str, senders: Sequence[str]) -> list[Step]:
    """Whoever is suspended is to come back, else somebody is to be suspended."""
    gone = [key.partition("/")[2] for key in world.keys if b'"status":"suspended"' in standing(world, key)]
    who = random.choice(gone or [COUSIN, COUSIN, CARRIER, OTHER_SUPPLIER, OTHER_BUYER])
    first = random.choice([one for one in senders if one != who])
    asked = {"change_id": hexid(name), "msp_id": who}
    return _votes(random, (first, "ReinstateParty" if gone else "SuspendParty", asked), senders, who)


def standing(world: World, key: str) -> bytes:
    """The bytes of a party, empty for every other record."""
    return world.state[key] if key.startswith("party/") else b""


def _roles(_world: World, random: Random, name: str, senders: Sequence[str]) -> list[Step]:
    if random.random() < 0.2:  # a carrier is one no more, and then again
        other = {"roles": random.choice([["carrier"], ["supplier"]]), "issue_limits": {}}
        asked = {"change_id": hexid(name), "msp_id": COUSIN, **other}
        return _votes(random, (random.choice(senders), "ChangeRoles", asked), senders, COUSIN)
    who, kept = random.choice([(FINANCIER, ["financier"]), (OTHER_BANK, ["financier"]), (OTHER_BUYER, ["buyer"])])
    limit = random.choice([1_000_000, 30_000_000, 100_000_000, 100_000_000])
    asked = {"change_id": hexid(name), "msp_id": who, "roles": [*kept, "issuer"], "issue_limits": {"EUR": limit}}
    return _votes(random, (random.choice(senders), "ChangeRoles", asked), senders, who)


def _admission(_world: World, random: Random, name: str, senders: Sequence[str]) -> list[Step]:
    who = f"Newcomer{random.randint(1, 3)}MSP"
    identity = hex64(f"identity {who if random.random() < 0.9 else random.choice(senders)}")
    asked = {"change_id": hexid(name), "party": party(who, "carrier", identity_fingerprint=identity)}
    proposal: Step = (random.choice(senders), "ProposeParty", asked)
    return [*_votes(random, proposal, senders, who), (who, "ActivateParty", {"change_id": hexid(name)})]


def _names(_world: World, random: Random, name: str, senders: Sequence[str]) -> list[Step]:
    """Further identifiers; now and then such as another one has."""
    who, other = random.sample(senders, 2)
    value = hex64(name if random.random() < 0.9 else f"identity {other}")
    asked = {"change_id": hexid(name), "identities": {"LEI": [value]}}
    return _votes(random, (who, "ChangeIdentities", asked), senders, who)


def _revocation(world: World, random: Random, _name: str, _senders: Sequence[str]) -> list[Step]:
    known = [world.read(key) for key in world.keys if key.startswith("document/")][-12:]
    if not known:
        return []
    one, other = random.choice(known), random.choice(known)
    reason = random.choice(["withdrawn", "superseded"])
    body = {
        "document_id": one["document_id"],
        "reason": reason,
        "superseded_by": other["document_id"] if reason == "superseded" else "",
    }
    return [(one["submitter"], "RevokeDocument", body)]


def _withdrawal(world: World, random: Random, _name: str, _senders: Sequence[str]) -> list[Step]:
    known = reported(world.state)
    if not known:
        return []
    one = random.choice(known)
    body = {"shipment_id": one["shipment_id"], "event_id": one["event_id"]}
    return [(one["party"], "WithdrawShipmentEvent", body)]
