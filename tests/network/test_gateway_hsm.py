"""A key that never leaves its hardware module signs every step; the module is SoftHSM, a Debian package."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key
from gateway_stories import submitted
from kv_network import CHAINCODE
from membership import enrolled
from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

from network.gateway import Gateway
from network.gateway.hsm import HsmSigner
from network.gateway.identity import P256_ORDER
from network.topology import Topology

pytestmark = [pytest.mark.long]
PACKAGE, TOKEN, PIN, LABEL, KEY_ID = "softhsm2", "ledger", "1234", "member", b"\x07"
LIBRARIES = (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SoftHSM's library with one empty token; installed when this may be done."""
    if not any(map(Path.exists, LIBRARIES)):
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            pytest.skip(f"there is no SoftHSM here: apt-get install {PACKAGE}")
        subprocess.run(["apt-get", "install", "-y", PACKAGE], check=True)
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "softhsm2.conf")  # read when the library is loaded
    command = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--so-pin", PIN, "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)
    return next(filter(Path.exists, LIBRARIES))


@pytest.fixture(scope="session")
def public_key(library: Path) -> ec.EllipticCurvePublicKey:
    """The public half of a key pair made inside the token."""
    with pkcs11.lib(str(library)).get_token(token_label=TOKEN).open(user_pin=PIN, rw=True) as session:
        attributes = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        parameters = session.create_domain_parameters(pkcs11.KeyType.EC, attributes, local=True)
        public, _ = parameters.generate_keypair(id=KEY_ID, label=LABEL, store=True)
        point = encode_ec_public_key(public)
    loaded = load_der_public_key(point)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


@pytest.mark.network
def test_every_step_is_signed_inside_the_module(
    library: Path, public_key: ec.EllipticCurvePublicKey, kv: Topology, key: str
) -> None:
    identity = enrolled(kv, "supplier", public_key)
    roots = kv.folders("supplier").tls_ca.read_bytes()

    async def run(sign: HsmSigner) -> None:
        endpoint = kv.organisation("supplier").peer_endpoint
        async with Gateway(endpoint, identity, sign, tls_roots=roots) as gateway:
            contract = gateway.network(kv.channel).contract(CHAINCODE)
            await submitted(contract, "put", key, "1")
            assert await contract.evaluate("get", key) == b"1"

    with HsmSigner(library, TOKEN, PIN, key_label=LABEL) as sign:
        asyncio.run(run(sign))
    with HsmSigner(library, TOKEN, PIN, key_id=KEY_ID) as sign:
        asyncio.run(run(sign))


def test_signatures_of_the_module_have_a_low_s_and_verify(library: Path, public_key: ec.EllipticCurvePublicKey) -> None:
    digest = bytes(range(32))
    with HsmSigner(library, TOKEN, PIN, key_label=LABEL) as sign:
        for signature in (sign(digest) for _ in range(20)):
            assert utils.decode_dss_signature(signature)[1] <= P256_ORDER // 2
            public_key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))


def test_two_signers_of_one_token_work_side_by_side(library: Path, public_key: ec.EllipticCurvePublicKey) -> None:
    with HsmSigner(library, TOKEN, PIN, key_label=LABEL) as first:
        with HsmSigner(library, TOKEN, PIN, key_label=LABEL) as second:
            assert second(bytes(32))
        assert first(bytes(32))


@pytest.mark.parametrize(
    ("token", "pin", "label", "words"),
    [
        ("nothing", PIN, LABEL, "token 'nothing' of .* cannot be opened"),
        (TOKEN, "4321", LABEL, "token 'ledger' of .* cannot be opened: PinIncorrect"),
        (TOKEN, PIN, "nobody", "key 'nobody' of token 'ledger'"),
        (TOKEN, PIN, None, "name the key by its label or its id"),
    ],
)
def test_what_cannot_be_opened_is_named(
    library: Path, public_key: ec.EllipticCurvePublicKey, token: str, pin: str, label: str | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        HsmSigner(library, token, pin, key_label=label)
