"""What others would use instead, built from the programs in `shared/peers` beside the checkout: Go shim, Node client.

Nothing of those programs is kept here; without them, or without Go, Node or the registries, a bench says so and skips.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from network.topology import Topology

PEERS = Path(__file__).resolve().parents[3] / "shared" / "peers"
GO_SHIM = "github.com/hyperledger/fabric-chaincode-go/v2 v2.3.0"
GO_WITHOUT_TLS = "shim.TLSProperties{Disabled: true}"
GO_WITH_TLS = (
    'shim.TLSProperties{Key: pem("CHAINCODE_TLS_KEY"), Cert: pem("CHAINCODE_TLS_CERT"),'
    ' ClientCACerts: pem("CHAINCODE_TLS_CLIENT_CA")}'
)
GO_PEM = """package main

import "os"

func pem(setting string) []byte {
	content, err := os.ReadFile(os.Getenv(setting))
	if err != nil {
		panic(err)
	}
	return content
}
"""
SKIPPED = 77  # the exit code of a program that could not compare: neither success nor failure
NODE_PACKAGES = ("@grpc/grpc-js", "@hyperledger/fabric-gateway")


def skip(why: str) -> NoReturn:
    """End the program: without the rival there is nothing to compare with."""
    sys.stderr.write(f"SKIPPED, NOTHING IS MEASURED: {why}\n")
    sys.exit(SKIPPED)


def go_contract(folder: Path) -> tuple[str, ...]:
    """Build the Go contract with mutual TLS, as ours has it; its command, which reads CHAINCODE_* like ours."""
    source = _source("kv_chaincode.go").read_text("utf-8")
    if source.count(GO_WITHOUT_TLS) != 1:
        skip(f"kv_chaincode.go no longer says {GO_WITHOUT_TLS!r}, so TLS cannot be switched on")
    folder.mkdir(parents=True)
    (folder / "main.go").write_text(source.replace(GO_WITHOUT_TLS, GO_WITH_TLS), "utf-8")
    (folder / "pem.go").write_text(GO_PEM, "utf-8")
    (folder / "go.mod").write_text(f"module kv\n\ngo 1.24\n\nrequire {GO_SHIM}\n", "utf-8")
    _run(["go", "mod", "tidy"], folder)
    _run(["go", "build", "-o", "kv", "."], folder)
    return ("/bin/sh", "-c", f'exec {folder}/kv "$CHAINCODE_ID" "$CHAINCODE_ADDRESS"')


def node_client(folder: Path) -> Path:
    """Install the official Node client beside a copy of the bench program; the program's path."""
    source = _source("node_gateway_bench.mjs")
    folder.mkdir(parents=True)
    _run(["npm", "install", "--silent", "--no-fund", "--no-audit", *NODE_PACKAGES], folder)
    return Path(shutil.copy(source, folder))


def run_node(program: Path, topology: Topology, *arguments: object) -> dict[str, Any]:
    """Run a program of the Node client as the supplier's user; what it prints, one JSON line.

    Args:
        program: takes ENDPOINT MSPID CERT KEY TLS_CA CHANNEL and then `arguments`.
    """
    who = topology.organisations[0]
    folders = topology.folders(who.name)
    files = (folders.user.certificate, folders.user.key, folders.tls_ca)
    command = ["node", program, who.peer_endpoint, who.msp_id, *files, topology.channel, *arguments]
    printed = _run([str(each) for each in command], program.parent)
    result: dict[str, Any] = json.loads(printed)
    return result


def _source(name: str) -> Path:
    source = PEERS / name
    return source if source.exists() else skip(f"{source} is not there")


def _run(command: list[str], folder: Path) -> str:
    """Run a tool of another language; its standard output."""
    if shutil.which(command[0]) is None:
        skip(f"{command[0]} is not on PATH")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        skip(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-500:]}")
    return done.stdout
