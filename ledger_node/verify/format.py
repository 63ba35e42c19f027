"""The two files: an evidence bundle, and whom to believe. What they may hold, and nothing else.

Described in docs/reference/bundle.md; a change here is a new version there.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
    model_validator,
)

from ledger_node.faults import faults
from ledger_node.verify.canonical import MalformedError, decode, encode
from network.faults import described

BUNDLE_FORMAT, TRUST_FORMAT = "ledger-node-evidence", "ledger-node-trust"
BUNDLE_BYTES_MAX = 64 * 1024 * 1024
TRUST_BYTES_MAX = 8 * 1024 * 1024
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
ES256, ML_DSA_65 = "ES256", "ML-DSA-65"
JWS_TYPE = "ledger-node-evidence+json"


def base64_decoded(value: Any) -> bytes:
    """Bytes of their one spelling in base64 (RFC 4648 section 4). Raises: ValueError."""
    if not isinstance(value, str):
        raise ValueError("has to be text in base64")
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is no base64") from None
    if base64.b64encode(data).decode() != value:
        raise ValueError("is not the one spelling that its bytes have in base64")
    return data


def base64url_encoded(data: bytes) -> str:
    """Without padding, as JOSE has it (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base64url_decoded(value: Any) -> bytes:
    """Bytes of their one spelling in base64url without padding. Raises: ValueError."""
    if not isinstance(value, str) or "=" in value or "+" in value or "/" in value:
        raise ValueError("is no base64url")
    try:
        data = base64.urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise ValueError("is no base64url") from None
    if base64url_encoded(data) != value:
        raise ValueError("is not the one spelling that its bytes have in base64url")
    return data


def read_time(text: str) -> dt.datetime:
    """A time as both files have it. Raises: ValueError."""
    at = dt.datetime.strptime(text, TIME_FORMAT).replace(tzinfo=dt.UTC)
    if at.isoformat() != text.replace("Z", "+00:00"):  # not strftime, which writes the year 999 with three digits
        raise ValueError("has to be a time such as 2026-11-30T16:00:00Z")
    return at


def _is_time(text: str) -> str:
    read_time(text)
    return text


def _is_number(value: Any) -> Any:
    if isinstance(value, bool):  # for Python, true is 1
        raise ValueError("has to be 1")
    return value


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


Bytes = Annotated[bytes, PlainValidator(base64_decoded), PlainSerializer(_encoded)]
UrlBytes = Annotated[bytes, PlainValidator(base64url_decoded), PlainSerializer(base64url_encoded)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Serial = Annotated[str, Field(pattern=r"^[0-9a-f]{1,40}$")]
Number = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]
Key = Annotated[str, Field(pattern=r"^[!-~]{1,500}$")]
Time = Annotated[str, AfterValidator(_is_time)]
Version = Annotated[Literal[1], BeforeValidator(_is_number)]
FIRST: Any = Field(fail_fast=True)  # of a list's faults one is told: a forger could make millions


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, value: Any) -> Any:
        """At the first name that is not known: a forger could give millions, and each be told of."""
        unknown = (
            next((name for name in value if name not in cls.model_fields), None) if isinstance(value, dict) else None
        )
        if unknown is not None:
            raise ValueError(f"{unknown[:200]!r} is not known here")
        return value


class Subject(_Strict):
    """What the bundle is about."""

    kind: Literal["document", "invoice"]
    id: Name


class OpenedDocument(_Strict):
    """A document with what opens its commitment."""

    id: Name
    digest: Hex
    salt: Hex
    commitment: Hex


class Record(_Strict):
    """A value that a transaction wrote, as the ledger holds it."""

    key: Key
    transaction: Hex
    value: str


class Answer(_Strict):
    """A peer's signed answer."""

    endorser: Bytes
    payload: Bytes
    signature: Bytes


class TransactionEvidence(_Strict):
    """A transaction, its place, and what peers say became of it."""

    answers: Annotated[list[Answer], FIRST, Field(max_length=1000)]
    block: Number
    envelope: Bytes
    id: Hex
    index: Number
    question: Bytes


