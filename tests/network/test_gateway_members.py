"""Who may act: members enrolled later, members revoked, identities and keys read from files."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from gateway_stories import anew, submitted
from kv_network import CHAINCODE, channel_of
from membership import enrolled, revoke

from network.gateway import (
    BlocksError,
    EndorseError,
    EvaluateError,
    EventsError,
    Gateway,
    Identity,
    Sign,
    SubmitError,
    read_msp_folder,
    software_signer,
)
from network.topology import Topology

pytestmark = pytest.mark.network
PATIENCE_SECONDS = 120.0


def new_key() -> tuple[ec.EllipticCurvePublicKey, Sign]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.public_key(), signer_of(key)


def signer_of(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> Sign:
    no_password = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    return software_signer(pem)


def gateway_for(kv: Topology, identity: Identity, sign: Sign) -> Gateway:
    roots = kv.folders("supplier").tls_ca.read_bytes()
    return Gateway(kv.organisation("supplier").peer_endpoint, identity, sign, tls_roots=roots)


def test_a_revoked_identity_is_refused_at_every_step_and_others_go_on(kv: Topology, key: str) -> None:
    public_key, sign = new_key()
    identity = enrolled(kv, "supplier", public_key)

    async def run() -> None:
        async with gateway_for(kv, identity, sign) as gateway, channel_of(kv) as others:
            network = gateway.network(kv.channel)
            contract = network.contract(CHAINCODE)
            await submitted(contract, "put", key, "1")
            endorsed = await anew(lambda: contract.propose("put", key, "2").endorse())

            await revoke(kv, "supplier", identity)
            deadline = time.monotonic() + PATIENCE_SECONDS
            with pytest.raises(EvaluateError, match="access denied") as refused:
                while time.monotonic() < deadline:
                    await contract.evaluate("get", key)
            assert [detail.msp_id for detail in refused.value.details] == ["SupplierMSP"]
            with pytest.raises(EndorseError):
                await contract.submit("put", key, "3")
            with pytest.raises(EventsError, match="PERMISSION_DENIED"):
                await anext(network.chaincode_events(CHAINCODE, 0))
            with pytest.raises(BlocksError, match="FORBIDDEN"):
                await anext(network.blocks(0))
            # What was endorsed before does not get onto the ledger either.
            with pytest.raises(SubmitError, match="FORBIDDEN"):
                await endorsed.submit()
            assert await submitted(others.contract(CHAINCODE), "put", key, "4") == b"1"

    asyncio.run(asyncio.wait_for(run(), 120))


def test_an_identity_is_read_from_an_msp_folder_with_keys_of_former_certificates(
    kv: Topology, key: str, tmp_path: Path
) -> None:
    folder = tmp_path / "msp"
    shutil.copytree(kv.folders("supplier").user.path, folder)
    shutil.copy(kv.folders("buyer").user.key, folder / "keystore" / "former_sk")
    identity, sign = read_msp_folder(folder, "SupplierMSP")

    async def run() -> None:
        async with gateway_for(kv, identity, sign) as gateway:
            contract = gateway.network(kv.channel).contract(CHAINCODE)
            assert await submitted(contract, "put", key, "1") == b""

    asyncio.run(asyncio.wait_for(run(), 200))
    (folder / "keystore" / "key.pem").unlink()
    with pytest.raises(ValueError, match=r"no key in .* belongs to the certificate"):
        read_msp_folder(folder, "SupplierMSP")
    (folder / "signcerts" / "second.pem").write_bytes(b"")
    with pytest.raises(ValueError, match="holds 2 files; it must hold one certificate"):
        read_msp_folder(folder, "SupplierMSP")


@pytest.mark.parametrize(
    "member", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()], ids=["P-384", "Ed25519"]
)
def test_members_with_other_keys_take_every_step(
    kv: Topology, key: str, member: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
) -> None:
    identity, sign = enrolled(kv, "supplier", member.public_key()), signer_of(member)

    async def run() -> None:
        async with gateway_for(kv, identity, sign) as gateway:
            network = gateway.network(kv.channel)
            contract = network.contract(CHAINCODE)
            height = await network.height()
            await submitted(contract, "announce", key, "Told", "1")
            assert await contract.evaluate("get", key) == b"1"
            assert (await anext(network.chaincode_events(CHAINCODE, height))).payload == b"1"
            assert (await anext(network.filtered_blocks(0))).number == 0
            proposal = contract.propose("get", key)
            assert await gateway.proposal(proposal.serialized, sign(proposal.digest)).evaluate() == b"1"

    asyncio.run(asyncio.wait_for(run(), 200))


def test_a_certificate_of_another_authority_is_refused(kv: Topology) -> None:
    public_key, sign = new_key()
    stranger = Identity("SupplierMSP", enrolled(kv, "buyer", public_key).certificate)

    async def run() -> None:
        async with gateway_for(kv, stranger, sign) as gateway:
            with pytest.raises(EvaluateError, match="access denied"):
                await gateway.network(kv.channel).contract(CHAINCODE).evaluate("get", "a")

    asyncio.run(asyncio.wait_for(run(), 200))
