"""Hashing files on the machines of one organisation's Ray cluster: paths travel, bytes never do.

Every machine of the cluster mounts the vault at the same place and has this program installed. One actor per device
(each GPU, or a machine's processors where it has none) stays warm and hashes what it is given past its page cache.
What a machine cannot read, or loses with its actor, is hashed here; so a machine that does not see the vault makes
the work slower and never wrong. Only imported where the extra `cluster` is installed. Source: Ray Core, actors.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ray
import structlog
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ledger_node.errors import ConfigError
from ledger_node.hashing import Hashed, UnreadableError
from ledger_node.hashing.hasher import Choice, open_hasher
from ledger_node.hashing.past_cache import HashFiles, past_cache

START_SECONDS_MAX = 120.0
SHARE_SECONDS_MAX = 600.0
"""How long a device may take for its share of a batch before that is hashed here."""
log = structlog.get_logger(__name__)


class Device:
    """What runs beside one device: a hasher that is opened once.

    Args:
        backend: as of `open_hasher`.
    """

    def __init__(self, backend: Choice) -> None:
        self._hash_files = past_cache(open_hasher(backend).hash_batch)
        self._where = f"{os.uname().nodename}/{os.getpid()}"

    def where(self) -> str:
        """The machine and process that hash here; answers once it is warm."""
        return self._where

    def hash_files(self, paths: Sequence[str]) -> list[Hashed | None]:
        """As `past_cache(...)`; None in the place of what could not be read."""
        answers = self._hash_files([Path(path) for path in paths])
        return [answer if isinstance(answer, Hashed) else None for answer in answers]


class Cluster:
    """The devices of a Ray cluster, as one function that hashes files.

    Args:
        address: of the cluster, such as "auto" or "10.0.0.5:6379".
        backend: as of `open_hasher`, on every machine.
        local: hashes here what could not be hashed there.

    Raises: ConfigError when there is no such cluster, or a device does not start.
    """

    def __init__(self, address: str, backend: Choice, local: HashFiles) -> None:
        self._local = local
        try:
            ray.init(address=address, log_to_driver=False, configure_logging=False)
            self._devices = [_start(backend, node_id, gpu) for node_id, gpu in _devices()]
            self.where: list[str] = ray.get(
                [device.where.remote() for device in self._devices], timeout=START_SECONDS_MAX
            )
        except (RayError, ConnectionError, TimeoutError, ValueError) as error:
            ray.shutdown()
            raise ConfigError(
                f"the Ray cluster at {address} cannot be used: {error}",
                "Look at `ray status`; this program must be installed on each of its machines.",
            ) from error

    def hash_files(self, paths: Sequence[Path]) -> list[Hashed | UnreadableError]:
        """Hash files, spread over all devices, in their order.

        Args:
            paths: as all machines know them.
        """
        answers: dict[int, Hashed | UnreadableError] = {}
        count = len(self._devices)
        shares = [range(start, len(paths), count) for start in range(min(count, len(paths)))]
        asked = [
            (share, device.hash_files.remote([str(paths[place]) for place in share]))
            for share, device in zip(shares, self._devices, strict=False)
        ]
        for share, promise in asked:
            try:
                hashed = ray.get(promise, timeout=SHARE_SECONDS_MAX)
                answers.update(
                    (place, answer) for place, answer in zip(share, hashed, strict=True) if answer is not None
                )
            except RayError as error:  # the time that is up is one, too
                log.warning("a device of the cluster was lost, its files are hashed here", error=repr(error))
        left = [place for place in range(len(paths)) if place not in answers]
        answers.update(zip(left, self._local([paths[place] for place in left]), strict=True))
        return [answers[place] for place in range(len(paths))]

    def close(self) -> None:
        """End the actors and leave the cluster; twice is fine."""
        for device in self._devices:
            ray.kill(device)
        self._devices = []
        ray.shutdown()


def _devices() -> list[tuple[str, bool]]:
    """Each device of the cluster: its machine's node id, and whether it is a GPU."""
    alive = [node for node in ray.nodes() if node["Alive"]]
    return [
        (node["NodeID"], gpus > 0)
        for node in alive
        for gpus in [int(node["Resources"].get("GPU", 0))]
        for _ in range(gpus or 1)
    ]


def _start(backend: Choice, node_id: str, gpu: bool) -> Any:
    here = NodeAffinitySchedulingStrategy(node_id, soft=False)
    return ray.remote(Device).options(num_cpus=0, num_gpus=int(gpu), scheduling_strategy=here).remote(backend)
