"""The drill: orderers are killed and stopped under load, and ordering goes on. `make drill` plays it for figures."""

from __future__ import annotations

from pathlib import Path

import drill
import pytest
from kv_network import running_network

from network.topology import Watch
from network.watch import findings

pytestmark = pytest.mark.network
SHORT = ["kill leader", "kill follower", "kill during start", "kill leader", "kill leader", "kill leader"]


def test_ordering_goes_on_when_leaders_die_with_four_and_with_five_consenters(tmp_path: Path) -> None:
    with running_network(tmp_path, watch=Watch()) as topology:
        played, compared = drill.run(topology, SHORT, seed=1)
    assert [each.fault for each in played] == SHORT
    assert {each.consenters for each in played} == {4, 5}
    assert compared["acknowledged"] > len(SHORT)


@pytest.mark.long
@pytest.mark.parametrize("hogs", [0, 6])
def test_a_hundred_killed_leaders_stop_nothing(tmp_path: Path, hogs: int) -> None:
    with running_network(tmp_path, watch=Watch()) as topology:
        played, _ = drill.run(topology, ["kill leader"] * 100, seed=2, hogs=hogs)
    figures = drill.figures(played)
    assert figures["largest"] <= drill.NEXT_COMMIT_SECONDS_MAX, figures
    assert figures["median"] <= drill.MEDIAN_SECONDS_MAX, figures


@pytest.mark.long
def test_with_supervisors_every_fault_is_healed(tmp_path: Path) -> None:
    with running_network(tmp_path, watch=Watch()) as topology:
        played, _ = drill.run(topology, drill.schedule(60, 20, seed=3), seed=3)
        assert {each.reason for each in findings.read(topology.data)} <= {"died", "silent", "behind", "stands", "view"}
    assert drill.figures(played)["largest"] <= drill.NEXT_COMMIT_SECONDS_MAX
