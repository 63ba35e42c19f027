"""Refusals of the commands of membership; see `refusal_table`."""

from __future__ import annotations

from refusal_rows import (
    COMMON,
    FOUNDING,
    IDENTITY,
    IDENTITY_BY_SCHEME,
    Row,
    Table,
    did,
    founding_digest,
    on_the_next_day,
    proposed,
)
from world import World, found, founded
from world_bodies import (
    BUYER,
    CARRIER,
    DAY,
    PARTIES,
    SUPPLIER,
    agreement_key,
    hex64,
    party,
)

KEY = {"agreement_key": agreement_key("one")}
OTHER_IDENTITY = {"identity_fingerprint": hex64("identity of nobody else's")}

TABLES: dict[str, Table] = {
    "FoundConsortium": Table(
        SUPPLIER,
        FOUNDING,
        world=World,
        common=("MALFORMED", "COMMAND_ID_REUSED"),
        rows=(
            Row("ALREADY_FOUNDED", before=found),
            Row("SENDER_NOT_LISTED", sender="StrangerMSP"),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party(SUPPLIER, "buyer")]}),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party(SUPPLIER, "buyer", **OTHER_IDENTITY)]}),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "carrier", **IDENTITY)]}),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "carrier", **IDENTITY_BY_SCHEME)]}),
            Row("FOUNDING_INVALID", {"parties": [party("XMSP", "carrier", **IDENTITY_BY_SCHEME), *PARTIES]}),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "carrier", agreement_key="00" * 32)]}),
            Row(
                "FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "carrier", **KEY), party("Y", "buyer", **KEY)]}
            ),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "buyer", issue_limits={"EUR": 1})]}),
            Row("FOUNDING_INVALID", {"parties": [*PARTIES, party("XMSP", "issuer", issue_limits={"QQQ": 1})]}),
        ),
    ),
    "ConfirmFounding": Table(
        BUYER,
        {"digest": founding_digest()},
        world=proposed,
        common=("MALFORMED", "COMMAND_ID_REUSED"),
        rows=(
            Row("NOT_PROPOSED", before=lambda world: world.apply({"founding": None})),
            Row("DIGEST_DIFFERS", {"digest": hex64("another founding")}),
            Row("SENDER_NOT_LISTED", sender="StrangerMSP"),
            Row("ALREADY_CONFIRMED", before=did(BUYER, "ConfirmFounding", digest=founding_digest())),
        ),
    ),
    "OpenDay": Table(
        CARRIER,
        {"date": "2026-11-24"},
        world=lambda: on_the_next_day(founded()),
        common=tuple(COMMON[:4]),
        rows=(Row("DAY_NOT_LATER", {"date": DAY}), Row("DAY_IN_FUTURE", {"date": "2026-11-25"})),
    ),
}