class OrdererSignature(_Strict):
    """An orderer's signature under a block."""

    header: Bytes
    signature: Bytes


class BlockEvidence(_Strict):
    """A block's signed header; `data` are its envelopes, or null when they were left out."""

    data: Annotated[list[Bytes], FIRST] | None
    data_hash: Hex
    number: Number
    previous_hash: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
    signatures: Annotated[list[OrdererSignature], FIRST, Field(max_length=1000)]
    value: Bytes


class Bundle(_Strict):
    """What the issuer signs."""

    blocks: Annotated[list[BlockEvidence], FIRST, Field(min_length=1)]
    chaincode: Name
    channel: Name
    documents: Annotated[list[OpenedDocument], FIRST]
    format: Literal["ledger-node-evidence"]
    genesis: Hex
    issued_at: Time
    issuer: Name
    records: Annotated[list[Record], FIRST, Field(min_length=1)]
    subject: Subject
    transactions: Annotated[list[TransactionEvidence], FIRST, Field(min_length=1)]
    version: Version


class JwsSignature(_Strict):
    """One signature of a JWS."""

    protected: UrlBytes
    signature: UrlBytes


class Jws(_Strict):
    """The file: a JWS in the general JSON serialisation (RFC 7515 section 7.2.1), without unprotected headers."""

    payload: UrlBytes
    signatures: Annotated[list[JwsSignature], FIRST, Field(max_length=8)]


class Es256Header(_Strict):
    """The protected header of the signature by the Fabric identity; `x5c` is its certificate, DER."""

    alg: Literal["ES256"]
    typ: Literal["ledger-node-evidence+json"]
    x5c: Annotated[list[Bytes], FIRST, Field(min_length=1, max_length=1)]


class MlDsaHeader(_Strict):
    """The protected header of the post-quantum signature; `kid` is the SHA-256 of the public key."""

    alg: Literal["ML-DSA-65"]
    kid: Hex
    typ: Literal["ledger-node-evidence+json"]


class TrustedMember(_Strict):
    """An organisation; certificates are PEM, `revoked` are serial numbers in hexadecimal."""

    authorities: Annotated[list[str], FIRST]
    intermediates: Annotated[list[str], FIRST]
    msp_id: Name
    revoked: Annotated[list[Serial], FIRST]
    units: dict[Name, str]


class TrustedConsenter(_Strict):
    """An orderer that signs blocks under its number."""

    certificate: str
    msp_id: Name
    number: Number


class TrustedRule(_Strict):
    """A policy: either one signer, or `out_of` rules (and then the texts are empty)."""

    msp_id: str
    out_of: Number
    role: str
    rules: Annotated[list[TrustedRule], FIRST]


class TrustedConfiguration(_Strict):
    """Whom to believe from the block after `block` on."""

    block: Number
    consenters: Annotated[list[TrustedConsenter], FIRST]
    endorsement: TrustedRule
    members: Annotated[list[TrustedMember], FIRST]
    quorum: Annotated[int, Field(ge=1)]


class TrustedKey(_Strict):
    """A post-quantum key by which an organisation signs bundles; `public` are its bytes in base64."""

    alg: Literal["ML-DSA-65"]
    msp_id: Name
    public: Bytes


class Trust(_Strict):
    """Whom to believe; `taken_by` and `taken_at` say whose peer told it, and when."""

    chaincode: Name
    channel: Name
    configurations: Annotated[list[TrustedConfiguration], FIRST, Field(min_length=1)]
    format: Literal["ledger-node-trust"]
    genesis: Hex
    keys: Annotated[list[TrustedKey], FIRST]
    taken_at: Time
    taken_by: Name
    version: Version


M = TypeVar("M", bound=_Strict)


def read(model: type[M], data: bytes, what: str) -> M:
    """What canonical JSON says, of the form given.

    Raises: MalformedError.
    """
    try:
        return model.model_validate(decode(data, what))
    except ValidationError as error:
        raise MalformedError(f"{what}: {described(faults(error))[:500]}") from error


def write(value: _Strict) -> bytes:
    """Canonical JSON of a file or header."""
    return encode(value.model_dump())
