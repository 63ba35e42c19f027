"""Bodies of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaincode.records.fields import (
    Id,
    Size,
)


@dataclass(frozen=True, slots=True)
class ReleaseCheckQuery:
    """Ask for the seven classes of an invoice."""

    type: Literal["ReleaseCheck"]
    invoice_id: Id


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Ask for one record."""

    type: Literal["Record"]
    key: Annotated[str, Size(1, 400)]
