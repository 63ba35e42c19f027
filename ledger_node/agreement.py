"""Agreement keys: the private halves that this node keeps, and the secrets that they make with another party's.

Two parties compute one secret, each from its own private key and the public key that the ledger shows of the other one
(X25519), through HKDF-SHA256 salted with the consortium's fingerprint key: so whoever breaks one of the two has not
broken the other. It is bound to both names, both keys and its use. Private keys stay for ever in one file, one a line,
the oldest first: what was issued or sealed under an old one may be asked for any time. Must never write to the ledger.
Source: RFC 7748 (X25519), RFC 5869 (HKDF).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chaincode.records.parties import AGREEMENT_KEYS_MAX, AgreementKey
from chaincode.rules.agreement import is_settled, key_on
from ledger_node.errors import ConfigError

AMOUNT = "amount fingerprint"
KEY_BYTES = 32
FILE_BYTES_MAX = 10 * AGREEMENT_KEYS_MAX * (2 * KEY_BYTES + 1)
MAKE = "Make one: ledger-node crypto make-agreement-key, then name it: ledger-node party change-agreement-key"
RESTORE = "Restore the file from a backup of this node: nobody else has these keys."


class AgreementKeys:
    """The agreement keys of one party.

    Args:
        msp_id: the party.
        path: a file of mode 0600 with its private keys, which need not be there yet.
        salt: the consortium's fingerprint key, 32 bytes.
    """

    def __init__(self, msp_id: str, path: Path, salt: bytes) -> None:
        self.msp_id = msp_id
        self._path = path
        self._salt = salt

    def holds(self, public_key: str) -> bool:
        """Whether the private half of a public key (64 hex digits) is here. Raises: ConfigError."""
        return public_key in load_keys(self._path)

    def amount_key(self, supplier: Mapping[str, Any], buyer: Mapping[str, Any], issued: str, day: str) -> bytes | None:
        """The key under which the amount of an invoice has its fingerprint.

        Args:
            supplier: the ledger's record of the invoice's supplier.
            buyer: of its buyer.
            issued: the invoice's date.
            day: the ledger's, empty before the first.

        Returns: the consortium's key where one of the two had no agreement key on that date, or both are one, else the
            pair's; None where the pair is of others, or where the key of that date may still become another one.
        Raises: ConfigError: the own private key of that date is not here.
        """
        named = {party["msp_id"]: _named(party) for party in (supplier, buyer)}
        if any(named.values()) and not (day and is_settled(issued, day)):
            return None
        of_date = {msp_id: key_on(keys, issued) for msp_id, keys in named.items()}
        if len(of_date) == 1 or not all(of_date.values()):
            return self._salt
        if self.msp_id not in of_date:
            return None
        return pair_key(self._private(of_date[self.msp_id]), self.msp_id, of_date, self._salt, AMOUNT)

    def secret(self, own_key: str, other: str, other_key: str, use: str) -> bytes:
        """What an own agreement key makes with another party's for one use, or with itself: 32 bytes.

        Args:
            own_key, other_key: public keys, 64 hex digits.
            other: the other party's MSP id, or the own one.
            use: what it is for.

        Raises: ConfigError: the own private key is not here.
        """
        private = self._private(own_key)
        if other == self.msp_id:
            return _own_key(private, self.msp_id, own_key, self._salt, use)
        return pair_key(private, self.msp_id, {self.msp_id: own_key, other: other_key}, self._salt, use)

    def _private(self, public_key: str) -> X25519PrivateKey:
        private = load_keys(self._path).get(public_key)
        if private is None:
            text = f"the private key of {self.msp_id}'s agreement key {public_key} is not in {self._path}"
            raise ConfigError(text, RESTORE)
        return private


def pair_key(private: X25519PrivateKey, own: str, of_parties: Mapping[str, str], salt: bytes, use: str) -> bytes:
    """The secret of two parties for one use: both compute the same 32 bytes.

    Args:
        private: the own half.
        own: the own MSP id, one of the two.
        of_parties: public keys of both, 64 hex digits, by MSP id.
        salt: the consortium's fingerprint key, 32 bytes.
        use: what it is for.

    Raises: ValueError: the other's key is a point of small order, which the contract takes from nobody.
    """
    (other,) = (key for msp_id, key in of_parties.items() if msp_id != own)
    shared = private.exchange(X25519PublicKey.from_public_bytes(bytes.fromhex(other)))
    return _derived(shared, salt, ["ledger-node pair key 1", use, *sorted(of_parties.items())])


def _own_key(private: X25519PrivateKey, own: str, public_key: str, salt: bytes, use: str) -> bytes:
    """A secret of one party's for one use, which only its private key makes."""
    return _derived(private.private_bytes_raw(), salt, ["ledger-node own key 1", use, own, public_key])


def _derived(secret: bytes, salt: bytes, bound_to: list[Any]) -> bytes:
    bound = json.dumps(bound_to, separators=(",", ":"))
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=salt, info=bound.encode()).derive(secret)


def load_keys(path: Path) -> dict[str, X25519PrivateKey]:
    """The private keys of a file by their public halves (64 hex digits), the oldest first; none where there is no file.

    Raises: ConfigError: it cannot be read, others can read it, or it holds something else.
    """
    try:
        with path.open(encoding="ascii") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"the agreement keys {path} cannot be read: {error}", RESTORE) from error
    if mode & 0o077:
        raise ConfigError(f"the agreement keys {path} can be read by others", f"Run: chmod 600 {path}")
    if len(text) > FILE_BYTES_MAX or not re.fullmatch(rf"([0-9a-f]{{{2 * KEY_BYTES}}}\n)+", text):
        raise ConfigError(f"the agreement keys {path} are not lines of {2 * KEY_BYTES} hex digits", RESTORE)
    keys = [X25519PrivateKey.from_private_bytes(bytes.fromhex(line)) for line in text.split()]
    return {key.public_key().public_bytes_raw().hex(): key for key in keys}


def make_key(path: Path) -> str:
    """Make another key beside those that are there, and give its public half, 64 hex digits.

    The file is replaced as a whole, readable by its owner only: a crash leaves the old one or the new one. Processes
    that do it at once take turns, so that no key is lost that somebody was shown.

    Args:
        path: of the private keys.

    Raises: ConfigError: as `load_keys`, or there is no room for another one; OSError of the disk.
    """
    with _alone(path.parent) as folder:
        made = _add_key(path)
        os.fsync(folder)  # a new name outlives a power failure only when its folder is on disk too
    return made.public_key().public_bytes_raw().hex()


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """One maker of keys in a folder at a time; the kernel lets go however it ends. Gives the folder's descriptor."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(folder)


def _add_key(path: Path) -> X25519PrivateKey:
    """Replace the file by one that has another key at its end."""
    before = load_keys(path)
    made = X25519PrivateKey.generate()
    text = "".join(f"{key.private_bytes_raw().hex()}\n" for key in (*before.values(), made))
    if len(text) > FILE_BYTES_MAX:
        raise ConfigError(f"there are {len(before)} agreement keys in {path} already", "Name one of them.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return made


def _named(party: Mapping[str, Any]) -> list[AgreementKey]:
    return [AgreementKey(**one) for one in party["agreement_keys"]]
