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

    def set_key_endorsers(
        self, key: str, msp_ids: Sequence[str], others: Sequence[str] = (), others_min: int = 0
    ) -> None:
        """From the commit on, a change of `key` needs an endorsement of a peer of every one of these organisations.

        Besides them, it needs peers of at least `others_min` of `others`. For this key that takes the place of the
        chaincode's own policy: those named suffice, so that without others an organisation alone could change its
        key as it likes, in a transaction that writes nothing else. For all other keys of a transaction the
        chaincode's policy holds as before. A change of the endorsers is a change of the key, and needs those that
        were set before. They are forgotten when the key is deleted. A ledger without endorsement keeps them and
        enforces nothing.

        Args:
            key: of the ledger.
            msp_ids: at least one, none empty.
            others: none of `msp_ids` among them.
            others_min: at most as many as there are others.
        """
        ...


Handler = Callable[[Stub, list[bytes]], Awaitable[Answer]]
