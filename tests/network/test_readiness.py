"""Waiting for a network that does not come ends, and says what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from network import readiness
from network.errors import NetworkError
from network.topology import demo_topology, free_base_port


def test_orderers_that_elect_no_leader_are_waited_for_in_raft_only_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "LEADER_SECONDS_MAX", 0.0)
    bft = demo_topology(tmp_path, free_base_port(30000, 32000))
    readiness.await_ordering(bft)
    with pytest.raises(NetworkError, match="the orderers elected no leader"):
        readiness.await_ordering(bft.model_copy(update={"consensus": "raft"}))
