"""The consortium's fingerprint key on its way to another organisation: locked to its nodes' certificates, and signed.

Only those to whom it is locked can open it, and nobody else can put another key in its place: who takes it checks that
a founder's node has signed what is locked. Whoever gives says for which epoch the key is.
Source: `ledger_node.backup.sealed` and `locks` for the locking; ECDSA as for cards.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from ledger_node.backup.locks import to_certificate, with_key
from ledger_node.backup.sealed import SealedReader, SealedWriter
from ledger_node.errors import BadRequest, VerificationError
from ledger_node.formats.fingerprints import KEY_BYTES
from network.cards import UNREADABLE, Pem, Signature, Strict, issued_by, sign, verify
from network.founding import Founding

HANDOVER_BYTES_MAX = 128 * 1024
_PURPOSE = b"ledger-node fingerprint key 1\n"
_PIECE_BYTES = 1024
_AGAIN = "Ask whoever gave it for it again."


class Handover(Strict):
    """What travels: who gives, to whom, the key of which epoch, locked. `certificate` is of the giver's node, PEM."""

    form: Literal["fingerprint key 1"] = "fingerprint key 1"
    giver: str = Field(max_length=61)
    takers: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]
    channel: str = Field(max_length=61)
    epoch: int = Field(ge=1)
    certificate: Pem
    sealed: str = Field(max_length=100_000)


class SignedHandover(Strict):
    """With the signature of the giver's node, as of cards."""

    handover: Handover
    signature: Signature


@dataclass(frozen=True, slots=True)
class Identity:
    """Who gives: its MSP id, and the certificate and private key that its node acts with on the channel, PEM."""

    msp_id: str
    certificate: str
    private_key: bytes


def give(key: bytes, epoch: int, giver: Identity, founding: Founding, now: dt.datetime) -> SignedHandover:
    """Lock the key to the nodes of all other founders, and sign that.

    Args:
        key: 32 bytes.
        epoch: that it is of.
        giver: who signs.
        founding: names the founders' nodes; checked before.
        now: UTC.

    Raises: BadRequest when there is nobody else, or a certificate cannot be locked to.
    """
    takers = [each.card for each in founding.cards if each.card.msp_id != giver.msp_id]
    if not takers or founding.card(giver.msp_id) is None:
        raise BadRequest(f"{giver.msp_id} has nobody in this founding to give the key to", "Name the right founding.")
    target = io.BytesIO()
    writer = SealedWriter(target, [to_certificate(each.node.encode(), now) for each in takers], _PIECE_BYTES)
    writer.write(key)
    writer.finish()
    handover = Handover(
        giver=giver.msp_id,
        takers=tuple(each.msp_id for each in takers),
        channel=founding.channel,
        epoch=epoch,
        certificate=giver.certificate,
        sealed=base64.b64encode(target.getvalue()).decode(),
    )
    return SignedHandover(handover=handover, signature=sign(giver.private_key, _PURPOSE, handover))


def take(signed: SignedHandover, own_msp_id: str, private_key: bytes, founding: Founding, now: dt.datetime) -> bytes:
    """The key, 32 bytes, after its giver was checked.

    Args:
        signed: what came.
        own_msp_id: who takes it.
        private_key: of the own node's TLS pair, PEM.
        founding: names the founders' authorities; checked before.
        now: UTC.

    Raises: VerificationError when it was not given by a founder's node for this channel, or was changed;
        BadRequest when it is for others.
    """
    handover = signed.handover
    if own_msp_id not in handover.takers:
        raise BadRequest(f"it is for {', '.join(handover.takers)}, not for {own_msp_id}", "Ask for one of your own.")
    card = founding.card(handover.giver)
    if card is None or handover.channel != founding.channel:
        text = f"it comes from {handover.giver} on the channel {handover.channel}, which is not of this founding"
        raise VerificationError(text, _AGAIN)
    try:
        fault = issued_by(handover.certificate, card.authority, "client", now)
        holds = not fault and verify(signed.signature, _PURPOSE, handover, handover.certificate)
    except UNREADABLE as error:
        raise VerificationError(f"the giver's certificate cannot be read: {error}", _AGAIN) from error
    if not holds:
        raise VerificationError(f"{handover.giver} has not signed it: {fault or 'it was changed'}", _AGAIN)
    try:
        sealed = base64.b64decode(handover.sealed, validate=True)
    except ValueError as error:
        raise VerificationError("what is locked is not base64", _AGAIN) from error
    reader = SealedReader(io.BytesIO(sealed), with_key(private_key))
    key = reader.read()
    reader.finish()
    if len(key) != KEY_BYTES:
        raise VerificationError(f"the key has {len(key)} bytes, not {KEY_BYTES}", _AGAIN)
    return key
