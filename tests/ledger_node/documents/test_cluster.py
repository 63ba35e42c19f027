"""Scrubs on a Ray cluster: two nodes of a real one hash by reference, and losing a device changes no answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from consortium import Consortium, organisations
from vault_world import Safe

from ledger_node.cli import main
from ledger_node.hashing import Hashed, UnreadableError
from ledger_node.hashing.cpu import HashlibBackend
from ledger_node.hashing.past_cache import past_cache

NEVER = threading.Event()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a cluster of two nodes on this machine."""
    pytest.importorskip("ray", reason="THE CLUSTER WAS NOT TESTED: Ray is missing (pip install -e '.[cluster]')")
    from ray.cluster_utils import Cluster as LocalCluster

    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    cluster: Any = LocalCluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    yield str(cluster.address)
    cluster.shutdown()


@pytest.fixture
def safe(tmp_path: Path) -> Iterator[Safe]:
    safe = Safe(tmp_path)
    yield safe
    safe.close()


@pytest.mark.long
def test_two_nodes_share_a_scrub_and_find_what_one_would(address: str, safe: Safe) -> None:
    from ledger_node.documents.cluster import Cluster

    kept = safe.keep(*(os.urandom(1000) for _ in range(40)))
    safe.path(kept[7]).write_bytes(b"damaged")
    safe.path(kept[8]).unlink()
    here: list[Path] = []

    def local(paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        here.extend(paths)
        return past_cache(HashlibBackend().hash_batch)(paths)

    cluster = Cluster(address, "auto", local)
    try:
        assert len(set(cluster.where)) == 2
        answers = cluster.hash_files([safe.path(each) for each in kept])
        assert here == [safe.path(kept[8])]  # only what nobody could read was looked for here
        assert [
            isinstance(each, Hashed) and each.digest == own.digest for each, own in zip(answers, kept, strict=True)
        ] == [number not in (7, 8) for number in range(40)]
        report = safe.scrubber().scrub(cluster.hash_files, NEVER)
        found = sorted((each.kind.value, each.document_id) for each in report.damage)
        assert found == sorted([("damaged", kept[7].document_id), ("missing", kept[8].document_id)])
        import ray

        ray.kill(cluster._devices[0])
        again = cluster.hash_files([safe.path(each) for each in kept[10:]])
        assert [each.digest for each in again if isinstance(each, Hashed)] == [each.digest for each in kept[10:]]
        assert len(here) > 10  # the share of the one that was lost
    finally:
        cluster.close()


@pytest.mark.long
def test_the_command_scrubs_on_the_cluster_that_it_is_given(address: str, tmp_path: Path) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    arguments = ["hash", "scrub", "--node", str(world.settings["supplier"].directory), "--cluster", address]
    ran = CliRunner().invoke(main, arguments)
    world.close()
    assert (ran.exit_code, "hashing on 2 devices" in ran.output) == (0, True), ran.output


def test_the_command_without_ray_scrubs_on_this_machine_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisations(tmp_path)
    world = Consortium(tmp_path, tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    arguments = ["hash", "scrub", "--node", str(world.settings["supplier"].directory), "--cluster", "auto"]
    ran = CliRunner().invoke(main, arguments)
    world.close()
    assert (ran.exit_code, "Ray is not installed" in ran.output) == (0, True), ran.output
    assert "the whole vault is checked" in ran.output
