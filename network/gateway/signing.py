"""How every step is signed: with the gateway's own signer, or elsewhere, over a digest that was taken out.

A step that can be signed shows `digest`; `signed(signature)` puts a signature in that was made elsewhere. Without
one, the gateway's signer is used when the step is taken.
"""

from __future__ import annotations

import hashlib
import inspect

from network.gateway.deadlines import Deadlines
from network.gateway.identity import AsyncSign, Identity, Sign
from network.gateway.peers import Peers

NONCE_SIZE_BYTES = 24


class Context:
    """What all nouns of one gateway share: who acts, how it signs, where it connects to, how long it waits."""

    def __init__(
        self,
        peers: Peers,
        identity: Identity,
        sign: Sign | AsyncSign | None,
        deadlines: Deadlines,
        tls_certificate_digest: bytes = b"",
    ) -> None:
        self.peers = peers
        self.identity = identity
        self.creator = identity.creator
        self._signs_whole_messages = identity.signs_whole_messages
        self.deadlines = deadlines
        self.tls_certificate_digest = tls_certificate_digest  # peers that ask for a certificate bind requests to it
        self._sign = sign

    def acting_as(self, identity: Identity, sign: Sign | AsyncSign | None) -> Context:
        """The same for another identity."""
        return Context(self.peers, identity, sign, self.deadlines, self.tls_certificate_digest)

    async def signature(self, message: bytes, given: bytes) -> bytes:
        """The signature of a message: the one given, or a new one of the gateway's signer.

        Raises:
            ValueError: none was given and the gateway has no signer.
            TypeError: the signer returned something else than bytes; nothing was sent.
        """
        if given:
            return given
        if self._sign is None:
            raise ValueError("not signed: this gateway has no signer, so put in a signature of the digest first")
        made = self._sign(self.digest(message))
        signature: object = await made if inspect.isawaitable(made) else made
        if not isinstance(signature, bytes) or not signature:
            raise TypeError(f"the signer returned no signature but {type(signature).__name__}: nothing was sent")
        return signature

    def digest(self, message: bytes) -> bytes:
        """What the identity's key signs: the SHA-256 of a message, or for an Ed25519 key the message itself."""
        return message if self._signs_whole_messages else digest_of(message)


def digest_of(message: bytes) -> bytes:
    """SHA-256 of a message, 32 bytes."""
    return hashlib.sha256(message).digest()
