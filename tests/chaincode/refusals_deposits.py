"""Refusals of the commands of deposits; see `refusal_table`."""

from __future__ import annotations

from refusal_rows import (
    BEYOND,
    OTHER_BANK,
    Row,
    Table,
    did,
    enrolled,
)
from world_bodies import (
    FINANCIER,
    SUPPLIER,
    deposit,
)

TABLES: dict[str, Table] = {
    "IssueDeposit": Table(
        FINANCIER,
        deposit(),
        rows=(
            Row("TWO_PERSONS_REQUIRED", before=enrolled(FINANCIER, OTHER_BANK)),
            Row("NOT_THE_ISSUER", sender=OTHER_BANK),
            Row("CURRENCY_UNKNOWN", {"deposit": f"QQQ@{FINANCIER}"}),
            Row("AMOUNT_INVALID", {"amount_minor": 0}),
            Row("ISSUE_TO_SELF", {"to": FINANCIER}),
            Row("PARTY_UNKNOWN", {"to": "StrangerMSP"}),
            Row("BOOKED_IN_FUTURE", {"booked_on": "2026-11-24"}),
            Row("CREDIT_ALREADY_ISSUED", before=did(FINANCIER, "IssueDeposit", **deposit(to=SUPPLIER, amount_minor=1))),
            Row("ISSUE_LIMIT_EXCEEDED", {"amount_minor": BEYOND}),
        ),
    ),
}
