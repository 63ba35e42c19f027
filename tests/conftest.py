"""What all tests share: one real four-organisation network for the whole session."""

from __future__ import annotations

import random
import secrets
from collections.abc import Generator, Iterator

import pytest
from kv_network import running_network

from network import control
from network.topology import Topology, demo_topology, free_base_port


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A running network: four peers, four BFT orderers, four contract processes; stopped at the end of the session.

    Its description lies in `network.data.parent / "network.yaml"`. A test that stops a part of it brings it up again.
    """
    home = tmp_path_factory.mktemp("network")
    base_port = free_base_port(first=random.randrange(15000, 30000, 40))  # other sessions may look at the same time
    topology = demo_topology(home, base_port)
    topology.save(home / "network.yaml")
    try:
        control.up(topology, print)
        yield topology
    finally:
        control.down(topology)


@pytest.fixture(scope="module")
def kv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A running network of a module's own, whose contract writes, refuses and breaks on demand; see kv_network."""
    with running_network(tmp_path_factory.mktemp("kv")) as topology:
        yield topology


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return secrets.token_hex(4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A network test that is skipped fails: a green run means that the real network was there."""
    report = yield
    needs_network = item.get_closest_marker("network") or {"network", "kv"} & set(getattr(item, "fixturenames", ()))
    if report.skipped and needs_network:
        report.outcome = "failed"
        report.longrepr = f"a network test may not be skipped: {report.longrepr}"
    return report
