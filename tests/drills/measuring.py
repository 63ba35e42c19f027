"""Memory and descriptors of processes over time, and whether they grow: a slope with its confidence."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

BLOCKS = 10
T_95 = 2.306  # Student's t for 95 % with BLOCKS - 2 degrees of freedom
GROWTH_SHARE_MIN = 0.05
DESCRIPTORS_GROWTH_MIN = 5.0


@dataclass(frozen=True)
class Sample:
    """A process and its children at one moment.

    Args:
        at: seconds of a clock that never goes back.
        pids: which processes; a sample of others begins a new series.
        memory_bytes: proportional set size, so that shared pages are counted once.
        descriptors: open files and sockets.
    """

    at: float
    pids: tuple[int, ...]
    memory_bytes: int
    descriptors: int


@dataclass(frozen=True)
class Slope:
    """A trend.

    Args:
        median: of the values.
        an_hour: growth in an hour.
        error: half of its 95 % interval.
        hours: how long was measured.
        growth_min: what counts as growth at all over that time.
    """

    median: float
    an_hour: float
    error: float
    hours: float
    growth_min: float

    @property
    def grows(self) -> bool:
        """Whether it certainly grows, by more than what counts."""
        return (self.an_hour - self.error) * self.hours > self.growth_min


def sample(at: float, pids: Sequence[int]) -> Sample | None:
    """Look at processes; None when one has ended meanwhile."""
    memory = descriptors = 0
    with suppress(OSError, psutil.Error):
        for pid in pids:
            memory += int(psutil.Process(pid).memory_full_info().pss)
            descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return Sample(at, tuple(pids), memory, descriptors)
    return None


def slope(times: Sequence[float], values: Sequence[float], growth_min: float) -> Slope:
    """A straight line through the means of consecutive blocks: neighbouring samples are no independent ones.

    Args:
        times: seconds, ascending; at least `BLOCKS` of them.
        values: one for each.
        growth_min: what counts as growth over the whole time.
    """
    edges = [round(number * len(times) / BLOCKS) for number in range(BLOCKS + 1)]
    spans = [slice(one, other) for one, other in itertools.pairwise(edges)]
    x = [statistics.fmean(times[span]) / 3600 for span in spans]
    y = [statistics.fmean(values[span]) for span in spans]
    fitted = statistics.linear_regression(x, y)
    left = sum((b - fitted.intercept - fitted.slope * a) ** 2 for a, b in zip(x, y, strict=True))
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    error = T_95 * math.sqrt(left / (BLOCKS - 2) / spread)
    return Slope(statistics.median(values), fitted.slope, error, (times[-1] - times[0]) / 3600, growth_min)


def memory_slope(samples: Sequence[Sample]) -> Slope:
    """The trend of a process's memory, in bytes."""
    values = [float(each.memory_bytes) for each in samples]
    return slope([each.at for each in samples], values, GROWTH_SHARE_MIN * statistics.median(values))


def descriptor_slope(samples: Sequence[Sample]) -> Slope:
    """The trend of a process's open descriptors."""
    return slope([each.at for each in samples], [float(each.descriptors) for each in samples], DESCRIPTORS_GROWTH_MIN)
