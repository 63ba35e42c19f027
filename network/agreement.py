"""A contract that each organisation approves for itself, and that any one of them commits when a majority has.

This is for organisations on hosts of their own; where one machine runs all, `lifecycle.deploy` does both at once.
Source: Fabric's chaincode lifecycle (`_lifecycle`).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from network import definitions
from network.errors import NetworkError
from network.lifecycle import Contract, install_and_approve, newest_definition, sequence_of
from network.tools import Tools
from network.topology import Other, Topology

CONNECT_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How this host's contract stands on the channel.

    Args:
        version: of the sources that are installed here.
        package_id: of those sources; the same on every host with the same ones.
        sequence: that the contract has on the channel, or would have.
        committed_version: what the channel has; empty when there is none.
        committed_sequence: of that; 0 when there is none.
        approvals: who has approved this version for its sequence, by MSP id.
    """

    version: str
    package_id: str
    sequence: int
    committed_version: str
    committed_sequence: int
    approvals: Mapping[str, bool]

    @property
    def committed(self) -> bool:
        """Whether the channel has this very version."""
        return self.version == self.committed_version

    @property
    def approvers(self) -> list[str]:
        """Who has approved it."""
        return sorted(msp_id for msp_id, approved in self.approvals.items() if approved)

    @property
    def is_approved(self) -> bool:
        """Whether so many have that it can be committed: more than half."""
        return 2 * len(self.approvers) > len(self.approvals)


def approve(topology: Topology, tools: Tools, contract: Contract) -> bool:
    """Install the contract and approve it for the own organisations; what is done is left alone.

    Returns: whether anything was to be done.

    Raises: NetworkError when one of them could not.
    """
    newest, able, failed = newest_definition(topology, topology.organisations)
    _, changed = install_and_approve(topology, tools, contract, newest, able, failed)
    if failed:
        raise next(iter(failed.values()))
    return changed


def standing(topology: Topology, contract: Contract) -> Standing:
    """How the contract stands on the channel, by the word of the own peers.

    Raises: NetworkError when none answers.
    """
    newest, able, _ = newest_definition(topology, topology.organisations)
    sequence = sequence_of(newest, contract)
    same = newest is not None and newest.version == contract.version
    definition = contract.version, sequence, contract.collections, contract.policy
    known = newest.approvals if newest and same else definitions.approvals(topology, able[0], *definition)
    return Standing(
        version=contract.version,
        package_id=contract.package_id,
        sequence=sequence,
        committed_version=newest.version if newest else "",
        committed_sequence=newest.sequence if newest else 0,
        approvals=known,
    )


def commit(topology: Topology, contract: Contract) -> Standing:
    """Commit the contract that a majority has approved, endorsed by those of it whose peers can be reached.

    One that is committed is left alone.

    Returns: how it stood before.

    Raises: NetworkError when too few have approved it, or it was refused.
    """
    found = standing(topology, contract)
    if found.committed:
        return found
    if not found.is_approved:
        lacking = ", ".join(sorted(set(found.approvals) - set(found.approvers)))
        text = f"{len(found.approvers)} of {len(found.approvals)} have approved {contract.version}: not {lacking}"
        raise NetworkError(text, "More than half have to, each on its own host: ledger-node contract approve")
    definitions.commit(
        topology,
        topology.organisations,
        contract.version,
        found.sequence,
        contract.collections,
        contract.policy,
        endorsers=endorsers(topology, found),
    )
    return found


def endorsers(topology: Topology, found: Standing) -> list[str]:
    """All who have approved it, less those whose peer is away as long as the rest are enough."""
    away = {each.msp_id for each in topology.others if not _accepts(each)}
    near = [msp_id for msp_id in found.approvers if msp_id not in away]
    return near if 2 * len(near) > len(found.approvals) else found.approvers


def _accepts(other: Other) -> bool:
    """Whether something listens where another organisation's peer is."""
    try:
        with socket.create_connection((other.host, other.peer), CONNECT_SECONDS_MAX):
            return True
    except OSError:
        return False
