"""What the table of refusals is made of: rows, controls, and the states that they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from world import World, found, play
from world_bodies import (
    BUYER,
    FINANCIER,
    PARTIES,
    SUPPLIER,
    approval,
    deposit,
    document,
    facility,
    fingerprints,
    hex64,
    hexid,
    invoice,
    party,
    settlement,
    story,
)

COMMON = ["MALFORMED", "COMMAND_ID_REUSED", "NOT_FOUNDED", "PARTY_NOT_ACTIVE", "ROLE_MISSING", "DAY_NOT_OPEN"]
ANY_PARTY = tuple(code for code in COMMON if code != "ROLE_MISSING")
OTHER_SUPPLIER, OTHER_BUYER, OTHER_BANK = "SupplierTwoMSP", "BuyerTwoMSP", "BankTwoMSP"
COUSIN = "CousinMSP"
IDENTITY = {"identity_fingerprint": hex64(f"identity {SUPPLIER}")}
"""What makes of a party the supplier once more, under another name."""
IDENTITY_BY_SCHEME = {"identities": {"0199": [hex64(f"identity {SUPPLIER}")]}}
"""What makes of a party the supplier once more, by an identifier under a scheme."""
EVERYBODY = (
    *PARTIES,
    party(OTHER_SUPPLIER, "supplier"),
    party(OTHER_BUYER, "buyer"),
    party(OTHER_BANK, "financier", "issuer", issue_limits={"EUR": 500}),
    party(COUSIN, "financier", "carrier", group_id=f"{SUPPLIER}-group"),
)
BEYOND = 2**53 - 1

Prepare = Callable[[World], object]


@dataclass(frozen=True)
class Row:
    """What changes the control so that it is refused with `code`."""

    code: str
    body: dict[str, Any] = field(default_factory=dict)
    sender: str = ""
    before: Prepare | None = None


@dataclass(frozen=True)
class Table:
    """A control, and the rows that spoil it. `steps` names the steps of the story that come before."""

    sender: str
    body: dict[str, Any]
    steps: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    world: Callable[[], World] = lambda: everybody()
    common: tuple[str, ...] = tuple(COMMON)


def everybody() -> World:
    """A founded world with second parties of most roles."""
    world = World()
    found(world, EVERYBODY)
    return world


def happened(name: str) -> Prepare:
    """A step of the story has happened already."""
    msp_id, type_, body = story()[name]
    return lambda world: world.must(msp_id, type_, **body)


def did(msp_id: str, type_: str, /, **body: Any) -> Prepare:
    """Somebody has done this already."""
    return lambda world: world.must(msp_id, type_, **body)


def enrolled(*msp_ids: str, persons: tuple[str, ...] = ("anna", "berta")) -> Prepare:
    """These parties have persons; from the third one on the first two stand behind it."""

    def prepare(world: World) -> None:
        for msp_id in msp_ids:
            for number, name in enumerate(persons):
                behind = persons[:2] if number >= 2 else ()
                world.must(msp_id, "EnrolPerson", commitment=hex64(f"person {name}"), persons=behind)

    return prepare


def repeated(times: int, msp_id: str, type_: str, body: Callable[[int], dict[str, Any]]) -> Prepare:
    """Somebody has done this so many times."""

    def prepare(world: World) -> None:
        for number in range(times):
            world.must(msp_id, type_, **body(number))

    return prepare


def facilities_opened(count: int, limited: bool = False) -> Prepare:
    """The financier has so many facilities on the buyer, which all count under a limit."""

    def prepare(world: World) -> None:
        repeated(count, FINANCIER, "OpenFacility", lambda number: facility(f"facility {number}"))(world)
        if limited:
            limit = {"buyer": BUYER, "currency": "EUR", "limit_minor": 5_000_000}
            world.must(FINANCIER, "SetBuyerLimit", **limit, facility_ids=[hexid("facility 0")])

    return prepare


def settled(world: World) -> None:
    """The invoice has been settled (and approved before)."""
    world.must(BUYER, "ApproveInvoice", **approval())
    world.must(FINANCIER, "IssueDeposit", **deposit("for settling"))
    world.must(BUYER, "SettleInvoice", **settlement())


def rest(name: str, **other: Any) -> dict[str, Any]:
    """The body of an invoice that rests on the same documents and shipment."""
    return invoice(name, fingerprints=fingerprints(name), **other)


FOUNDING = {"parties": list(PARTIES)}


def proposed() -> World:
    world = World()
    world.must(SUPPLIER, "FoundConsortium", **FOUNDING)
    return world


def founding_digest() -> str:
    return str(proposed().read("founding")["digest"])


def on_the_next_day(world: World) -> World:
    world.timestamp += 86_400
    return world


def for_cousin(world: World) -> None:
    """A document that the supplier gives to a party of its own group."""
    world.must(SUPPLIER, "RegisterDocument", **document("for a cousin", entitled=[COUSIN, BUYER]))


def shipment_exhausted(world: World) -> None:
    world.must(SUPPLIER, "RegisterDocument", **document("other document"))
    for number in range(20):
        name = f"document {number}"
        world.must(SUPPLIER, "RegisterDocument", **document(name))
        body = rest(f"{number}", document_ids=[hexid(name)], proof_ids=[])
        world.must(SUPPLIER, "RegisterInvoice", **body)


def claims_exhausted(world: World) -> None:
    for number in range(50):
        name = f"document {number // 20}"
        if number % 20 == 0:
            world.must(SUPPLIER, "RegisterDocument", **document(name))
        body = invoice(f"{number}", document_ids=[hexid(name)], proof_ids=[], shipment_ids=[])
        world.must(SUPPLIER, "RegisterInvoice", **body | {"fingerprints": fingerprints("invoice")})


def reference_used(world: World) -> None:
    world.must(SUPPLIER, "RegisterInvoice", **rest("second"))
    world.must(BUYER, "ApproveInvoice", **approval("second", buyer_reference=approval()["buyer_reference"]))


def waits_for_decision() -> World:
    """Everything holds, in a facility whose financier wants to decide itself."""
    world = everybody()
    steps = story()
    steps["facility"] = (FINANCIER, "OpenFacility", facility(mode="manual"))
    assert play(world, steps) == []
    return world


def settle_directly(world: World) -> None:
    world.must(FINANCIER, "IssueDeposit", **deposit("for settling"))
    world.must(BUYER, "SettleInvoice", **settlement())


def with_money() -> World:
    world = everybody()
    world.must(FINANCIER, "IssueDeposit", **deposit())
    return world


def related(msp_id: str, to: str) -> Callable[[], World]:
    """A world in which a party is of another one's group."""

    def make() -> World:
        world = World()
        listed = [party | {"group_id": f"{to}-group"} if party["msp_id"] == msp_id else party for party in EVERYBODY]
        found(world, listed)
        return world

    return make


EVIDENCE = ("document", "proof", "shipment")
INVOICE = (*EVIDENCE, "invoice")
FINANCING = ("acceptance", "facility", *INVOICE)
ALL_BUT_APPROVAL = tuple(name for name in story() if name != "approval")
