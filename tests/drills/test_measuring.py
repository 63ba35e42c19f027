"""Growth is told from noise, and processes are measured as they are."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time

import pytest

from drills.measuring import Sample, descriptor_slope, memory_slope, sample

MIB = 1 << 20


def samples(memory_mib_an_hour: float, descriptors_an_hour: float, seed: int) -> list[Sample]:
    """An hour of a process of 100 MiB and 50 descriptors, with noise, every ten seconds."""
    noise = random.Random(seed)
    return [
        Sample(
            at=10.0 * number,
            pids=(1,),
            memory_bytes=int((100 + memory_mib_an_hour * number / 360 + noise.uniform(-4, 4)) * MIB),
            descriptors=round(50 + descriptors_an_hour * number / 360 + noise.uniform(-3, 3)),
        )
        for number in range(361)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_is_told_from_noise(seed: int) -> None:
    leaking = samples(memory_mib_an_hour=20, descriptors_an_hour=12, seed=seed)
    assert memory_slope(leaking).grows
    assert descriptor_slope(leaking).grows
    assert memory_slope(leaking).an_hour / MIB == pytest.approx(20, abs=3)
    steady = samples(memory_mib_an_hour=0, descriptors_an_hour=0, seed=seed)
    assert not memory_slope(steady).grows
    assert not descriptor_slope(steady).grows


LEAK = """
import sys, time
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append((bytearray(b"x" * (1 << 20)), open("/dev/null")))
    print(len(kept), flush=True)
"""


def test_memory_and_descriptors_of_a_real_process_are_seen_to_grow() -> None:
    command = [sys.executable, "-c", LEAK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as leaking:
        assert leaking.stdin is not None
        assert leaking.stdout is not None
        leaking.stdout.readline()
        before = sample(time.monotonic(), [leaking.pid])
        for _ in range(8):
            leaking.stdin.write("more\n")
            leaking.stdout.readline()
        after = sample(time.monotonic(), [leaking.pid])
        leaking.stdin.close()
    assert before is not None
    assert after is not None
    assert after.memory_bytes - before.memory_bytes > 6 * MIB
    assert after.descriptors - before.descriptors == 8
    assert sample(time.monotonic(), [leaking.pid]) is None  # it has ended
    assert sample(time.monotonic(), [os.getpid()]) is not None
