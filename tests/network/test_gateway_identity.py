"""Signatures as Fabric wants them, and errors as gRPC carries them; no network needed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import hashlib
import queue
import threading

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from fabric_protos.gateway.gateway_pb2 import ProposedTransaction
from membership import stranger

from network.gateway import (
    Background,
    EndorseError,
    Gateway,
    Identity,
    PeerDetail,
    SubmitError,
    TlsClient,
    software_signer,
)
from network.gateway.identity import P256_ORDER, P384_ORDER, low_s


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    encoding = serialization.Encoding.PEM
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize(("curve", "order"), [(ec.SECP256R1(), P256_ORDER), (ec.SECP384R1(), P384_ORDER)])
def test_signatures_always_have_a_low_s_and_verify(curve: ec.EllipticCurve, order: int) -> None:
    key = ec.generate_private_key(curve)
    sign = software_signer(pem(key))
    for number in range(50):
        message = str(number).encode()
        signature = sign(hashlib.sha256(message).digest())
        assert utils.decode_dss_signature(signature)[1] <= order // 2
        key.public_key().verify(signature, message, ec.ECDSA(hashes.SHA256()))


def test_a_high_s_is_replaced_and_a_low_one_kept() -> None:
    low, high = utils.encode_dss_signature(7, 5), utils.encode_dss_signature(7, P256_ORDER - 5)
    assert low_s(low) == low
    assert low_s(high) == low


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP521R1()), rsa.generate_private_key(65537, 2048)], ids=["P-521", "RSA"]
)
def test_keys_that_fabric_does_not_take_are_refused(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    with pytest.raises(ValueError, match="P-256"):
        software_signer(pem(key))


def test_a_proposal_is_made_without_any_network_and_has_its_own_id() -> None:
    contract = Gateway("nowhere:1", stranger()).network("scf").contract("scf", "trade")
    first, second = contract.propose("a"), contract.propose("a")
    assert len(first.transaction_id) == 64
    assert first.transaction_id != second.transaction_id
    assert b"trade:a" in first.serialized


def test_what_was_stored_goes_on_as_it_was_signed_whoever_goes_on() -> None:
    signing, other = Gateway("nowhere:1", stranger()), Gateway("nowhere:1", stranger())
    proposal = signing.network("scf").contract("scf").propose("a")
    stored = ProposedTransaction.FromString(proposal.serialized)
    stored.transaction_id = "0" * 64
    assert other.proposal(stored.SerializeToString()).transaction_id == proposal.transaction_id
    commit = signing.network("scf").commit(proposal.transaction_id).signed(b"signature")
    assert other.commit(commit.serialized).serialized == commit.serialized
    assert other.commit(commit.serialized).signed(b"new").digest == commit.digest


def test_what_would_be_misread_is_refused() -> None:
    with pytest.raises(ValueError, match="PEM"):
        Gateway("nowhere:1", Identity("SupplierMSP", b"no certificate"))
    with pytest.raises(TypeError, match="list of MSP ids, not 'SupplierMSP'"):
        Gateway("nowhere:1", stranger()).network("scf").contract("scf").propose("a", organisations="SupplierMSP")
    with pytest.raises(ValueError, match="that is no TLS"):
        Gateway("nowhere:1", stranger(), tls_client=TlsClient(stranger().certificate, b"key"))


def test_a_background_closed_by_another_thread_ends_what_runs_in_it_and_starts_nothing_more() -> None:
    background = Background()
    assert background.run(asyncio.sleep(0, "ran")) == "ran"
    outcomes: queue.Queue[str] = queue.Queue()

    def use() -> None:
        while True:
            try:
                background.run(asyncio.sleep(0.001))
            except (concurrent.futures.CancelledError, RuntimeError) as error:
                outcomes.put(type(error).__name__)
                return

    threads = [threading.Thread(target=use, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    background.close()
    assert {outcomes.get(timeout=10) for _ in threads} <= {"CancelledError", "RuntimeError"}


def test_a_peer_that_does_not_answer_is_an_error_of_the_step() -> None:
    sign = software_signer(pem(ec.generate_private_key(ec.SECP256R1())))
    background = Background()
    gateway = Gateway("127.0.0.1:1", stranger(), sign)
    with pytest.raises(EndorseError) as caught:
        background.run(gateway.network("scf").contract("scf").submit("a"))
    assert caught.value.code == "UNAVAILABLE"
    assert caught.value.details == ()
    background.run(gateway.close())
    background.close()


def details(*messages: str) -> tuple[PeerDetail, ...]:
    return tuple(PeerDetail("127.0.0.1:1", "SupplierMSP", message) for message in messages)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (("chaincode response 409, no",), (409, "no")),
        (("chaincode response 409, no", "chaincode response 409, no"), (409, "no")),
        (("chaincode response 409, no", "chaincode response 409, never"), None),
        (("chaincode response 409, no", "ProposalResponsePayloads do not match"), None),
        (("ProposalResponsePayloads do not match",), None),
        (("chaincode response forged",), None),
        ((), None),
    ],
)
def test_only_one_answer_of_all_who_were_asked_is_a_refusal(
    messages: tuple[str, ...], expected: tuple[int, str] | None
) -> None:
    response = EndorseError("failed", details=details(*messages)).chaincode_response
    assert expected == (None if response is None else (response.status, response.message))


def test_orderers_that_have_the_transaction_already_are_no_failure() -> None:
    info = "status=SERVICE_UNAVAILABLE, info=failed to submit request: request already processed"
    assert SubmitError("insufficient", details=details(info)).already_ordered
    assert not SubmitError("insufficient", details=details("status=FORBIDDEN")).already_ordered


def test_an_error_says_who_said_what() -> None:
    error = EndorseError("failed to endorse", "id", "ABORTED", details("no"))
    assert str(error) == "ABORTED failed to endorse [127.0.0.1:1 (SupplierMSP): no]"
