"""Seals: one Merkle root that stands for many documents at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from chaincode.records.fields import Date, Hex, Id, Msp, Range

SEALED_DOCUMENTS_MAX = 2**32
Leaves = Annotated[int, Range(1, SEALED_DOCUMENTS_MAX)]


@dataclass(frozen=True, slots=True)
class Seal:
    """The RFC 9162 root over the salted commitments of `size` documents, which their submitter keeps.

    The ledger cannot tell what the leaves are: a seal proves when a document was there, never what it says.
    """

    seal_id: Id
    submitter: Msp
    algorithm: Literal["SHA-256"]
    root: Hex
    size: Leaves
    day: Date
