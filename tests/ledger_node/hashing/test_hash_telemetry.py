"""Which GPU is chosen and what it used, from readings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger_node.hashing.kernel import GpuUnavailable
from ledger_node.hashing.telemetry import Reading, choose, joules, joules_per_gb

# An idle H200, in the form in which NVML tells of it.
IDLE = Reading(
    uuid="GPU-6f0a6a3c-1e44-5d1c-9d5e-0f2f5a0f3c11",
    name="NVIDIA H200",
    seconds=100.0,
    memory_free_bytes=150_121_021_440,
    load_percent=0,
    foreign_processes=0,
    temperature_celsius=27,
    clock_mhz=345,
    power_watts=76.5,
    energy_joules=1_204_311.4,
)
OTHER = replace(IDLE, uuid="GPU-0b5b3f0e-7f6e-52a8-8d0f-8f5a4a3f9d22")


def test_the_device_with_the_most_free_memory_is_chosen() -> None:
    fuller = replace(OTHER, memory_free_bytes=80 << 30)
    assert choose([fuller, IDLE]) is IDLE
    assert choose([IDLE, fuller]) is IDLE


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (replace(IDLE, foreign_processes=1), "is used by 1 other processes"),
        (replace(IDLE, load_percent=93), "is busy, 93 %"),
        (replace(IDLE, memory_free_bytes=1 << 30), "has only 1024 MiB of free memory"),
    ],
)
def test_a_device_that_is_not_free_is_passed_over_and_the_reason_said(reading: Reading, reason: str) -> None:
    assert choose([reading, OTHER]) is OTHER
    with pytest.raises(GpuUnavailable, match=reason):
        choose([reading])


def test_a_device_that_does_not_tell_its_load_is_taken() -> None:
    silent = replace(IDLE, load_percent=None)
    assert choose([silent]) is silent


def test_no_device_is_no_gpu() -> None:
    with pytest.raises(GpuUnavailable, match="there is no GPU"):
        choose([])


def test_energy_is_the_difference_of_the_counter() -> None:
    after = replace(IDLE, seconds=105.0, energy_joules=1_207_311.4, power_watts=612.0)
    assert joules(IDLE, after) == pytest.approx(3000.0)


def test_energy_over_less_than_a_second_or_without_a_counter_is_mean_power_times_time() -> None:
    after = replace(IDLE, seconds=100.5, energy_joules=1_204_311.4, power_watts=123.5)
    assert joules(IDLE, after) == pytest.approx(50.0)
    later = replace(after, seconds=102.0, energy_joules=None)
    assert joules(IDLE, later) == pytest.approx(200.0)


def test_energy_of_a_device_that_tells_nothing_is_unknown() -> None:
    silent = replace(IDLE, energy_joules=None, power_watts=None)
    assert joules(silent, replace(silent, seconds=200.0)) is None
    assert joules_per_gb(silent, replace(silent, seconds=200.0), 10**9, 76.5) is None


def test_joules_per_gb_are_told_with_and_without_idle_power() -> None:
    after = replace(IDLE, seconds=110.0, energy_joules=1_204_311.4 + 5000)
    assert joules_per_gb(IDLE, after, 10**12, idle_watts=76.5) == pytest.approx((5.0, 4.235))
    assert joules_per_gb(IDLE, after, 0, idle_watts=76.5) is None
