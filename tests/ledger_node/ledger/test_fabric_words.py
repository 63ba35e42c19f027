"""What a peer says of clocks and snapshots, in words that help."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger_node.ledger.fabric import FabricLedger
from ledger_node.ledger.interface import EndorseError, LedgerError
from network import gateway
from network.gateway import PeerDetail
from network.identities import ensure_identities
from network.topology import demo_topology

# As Fabric 3.1.1 says it: core/handlers/auth/filter/timewindow.go, common/ledger/blkstorage/blockfile_mgr.go.
CLOCK = (
    "request unauthorized due to incorrect timestamp 2026-11-30T12:00:00Z, peer time 2026-11-30T12:16:00Z,"
    " peer.authentication.timewindow 15m0s"
)
SNAPSHOT = "details for the TXID [ab] not available. Ledger bootstrapped from a snapshot. First available block = [9]"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[FabricLedger]:
    """Of a peer that nobody runs."""
    topology = demo_topology(tmp_path, 20000)
    ensure_identities(topology)
    folders = topology.folders("buyer")
    made = FabricLedger(
        endpoint="localhost:1",
        tls_roots=folders.tls_ca,
        msp_id="BuyerMSP",
        certificate=folders.user.certificate,
        key=folders.user.key,
        channel="scf",
        chaincode="scf",
    )
    yield made
    made.close()


def said(text: str) -> gateway.GatewayError:
    details = (PeerDetail("buyer:1", "BuyerMSP", text), PeerDetail("other:1", "OtherMSP", "something else"))
    return gateway.EndorseError("failed to endorse transaction", "ab", "ABORTED", details)


def test_a_transaction_too_far_from_a_peers_clock_names_clocks_and_doctor(ledger: FabricLedger) -> None:
    told = ledger._not_endorsed(said(CLOCK))
    assert isinstance(told, EndorseError)  # it goes again as a new proposal, with a new time
    assert "15 minutes" in told.text
    assert CLOCK in told.text
    assert "ledger-node doctor" in told.remedy
    assert ledger._not_endorsed(said("peer is busy")).remedy == ""  # control


@pytest.mark.parametrize(("answer", "is_before"), [(SNAPSHOT, True), ("no such transaction ID [ab] in index", False)])
def test_a_peer_that_joined_by_a_snapshot_is_named_as_the_cause(
    ledger: FabricLedger, monkeypatch: pytest.MonkeyPatch, answer: str, is_before: bool
) -> None:
    """The peer of this test is played: one that joined by a snapshot takes a network of its own."""

    async def evaluate(*_: object, **__: object) -> bytes:
        raise gateway.EvaluateError(f"evaluate call to endorser returned error: {answer}", "", "UNKNOWN")

    async def commit_status(*_: object) -> None:
        await asyncio.sleep(0)
        raise gateway.CommitStatusError("context deadline exceeded", "ab", "DEADLINE_EXCEEDED")

    monkeypatch.setattr(gateway.Contract, "evaluate", evaluate)
    monkeypatch.setattr(gateway.Network, "commit_status", commit_status)
    if not is_before:
        assert ledger.status("ab", 0.05) is None
        return
    with pytest.raises(LedgerError, match="joined the channel by a snapshot") as told:
        ledger.status("ab", 0.05)
    assert "another organisation" in told.value.remedy


def test_a_peer_that_cannot_be_asked_leaves_the_fate_as_unknown_as_it_was(ledger: FabricLedger) -> None:
    assert ledger.status("ab", 0.05) is None
