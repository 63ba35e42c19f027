"""Changes "from the next day": no transaction makes the next day come early, however far the ledger's day lags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from life_worlds import ID, terms
from refusal_rows import enrolled, everybody
from world import World, play
from world_bodies import BUYER, CARRIER, FINANCIER, SUPPLIER, approval, command, hex64, hexid, named, shipment, story

TODAY, TOMORROW = "2026-11-24", "2026-11-25"
FACILITY = {"facility_id": hexid("facility")}


def lagging() -> World:
    """It is the 24th everywhere but on the ledger, where nobody has opened that day; one vote is missing."""
    world = everybody()
    play(world, without=["approval"])
    enrolled(BUYER)(world)
    roles = {"change_id": hexid("roles"), "msp_id": CARRIER, "roles": ["carrier", "supplier"], "issue_limits": {}}
    world.must(SUPPLIER, "ChangeRoles", **roles)
    for msp_id in (BUYER, FINANCIER, CARRIER):
        world.must(msp_id, "VoteMembership", change_id=hexid("roles"))
    world.timestamp += 86_400
    return world


def rate(world: World) -> bool:
    quote = world.query(type="Quote", **ID, facility_id=hexid("facility"))["quote"]
    return bool(quote["rate_bps"] == 1_000)


def threshold(world: World) -> bool:
    return bool(world.run(BUYER, "ApproveInvoice", **approval())["status"] == "applied")


def roles(world: World) -> bool:
    body = shipment("goods of the carrier's", carrier=SUPPLIER)
    return bool(world.run(CARRIER, "RegisterShipment", **body)["code"] != "ROLE_MISSING")


CHANGES: dict[str, tuple[str, str, dict[str, Any], tuple[str, ...], Callable[[World], bool]]] = {
    "terms": (FINANCIER, "ChangeFacility", {**FACILITY, "terms": terms(rate_bps=1_000)}, (), rate),
    "threshold": (
        BUYER,
        "SetFourEyesThreshold",
        {"currency": "EUR", "amount_minor": 2**53 - 1},
        ("anna", "berta"),
        threshold,
    ),
    "roles": ("CousinMSP", "VoteMembership", {"change_id": hexid("roles")}, (), roles),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_batch_that_opens_the_day_brings_no_change_forward(change: Any) -> None:
    sender, type_, body, persons, counts = change
    world = lagging()
    batch = [
        command(type_, hexid("change"), **body) | named(*persons),
        command("OpenDay", hexid("day"), date=TODAY),
    ]
    assert [each["status"] for each in world.batch(sender, batch)] == ["applied", "applied"]
    assert not counts(world)
    world.open_day(TOMORROW)
    assert counts(world)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_day_before_counts_when_the_day_is_opened(change: Any) -> None:
    sender, type_, body, persons, counts = change
    world = lagging()
    world.timestamp -= 86_400
    world.must(sender, type_, **body, persons=persons)
    assert not counts(world)
    world.open_day(TODAY)
    assert counts(world)


def test_a_payout_account_named_while_the_day_lags_waits_for_the_day_after_today() -> None:
    world = lagging()
    said = world.must(SUPPLIER, "ChangePayoutAccount", payout_fingerprint=hex64("new"))
    assert said["from_day"] == TOMORROW


def test_a_peer_whose_clock_is_behind_the_ledger_brings_no_change_forward() -> None:
    world = everybody()
    for name in ("acceptance", "facility"):
        world.must(story()[name][0], story()[name][1], **story()[name][2])
    world.open_day(TODAY)
    world.timestamp -= 86_400
    said = world.must(FINANCIER, "ChangeFacility", **FACILITY, terms=terms())
    assert said["from_day"] == TOMORROW
