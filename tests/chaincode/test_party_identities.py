"""A party has several identifiers: the others agree to them, it wants them itself, and no other one has any of them."""

from __future__ import annotations

from typing import Any

import pytest
from invariants import check_state
from refusal_rows import enrolled, everybody
from refusals_changes import MAJORITY, NEWCOMER, newcomer, suspended
from test_payable import told
from world import World, founded, play
from world_bodies import BUYER, CARRIER, FINANCIER, PARTIES, SUPPLIER, hex64, hexid, party, story

from chaincode.records import MembershipChange, Party, canonical, decode

CHANGE = {"change_id": hexid("change")}
LEI, GLN = hex64("an lei"), hex64("a gln")
WANTED = {"0088": [GLN], "0199": [LEI]}


def identities_of(world: World, msp_id: str = BUYER) -> Any:
    return world.read(f"party/{msp_id}")["identities"]


def asked(world: World, **other: Any) -> str:
    body = CHANGE | {"identities": WANTED} | other
    return str(world.must(BUYER, "ChangeIdentities", **body)["status"])


def votes(world: World, *voters: str) -> str:
    said = [world.must(voter, "VoteMembership", **CHANGE)["status"] for voter in voters]
    return str(said[-1])


def test_other_identifiers_count_with_the_vote_of_more_than_half_and_replace_those_before() -> None:
    world = founded()
    assert asked(world) == "open"
    assert votes(world, SUPPLIER) == "open"
    assert identities_of(world) == {}
    assert votes(world, FINANCIER) == "applied"
    assert identities_of(world) == WANTED
    again = {"change_id": hexid("again"), "identities": {"tax:GST": [hex64("gst")]}}
    world.must(BUYER, "ChangeIdentities", **again)
    for voter in (CARRIER, FINANCIER):
        world.must(voter, "VoteMembership", change_id=hexid("again"))
    assert identities_of(world) == again["identities"]
    assert world.read(f"party/{BUYER}")["identity_fingerprint"] == hex64(f"identity {BUYER}")
    check_state(world.state)


def test_nobody_else_says_who_a_party_is_even_with_all_votes() -> None:
    world = founded()
    asked(world)
    world.must(SUPPLIER, "VoteMembership", **CHANGE)
    world.must(BUYER, "WithdrawVote", **CHANGE)
    assert votes(world, FINANCIER, CARRIER) == "open"
    assert identities_of(world) == {}
    assert votes(world, BUYER) == "applied"
    assert identities_of(world) == WANTED


def test_a_party_that_is_suspended_meanwhile_gets_none() -> None:
    world = everybody()
    asked(world)
    world.must(SUPPLIER, "VoteMembership", **CHANGE)
    suspended(BUYER)(world)
    for voter in MAJORITY[2:]:
        assert world.refusal(voter, "VoteMembership", **CHANGE) == "STANDING_WRONG"
    assert identities_of(world) == {}


