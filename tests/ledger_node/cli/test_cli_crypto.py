"""The inventory of keys: what a node has, and what is wrong with it, from its own files."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledger_node.agreement import make_key
from ledger_node.cli import main
from ledger_node.cli.init import write_demo
from ledger_node.config import load_settings
from ledger_node.evidence.keys import own_key
from ledger_node.keyring import keys


@pytest.fixture
def node(tmp_path: Path) -> Path:
    write_demo(tmp_path, 20000, "fabric")
    return tmp_path / "nodes" / "supplier"


def listed(node: Path) -> dict[str, dict[str, Any]]:
    done = CliRunner().invoke(main, ["crypto", "inventory", "--node", str(node), "--json"])
    assert done.exit_code == 0, done.output
    return {key["name"]: key for key in json.loads(done.stdout)["result"]["keys"]}


def test_every_key_of_a_node_is_listed_with_algorithm_end_and_use(node: Path) -> None:
    found = listed(node)
    roots = {f"tls.roots.{name.capitalize()}MSP" for name in ("supplier", "buyer", "financier", "carrier")}
    named = {"fabric.certificate", "fabric.tls_root", "authority", "tls.certificate", *roots}
    secrets = {"evidence_key_file", "fingerprint_key_file", "record ids"}
    assert set(found) == named | secrets | {"agreement_key_file"}
    for name in named:
        assert (found[name]["algorithm"], found[name]["quantum"]) == ("ECDSA P-256", "falls")
        assert found[name]["ends"].startswith("20")
    assert {found[name]["quantum"] for name in secrets} == {"holds"}
    assert all(key["use"] for key in found.values())
    assert [name for name, key in found.items() if key["fault"]] == ["evidence_key_file"]


def test_what_is_missing_exposed_or_no_certificate_is_said(node: Path) -> None:
    own_key(node / "evidence.key")
    assert listed(node)["evidence_key_file"]["fault"] == ""
    (node / "evidence.key").chmod(0o644)
    assert "others can read" in listed(node)["evidence_key_file"]["fault"]
    certificate = Path(listed(node)["tls.certificate"]["path"])
    certificate.write_text("none")
    assert listed(node)["tls.certificate"]["fault"] == "it is no certificate"
    certificate.unlink()
    assert "cannot be read" in listed(node)["tls.certificate"]["fault"]


def test_agreement_keys_are_listed_by_their_public_halves_and_what_is_wrong_with_their_file_is_said(node: Path) -> None:
    def rows() -> list[tuple[str, str]]:
        found = keys(load_settings(node), dt.datetime.now(dt.UTC))
        return [(key.use.partition(": ")[2], key.fault) for key in found if key.name == "agreement_key_file"]

    made = [key for key, _ in rows()] + [make_key(node / "agreement.key")]
    assert rows() == [(key, "") for key in made]
    assert len(made) == 2
    (node / "agreement.key").chmod(0o644)
    ((_, fault),) = rows()
    assert "can be read by others" in fault
    (node / "agreement.key").unlink()
    ((_, fault),) = rows()
    assert "make-agreement-key" in fault


def test_a_certificate_that_has_ended_is_said(node: Path) -> None:
    found = {key.name: key for key in keys(load_settings(node), dt.datetime(2040, 1, 1, tzinfo=dt.UTC))}
    assert "it ended at" in found["fabric.certificate"].fault


def test_people_read_it_as_tables(node: Path) -> None:
    done = CliRunner().invoke(main, ["crypto", "inventory", "--node", str(node)])
    assert "ML-DSA-65" in done.stdout
    assert "TLS 1.2 or newer" in done.stdout
