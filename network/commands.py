"""Running Fabric's official command-line tools for a moment, as one organisation's administrator."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from network.errors import NetworkError
from network.topology import Organisation, Topology

TOOL_SECONDS_MAX = 180.0
ERROR = "Error:"
LAST_LINES = 3
_FABRIC_PREFIXES = ("CORE_", "ORDERER_", "FABRIC_", "CHAINCODE_")


def clean_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with `settings`, less what would reconfigure Fabric behind our back."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FABRIC_PREFIXES)}
    return kept | dict(settings)


def peer_environment(topology: Topology, organisation: Organisation) -> dict[str, str]:
    """The settings with which `peer` acts as the organisation's administrator on its own peer."""
    folders = topology.folders(organisation.name)
    return {
        "FABRIC_CFG_PATH": str(topology.fabric_configuration),
        "FABRIC_LOGGING_SPEC": "warning",
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_LOCALMSPID": organisation.msp_id,
        "CORE_PEER_ADDRESS": organisation.peer_endpoint,
        "CORE_PEER_TLS_ROOTCERT_FILE": str(folders.tls_ca),
        "CORE_PEER_MSPCONFIGPATH": str(folders.admin.path),
    }


def run_tool(command: list[str], environment: Mapping[str, str], what: str) -> str:
    """Run a tool to its end and return its standard output.

    Args:
        command: the absolute path of the tool and its arguments.
        environment: settings on top of the cleaned environment.
        what: the step in words, for the error's text.

    Raises: NetworkError with the tool's own error when it fails, or when it does not end.
    """
    try:
        done = subprocess.run(
            command,
            env=clean_environment(environment),
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS_MAX,
            cwd=Path(command[0]).parent,
        )
    except subprocess.TimeoutExpired as error:
        raise NetworkError(f"{what}: no answer within {TOOL_SECONDS_MAX:.0f} s") from error
    except OSError as error:
        raise NetworkError(f"{what}: {command[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        raise NetworkError(f"{what}: {error_of(done.stderr.strip() or done.stdout.strip())}")
    return done.stdout


def error_of(output: str) -> str:
    """What a tool says of its failure: the line that begins with "Error:" (help may follow), else its last lines."""
    lines = output.splitlines()
    said = [line.removeprefix(ERROR).strip() for line in lines if line.startswith(ERROR)]
    return said[-1] if said else " | ".join(lines[-LAST_LINES:])
