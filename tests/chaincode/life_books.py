"""What a world's books and one invoice say, in few words."""

from __future__ import annotations

from typing import Any

from world import World
from world_bodies import hexid

FACILITY = {"facility_id": hexid("facility")}


def book(world: World, step: str = "") -> list[tuple[str, str, int]]:
    """Debit, credit and amount of all entries, or those of one step."""
    entries = [world.read(key) for key in world.keys if key.startswith("entry/")]
    return [(one["debit"], one["credit"], one["amount_minor"]) for one in entries if step in ("", one["step"])]


def obligations(world: World, name: str = "invoice") -> dict[str, int]:
    """The balances of an invoice's obligations that are not zero."""
    found = [world.read(key) for key in world.keys if key.startswith(f"account/obligation/{hexid(name)}/")]
    return {account["name"]: account["balance_minor"] for account in found if account["balance_minor"]}


def read(world: World, name: str = "invoice") -> Any:
    return world.read(f"invoice/{hexid(name)}")


def used(world: World) -> int:
    return int(world.read(f"facility/{hexid('facility')}")["used_minor"])
