"""The checks of `invariants_members` notice what breaks them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from invariants import check_state, check_step
from refusal_rows import enrolled, everybody
from refusals_changes import CHANGE, others, passed, suspended
from world import World, paid, play
from world_bodies import BUYER, CARRIER, FINANCIER, SUPPLIER, hex64, hexid


def changed(key: str, **fields: Any) -> Callable[[World], None]:
    """Forge some fields of a record."""
    return lambda world: world.apply({key: json.dumps(world.read(key) | fields).encode()})


def reported(**fields: Any) -> Callable[[World], None]:
    """Forge some fields of the carrier's report."""
    key = f"shipment_reports/{hexid('shipment')}/{CARRIER}"
    return lambda world: changed(key, events=[world.read(key)["events"][0] | fields])(world)


def peopled() -> World:
    """An invoice is paid early, and some parties have persons."""
    world = everybody()
    play(world)
    enrolled(FINANCIER, persons=("anna", "berta", "carl"))(world)
    enrolled(BUYER, persons=("anna",))(world)
    return world


ANNA = f"person/{FINANCIER}/{hex64('person anna')}"
PARTY = f"party/{FINANCIER}"
FORGED_STATES = {
    "16 a person nobody counts": changed(PARTY, active_persons=2),
    "16 a person that is gone": changed(ANNA, status="retired"),
    "16 two persons without four eyes": changed(PARTY, four_eyes=False),
    "16 four eyes with one person": changed(f"party/{BUYER}", four_eyes=True),
}


@pytest.mark.parametrize("name", FORGED_STATES)
def test_persons_that_are_miscounted_are_noticed(name: str) -> None:
    world = peopled()
    check_state(world.state)
    FORGED_STATES[name](world)
    with pytest.raises(AssertionError):
        check_state(world.state)


def forged_vote(world: World) -> None:
    """A party is suspended by a change that too few were for."""
    changed(f"party/{CARRIER}", status="suspended")(world)
    change = world.read(f"membership/{CHANGE['change_id']}")
    changed(f"membership/{CHANGE['change_id']}", status="applied", votes=[SUPPLIER, BUYER], msp_id=change["msp_id"])(
        world
    )


FORGED_STEPS: dict[str, Callable[[World], None]] = {
    "15 suspended without a vote": changed(f"party/{CARRIER}", status="suspended"),
    "15 suspended by a minority": forged_vote,
    "15 proposed again": changed(f"party/{CARRIER}", status="proposed"),
    "15 an account out of nowhere": changed(f"party/{SUPPLIER}", payout_fingerprint=hex64("thief")),
    "15 roles out of nowhere": changed(
        f"party/{SUPPLIER}", pending_roles={"roles": ["issuer"], "issue_limits": {}, "from_day": "2026-11-24"}
    ),
    "16 the end of four eyes": changed(PARTY, four_eyes=False),
    "17 a document of what was paid": changed(f"document/{hexid('document')}", status="withdrawn"),
    "17 another commitment": changed(f"document/{hexid('free')}", commitment=hex64("other bytes")),
    "17 a report of what was paid": reported(withdrawn_on="2026-11-23"),
    "17 a report that changes": reported(partial=True),
}


@pytest.mark.parametrize("name", FORGED_STEPS)
def test_a_step_that_breaks_an_invariant_of_the_membership_is_noticed(name: str) -> None:
    world = peopled()
    world.must(SUPPLIER, "SuspendParty", **CHANGE, msp_id=CARRIER)
    body = {"document_id": hexid("free"), "kind": "invoice", "media_type": "text/xml", "size_bytes": 1}
    more = {"algorithm": "SHA-256", "commitment": hex64("free"), "entitled": [BUYER]}
    world.must(SUPPLIER, "RegisterDocument", **body, **more)
    before = dict(world.state)
    check_step(before, world.state)
    FORGED_STEPS[name](world)
    with pytest.raises(AssertionError):
        check_step(before, world.state)


def test_a_person_that_comes_back_is_noticed() -> None:
    world = peopled()
    world.must(FINANCIER, "RetirePerson", commitment=hex64("person carl"), persons=("anna", "berta"))
    before = dict(world.state)
    changed(f"person/{FINANCIER}/{hex64('person carl')}", status="active")(world)
    with pytest.raises(AssertionError, match="16"):
        check_step(before, world.state)


def test_issuing_beyond_a_limit_that_was_lowered_is_noticed() -> None:
    world = paid()
    passed("ChangeRoles", (SUPPLIER, BUYER, CARRIER), **ROLES)(world)
    world.open_day("2026-11-24")
    before = dict(world.state)
    issued = f"account/cash/EUR@{FINANCIER}/issued:{FINANCIER}"
    changed(issued, balance_minor=world.read(issued)["balance_minor"] - 1)(world)
    with pytest.raises(AssertionError):
        check_step(before, world.state)


ROLES = CHANGE | {"msp_id": FINANCIER, "roles": ["financier", "issuer"], "issue_limits": {"EUR": 1}}


def test_what_members_really_do_is_no_breach() -> None:
    world = everybody()
    play(world, without=("approval",))
    for act in (suspended(CARRIER), passed("ReinstateParty", others(CARRIER), **CHANGE, msp_id=CARRIER)):
        before = dict(world.state)
        act(world)
        check_state(world.state)
        assert before != world.state
