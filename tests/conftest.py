"""What all tests share: two real four-organisation networks for the whole session.

One runs the project's contract (`network`), the other a contract that breaks on demand (`kv`). Tests of the second come
last, so that it runs no longer than needed, and of those the ones that stop parts of it.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import settings
from kv_network import bring_up, running_network, unwatched

from network import components, control, processes
from network.ports import held_base_port
from network.topology import Topology, demo_topology

settings.register_profile("suite", deadline=None)  # how long an example takes says how busy the machine is
settings.load_profile("suite")

# Plain tracebacks, as the program itself logs them: those with all variables take a second each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """A running network: four peers, four BFT orderers, four contract processes; stopped at the end of the session.

    Its description lies in `network.data.parent / "network.yaml"`. A test that stops a part of it brings it up again.
    """
    home = tmp_path_factory.mktemp("network")
    with held_base_port(first=random.randrange(15000, 30000, 40)) as base_port:
        topology = unwatched(demo_topology(home, base_port))
        topology.save(home / "network.yaml")
        try:
            control.up(topology, print)
            yield topology
        finally:
            control.down(topology)


@pytest.fixture(scope="session")
def kv_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """What `kv` hands to each test."""
    with running_network(tmp_path_factory.mktemp("kv")) as topology:
        yield topology


@pytest.fixture
def kv(kv_of_the_session: Topology) -> Topology:
    """A running network whose contract writes, refuses and breaks on demand; see kv_network.

    Whatever a failed test before has left stopped is brought up again.
    """
    names = components.component_names(kv_of_the_session)
    if not all(processes.running(kv_of_the_session.data, name) for name in names):
        bring_up(kv_of_the_session)
    return kv_of_the_session


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a network, and so wants the machine alone; put the modules that use `kv` last.

    Of those the ones that disturb it come after the others. These modules and the scenarios are the second run of two.
    """
    for item in items:
        if {"network", "kv"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("network")
        if item.get_closest_marker("network"):
            item.add_marker("alone")
    users = {item.path for item in items if "kv" in getattr(item, "fixturenames", ())}
    for item in items:
        is_scenario = item.path.parent.name == "scenario" and "network" not in getattr(item, "fixturenames", ())
        if (item.path in users or is_scenario) and item.get_closest_marker("alone"):
            item.add_marker("second")
    items.sort(key=lambda item: (item.path in users, item.get_closest_marker("disturbs") is not None))


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return secrets.token_hex(4)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A network test that is skipped fails: a green run means that the real network was there."""
    report = yield
    if report.skipped and item.get_closest_marker("network"):
        report.outcome = "failed"
        report.longrepr = f"a network test may not be skipped: {report.longrepr}"
    return report
