"""A consortium of four whose keys the tests hold: what its members sign, in Fabric's own messages, true or forged.

Nothing of the code under test is used but the trust file's and the bundle's canonical form.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, utils
from cryptography.x509.oid import NameOID
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    IdentifierHeader,
    LastConfig,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRead, KVRWSet, KVWrite, Version
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeInvocationSpec, ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeProposalPayload
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponsePayload, Response
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    ProcessedTransaction,
    Transaction,
    TransactionAction,
)

JSON = dict[str, Any]
NAMES = ("BuyerMSP", "CarrierMSP", "FinancierMSP", "SupplierMSP")
CHANNEL, CHAINCODE = "scf", "contract"
NOW = dt.datetime(2026, 11, 30, 12, 0, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def unb64(text: str) -> bytes:
    return base64.b64decode(text)


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unurl(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Person:
    """A certificate with its key."""

    msp_id: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def identity(self) -> bytes:
        return bytes(SerializedIdentity(mspid=self.msp_id, id_bytes=self.pem).SerializeToString())

    def sign(self, message: bytes) -> bytes:
        r, s = utils.decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return utils.encode_dss_signature(r, min(s, ORDER - s))


class Authority:
    """A root under which an organisation issues; it may say that it is any organisation's."""

    def __init__(self, msp_id: str) -> None:
        self.msp_id, self.key = msp_id, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca of {msp_id}")])
        self.certificate = self._build(self.name, self.key, NOW - YEAR, NOW + 10 * YEAR, authority=True)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, role: str, since: dt.datetime = NOW - YEAR, until: dt.datetime = NOW + YEAR) -> Person:
        key = ec.generate_private_key(ec.SECP256R1())
        unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, role)
        name = x509.Name([unit, x509.NameAttribute(NameOID.COMMON_NAME, f"a {role}")])
        return Person(self.msp_id, self._build(name, key, since, until, authority=False), key)

    def _build(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        since: dt.datetime,
        until: dt.datetime,
        *,
        authority: bool,
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(since).not_valid_after(until)
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Organisation:
    """One of the four."""

    authority: Authority
    peer: Person = field(init=False)
    client: Person = field(init=False)
    orderer: Person = field(init=False)

    def __post_init__(self) -> None:
        self.peer, self.client, self.orderer = (self.authority.issue(role) for role in ("peer", "client", "orderer"))


class Consortium:
    """Four organisations, each with a peer, a client and an orderer."""

    def __init__(self) -> None:
        self.of = {name: Organisation(Authority(name)) for name in NAMES}
        self.post_quantum = mldsa.MLDSA65PrivateKey.generate()
        self.genesis = hashlib.sha256(b"genesis").hexdigest()

    def trust(self) -> JSON:
        rules = [{"msp_id": name, "out_of": 0, "role": "peer", "rules": []} for name in NAMES]
        members = [
            {
                "authorities": [each.authority.pem],
                "intermediates": [],
                "msp_id": name,
                "revoked": [],
                "units": {"client": "client", "orderer": "orderer", "peer": "peer"},
            }
            for name, each in self.of.items()
        ]
        consenters = [
            {"certificate": each.orderer.pem.decode(), "msp_id": name, "number": number}
            for number, (name, each) in enumerate(self.of.items(), 1)
        ]
        configuration = {
            "block": 0,
            "consenters": consenters,
            "endorsement": {"msp_id": "", "out_of": 3, "role": "", "rules": rules},
            "members": members,
            "quorum": 3,
        }
        key = {
            "alg": "ML-DSA-65",
            "msp_id": "SupplierMSP",
            "public": b64(self.post_quantum.public_key().public_bytes_raw()),
        }
        return {
            "chaincode": CHAINCODE,
            "channel": CHANNEL,
            "configurations": [configuration],
            "format": "ledger-node-trust",
            "genesis": self.genesis,
            "keys": [key],
            "taken_at": "2026-11-30T12:30:00Z",
            "taken_by": "BuyerMSP",
            "version": 1,
        }

    def transaction(
        self,
        writes: dict[str, str],
        sender: Person,
        endorsers: Sequence[Person],
        *,
        at: dt.datetime = NOW,
        channel: str = CHANNEL,
        chaincode: str = CHAINCODE,
        reads: Mapping[str, tuple[int, int] | None] | None = None,
    ) -> bytes:
        """The envelope of a transaction; who signs what is up to the test."""
        header, spec, _ = _proposal(sender, channel, chaincode, [b"command"], at)
        rests_on = [
            KVRead(key=key, version=None if place is None else Version(block_num=place[0], tx_num=place[1]))
            for key, place in (reads or {}).items()
        ]
        kv = KVRWSet(
            reads=rests_on,
            writes=[KVWrite(key=key, value=value.encode(), is_delete=not value) for key, value in writes.items()],
        )
        sets = TxReadWriteSet(ns_rwset=[NsReadWriteSet(namespace=chaincode, rwset=kv.SerializeToString())])
        response = _response(header, spec, sets.SerializeToString(), chaincode, b"{}")
        endorsements = [
            Endorsement(endorser=each.identity, signature=each.sign(response + each.identity)) for each in endorsers
        ]
        action = ChaincodeEndorsedAction(proposal_response_payload=response, endorsements=endorsements)
        inner = ChaincodeActionPayload(chaincode_proposal_payload=spec, action=action)
        transaction = Transaction(actions=[TransactionAction(payload=inner.SerializeToString())])
        payload = Payload(header=header, data=transaction.SerializeToString()).SerializeToString()
        return bytes(Envelope(payload=payload, signature=sender.sign(payload)).SerializeToString())

    def block(
        self,
        number: int,
        data: Sequence[bytes],
        signers: Sequence[tuple[int, Person]] | None = None,
        configuration: int = 0,
    ) -> JSON:
        """A block signed by consenters 1 to 3, or by whoever is given with the number that they claim."""
        if signers is None:
            signers = [(place, each.orderer) for place, each in enumerate(self.of.values(), 1)][:3]
        previous, content = hashlib.sha256(b"before").digest(), hashlib.sha256(b"".join(data)).digest()
        value = OrdererBlockMetadata(last_config=LastConfig(index=configuration)).SerializeToString()
        der = _der(
            0x30, _der(2, number.to_bytes(number.bit_length() // 8 + 1, "big")) + _der(4, previous) + _der(4, content)
        )
        signatures = []
        for claimed, person in signers:
            header = IdentifierHeader(identifier=claimed, nonce=b"nonce").SerializeToString()
            signatures.append({"header": b64(header), "signature": b64(person.sign(value + header + der))})
        return {
            "data": [b64(each) for each in data],
            "data_hash": content.hex(),
            "number": number,
            "previous_hash": previous.hex(),
            "signatures": signatures,
            "value": b64(value),
        }

    def witnessed(
        self,
        envelope: bytes,
        block: int,
        index: int,
        *,
        code: int = 0,
        peers: Sequence[Person] | None = None,
        at: dt.datetime = NOW,
    ) -> JSON:
        """A transaction with the answers of three peers, or of those given."""
        peers = [each.peer for each in self.of.values()][:3] if peers is None else peers
        transaction_id = id_of(envelope)
        asker = self.of["SupplierMSP"].client
        arguments = [b"GetTransactionByID", CHANNEL.encode(), transaction_id.encode()]
        header, spec, question = _proposal(asker, CHANNEL, "qscc", arguments, at)
        processed = ProcessedTransaction(transactionEnvelope=Envelope.FromString(envelope), validationCode=code)
        payload = _response(header, spec, b"", "qscc", processed.SerializeToString())
        answers = [
            {
                "endorser": b64(each.identity),
                "payload": b64(payload),
                "signature": b64(each.sign(payload + each.identity)),
            }
            for each in peers
        ]
        return {
            "answers": answers,
            "block": block,
            "envelope": b64(envelope),
            "id": transaction_id,
            "index": index,
            "question": b64(question),
        }


def id_of(envelope: bytes) -> str:
    payload = Payload.FromString(Envelope.FromString(envelope).payload)
    return str(ChannelHeader.FromString(payload.header.channel_header).tx_id)


def sealed(
    payload: JSON | bytes,
    person: Person,
    key: mldsa.MLDSA65PrivateKey | None,
    algorithms: Sequence[str] = ("ES256", "ML-DSA-65"),
) -> bytes:
    """The bundle's file with signatures of the given kinds."""
    content = payload if isinstance(payload, bytes) else canonical(payload)
    signatures = []
    for algorithm in algorithms:
        header: JSON = {"alg": algorithm, "typ": "ledger-node-evidence+json"}
        if algorithm == "ES256":
            header["x5c"] = [b64(person.certificate.public_bytes(serialization.Encoding.DER))]
        else:
            assert key is not None
            header["kid"] = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()
        protected = url(canonical(header))
        message = f"{protected}.{url(content)}".encode()
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature(person.key.sign(message, ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            assert key is not None
            signature = key.sign(message)
        signatures.append({"protected": protected, "signature": url(signature)})
    return canonical({"payload": url(content), "signatures": signatures})


def _proposal(
    sender: Person, channel: str, chaincode: str, arguments: Sequence[bytes], at: dt.datetime
) -> tuple[Header, bytes, bytes]:
    nonce = hashlib.sha256(sender.identity + repr((arguments, at)).encode()).digest()[:24]
    channel_header = ChannelHeader(
        type=3, channel_id=channel, tx_id=hashlib.sha256(nonce + sender.identity).hexdigest()
    )
    channel_header.timestamp.FromDatetime(at)
    signature_header = SignatureHeader(creator=sender.identity, nonce=nonce)
    header = Header(
        channel_header=channel_header.SerializeToString(), signature_header=signature_header.SerializeToString()
    )
    spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=chaincode), input=ChaincodeInput(args=arguments))
    payload = ChaincodeProposalPayload(input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString())
    body = payload.SerializeToString()
    return header, body, ProposalMessage(header=header.SerializeToString(), payload=body).SerializeToString()


def _response(header: Header, spec: bytes, results: bytes, chaincode: str, answer: bytes) -> bytes:
    action = ChaincodeAction(
        results=results, response=Response(status=200, payload=answer), chaincode_id=ChaincodeID(name=chaincode)
    )
    digest = hashlib.sha256(header.channel_header + header.signature_header + spec).digest()
    return bytes(
        ProposalResponsePayload(proposal_hash=digest, extension=action.SerializeToString()).SerializeToString()
    )


def _der(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content
