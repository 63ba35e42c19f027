"""Refusals of the commands that change the membership; see `refusal_table`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from refusal_rows import (
    ANY_PARTY,
    COMMON,
    EVERYBODY,
    IDENTITY,
    IDENTITY_BY_SCHEME,
    OTHER_BANK,
    OTHER_BUYER,
    OTHER_SUPPLIER,
    Prepare,
    Row,
    Table,
    did,
    enrolled,
)
from world import World, found
from world_bodies import BUYER, CARRIER, FINANCIER, SUPPLIER, agreement_key, hex64, hexid, party

from chaincode.records import Party, decode, encode
from chaincode.records.parties import AgreementKey

CHANGE = {"change_id": hexid("change")}
NEWCOMER = "NewcomerMSP"
MAJORITY = (SUPPLIER, BUYER, FINANCIER, CARRIER, OTHER_BUYER)
"""More than half of eight."""


def newcomer(**other: Any) -> dict[str, Any]:
    """The body of ProposeParty."""
    return CHANGE | {"party": party(NEWCOMER, "carrier", **other)}


def passed(type_: str, /, voters: tuple[str, ...] = MAJORITY, **body: Any) -> Prepare:
    """The change has been proposed by the first of these and voted for by the others, until it had passed."""

    def prepare(world: World) -> None:
        said = world.must(voters[0], type_, **body)
        for voter in voters[1:]:
            if said["status"] == "open":
                said = world.must(voter, "VoteMembership", change_id=body["change_id"])

    return prepare


def suspended(msp_id: str, change: str = "suspended before") -> Prepare:
    """The others have suspended the party."""
    return passed("SuspendParty", others(msp_id), change_id=hexid(change), msp_id=msp_id)


def others(msp_id: str) -> tuple[str, ...]:
    """Everybody but one party."""
    return tuple(one["msp_id"] for one in EVERYBODY if one["msp_id"] != msp_id)


def proposed(*voters: str) -> Prepare:
    """Somebody has asked to suspend the other supplier, and these are for it."""
    return passed("SuspendParty", voters, **CHANGE, msp_id=OTHER_SUPPLIER)


def world_of(*parties: dict[str, Any]) -> World:
    world = World()
    found(world, parties)
    return world


def with_(*before: Prepare) -> World:
    world = world_of(*EVERYBODY)
    for prepare in before:
        prepare(world)
    return world


def full(world: World) -> None:
    """There are fifty parties."""
    for number in range(50 - len(EVERYBODY)):
        world.apply(
            {f"party/Extra{number}MSP": world.state[f"party/{OTHER_BANK}"].replace(b"BankTwo", b"Extra%d" % number)}
        )


def nobody_is_for_it(world: World) -> None:
    for voter in (SUPPLIER, BUYER):
        world.must(voter, "WithdrawVote", **CHANGE)


def applied(world: World) -> None:
    for voter in MAJORITY[2:]:
        world.must(voter, "VoteMembership", **CHANGE)


def key_named(world: World) -> None:
    """The buyer has named a key."""
    world.must(BUYER, "ChangeAgreementKey", agreement_key=agreement_key("new"))


def twenty_keys(world: World) -> None:
    """The supplier has had as many agreement keys as there may be, all of them in days gone by."""
    supplier = decode(Party, world.state[f"party/{SUPPLIER}"])
    had = tuple(AgreementKey(agreement_key(str(number)), f"2026-10-{number + 1:02}") for number in range(20))
    world.apply({f"party/{SUPPLIER}": encode(replace(supplier, agreement_keys=had))})


TABLES: dict[str, Table] = {
    "ProposeParty": Table(
        SUPPLIER,
        newcomer(),
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "SuspendParty", **CHANGE, msp_id=OTHER_SUPPLIER)),
            Row("STANDING_WRONG", {"party": party(BUYER, "carrier")}),
            Row("MEMBERS_EXHAUSTED", before=full),
            Row("PARTY_INVALID", newcomer(**IDENTITY)),
            Row("PARTY_INVALID", newcomer(**IDENTITY_BY_SCHEME)),
            Row("PARTY_INVALID", newcomer(agreement_key="00" * 32)),
            Row("PARTY_INVALID", newcomer(agreement_key=agreement_key("new")), before=key_named),
            Row("PARTY_INVALID", newcomer(issue_limits={"EUR": 1})),
            Row("PARTY_INVALID", {"party": party(NEWCOMER, "issuer", issue_limits={"QQQ": 1})}),
        ),
    ),
    "SuspendParty": Table(
        SUPPLIER,
        CHANGE | {"msp_id": OTHER_SUPPLIER},
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "ProposeParty", **newcomer())),
            Row("SAME_PARTY", {"msp_id": SUPPLIER}),
            Row("STANDING_WRONG", {"msp_id": "StrangerMSP"}),
            Row("STANDING_WRONG", before=suspended(OTHER_SUPPLIER)),
        ),
    ),
    "ReinstateParty": Table(
        SUPPLIER,
        CHANGE | {"msp_id": OTHER_SUPPLIER},
        world=lambda: with_(suspended(OTHER_SUPPLIER)),
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "ProposeParty", **newcomer())),
            Row("STANDING_WRONG", {"msp_id": BUYER}),
            Row("STANDING_WRONG", {"msp_id": "StrangerMSP"}),
        ),
    ),
    "ChangeRoles": Table(
        SUPPLIER,
        CHANGE | {"msp_id": OTHER_SUPPLIER, "roles": ["supplier", "issuer"], "issue_limits": {"EUR": 1}},
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "ProposeParty", **newcomer())),
            Row("STANDING_WRONG", {"msp_id": "StrangerMSP"}),
            Row("PARTY_INVALID", {"roles": ["supplier"]}),
            Row("PARTY_INVALID", {"issue_limits": {"QQQ": 1}}),
        ),
    ),
    "ChangeIdentities": Table(
        BUYER,
        CHANGE | {"identities": {"0199": [hex64("an lei")]}},
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(BUYER)),
            Row("ID_TAKEN", before=did(SUPPLIER, "ProposeParty", **newcomer())),
            Row("PARTY_INVALID", IDENTITY_BY_SCHEME),
        ),
    ),
    "VoteMembership": Table(
        FINANCIER,
        CHANGE,
        world=lambda: with_(proposed(SUPPLIER, BUYER)),
        common=ANY_PARTY,
        rows=(
            Row("CHANGE_UNKNOWN", {"change_id": hexid("no such change")}),
            Row("CHANGE_CLOSED", before=nobody_is_for_it),
            Row("NOT_ASKED", sender=OTHER_SUPPLIER),
            Row("ALREADY_VOTED", sender=BUYER),
            Row("STANDING_WRONG", before=suspended(OTHER_SUPPLIER)),
            Row("MEMBERS_EXHAUSTED", {"change_id": hexid("newcomer")}, before=lambda world: too_late(world)),
            Row("PARTY_INVALID", {"change_id": hexid("ids")}, before=lambda world: taken_meanwhile(world)),
        ),
    ),
    "WithdrawVote": Table(
        BUYER,
        CHANGE,
        world=lambda: with_(proposed(SUPPLIER, BUYER)),
        common=ANY_PARTY,
        rows=(
            Row("CHANGE_UNKNOWN", {"change_id": hexid("no such change")}),
            Row("CHANGE_CLOSED", before=applied),
            Row("NOT_VOTED", sender=FINANCIER),
        ),
    ),
    "ActivateParty": Table(
        NEWCOMER,
        CHANGE,
        world=lambda: with_(passed("ProposeParty", **newcomer())),
        common=(*COMMON[:3], "DAY_NOT_OPEN"),
        rows=(
            Row("CHANGE_UNKNOWN", {"change_id": hexid("no such change")}),
            Row("NOT_ADMITTED", sender="StrangerMSP"),
            Row("NOT_ADMITTED", {"change_id": hexid("suspended")}, before=suspended(OTHER_BANK, "suspended")),
            Row("NOT_ADMITTED", before=did(BUYER, "WithdrawVote", **CHANGE)),
            Row("STANDING_WRONG", before=lambda world: admitted_twice(world)),
            Row("MEMBERS_EXHAUSTED", before=lambda world: extra(world)),
            Row("PARTY_INVALID", before=lambda world: same_admitted_under_another_name(world)),
        ),
    ),
    "ChangePeerUrl": Table(
        CARRIER,
        {"peer_url": "https://new.example:1"},
        common=ANY_PARTY,
        rows=(),
    ),
    "ChangePayoutAccount": Table(
        SUPPLIER,
        {"payout_fingerprint": hex64("a new account")},
        common=ANY_PARTY,
        rows=(Row("TWO_PERSONS_REQUIRED", before=enrolled(SUPPLIER)),),
    ),
    "ChangeAgreementKey": Table(
        SUPPLIER,
        {"agreement_key": agreement_key("new")},
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(SUPPLIER)),
            Row("AGREEMENT_KEY_INVALID", {"agreement_key": "ff" * 32}),
            Row("AGREEMENT_KEY_INVALID", {"agreement_key": "00" * 32}),
            Row("AGREEMENT_KEY_INVALID", before=key_named),
            Row("AGREEMENT_KEYS_EXHAUSTED", before=twenty_keys),
        ),
    ),
}


def too_late(world: World) -> None:
    """A newcomer is proposed, and then others fill the consortium."""
    world.must(SUPPLIER, "ProposeParty", **newcomer() | {"change_id": hexid("newcomer")})
    world.must(BUYER, "VoteMembership", change_id=hexid("newcomer"))
    full(world)


def taken_meanwhile(world: World) -> None:
    """Two parties ask for one identifier, and the others are for one of them."""
    wanted = {"0199": [hex64("an lei")]}
    world.must(BUYER, "ChangeIdentities", change_id=hexid("ids"), identities=wanted)
    passed("ChangeIdentities", change_id=hexid("others"), identities=wanted)(world)


def admitted_twice(world: World) -> None:
    """Two admissions of one party have passed, and it has consented to the other one."""
    other = newcomer() | {"change_id": hexid("another")}
    passed("ProposeParty", **other)(world)
    world.must(NEWCOMER, "ActivateParty", change_id=hexid("another"))


def same_admitted_under_another_name(world: World) -> None:
    """The very organisation that is to be admitted has been admitted, meanwhile, with another MSP id."""
    other, change_id = "NewcomerTwoMSP", hexid("another")
    identity = hex64(f"identity {NEWCOMER}")
    passed("ProposeParty", change_id=change_id, party=party(other, "carrier", identity_fingerprint=identity))(world)
    world.must(other, "ActivateParty", change_id=change_id)


def extra(world: World) -> None:
    """The consortium is full of parties that are not active, so that the votes are still enough."""
    full(world)
    for key in [key for key in world.keys if key.startswith("party/Extra")]:
        world.apply({key: world.state[key].replace(b'"status":"active"', b'"status":"suspended"')})
