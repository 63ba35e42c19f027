"""What the contract sees of a ledger: the few verbs that a real Fabric peer and the embedded ledger both offer.

Nothing here does anything. `chaincode.shim` implements `Stub` against a peer, the embedded ledger against SQLite, with
the same manners: reads never see the transaction's own writes, writes take effect only if the transaction is answered
with `ok` and the ledger finds it valid. Standard library only. Source: the stub of fabric-chaincode-go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Creator:
    """Who signed the proposal: the MSP id and the certificate (PEM), both checked by the ledger before we see them."""

    msp_id: str
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the contract answers: `payload` is canonical JSON. When not `ok`, nothing is written or endorsed."""

    ok: bool
    payload: bytes


class Stub(Protocol):
    """One transaction as the contract sees it."""

    @property
    def tx_id(self) -> str:
        """The transaction id, 64 hexadecimal digits."""
        ...

    @property
    def channel_id(self) -> str:
        """The name of the channel."""
        ...

    @property
    def timestamp(self) -> int:
        """The proposal's time in seconds since 1970 UTC, as its creator claims it."""
        ...

    @property
    def msp_id(self) -> str:
        """The MSP id of the creator."""
        ...

    @property
    def creator_certificate(self) -> bytes:
        """The creator's certificate, PEM."""
        ...

    async def get_state(self, key: str) -> bytes | None:
        """The committed value of a key, None when there is none."""
        ...

    async def get_states(self, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values of several keys, in their order, asked for together."""
        ...

    async def get_range(self, start: str, end: str, limit: int = 0) -> list[tuple[str, bytes]]:
        """The first `limit` committed keys, 0 for all, from `start` (inclusive) to `end` (exclusive), in key order.

        Neither bound may be empty.
        """
        ...

    def put_state(self, key: str, value: bytes) -> None:
        """Set a key when the transaction commits. Neither key nor value may be empty."""
        ...

    def del_state(self, key: str) -> None:
        """Delete a key when the transaction commits."""
        ...


Handler = Callable[[Stub, list[bytes]], Awaitable[Answer]]
