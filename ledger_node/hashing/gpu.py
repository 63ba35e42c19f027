"""The GPU as a backend: slabs of whole blocks go to the device, one thread of it hashes one document.

What runs where is planned without a device: documents in the order of their length are cut into launches. Short ones
share a launch; long ones advance together, a slice of each in every launch, their state waiting on the device in
between. Two lanes take turns, so that files are read into one pinned slab while the other is copied and hashed.
Whatever the packer cannot take (a stream, a file that changes or cannot be read) is hashed by hashlib.
Source: CUDA C++ programming guide (streams, pinned memory); the kernel's own header says what a slab holds.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ledger_node.hashing.digest import hash_one
from ledger_node.hashing.guard import Answer, rereadable, stamps
from ledger_node.hashing.scheduler import size_of
from ledger_node.hashing.sources import Hashed, Source, UnreadableError

BLOCK_BYTES = 64
LANES = 2
LAUNCH_DOCUMENTS_MAX = 1 << 17
WIDE_DOCUMENTS = 4096  # that many threads keep up with the bus; long documents are cut so that so many advance at once


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch: the documents [first, first + count) of the sorted order, of each the blocks from `block` on."""

    first: int
    count: int
    block: int
    blocks_max: int
    last: bool


class Device(Protocol):
    """What runs a launch; CUDA's, or in tests the same kernel compiled for the CPU."""

    @property
    def name(self) -> str:
        """The device's own name."""
        ...

    @property
    def slab_bytes(self) -> int:
        """The size of a slab, a multiple of 64."""
        ...

    def slab(self, lane: int) -> memoryview:
        """The pinned slab of a lane, writable, once nothing of it is in use any more."""
        ...

    def begin(self, count: int) -> Any:
        """A state for so many documents."""
        ...

    def copy(self, lane: int) -> None:
        """Copy all of the lane's slab, without waiting for it; `slab` does."""
        ...

    def launch(
        self, lane: int, state: Any, launch: Launch, start: bytes, blocks: bytes, resident: bool = False
    ) -> None:
        """Copy the lane's slab and hash it into the state, without waiting for it.

        `resident` copies nothing: what the lane's last launch had is there still.
        """
        ...

    def end(self, state: Any) -> bytes:
        """Wait for a state, and give it back: 32 bytes for each document, word-major."""
        ...

    def close(self) -> None:
        """Free everything."""
        ...


class GpuBackend:
    """Hashes on a GPU; one batch at a time.

    Args:
        device: closed by `close`.
        pack: `_native.pack_slab`.
        unpack: `_native.unpack_digests`.
    """

    def __init__(self, device: Device, pack: Callable[..., Any], unpack: Callable[[bytes, int], list[bytes]]) -> None:
        self.name = f"gpu:{device.name}"
        self._device = device
        self._pack = pack
        self._unpack = unpack
        self._lane = 0

    def hash_batch(self, sources: Sequence[Source], /) -> list[Answer]:
        """One answer for each source, in their order."""
        sizes = [size_of(source) if rereadable(source) else -1 for source in sources]
        order = sorted((place for place, size in enumerate(sizes) if size >= 0), key=sizes.__getitem__)
        blocks = [blocks_of(sizes[place]) for place in order]
        answers: list[Answer | None] = [None] * len(sources)
        under_way: deque[_Cohort] = deque()
        for launch in plan(blocks, self._device.slab_bytes // BLOCK_BYTES):
            if launch.block == 0:
                places = order[launch.first : launch.first + launch.count]
                under_way.append(_Cohort(places, sources, sizes, launch, self._device.begin(launch.count)))
            if len(under_way) > LANES:
                self._end(under_way.popleft(), answers)
            self._run(under_way[-1], launch)
        while under_way:
            self._end(under_way.popleft(), answers)
        return [answer or _by_hashlib(source) for answer, source in zip(answers, sources, strict=True)]

    def close(self) -> None:
        """Free the device's memory."""
        self._device.close()

    def _run(self, cohort: _Cohort, launch: Launch) -> None:
        slab = self._device.slab(self._lane)
        threads = len(os.sched_getaffinity(0))
        start, blocks, sizes, failures = self._pack(cohort.sources, slab, launch.block, launch.blocks_max, threads)
        cohort.odd.update(place for place, _ in failures)
        cohort.odd.update(place for place, size in enumerate(sizes) if size != cohort.sizes[place])
        if len(sizes) < launch.count:  # a document has grown since it was planned, and the slab is full
            cohort.odd.update(range(len(sizes), launch.count))
            missing = bytes(4 * (launch.count - len(sizes)))
            start, blocks = start + missing, blocks + missing
        self._device.launch(self._lane, cohort.state, launch, start, blocks)
        self._lane = (self._lane + 1) % LANES

    def _end(self, cohort: _Cohort, answers: list[Answer | None]) -> None:
        digests = self._unpack(self._device.end(cohort.state), len(cohort.places))
        odd = cohort.odd | cohort.changed()
        for index, (place, digest) in enumerate(zip(cohort.places, digests, strict=True)):
            if index not in odd:
                answers[place] = Hashed(digest, cohort.sizes[index], self.name)


class _Cohort:
    """Documents that are hashed by the same launches, and which of them turned out odd on the way."""

    def __init__(
        self, places: Sequence[int], sources: Sequence[Source], sizes: Sequence[int], first: Launch, state: Any
    ) -> None:
        self.places = places
        self.sources = [sources[place] for place in places]
        self.sizes = [sizes[place] for place in places]
        self.state = state
        self.odd: set[int] = set()
        # The packer notices what changes within a launch; what is read in several is looked at before and after.
        self._looked_at = range(0 if first.last else len(places))
        self._stamps = stamps(self.sources, self._looked_at)

    def changed(self) -> set[int]:
        """The documents that changed between two launches."""
        now = stamps(self.sources, self._looked_at)
        return {index for index in self._looked_at if now[index] != self._stamps[index]}


def blocks_of(size_bytes: int) -> int:
    """How many blocks of 64 bytes a document has with its padding: at least 9 bytes of it (FIPS 180-4)."""
    return (size_bytes + 8) // BLOCK_BYTES + 1


def plan(blocks: Sequence[int], slab_blocks: int, wide: int = WIDE_DOCUMENTS) -> Iterator[Launch]:
    """The launches for documents of so many blocks each, in ascending order.

    Args:
        blocks: of each document, padding included.
        slab_blocks: how many a slab holds.
        wide: how many documents a launch should have at least, if need be as slices.
    """
    first = 0
    while first < len(blocks):
        fits = _fits(blocks, first, slab_blocks)
        if fits and fits >= min(wide, len(blocks) - first):
            yield Launch(first, fits, 0, slab_blocks, last=True)
            first += fits
            continue
        count = min(wide, len(blocks) - first, slab_blocks)
        block, longest = 0, blocks[first + count - 1]
        active = 0  # the first of the cohort that is not done
        while block < longest:
            while blocks[first + active] <= block:
                active += 1
            slice_blocks = min(longest - block, slab_blocks // (count - active))
            yield Launch(first, count, block, slice_blocks, last=block + slice_blocks == longest)
            block += slice_blocks
        first += count


def _fits(blocks: Sequence[int], first: int, slab_blocks: int) -> int:
    """How many whole documents from `first` on go into one slab."""
    used = count = 0
    while first + count < len(blocks) and count < LAUNCH_DOCUMENTS_MAX:
        used += blocks[first + count]
        if used > slab_blocks:
            break
        count += 1
    return count


def _by_hashlib(source: Source) -> Answer:
    try:
        return hash_one(source)
    except UnreadableError as error:
        return error
