"""Bodies of queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaincode.records.fields import (
    Id,
    IdOrNone,
    Size,
)


@dataclass(frozen=True, slots=True)
class ReleaseCheckQuery:
    """Ask for the seven classes of an invoice."""

    type: Literal["ReleaseCheck"]
    invoice_id: Id


@dataclass(frozen=True, slots=True)
class QuoteQuery:
    """Ask what early payment of an invoice would pay today: by this facility, or by the best of those asked."""

    type: Literal["Quote"]
    invoice_id: Id
    facility_id: IdOrNone


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Ask for one record."""

    type: Literal["Record"]
    key: Annotated[str, Size(1, 400)]
