"""How long and how slow a guest of a door may be, and how many there may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of one door.

    Args:
        connections_max: open at once, whatever they do.
        connections_per_address_max: of them from one address.
        handshake_seconds_max: for the whole TLS handshake.
        header_seconds_max: for a whole header, from the connection or the last answer on.
        body_bytes_per_second_min: on average over a body, after the first `body_grace_seconds`.
        body_grace_seconds: before the rate counts, without a byte, and for an answer that is left unread.
        farewell_seconds_max: for what is being served when the door closes.
    """

    connections_max: int = 2000
    connections_per_address_max: int = 1000
    handshake_seconds_max: float = 5.0
    header_seconds_max: float = 10.0
    body_bytes_per_second_min: int = 1000
    body_grace_seconds: float = 10.0
    farewell_seconds_max: float = 4.0
