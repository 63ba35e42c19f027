"""A bundle: gathered from the read model, own documents and the members of the channel; then signed twice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from ledger_node.documents.index import OwnDocument
from ledger_node.evidence.keys import public_bytes
from ledger_node.ledger.interface import Witness
from ledger_node.readmodel import Record
from ledger_node.verify.format import (
    BUNDLE_FORMAT,
    ES256,
    JWS_TYPE,
    ML_DSA_65,
    TIME_FORMAT,
    Answer,
    BlockEvidence,
    Bundle,
    Es256Header,
    Jws,
    JwsSignature,
    MlDsaHeader,
    OpenedDocument,
    OrdererSignature,
    Subject,
    TransactionEvidence,
    write,
)
from ledger_node.verify.format import Record as RecordEvidence
from ledger_node.verify.issuer import INTEGER_BYTES, signing_input
from network.proofs.ordering import BlockSignature
from network.witnesses import SealedBlock, Witnessed

BlockChoice = Literal["own", "all", "none"]
"""Whose content goes in: of blocks that hold nobody else's transactions, of all, of none."""


@dataclass(frozen=True, slots=True)
class Certified:
    """What a bundle is to be about: its writes, as the read model has them, and own documents that it opens."""

    subject: Subject
    writes: Sequence[Record]
    documents: Sequence[OwnDocument]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who makes it."""

    msp_id: str
    channel: str
    chaincode: str
    genesis: str
    key: mldsa.MLDSA65PrivateKey


def make_bundle(certified: Certified, issuer: Issuer, witness: Witness, blocks: BlockChoice, now: dt.datetime) -> bytes:
    """The bundle's file, canonical JSON.

    Args:
        certified: with one write at least.
        issuer: who signs.
        witness: of the ledger.
        blocks: whose content goes in.
        now: when it is made.

    Raises: LedgerError.
    """
    transactions, sealed = witness.gather({each["transaction_id"]: each["block_number"] for each in certified.writes})
    bundle = Bundle.model_construct(
        blocks=[_block(each, _shows(each, transactions, blocks)) for each in sealed],
        chaincode=issuer.chaincode,
        channel=issuer.channel,
        documents=[_document(each) for each in certified.documents],
        format=BUNDLE_FORMAT,
        genesis=issuer.genesis,
        issued_at=now.strftime(TIME_FORMAT),
        issuer=issuer.msp_id,
        records=[
            RecordEvidence(key=each["key"], transaction=each["transaction_id"], value=each["value"])
            for each in certified.writes
        ],
        subject=certified.subject,
        transactions=[_transaction(each) for each in transactions],
        version=1,
    )
    return signed(write(bundle), witness, issuer.key)


def signed(payload: bytes, witness: Witness, key: mldsa.MLDSA65PrivateKey) -> bytes:
    """A JWS with both signatures."""
    certificate, _ = witness.sign(b"")
    der = x509.load_pem_x509_certificate(certificate).public_bytes(Encoding.DER)
    classical = write(Es256Header.model_construct(alg=ES256, typ=JWS_TYPE, x5c=[der]))
    _, signature = witness.sign(signing_input(classical, payload))
    integers = b"".join(part.to_bytes(INTEGER_BYTES, "big") for part in decode_dss_signature(signature))
    kid = hashlib.sha256(public_bytes(key)).hexdigest()
    modern = write(MlDsaHeader.model_construct(alg=ML_DSA_65, kid=kid, typ=JWS_TYPE))
    both = [
        JwsSignature.model_construct(protected=classical, signature=integers),
        JwsSignature.model_construct(protected=modern, signature=key.sign(signing_input(modern, payload))),
    ]
    return write(Jws.model_construct(payload=payload, signatures=both))


def _shows(block: SealedBlock, transactions: Sequence[Witnessed], blocks: BlockChoice) -> bool:
    own = {each.envelope for each in transactions}
    return blocks == "all" or (blocks == "own" and own.issuperset(block.data))


def _document(document: OwnDocument) -> OpenedDocument:
    return OpenedDocument(
        id=document.document_id,
        digest=document.digest.hex(),
        salt=document.salt.hex(),
        commitment=document.commitment,
    )


def _transaction(given: Witnessed) -> TransactionEvidence:
    return TransactionEvidence.model_construct(
        answers=[
            Answer.model_construct(endorser=each.endorser, payload=each.payload, signature=each.signature)
            for each in given.answers
        ],
        block=given.block_number,
        envelope=given.envelope,
        id=given.transaction_id,
        index=given.index,
        question=given.question,
    )


def _block(given: SealedBlock, shows: bool) -> BlockEvidence:
    header = given.header
    return BlockEvidence.model_construct(
        data=list(given.data) if shows else None,
        data_hash=header.data_hash.hex(),
        number=header.number,
        previous_hash=header.previous_hash.hex(),
        signatures=[_signature(each) for each in header.signatures],
        value=header.value,
    )


def _signature(given: BlockSignature) -> OrdererSignature:
    return OrdererSignature.model_construct(header=given.header, signature=given.signature)
