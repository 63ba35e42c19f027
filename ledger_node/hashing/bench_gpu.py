"""What a GPU does by itself: its kernel on bytes that it holds already, its bus, and both one beside the other.

Every round fills the slabs with fresh random documents and compares the digests with hashlib's afterwards. "Resident"
says what the kernel could do if bytes were in the device's memory, which documents never are; "pinned" is what can be
had, and its share of the host-to-device rate of the same round says what the kernel costs beside the copying.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from ledger_node.errors import VerificationError
from ledger_node.hashing.cpu import HashlibBackend, native_available
from ledger_node.hashing.cuda_device import CudaDevice
from ledger_node.hashing.gpu import BLOCK_BYTES, LANES, Device, Launch
from ledger_node.hashing.kernel import GpuUnavailable
from ledger_node.hashing.sources import Hashed, Source
from ledger_node.hashing.telemetry import ENERGY_SECONDS_MIN, Reading, choose, joules_per_gb, readings

DOCUMENT_BLOCKS = 80  # 5 KB: a slab of 256 MiB then holds more documents than a large GPU runs threads at once
DOCUMENT_BYTES = DOCUMENT_BLOCKS * BLOCK_BYTES - 9  # and no byte of padding more than there must be
LAUNCHES = 256  # before anybody waits for them: a launch takes less time than a wait
Pack = Callable[..., Any]
Unpack = Callable[[bytes, int], list[bytes]]


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One figure of one variant of the kernel: a median over rounds; None for what the device does not tell.

    `percent_of_copy` compares with copying alone in the same round; joules are for 10^9 bytes, all that the device
    drew and without what it draws when idle.
    """

    device: str
    variant: str
    what: str
    gb_per_second: float
    percent_of_copy: float
    joules_per_gb: float | None
    joules_per_gb_above_idle: float | None

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Seen:
    """One figure in one round: bytes a second, and joules for 10^9 bytes with and without the idle device's."""

    rate: float
    joules: tuple[float, float] | None


def device_rows(rounds: int) -> list[DeviceRow]:
    """The figures of both variants of the kernel on the free GPU of this machine.

    Raises: GpuUnavailable saying why there is none; VerificationError when it computes a wrong digest.
    """
    if reason := native_available():
        raise GpuUnavailable(f"packing for a GPU needs the native extension: {reason}")
    chosen = choose(readings()).uuid
    from ledger_node.hashing import _native

    rows = []
    for variant, fma in (("plain", False), ("fma", True)):
        try:
            device = CudaDevice(chosen, fma=fma)
        except ImportError as error:
            raise GpuUnavailable(f"cuda.core is not installed: {error}", "pip install 'ledger-node[gpu]'") from error
        with closing(device):
            read = partial(_reading, chosen)
            rows += measure_device(device, variant, _native.pack_slab, _native.unpack_digests, rounds, read)
    return rows


def measure_device(
    device: Device,
    variant: str,
    pack: Pack,
    unpack: Unpack,
    rounds: int,
    read: Callable[[], Reading] | None = None,
    seconds_min: float = ENERGY_SECONDS_MIN,
) -> list[DeviceRow]:
    """Copying to the device, hashing what is there, and both one beside the other.

    Args:
        device: idle.
        variant: of the kernel, for the rows.
        pack: `_native.pack_slab`.
        unpack: `_native.unpack_digests`.
        rounds: of fresh documents.
        read: what the device says of itself now; None where nothing does.
        seconds_min: how long each figure is measured in a round.

    Raises: VerificationError when the device computes a wrong digest.
    """
    idle = read() if read else None
    seen: dict[str, list[Seen]] = {"host to device": [], "resident": [], "pinned": []}
    for _ in range(rounds):
        slabs = _Slabs(device, pack, unpack)
        for what, work in (("host to device", slabs.copy), ("resident", slabs.resident), ("pinned", slabs.pinned)):
            seen[what].append(_steadily(work, read, idle, seconds_min))
            slabs.check()
    return [
        DeviceRow(
            device=device.name,
            variant=variant,
            what=what,
            gb_per_second=round(statistics.median(figure.rate for figure in figures) / 1e9, 2),
            percent_of_copy=round(
                statistics.median(
                    100 * figure.rate / copied.rate
                    for figure, copied in zip(figures, seen["host to device"], strict=True)
                ),
                1,
            ),
            joules_per_gb=_median([figure.joules[0] for figure in figures if figure.joules]),
            joules_per_gb_above_idle=_median([figure.joules[1] for figure in figures if figure.joules]),
        )
        for what, figures in seen.items()
    ]


