"""Refusals of the commands of seals; see `refusal_table`."""

from __future__ import annotations

from refusal_rows import ANY_PARTY, Row, Table, did
from world_bodies import BUYER, SUPPLIER, seal

TABLES: dict[str, Table] = {
    "SealDocuments": Table(
        SUPPLIER,
        seal(),
        common=ANY_PARTY,
        rows=(
            Row("ID_TAKEN", before=did(BUYER, "SealDocuments", **seal())),
            Row("ALGORITHM_UNKNOWN", {"algorithm": "SHA-1"}),
        ),
    ),
}
