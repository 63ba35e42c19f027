"""Sealed terms on a node: made for their readers when this party sends them, opened when it is one of the readers.

The body's key is drawn from the sender's agreement key, the record, the request and the values, so a request that is
repeated seals the same bytes. Body and wraps are AES-SIV, which gives nothing but equality away even if a key came
twice, and are bound to record and parties: what is copied into another record does not open. Must never put values into
a log, and never say a number where it has none.
Source: RFC 5297 (AES-SIV), RFC 5869 (HKDF).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from chaincode.errors import RecordError
from chaincode.records import canonical, from_plain, parse_json, plain
from chaincode.records.parties import AgreementKey
from chaincode.records.sealed import BODY_STEP, Sealed, commitment
from chaincode.rules.agreement import key_on
from ledger_node.agreement import KEY_BYTES, AgreementKeys
from ledger_node.errors import ConfigError

WRAP, BODY = "wrap of a body's key", "body's key"
SIV_KEY_BYTES = 64
LENGTH_BYTES = 2

Plain = dict[str, Any]


class NotVisible(Exception):
    """Sealed terms that this node cannot show: `str` says to people why, and who may see them."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed: its values, checked against their type, and the salt of its commitment, 64 hex digits."""

    values: Plain
    salt: str


def seal(
    keys: AgreementKeys, record: str, values: Plain, readers: Sequence[Mapping[str, Any]], day: str, request_id: str
) -> Plain:
    """Seal terms for some parties, as the contract takes them.

    Args:
        keys: of this party, which is one of the readers.
        record: the ledger's key of the record.
        values: plain data, of at most 1 022 bytes as canonical JSON.
        readers: the ledger's records of the parties who may read it.
        day: the ledger's, by which a party's keys count.
        request_id: what is the same when the request is repeated.

    Raises: ConfigError: the own private key is not here.
    """
    of_readers = {
        party["msp_id"]: key_on([AgreementKey(**one) for one in party["agreement_keys"]], day) for party in readers
    }
    own, sender = of_readers[keys.msp_id], keys.msp_id
    body = canonical(values)
    drawn_for = json.dumps([BODY, record, request_id, body.decode()])
    body_key = keys.secret(own, sender, own, drawn_for)
    wraps = [
        {
            "party": reader,
            "key": key,
            "wrapped": _siv(keys.secret(own, reader, key, WRAP))
            .encrypt(body_key, _bound(WRAP, record, sender, reader))
            .hex(),
        }
        for reader, key in sorted(of_readers.items())
    ]
    return {
        "sender": sender,
        "sender_key": own,
        "body": _siv(body_key).encrypt(_padded(body), _bound(BODY, record, sender)).hex(),
        "commitment": commitment(_salt(body_key), record, values),
        "wraps": wraps,
    }


def unseal(keys: AgreementKeys, record: str, sealed: Plain, values_type: type[Any]) -> Opened:
    """Open sealed terms.

    Args:
        keys: of this party.
        record: the ledger's key of the record that carries them.
        sealed: as the ledger has them.
        values_type: the contract's dataclass of what they say.

    Raises: NotVisible.
    """
    found = from_plain(Sealed, sealed)
    names = " and ".join(wrap.party for wrap in found.wraps)
    wrap = next((wrap for wrap in found.wraps if wrap.party == keys.msp_id), None)
    if wrap is None:
        raise NotVisible(f"not visible to you: sealed for {names}")
    try:
        shared = keys.secret(wrap.key, found.sender, found.sender_key, WRAP)
    except ConfigError as error:
        text = f"not visible to you: sealed for {names}, and this node has lost its key: ledger-node crypto inventory"
        raise NotVisible(text) from error
    try:
        body_key = _siv(shared).decrypt(bytes.fromhex(wrap.wrapped), _bound(WRAP, record, found.sender, wrap.party))
        padded = _siv(body_key).decrypt(bytes.fromhex(found.body), _bound(BODY, record, found.sender))
        values = plain(from_plain(values_type, parse_json(_unpadded(padded))))
        salt = _salt(body_key)
        is_bound = commitment(salt, record, values) == found.commitment
    except (InvalidTag, RecordError, ValueError):
        is_bound = False
    if not is_bound:
        raise NotVisible(f"not visible to you: {found.sender} sealed it wrongly, and has to send it again")
    return Opened(values, salt)


def _siv(key: bytes) -> AESSIV:
    return AESSIV(_expanded(key, "AES-SIV", SIV_KEY_BYTES))


def _salt(body_key: bytes) -> str:
    return _expanded(body_key, "salt of a commitment", KEY_BYTES).hex()


def _expanded(key: bytes, use: str, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, f"ledger-node sealed 1 {use}".encode()).derive(key)


def _bound(*names: str) -> list[bytes]:
    return [name.encode() for name in names]


def _padded(body: bytes) -> bytes:
    """Length in 2 bytes, big-endian, the body, and zeros up to a multiple of BODY_STEP."""
    whole = len(body).to_bytes(LENGTH_BYTES, "big") + body
    return whole + bytes(-len(whole) % BODY_STEP)


def _unpadded(padded: bytes) -> bytes:
    length = int.from_bytes(padded[:LENGTH_BYTES], "big")
    body, rest = padded[LENGTH_BYTES : LENGTH_BYTES + length], padded[LENGTH_BYTES + length :]
    if len(body) != length or any(rest):
        raise ValueError("this is no padded body")
    return body