class _Slabs:
    """The slabs of all lanes, full of fresh documents whose digests are known."""

    def __init__(self, device: Device, pack: Pack, unpack: Unpack) -> None:
        self._device = device
        self._unpack = unpack
        self._count = device.slab_bytes // (DOCUMENT_BLOCKS * BLOCK_BYTES)
        self._launch = Launch(0, self._count, 0, DOCUMENT_BLOCKS, last=True)
        self._bytes = self._count * DOCUMENT_BYTES
        self._tables: list[tuple[bytes, bytes]] = []
        self._expected: list[list[bytes]] = []
        self._states: list[bytes] = []
        for lane in range(LANES):
            documents: list[Source] = [os.urandom(DOCUMENT_BYTES) for _ in range(self._count)]
            threads = len(os.sched_getaffinity(0))
            start, blocks, _, _ = pack(documents, device.slab(lane), 0, DOCUMENT_BLOCKS, threads)
            self._tables.append((start, blocks))
            answers = HashlibBackend().hash_batch(documents)
            self._expected.append([answer.digest for answer in answers if isinstance(answer, Hashed)])

    def copy(self) -> int:
        """Copy slabs to the device; returns how many bytes of documents they hold, as the others do."""
        for number in range(LAUNCHES):
            self._device.copy(number % LANES)
        for lane in range(LANES):
            self._device.slab(lane)  # waits
        return LAUNCHES * self._bytes

    def resident(self) -> int:
        """Hash what the lanes' last copies have left on the device; one lane's launch fills the other's last wave."""
        return self._hash(resident=True)

    def pinned(self) -> int:
        """Copy and hash, one lane's copying beside the other's hashing."""
        return self._hash(resident=False)

    def check(self) -> None:
        """Compare what the last run of each lane gave with what hashlib says.

        Raises: VerificationError.
        """
        for expected, state in zip(self._expected, self._states, strict=False):  # none after mere copying
            if self._unpack(state, self._count) != expected:
                raise VerificationError(f"{self._device.name} computes wrong digests", "Do not use this device.")

    def _hash(self, resident: bool) -> int:
        states = [self._device.begin(self._count) for _ in range(LANES)]
        for number in range(LAUNCHES):
            lane = number % LANES
            there = resident and number >= LANES  # the first of each lane brings the tables
            self._device.launch(lane, states[lane], self._launch, *self._tables[lane], resident=there)
        self._states = [self._device.end(state) for state in states]
        return LAUNCHES * self._bytes


def _steadily(
    work: Callable[[], int], read: Callable[[], Reading] | None, idle: Reading | None, seconds_min: float
) -> Seen:
    """Do it again and again for so long, once at least."""
    before, begun, done = read() if read else None, time.perf_counter(), 0
    while not done or time.perf_counter() - begun < seconds_min:
        done += work()
    seconds = time.perf_counter() - begun
    used = None
    if read and before and idle:
        used = joules_per_gb(before, read(), done, idle.power_watts or 0.0)
    return Seen(done / seconds, used)


def _reading(uuid: str) -> Reading:
    return next(reading for reading in readings() if reading.uuid == uuid)


def _median(figures: Sequence[float]) -> float | None:
    return round(statistics.median(figures), 3) if figures else None
