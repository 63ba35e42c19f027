"""A consortium whose terms are sealed, in memory: bodies of the right form, which the contract cannot open anyway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from world import World, found, play
from world_bodies import BUYER, PARTIES, SUPPLIER, agreement_key, deposit, hex64, hexid

from chaincode.records.sealed import commitment

TERMS = {"rate_bps": 7193, "day_count": "ACT/365F"}
VALID_UNTIL = "2027-06-30"
SALT, OTHER_SALT = hex64("salt"), hex64("other salt")
RECORD = f"discount_offer/{hexid('invoice')}"


def parties() -> list[dict[str, Any]]:
    """The four, each with an agreement key."""
    return [party | {"agreement_key": agreement_key(party["msp_id"])} for party in PARTIES]


def approved(privacy: str) -> World:
    """A buyer has approved an invoice that is offered to no facility, and has the money to pay it."""
    world = World()
    found(world, parties(), privacy)
    assert play(world, without=["request"]) == []
    world.must("FinancierMSP", "IssueDeposit", **deposit())
    return world


def later_key(msp_id: str) -> str:
    """A key that a party names on the first day, and that counts later."""
    return agreement_key(f"{msp_id} later")


def sealed(
    salt: str = SALT,
    record: str = RECORD,
    sender: str = SUPPLIER,
    sender_key: str = agreement_key(SUPPLIER),
    readers: Sequence[str] = (BUYER, SUPPLIER),
    keys: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A sealed body; its commitment is to TERMS."""
    of_readers = {reader: agreement_key(reader) for reader in readers} | dict(keys or {})
    return {
        "sender": sender,
        "sender_key": sender_key,
        "body": hex64("body") * 4 + hex64("tag")[:32],
        "commitment": commitment(salt, record, TERMS),
        "wraps": [
            {"party": reader, "key": of_readers[reader], "wrapped": hex64(reader) + hex64("tag")[:32]}
            for reader in readers
        ],
    }


def sealed_offer(**changes: Any) -> dict[str, Any]:
    """The body of a sealed OfferDiscount."""
    in_clear = dict.fromkeys(TERMS)
    return {"invoice_id": hexid("invoice"), **in_clear, "valid_until": VALID_UNTIL, "sealed": sealed(**changes)}


def opening(salt: str = SALT, **terms: Any) -> dict[str, Any]:
    """What a buyer shows as it pays."""
    return {"salt": salt, "terms": TERMS | terms}