TAKEN = {
    "what another one was listed with": {"VAT": [hex64(f"identity {SUPPLIER}")]},
    "under another scheme": {"legal": [hex64("the supplier's lei")]},
    "under the same scheme": {"0199": [hex64("the supplier's lei")]},
    "beside free ones": {"0088": [GLN], "0199": sorted([LEI, hex64("the supplier's lei")])},
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_identifier_belongs_to_one_party_at_most(name: str) -> None:
    listed = [party(SUPPLIER, "supplier", identities={"0199": [hex64("the supplier's lei")]}), *PARTIES[1:]]
    world = founded_of(listed)
    body = CHANGE | {"identities": TAKEN[name]}
    assert world.refusal(BUYER, "ChangeIdentities", **body) == "PARTY_INVALID"
    assert world.refusal(FINANCIER, "ProposeParty", **newcomer(identities=TAKEN[name])) == "PARTY_INVALID"
    assert asked(world) == "open", "the control"


def founded_of(listed: list[dict[str, Any]]) -> World:
    world = World()
    digest = world.must(SUPPLIER, "FoundConsortium", parties=listed)["digest"]
    for one in listed:
        world.must(one["msp_id"], "ConfirmFounding", digest=digest)
    world.must(SUPPLIER, "OpenDay", date="2026-11-23")
    return world


def test_what_it_was_listed_with_may_stand_under_its_scheme_too_so_that_another_one_contradicts() -> None:
    world = founded()
    own = {"VAT": [hex64(f"identity {BUYER}")]}
    asked(world, identities=own)
    assert votes(world, SUPPLIER, FINANCIER) == "applied"
    assert identities_of(world) == own


def test_an_admitted_party_brings_identifiers_that_nobody_has_taken_meanwhile() -> None:
    for free, code in ((True, ""), (False, "PARTY_INVALID")):
        world = founded()
        world.must(SUPPLIER, "ProposeParty", **newcomer(identities=WANTED) | {"change_id": hexid("newcomer")})
        for voter in (BUYER, CARRIER):
            world.must(voter, "VoteMembership", change_id=hexid("newcomer"))
        if not free:
            asked(world, identities={"0199": [LEI]})
            votes(world, SUPPLIER, FINANCIER)
        body = {"change_id": hexid("newcomer")}
        if code:
            assert world.refusal(NEWCOMER, "ActivateParty", **body) == code
        else:
            world.must(NEWCOMER, "ActivateParty", **body)
            assert identities_of(world, NEWCOMER) == WANTED


def test_two_persons_stand_behind_who_a_party_is() -> None:
    world = founded()
    enrolled(BUYER)(world)
    body = CHANGE | {"identities": WANTED}
    for persons in ((), ("anna",)):
        assert world.refusal(BUYER, "ChangeIdentities", persons=persons, **body) == "TWO_PERSONS_REQUIRED"
    world.must(BUYER, "ChangeIdentities", persons=("anna", "berta"), **body)


WRONG: list[Any] = [
    {"0199": []},
    {"0199": [LEI, LEI]},
    {"0199": sorted([LEI, GLN], reverse=True)},
    {"a scheme": [LEI]},
    {"": [LEI]},
    {"0199": LEI},
    {f"{number:04}": [hex64(f"{number}")] for number in range(21)},
    {"0199": sorted(hex64(f"{number}") for number in range(11))},
]


@pytest.mark.parametrize("identities", WRONG)
def test_identifiers_have_a_form(identities: Any) -> None:
    world = founded()
    assert world.refusal(BUYER, "ChangeIdentities", **CHANGE, identities=identities) == "MALFORMED"


@pytest.mark.parametrize("role", ["supplier", "buyer"])
def test_an_invoice_that_names_somebody_else_says_which_party_by_what_and_what_to_do(role: str) -> None:
    world = founded()
    asked(world)
    votes(world, SUPPLIER, FINANCIER)
    play(world, story() | told(**{role: hex64("somebody else")}))
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [found] = [one for one in answer if one["class"] == "AMOUNT"]
    assert (found["verdict"], found["reason"]) == ("INVALID", "PARTY_DIFFERS")
    msp_id = SUPPLIER if role == "supplier" else BUYER
    assert all(part in found["text"] for part in (role, msp_id, "ChangeIdentities"))
    assert ("0088, 0199" in found["text"]) == (role == "buyer")


@pytest.mark.parametrize("fact", ["buyer", "due_date", "deliveries"])
def test_facts_that_a_verifier_read_otherwise_are_told_by_name(fact: str) -> None:
    world = founded()
    other = {"buyer": hex64("else"), "due_date": "", "deliveries": [hex64("note")]}
    steps = story()
    steps["buyer document"][2]["facts"] = steps["buyer document"][2]["facts"] | {fact: other[fact]}
    play(world, steps)
    answer = world.query(type="ReleaseCheck", invoice_id=hexid("invoice"))["classes"]
    [found] = [one for one in answer if one["class"] == "AMOUNT"]
    assert found["reason"] == "FACTS_DIFFER"
    assert f"another {fact.replace('_', ' ')} in" in found["text"]


def test_commands_and_records_of_an_earlier_release_have_no_further_identifiers() -> None:
    world = founded()
    assert all("identities" not in one for one in PARTIES)
    assert identities_of(world) == {}
    later = ("identities", "agreement_keys", "agreement_key")
    kept = {name: value for name, value in world.read(f"party/{BUYER}").items() if name not in later}
    assert decode(Party, canonical(kept | {"version": 3})).identities == {}
    world.must(SUPPLIER, "ProposeParty", **newcomer())
    change = world.read(f"membership/{hexid('change')}")
    assert change["proposed"]["identities"] == {}
    old = {name: value for name, value in change.items() if name != "identities"} | {"version": 1}
    for proposed in ({name: value for name, value in change["proposed"].items() if name not in later}, None):
        read = decode(MembershipChange, canonical(old | {"proposed": proposed}))
        assert read.identities == {}
        assert (read.proposed is None) == (proposed is None)
