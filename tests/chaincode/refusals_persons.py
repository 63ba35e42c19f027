"""The refusals of the commands of persons."""

from __future__ import annotations

from refusal_rows import ANY_PARTY, Row, Table, did, enrolled, everybody
from world import World
from world_bodies import FINANCIER, hex64

BOTH = ("anna", "berta")


def three_persons() -> World:
    world = everybody()
    enrolled(FINANCIER, persons=(*BOTH, "carl"))(world)
    return world


TABLES: dict[str, Table] = {
    "EnrolPerson": Table(
        FINANCIER,
        {"commitment": hex64("person dora"), "persons": BOTH},
        world=three_persons,
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", {"persons": ("anna",)}),
            Row("TWO_PERSONS_REQUIRED", {"persons": ()}),
            Row("PERSON_ENROLLED", {"commitment": hex64("person anna")}),
            Row(
                "PERSON_ENROLLED",
                {"commitment": hex64("person carl")},
                before=did(FINANCIER, "RetirePerson", commitment=hex64("person carl"), persons=BOTH),
            ),
        ),
    ),
    "RetirePerson": Table(
        FINANCIER,
        {"commitment": hex64("person carl"), "persons": BOTH},
        world=three_persons,
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", {"persons": ("berta",)}),
            Row("PERSON_UNKNOWN", {"commitment": hex64("person dora")}),
            Row("PERSON_UNKNOWN", {"persons": ("anna", "dora")}),
            Row(
                "LAST_PERSONS",
                {"commitment": hex64("person anna")},
                before=did(FINANCIER, "RetirePerson", commitment=hex64("person carl"), persons=BOTH),
            ),
        ),
    ),
    "SetFourEyesThreshold": Table(
        FINANCIER,
        {"currency": "EUR", "amount_minor": 1_000, "persons": BOTH},
        world=three_persons,
        common=ANY_PARTY,
        rows=(
            Row("TWO_PERSONS_REQUIRED", {"persons": ()}),
            Row("CURRENCY_UNKNOWN", {"currency": "QQQ"}),
        ),
    ),
}
