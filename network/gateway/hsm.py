"""A signer whose key stays in a hardware security module, reached through PKCS#11.

Needs the extra `pkcs11` (python-pkcs11), and only this file does: `network.gateway` does not import it.
Source: PKCS#11 2.40, mechanism CKM_ECDSA; fabric-gateway's HSM signer.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11.constants import ObjectClass
from pkcs11.types import SignMixin

from network.gateway.identity import ORDERS, low_s

ORDER_BY_SIZE = {64: ORDERS["secp256r1"], 96: ORDERS["secp384r1"]}  # a signature is r and s, one after the other


class HsmSigner:
    """Signs with a private key of a token; a function for `Gateway`'s `sign`, to be closed after it.

    Signers of one token share its login within a process: close the first of them last.

    Args:
        library: the PKCS#11 library of the module's maker.
        token: the token's label.
        pin: of the token's user.
        key_label: the private key's label; either this or the id.
        key_id: the private key's id (CKA_ID).

    Raises:
        ValueError: neither label nor id; no such token or key, more than one, or a wrong PIN.
        pkcs11.PKCS11Error: the library cannot be loaded, or the module failed.
    """

    def __init__(
        self, library: Path, token: str, pin: str, *, key_label: str | None = None, key_id: bytes | None = None
    ) -> None:
        if key_label is None and key_id is None:
            raise ValueError("name the key by its label or its id")
        try:
            self._session = _session(pkcs11.lib(str(library)).get_token(token_label=token), pin)
        except (pkcs11.NoSuchToken, pkcs11.MultipleTokensReturned, pkcs11.PinIncorrect) as error:
            raise ValueError(f"token {token!r} of {library} cannot be opened: {_reason(error)}") from error
        try:
            key = self._session.get_key(ObjectClass.PRIVATE_KEY, label=key_label, id=key_id)
        except (pkcs11.NoSuchKey, pkcs11.MultipleObjectsReturned) as error:
            self._session.close()
            raise ValueError(f"key {key_label or key_id!r} of token {token!r}: {_reason(error)}") from error
        if not isinstance(key, SignMixin):
            self._session.close()
            raise ValueError(f"key {key_label or key_id!r} of token {token!r} may not sign")
        self._key = key
        self._lock = threading.Lock()  # a session does one thing at a time

    def __call__(self, digest: bytes) -> bytes:
        """Sign a digest of 32 bytes; the signature is DER-encoded with a low S. Raises: pkcs11.PKCS11Error."""
        with self._lock:
            raw = self._key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
        r, s = raw[: len(raw) // 2], raw[len(raw) // 2 :]
        encoded = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        return low_s(encoded, ORDER_BY_SIZE[len(raw)])

    def close(self) -> None:
        """End the session with the module."""
        self._session.close()

    def __enter__(self) -> HsmSigner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _session(token: pkcs11.Token, pin: str) -> pkcs11.Session:
    """A session with the token; its login counts for all sessions of the process, and cannot be done twice."""
    try:
        return token.open(user_pin=pin)
    except pkcs11.UserAlreadyLoggedIn:
        return token.open()


def _reason(error: Exception) -> str:
    """What the library says, or at least the name of what happened."""
    return str(error) or type(error).__name__
