"""An event that a contract set in a transaction which is committed and valid."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChaincodeEvent:
    """What a transaction announced; a transaction sets at most one event.

    Args:
        block_number: of the block that the transaction is in.
        transaction_id: of the transaction.
        chaincode: the chaincode that set it.
        name: as the contract named it.
        payload: what the contract put in.
    """

    block_number: int
    transaction_id: str
    chaincode: str
    name: str
    payload: bytes
