"""What NVIDIA's management library says of the devices of a machine, and which of them is free for hashing.

Reading is one function; choosing, and computing joules, are functions of what was read. A machine without driver has
no readings, and that means: hash on the CPU. This module starts nothing on a device.
Source: the NVML API reference; nvidia-ml-py, whose module is called pynvml.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pynvml

from ledger_node.hashing.kernel import GpuUnavailable

MEMORY_FREE_BYTES_MIN = 2 << 30
LOAD_PERCENT_MAX = 50
ENERGY_SECONDS_MIN = 1.0  # the counter is updated too seldom for less


@dataclass(frozen=True, slots=True)
class Reading:
    """One device at one moment; None for what this device or driver does not tell."""

    uuid: str
    name: str
    seconds: float
    memory_free_bytes: int
    load_percent: int | None
    foreign_processes: int
    temperature_celsius: int | None
    clock_mhz: int | None
    power_watts: float | None
    energy_joules: float | None

    def as_json(self) -> dict[str, Any]:
        """For status pages; the clock of this process means nothing there."""
        row = asdict(self)
        del row["seconds"]
        return row


def readings() -> list[Reading]:
    """Every device of this machine.

    Raises: GpuUnavailable when there is no driver.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise GpuUnavailable(f"there is no NVIDIA driver: {error}") from error
    try:
        count = pynvml.nvmlDeviceGetCount()
        return [_read(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(count)]
    except pynvml.NVMLError as error:
        raise GpuUnavailable(f"the NVIDIA driver does not answer: {error}") from error
    finally:
        pynvml.nvmlShutdown()


def choose(found: Sequence[Reading]) -> Reading:
    """The device to hash on: nobody else computes there, it is not busy, and it has the most free memory.

    Raises: GpuUnavailable saying why each one is not.
    """
    free = [reading for reading in found if not _objection(reading)]
    if not free:
        reasons = "; ".join(f"{reading.name} {_objection(reading)}" for reading in found)
        raise GpuUnavailable(f"no GPU is free: {reasons}" if found else "there is no GPU")
    return max(free, key=lambda reading: (reading.memory_free_bytes, -(reading.load_percent or 0)))


def joules(before: Reading, after: Reading) -> float | None:
    """What the device used between two readings: by its energy counter over at least a second, else by mean power.

    Returns: None when the device tells neither.
    """
    seconds = after.seconds - before.seconds
    if before.energy_joules is not None and after.energy_joules is not None and seconds >= ENERGY_SECONDS_MIN:
        return after.energy_joules - before.energy_joules
    if before.power_watts is not None and after.power_watts is not None:
        return (before.power_watts + after.power_watts) / 2 * seconds
    return None


def joules_per_gb(before: Reading, after: Reading, size_bytes: int, idle_watts: float) -> tuple[float, float] | None:
    """What hashing 10^9 bytes used between two readings: all of it, and without what the idle device would have used.

    Returns: None when the device does not tell, or nothing was hashed.
    """
    used = joules(before, after)
    if used is None or size_bytes <= 0:
        return None
    idle = idle_watts * (after.seconds - before.seconds)
    return used / (size_bytes / 1e9), max(0.0, used - idle) / (size_bytes / 1e9)


def shown() -> dict[str, Any]:
    """The devices for status pages: `{devices: [...]}`, or `{absent: reason}`."""
    try:
        return {"devices": [reading.as_json() for reading in readings()]}
    except GpuUnavailable as error:
        return {"absent": error.text}


def _objection(reading: Reading) -> str:
    if reading.foreign_processes:
        return f"is used by {reading.foreign_processes} other processes"
    if reading.load_percent is not None and reading.load_percent > LOAD_PERCENT_MAX:
        return f"is busy, {reading.load_percent} %"
    if reading.memory_free_bytes < MEMORY_FREE_BYTES_MIN:
        return f"has only {reading.memory_free_bytes >> 20} MiB of free memory"
    return ""


def _read(handle: Any) -> Reading:
    power, energy = (
        _reading_or_none(pynvml.nvmlDeviceGetPowerUsage, handle),
        _reading_or_none(pynvml.nvmlDeviceGetTotalEnergyConsumption, handle),
    )
    load = _reading_or_none(pynvml.nvmlDeviceGetUtilizationRates, handle)
    processes = _reading_or_none(pynvml.nvmlDeviceGetComputeRunningProcesses, handle) or []
    return Reading(
        uuid=str(pynvml.nvmlDeviceGetUUID(handle)),
        name=str(pynvml.nvmlDeviceGetName(handle)),
        seconds=time.monotonic(),
        memory_free_bytes=int(pynvml.nvmlDeviceGetMemoryInfo(handle).free),
        load_percent=None if load is None else int(load.gpu),
        foreign_processes=sum(process.pid != os.getpid() for process in processes),
        temperature_celsius=_reading_or_none(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU),
        clock_mhz=_reading_or_none(pynvml.nvmlDeviceGetClockInfo, handle, pynvml.NVML_CLOCK_SM),
        power_watts=None if power is None else power / 1000,
        energy_joules=None if energy is None else energy / 1000,
    )


def _reading_or_none(ask: Any, *arguments: Any) -> Any:
    """One figure of a device; None when this device or driver does not have it."""
    try:
        return ask(*arguments)
    except pynvml.NVMLError:
        return None
